/** MATCH_RECOGNIZE equals an oracle that tries every way to share rows out among the terms, however rows are cut and restarted. */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { bindText } from '../../src/sql/bind-text.ts'
import { type Fed, type FedRow, rowText, runWay, tableOf } from '../builders/engine-run.ts'
import { watermarkedInputs } from '../builders/watermarked.ts'
import type { Change } from '../naive/interpret.ts'

const SECOND = 1_000_000n

interface Term {
  readonly variable: string
  readonly text: string
  readonly least: number
  readonly most: number
  readonly greedy: boolean
}

const quantifier = fc.constantFrom(
  { text: '', least: 1, most: 1, greedy: false },
  { text: '+', least: 1, most: 99, greedy: true },
  { text: '*', least: 0, most: 99, greedy: true },
  { text: '?', least: 0, most: 1, greedy: false },
  { text: '{2}', least: 2, most: 2, greedy: false },
  { text: '{1,2}', least: 1, most: 2, greedy: true },
  { text: '+?', least: 1, most: 99, greedy: false },
  { text: '*?', least: 0, most: 99, greedy: false },
)
const last = fc.constantFrom(
  { text: '', least: 1, most: 1, greedy: false },
  { text: '{2}', least: 2, most: 2, greedy: false },
  { text: '+?', least: 1, most: 99, greedy: false },
)
const pattern = fc
  .tuple(fc.array(quantifier, { maxLength: 2 }), last)
  .map(([before, end]) =>
    [...before, end].map((each, index): Term => ({ ...each, variable: 'ABC'[index]! })),
  )

/** Ranges overlap, so that a row may fit several terms. */
const CONDITIONS: Readonly<Record<string, readonly [string, (v: bigint) => boolean]>> = {
  low: ['v < 3', (v) => v < 3n],
  middle: ['v BETWEEN 1 AND 4', (v) => v >= 1n && v <= 4n],
  high: ['v > 2', (v) => v > 2n],
  even: ['MOD(v, 2) = 0', (v) => v % 2n === 0n],
}
const conditions = fc.array(fc.constantFrom(...Object.keys(CONDITIONS)), {
  minLength: 3,
  maxLength: 3,
})

const scenario = fc.record({
  rows: fc.array(
    fc.record({ k: fc.constantFrom('a', 'b'), v: fc.bigInt(0n, 5n), jump: fc.nat(4) }),
    {
      maxLength: 16,
    },
  ),
  pattern,
  conditions,
  skip: fc.constantFrom('PAST LAST ROW', 'TO NEXT ROW'),
  within: fc.constantFrom(undefined, 4n),
  delay: fc.constantFrom(0n, 3n),
  way: fc.record({
    rowsMax: fc.constantFrom(1, 2, 1000),
    restartAfter: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
  }),
})
type Scenario = typeof scenario extends fc.Arbitrary<infer Value> ? Value : never

test('matches equal the oracle, and rows behind the watermark are told', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const plan = planOf(given)
      const fed: Fed = new Map([['events', [rowsOf(given)]]])
      const way = given.rows.length === 0 ? {} : given.way
      const ran = await runWay(plan, fed, way)
      const { inputs } = watermarkedInputs(plan, fed, ran.read, given.delay * SECOND)
      const changes = inputs.get('events') as readonly Change[]
      const late = changes.filter((change) => isLate(change))
      const expected = matchesOf(
        given,
        changes.filter((change) => !isLate(change)),
      )
      assert.deepEqual(tableOf(ran.changes), expected.map(rowText).sort())
      assert.equal(ran.late.length, late.length)
    }),
    { numRuns: 400 },
  )
})

function planOf({ pattern, conditions, skip, within, delay }: Scenario) {
  const defines = pattern.map(
    ({ variable }, index) => `${variable} AS ${CONDITIONS[conditions[index]!]![0]}`,
  )
  const text = `CREATE TABLE events (k STRING, v BIGINT, t TIMESTAMP(3),
      WATERMARK FOR t AS t - INTERVAL '${delay}' SECOND) WITH ('connector' = 'scripted');
    SELECT * FROM events MATCH_RECOGNIZE (PARTITION BY k ORDER BY t
      MEASURES FIRST(v) AS first_v, LAST(v) AS last_v, COUNT(A.v) AS in_a, SUM(v) AS total
      AFTER MATCH SKIP ${skip}
      PATTERN (${pattern.map((term) => term.variable + term.text).join(' ')})
      ${within === undefined ? '' : `WITHIN INTERVAL '${within}' SECOND`}
      DEFINE ${defines.join(', ')})`
  const { queries, errors } = bindText(text, 'property', [])
  assert.deepEqual(errors, [])
  return queries[0]!
}

