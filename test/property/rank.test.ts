/** Top-N tells what the oracle tells, change by change, and the same table in every way. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Schema, types } from '../../src/data/types.ts'
import { MillraceError } from '../../src/errors.ts'
import type { PlanNode, Rank } from '../../src/plan/nodes.ts'
import { updatedTopKey } from '../../src/plan/updated-top.ts'
import { type Changed, type FedRow, rowText, runWay, tableOf } from '../builders/engine-run.ts'
import { column, EVENTS, events, orderBy } from '../builders/plans.ts'
import { fc } from '../builders/properties.ts'
import type { NaiveRow } from '../naive/expression.ts'
import { type Change, interpret, keyOf } from '../naive/interpret.ts'
import { updatedRank } from '../naive/rank.ts'
import { appended, equalsOracle, history, isRowByRow, way } from './ordered-rows.ts'

const shape = fc.record({
  partition: fc.constantFrom([column('k')], [column('v')], [column('k'), column('d')], []),
  order: fc.constantFrom(
    'v',
    'v desc',
    'v desc nulls last',
    'd, v desc',
    'k desc, t',
    'v desc, k, x desc, t',
    'k nulls last, v desc nulls first',
    'x',
    't desc',
    '',
  ),
  range: fc.constantFrom([1, 1], [1, 2], [1, 5], [2, 2], [2, 4], [1, 100]),
  outputsNumber: fc.boolean(),
})
interface Shape {
  readonly partition: Rank['partition']
  readonly order: string
  readonly range: readonly number[]
  readonly outputsNumber: boolean
}

function rankOf(input: PlanNode, { partition, order, range, outputsNumber }: Shape): Rank {
  return {
    kind: 'rank',
    input,
    function: 'ROW_NUMBER',
    partition,
    order: order === '' ? [] : orderBy(order),
    from: range[0]!,
    to: range[1]!,
    outputsNumber,
    schema: outputsNumber ? [...EVENTS, { name: 'n', type: types.bigint }] : EVENTS,
  }
}

test('the first N of rows that only come', async () => {
  await fc.assert(
    fc.asyncProperty(appended(), way, shape, (rows, how, given) =>
      equalsOracle(rankOf(events(), given), rows, how),
    ),
    { numRuns: 200 },
  )
})

test('the first N of rows that come and go', async () => {
  await fc.assert(
    fc.asyncProperty(history(), way, shape, (rows, how, given) =>
      equalsOracle(rankOf(events({ changelog: true }), given), rows, how),
    ),
    { numRuns: 200 },
  )
})

test('N from a column is that of the first row of the partition', async () => {
  await fc.assert(
    fc.asyncProperty(history(), fc.boolean(), way, shape, (rows, changelog, how, given) => {
      // No NULLs, and in one partition only the first says how many.
      const told = rows
        .filter(({ kind }) => changelog || kind === '+I')
        .map(({ kind, row }): FedRow => ({ kind, row: { ...row, v: (row.v ?? 3n) as bigint } }))
      if (told.length === 0) return Promise.resolve()
      const plan = { ...rankOf(events({ changelog }), given), from: 1, to: { column: 1 } }
      return equalsOracle(plan, told, how)
    }),
    { numRuns: 200 },
  )
})

test('long lists keep their order as short ones do', async () => {
  const many = fc.array(fc.record({ v: fc.nat(200), k: fc.nat(3), goes: fc.nat(3) }), {
    minLength: 300,
    maxLength: 600,
  })
  await fc.assert(
    fc.asyncProperty(
      many,
      fc.constantFrom(1, 40, 1000),
      fc.boolean(),
      (steps, rowsMax, numbers) => {
        const held: FedRow['row'][] = []
        const rows = steps.map(({ v, k, goes }): FedRow => {
          const row = { k: `${k}`, v: BigInt(v), d: null, x: null, r: null, t: 0n }
          if (goes > 0 || held.length === 0) {
            held.push(row)
            return { kind: '+I', row }
          }
          return { kind: '-D', row: held.splice(v % held.length, 1)[0]! }
        })
        const given = { partition: [], order: 'v desc', range: [1, 3], outputsNumber: numbers }
        const how = { rowsMax, restartAfter: rowsMax === 40 ? [3, 2] : [] }
        return equalsOracle(rankOf(events({ changelog: true }), given), rows, how)
      },
    ),
    { numRuns: 12 },
  )
})

const GROUPED: Schema = [
  { name: 'k', type: types.string },
  { name: 'd', type: types.decimal(30, 2) },
  { name: 'c', type: { ...types.bigint, nullable: false } },
  { name: 'm', type: types.bigint },
]

test('the first N of counts that grow, of which only N are kept', async () => {
  const grown = fc.record({
    partition: fc.constantFrom([column('k', GROUPED)], [column('d', GROUPED)], []),
    order: fc.constantFrom('c desc', 'c desc, k', 'm desc, c desc', 'k, c desc, d'),
    range: fc.constantFrom([1, 1], [1, 2], [1, 3], [2, 3], [1, 100]),
    outputsNumber: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(appended(40), way, grown, async (rows, how, given) => {
      const input: PlanNode = {
        kind: 'group-aggregate',
        input: events(),
        keys: [column('k'), column('d')],
        aggregates: [
          { function: 'COUNT', args: [], distinct: false, type: GROUPED[2]!.type },
          { function: 'MAX', args: [column('v')], distinct: false, type: types.bigint },
        ],
        schema: GROUPED,
      }
      const { outputsNumber } = given
      const plan: Rank = {
        ...rankOf(input, { ...given, order: '' }),
        // Of a batch it is told what became of each group, not which came first: there ties are decided.
        order: orderBy(isRowByRow(how) ? given.order : `${given.order}, k, d`, GROUPED),
        schema: outputsNumber ? [...GROUPED, { name: 'n', type: types.bigint }] : GROUPED,
      }
      assert.deepEqual(updatedTopKey(plan), [0, 1])
      const ran = await runWay(plan, new Map([['events', [rows]]]), how)
      const expected = updatedRank(plan, groupChanges(input, rows), [0, 1])
      assert.deepEqual(tableOf(ran.changes), tableOf(expected))
      const told = (changes: readonly Changed[]) =>
        changes.map(({ kind, row }) => `${kind} ${rowText(row)}`)
      if (isRowByRow(how)) assert.deepEqual(told(ran.changes), told(expected))
    }),
    { numRuns: 150 },
  )
})

/** The groups after each row, against those before it. */
function groupChanges(node: PlanNode, rows: readonly FedRow[]): readonly Change[] {
  const fed: NaiveRow[] = rows.map(({ row }) => EVENTS.map(({ name }) => row[name] ?? null))
  const groupsOf = (count: number) => {
    const { rows: groups } = interpret(node, new Map([['events', fed.slice(0, count)]]))
    return new Map(groups.map((group) => [keyOf(group.slice(0, 2)), group]))
  }
  return fed.flatMap((_, at): Change[] => {
    const [before, after] = [groupsOf(at), groupsOf(at + 1)]
    return [...after].flatMap(([key, row]): Change[] => {
      const old = before.get(key)
      if (old === undefined) return [{ kind: '+I', row }]
      if (keyOf(old) === keyOf(row)) return []
      return [
        { kind: '-U', row: old },
        { kind: '+U', row },
      ]
    })
  })
}

test('the first or last row of rows that come and go is a top 1 by time', async () => {
  await fc.assert(
    fc.asyncProperty(history(), way, fc.constantFrom('first', 'last'), (rows, how, keep) =>
      equalsOracle(
        {
          kind: 'deduplicate',
          input: events({ changelog: true }),
          partition: [column('k')],
          time: 5,
          keep: keep as 'first' | 'last',
        },
        rows,
        how,
      ),
    ),
    { numRuns: 100 },
  )
})

test('RANK() and DENSE_RANK() are refused, with what is supported', async () => {
  const given = { partition: [], order: 'v', range: [1, 3], outputsNumber: false }
  const plan: Rank = { ...rankOf(events(), given), function: 'DENSE_RANK' }
  await assert.rejects(
    runWay(plan, new Map([['events', [[]]]])),
    (error) => error instanceof MillraceError && /ROW_NUMBER/.test(error.hint),
  )
})
