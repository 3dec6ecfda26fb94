/** Top-N within windows tells what the oracle tells, late rows too, in every way. */
import test from 'node:test'
import { type Schema, types } from '../../src/data/types.ts'
import type { PlanNode, WindowRank } from '../../src/plan/nodes.ts'
import type { Window } from '../../src/plan/windows.ts'
import { column, EVENTS, events, orderBy } from '../builders/plans.ts'
import { fc } from '../builders/properties.ts'
import { appended, equalsOracle, way } from './ordered-rows.ts'

const WINDOWED: Schema = [
  ...EVENTS,
  { name: 'window_start', type: types.timestamp(3) },
  { name: 'window_end', type: types.timestamp(3) },
  { name: 'window_time', type: types.timestamp(3) },
]
const window = fc.constantFrom<Exclude<Window, { kind: 'attached' }>>(
  { kind: 'tumble', sizeUs: 5_000_000, offsetUs: 0 },
  { kind: 'hop', slideUs: 2_000_000, sizeUs: 6_000_000, offsetUs: 0 },
)

test('the first N of each window and partition, at its end', async () => {
  const shape = fc.record({
    window,
    partition: fc.constantFrom([column('k')], [column('v')], []),
    order: fc.constantFrom('v', 'v desc', 'd, v desc', 'window_time desc', 't desc', 'x desc'),
    // Of a batch a sliding window's rows do not come in their order: there ties are decided.
    total: fc.constantFrom('v, t desc, k, d, x', 't desc, v, k, d, x'),
    range: fc.constantFrom([1, 1], [1, 2], [2, 4], [1, 100]),
    outputsNumber: fc.boolean(),
    delayUs: fc.constantFrom(0n, 3_000_000n),
  })
  await fc.assert(
    fc.asyncProperty(appended(), way, shape, (fed, how, given) => {
      const rows = fed.map(({ kind, row }) => ({ kind, row: { ...row, r: null } }))
      const order = given.window.kind === 'hop' ? given.total : given.order
      const { delayUs, outputsNumber, range } = given
      const input: PlanNode = {
        kind: 'window-table',
        input: events({ delayUs }),
        window: given.window,
        time: 5,
        schema: WINDOWED,
      }
      const plan: WindowRank = {
        kind: 'window-rank',
        input,
        window: { start: 6, end: 7 },
        function: 'ROW_NUMBER',
        partition: given.partition,
        order: orderBy(order, WINDOWED),
        from: range[0]!,
        to: range[1]!,
        outputsNumber,
        schema: outputsNumber ? [...WINDOWED, { name: 'n', type: types.bigint }] : WINDOWED,
      }
      return equalsOracle(plan, rows, how, { delayUs, inAnyOrder: true })
    }),
    { numRuns: 200 },
  )
})