/** No two rows at one time; some behind others. */
function rowsOf({ rows }: Scenario): readonly FedRow[] {
  return rows.map(({ k, v, jump }, index) => {
    const t = (BigInt(index) + BigInt(jump)) * SECOND + BigInt(index) * 1000n
    return { kind: '+I', row: { k, v, t } }
  })
}

function isLate({ row, watermark }: Change): boolean {
  return watermark !== undefined && (row[2] as bigint) <= watermark
}

type Row = Change['row']

function matchesOf(given: Scenario, changes: readonly Change[]): readonly Row[] {
  const rows = changes
    .map(({ row }) => row)
    .sort((a, b) => ((a[2] as bigint) < (b[2] as bigint) ? -1 : 1))
  return ['a', 'b'].flatMap((key) =>
    matchesIn(
      given,
      rows.filter(([k]) => k === key),
    ),
  )
}

function matchesIn({ pattern, conditions, skip, within }: Scenario, rows: readonly Row[]): Row[] {
  const fits = (term: number, row: Row) => CONDITIONS[conditions[term]!]![1](row[1] as bigint)
  const out: Row[] = []
  for (let start = 0, resume = 0; start < rows.length; start++) {
    if (start < resume) continue
    const terms = best(pattern, fits, within, rows.slice(start))
    if (terms === undefined) continue
    const taken = rows.slice(start, start + terms.length)
    const values = taken.map((row) => row[1] as bigint)
    const inA = terms.filter((term) => term === 0).length
    const total = values.reduce((sum, value) => sum + value, 0n)
    out.push([taken[0]![0]!, values[0]!, values.at(-1)!, BigInt(inA), total])
    resume = skip === 'PAST LAST ROW' ? start + terms.length : start + 1
  }
  return out
}

/** The terms of the rows of the shortest match; of several the one that stays longest with early terms. */
function best(
  pattern: readonly Term[],
  fits: (term: number, row: Row) => boolean,
  within: bigint | undefined,
  rows: readonly Row[],
): readonly number[] | undefined {
  let ways: (readonly number[])[] = [[]]
  for (const row of rows) {
    const isTooLate =
      within !== undefined && (row[2] as bigint) - (rows[0]![2] as bigint) >= within * SECOND
    if (isTooLate) return undefined
    ways = ways
      .flatMap((way) => pattern.map((_, term) => [...way, term]))
      .filter((way) => isAllowed(pattern, fits, rows, way))
      .sort(lexicographic)
    const done = ways.find((way) => isWhole(pattern, way))
    if (done !== undefined) return done
  }
  return undefined
}

function isAllowed(
  pattern: readonly Term[],
  fits: (term: number, row: Row) => boolean,
  rows: readonly Row[],
  way: readonly number[],
): boolean {
  return way.every((term, at) => {
    const before = at === 0 ? 0 : way[at - 1]!
    const count = (of: number) => way.slice(0, at).filter((each) => each === of).length
    if (term < before || !fits(term, rows[at]!)) return false
    if (count(term) >= pattern[term]!.most) return false
    // Terms that are left, or passed over, have enough rows, and if they are greedy could not have had this one.
    return pattern.slice(before, term).every((passed, index) => {
      const of = before + index
      if (count(of) < passed.least) return false
      return !(passed.greedy && count(of) < passed.most && fits(of, rows[at]!))
    })
  })
}

function isWhole(pattern: readonly Term[], way: readonly number[]): boolean {
  return pattern.every(({ least }, term) => way.filter((each) => each === term).length >= least)
}

function lexicographic(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((term, index) => term !== b[index])
  return at < 0 ? 0 : a[at]! - b[at]!
}
