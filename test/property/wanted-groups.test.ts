/** A top-N of a window's groups tells what the oracle tells of all groups, though those that cannot be among the first are not told to it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Schema, types, withNullability } from '../../src/data/types.ts'
import type { AggregateCall } from '../../src/plan/expressions.ts'
import type { WindowAggregate, WindowRank } from '../../src/plan/nodes.ts'
import { wantedGroups } from '../../src/plan/wanted-groups.ts'
import type { Window } from '../../src/plan/windows.ts'
import { column, events, orderBy } from '../builders/plans.ts'
import { fc } from '../builders/properties.ts'
import { appended, equalsOracle, history, way } from './ordered-rows.ts'

const CALLS: readonly AggregateCall[] = [
  { function: 'COUNT', args: [], distinct: false, type: withNullability(types.bigint, false) },
  { function: 'SUM', args: [column('v')], distinct: false, type: types.bigint },
  { function: 'SUM', args: [column('d')], distinct: false, type: types.decimal(38, 2) },
  { function: 'AVG', args: [column('v')], distinct: false, type: types.bigint },
]
/** From which nothing can be taken out: such windows are merged anew. */
const SUM_OF_DOUBLES: AggregateCall = {
  function: 'SUM',
  args: [column('x')],
  distinct: false,
  type: types.double,
}
const window = fc.constantFrom<Exclude<Window, { kind: 'attached' }>>(
  { kind: 'tumble', sizeUs: 5_000_000, offsetUs: 0 },
  { kind: 'cumulate', stepUs: 2_000_000, sizeUs: 6_000_000, offsetUs: 0 },
  { kind: 'hop', slideUs: 2_000_000, sizeUs: 6_000_000, offsetUs: 0 },
  { kind: 'hop', slideUs: 1_000_000, sizeUs: 8_000_000, offsetUs: 0 },
  { kind: 'hop', slideUs: 500_000, sizeUs: 10_000_000, offsetUs: 0 },
)
const order = fc.constantFrom(
  'a0 desc',
  'a0',
  'a1 desc',
  'a1',
  'a1 desc nulls first',
  'a2 desc',
  'a2 nulls last',
  'a3 desc',
  'a4 desc',
  'a4',
)
const shape = fc.record({
  window,
  order,
  keys: fc.constantFrom(['k'], ['v'], ['k', 'v']),
  range: fc.constantFrom([1, 1], [1, 2], [2, 3], [1, 100]),
  delayUs: fc.constantFrom(0n, 3_000_000n),
})
type Shape = typeof shape extends fc.Arbitrary<infer Value> ? Value : never

function planOf({ window: of, order: first, keys, range, delayUs }: Shape, changelog: boolean) {
  const aggregates = first.startsWith('a4') ? [...CALLS, SUM_OF_DOUBLES] : CALLS
  const keyColumns = keys.map((name) => column(name))
  const schema: Schema = [
    ...keys.map((name, index) => ({ name, type: keyColumns[index]!.type })),
    ...aggregates.map(({ type }, index) => ({ name: `a${index}`, type })),
    ...['window_start', 'window_end', 'window_time'].map((name) => ({
      name,
      type: types.timestamp(3),
    })),
  ]
  const input: WindowAggregate = {
    kind: 'window-aggregate',
    input: events({ delayUs, changelog }),
    window: of,
    time: 5,
    keys: keyColumns,
    aggregates,
    schema,
  }
  const rank: WindowRank = {
    kind: 'window-rank',
    input,
    window: { start: schema.length - 3, end: schema.length - 2 },
    function: 'ROW_NUMBER',
    partition: [],
    // By the keys at last: nothing ties.
    order: orderBy(`${first}, ${keys.join(', ')}`, schema),
    from: range[0]!,
    to: range[1]!,
    outputsNumber: true,
    schema: [...schema, { name: 'n', type: types.bigint }],
  }
  assert.equal(wantedGroups([rank]).get(JSON.stringify(input))?.count, range[1])
  return rank
}

test('the first groups of each window, of rows that only come', async () => {
  await fc.assert(
    fc.asyncProperty(appended(40), way, shape, (fed, how, given) => {
      const rows = fed.map(({ kind, row }) => ({ kind, row: { ...row, r: null } }))
      const { delayUs } = given
      return equalsOracle(planOf(given, false), rows, how, { delayUs, inAnyOrder: true })
    }),
    { numRuns: 150 },
  )
})

test('the first groups of each window, of rows that go again', async () => {
  await fc.assert(
    fc.asyncProperty(history(), way, shape, (fed, how, given) => {
      // NaN stays in a sum, as in Flink, when the row that brought it has gone.
      const rows = fed.map(({ kind, row }) => {
        const x = Number.isNaN(row.x) ? 0.25 : (row.x ?? null)
        return { kind, row: { ...row, r: null, x } }
      })
      const { delayUs } = given
      return equalsOracle(planOf(given, true), rows, how, { delayUs, inAnyOrder: true })
    }),
    { numRuns: 50 },
  )
})
