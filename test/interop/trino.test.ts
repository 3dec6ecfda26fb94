/**
 * MATCH_RECOGNIZE tells what Trino tells, wherever only one way of sharing rows out among the variables is possible: Trino goes back and
 * tries other ways, which Flink and Millrace do not. Flink has neither PREV and NEXT nor ALL ROWS PER MATCH.
 *
 *   node scripts/test.ts test/interop/trino        needs Maven, pip; Trino is fetched into .cache/
 */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { askTrino, startTrino, stopTrino } from '../../scripts/engines/trino.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { type FedRow, rowText, runWay, tableOf } from '../builders/engine-run.ts'
import { fc } from '../builders/properties.ts'

before(startTrino, { timeout: 900_000 })
after(stopTrino)

/** No row fits two of them. */
const CONDITIONS = [
  ['v < 2', 'v BETWEEN 2 AND 3', 'v > 3'],
  ['v < PREV(v)', 'v > PREV(v)', 'v = PREV(v)'],
  ['v > NEXT(v)', 'v < NEXT(v) AND v > 1', 'v < NEXT(v) AND v <= 1'],
  ['v < 3', 'v >= 3 AND v >= COALESCE(LAST(v, 1), 0)', 'v >= 3 AND v < LAST(v, 1)'],
  ['v < PREV(v, 2)', 'v >= PREV(v, 2)', 'PREV(v, 2) IS NULL'],
] as const

const MEASURES = [
  'MATCH_NUMBER() AS n',
  'CLASSIFIER() AS c',
  'FINAL LAST(CLASSIFIER()) AS last_c',
  'FIRST(v) AS first_v',
  'FIRST(v, 1) AS next_v',
  'FIRST(B.v) AS first_b',
  'FINAL LAST(B.v) AS last_b',
  'RUNNING LAST(B.v, 1) AS b_before',
  'PREV(v) AS before_it',
  'NEXT(v, 2) AS behind_it',
  'PREV(FIRST(v)) AS before_all',
  'PREV(LAST(A.v), 1) AS before_a',
  'COUNT(*) AS so_far',
  'FINAL COUNT(*) AS in_all',
  'COUNT(B.*) AS in_b',
  'SUM(A.v) AS sum_a',
  'FINAL MAX(v) AS most',
  'v + COALESCE(PREV(v), 0) AS two',
]

const given = fc.record({
  rows: fc.array(
    fc.record({
      k: fc.constantFrom('a', 'b'),
      v: fc.bigInt(0n, 5n),
    }),
    { minLength: 4, maxLength: 24 },
  ),
  terms: fc.array(fc.constantFrom('', '', '+', '*', '?', '{2}', '{1,2}', '{2,}', '+?', '*?'), {
    maxLength: 2,
  }),
  end: fc.constantFrom('', '', '{2}', '+?'),
  conditions: fc.constantFrom(...CONDITIONS),
  measures: fc.subarray(MEASURES, { minLength: 2 }),
  skip: fc.constantFrom('PAST LAST ROW', 'TO NEXT ROW'),
  rowsTold: fc.constantFrom(
    'ONE ROW PER MATCH',
    'ALL ROWS PER MATCH',
    'ALL ROWS PER MATCH OMIT EMPTY MATCHES',
    'ALL ROWS PER MATCH WITH UNMATCHED ROWS',
  ),
})
type Given = typeof given extends fc.Arbitrary<infer Value> ? Value : never

test('each row of a match, what is around it, and one row a match: as Trino', {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(given, async (some) => {
      const rows = some.rows.map((row, index) => ({ ...row, t: BigInt(index) * 1_000_000n }))
      const clause = clauseOf(some)
      assert.deepEqual(await askMillrace(clause, rows), await judged(clause, rows), clause)
    }),
    { numRuns: 150 },
  )
})

function clauseOf({ terms, end, conditions, measures, skip, rowsTold }: Given): string {
  const pattern = [...terms, end].map((quantifier, index) => `${'ABC'[index]}${quantifier}`)
  const defines = pattern.map((term, index) => `${term[0]} AS ${conditions[index]}`)
  // What names a variable that this pattern does not have is left out.
  const named = measures.filter((each) => terms.length > 0 || !each.includes('B.'))
  const known = named.length > 0 ? named : ['COUNT(*) AS so_far']
  return `MATCH_RECOGNIZE (PARTITION BY k ORDER BY t MEASURES ${known.join(', ')} ${rowsTold}
    AFTER MATCH SKIP ${skip} PATTERN (${pattern.join(' ')}) DEFINE ${defines.join(', ')})`
}

interface Row {
  readonly k: string
  readonly v: bigint
  readonly t: bigint
}

async function askMillrace(clause: string, rows: readonly Row[]): Promise<readonly string[]> {
  const { queries, errors } = bindText(
    `CREATE TABLE events (k STRING, v BIGINT, t TIMESTAMP(3), WATERMARK FOR t AS t)
       WITH ('connector' = 'scripted'); SELECT * FROM events ${clause}`,
    'trino',
    [],
  )
  assert.deepEqual(errors, [], clause)
  const fed = rows.map((row): FedRow => ({ kind: '+I', row: { ...row } }))
  const { changes } = await runWay(queries[0]!, new Map([['events', [fed]]]), { rowsMax: 3 })
  return tableOf(changes)
}

async function judged(clause: string, rows: readonly Row[]): Promise<readonly string[]> {
  const values = rows.map(({ k, v, t }) => `('${k}', BIGINT '${v}', BIGINT '${t}')`).join(', ')
  const told = await askTrino(`SELECT * FROM (VALUES ${values}) AS events(k, v, t) ${clause}`)
  return told
    .map((row) =>
      rowText(row.map((value) => (typeof value === 'number' ? BigInt(value) : value)) as never[]),
    )
    .sort()
}
