/** OVER tells what the oracle tells, late rows too, in every way. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type DataType, types } from '../../src/data/types.ts'
import { MillraceError } from '../../src/errors.ts'
import type { AggregateCall, Expression } from '../../src/plan/expressions.ts'
import type { OverAggregate, PlanNode } from '../../src/plan/nodes.ts'
import type { OverFrame } from '../../src/plan/windows.ts'
import { runWay } from '../builders/engine-run.ts'
import { column, EVENTS, events, orderBy } from '../builders/plans.ts'
import { fc } from '../builders/properties.ts'
import { appended, equalsOracle, history, way } from './ordered-rows.ts'

const call = (
  name: string,
  args: readonly Expression[],
  type: DataType,
  more: Partial<AggregateCall> = {},
): AggregateCall => ({ function: name, args, distinct: false, type, ...more })
const [k, v, d, r] = ['k', 'v', 'd', 'r'].map((name) => column(name)) as [
  Expression,
  Expression,
  Expression,
  Expression,
]
const count = (value: number): Expression => ({
  kind: 'literal',
  value: `${value}`,
  type: { kind: 'int', nullable: false },
})
const isMore: Expression = {
  kind: 'call',
  function: 'GREATER',
  args: [v, { kind: 'literal', value: '0', type: types.bigint }],
  type: types.boolean,
}

const AGGREGATES = [
  call('COUNT', [], types.bigint),
  call('COUNT', [v], types.bigint),
  call('SUM', [v], types.bigint),
  call('AVG', [v], types.bigint),
  call('MIN', [v], types.bigint),
  call('MAX', [k], types.string),
  call('MIN', [d], d.type),
  call('SUM', [d], types.decimal(38, 2)),
  call('SUM', [v], types.bigint, { filter: isMore }),
  call('COUNT', [], types.bigint, { filter: isMore }),
  call('FIRST_VALUE', [v], v.type),
  call('FIRST_VALUE', [r], r.type),
  call('LAST_VALUE', [k], k.type),
  call('LAST_VALUE', [v], v.type, { filter: isMore }),
]
const DISTINCT = [
  call('COUNT', [v], types.bigint, { distinct: true }),
  call('SUM', [v], types.bigint, { distinct: true }),
]
const PLACES = [
  call('ROW_NUMBER', [], types.bigint),
  call('RANK', [], types.bigint),
  call('DENSE_RANK', [], types.bigint),
  call('LAG', [v], v.type),
  call('LAG', [r, count(2)], r.type),
  call('LAG', [k, count(1), k], k.type),
  call('LAG', [d, count(3)], d.type),
]
const partition = fc.constantFrom([k], [v], [k, d], [])
const some = (calls: readonly AggregateCall[]) =>
  fc.uniqueArray(fc.constantFrom(...calls), { minLength: 1, maxLength: 4 })

function overOf(
  input: PlanNode,
  given: Pick<OverAggregate, 'partition' | 'aggregates' | 'frame'> & { readonly order: string },
  time?: Pick<OverAggregate, 'time' | 'timeDomain'>,
): OverAggregate {
  return {
    kind: 'over-aggregate',
    input,
    ...given,
    order: orderBy(given.order),
    ...time,
    schema: [
      ...EVENTS,
      ...given.aggregates.map(({ type }, index) => ({ name: `a${index}`, type })),
    ],
  }
}

const UNBOUNDED: readonly OverFrame[] = [{ kind: 'rows' }, { kind: 'range' }]
const BOUNDED: readonly OverFrame[] = [
  { kind: 'rows', preceding: 0 },
  { kind: 'rows', preceding: 2 },
  { kind: 'range', preceding: 0 },
  { kind: 'range', preceding: 4_000_000 },
]

test('by event time over all rows before', async () => {
  const shape = fc.record({
    partition,
    aggregates: some([...AGGREGATES, ...DISTINCT]),
    order: fc.constantFrom('t', 't', 't, v desc'),
    frame: fc.constantFrom(...UNBOUNDED),
  })
  await fc.assert(
    fc.asyncProperty(
      appended(),
      way,
      shape,
      fc.constantFrom(0n, 3_000_000n),
      (rows, how, given, delayUs) =>
        equalsOracle(overOf(events({ delayUs }), given, { time: 5 }), rows, how, { delayUs }),
    ),
    { numRuns: 200 },
  )
})

test('by event time over bounded frames', async () => {
  const shape = fc.record({
    partition,
    aggregates: some([...AGGREGATES, ...DISTINCT]),
    order: fc.constant('t'),
    frame: fc.constantFrom(...BOUNDED),
  })
  await fc.assert(
    fc.asyncProperty(
      appended(),
      way,
      shape,
      fc.constantFrom(0n, 3_000_000n),
      (rows, how, given, delayUs) =>
        equalsOracle(overOf(events({ delayUs }), given, { time: 5 }), rows, how, {
          delayUs,
          inAnyOrder: true,
        }),
    ),
    { numRuns: 200 },
  )
})

test('by event time, numbers and rows before', async () => {
  const shape = fc.record({
    partition,
    aggregates: some([...PLACES, AGGREGATES[2]!]),
    order: fc.constantFrom('t', 't, v desc'),
    frame: fc.constant<OverFrame>({ kind: 'rows' }),
  })
  await fc.assert(
    fc.asyncProperty(
      appended(),
      way,
      shape,
      fc.constantFrom(0n, 3_000_000n),
      (rows, how, given, delayUs) =>
        equalsOracle(overOf(events({ delayUs }), given, { time: 5 }), rows, how, { delayUs }),
    ),
    { numRuns: 150 },
  )
})

test('by arrival', async () => {
  const shape = fc.record({
    partition,
    aggregates: some([...AGGREGATES, ...DISTINCT]),
    order: fc.constant('t'),
    frame: fc.constantFrom<OverFrame>(
      { kind: 'rows' },
      { kind: 'range' },
      { kind: 'rows', preceding: 2 },
    ),
  })
  await fc.assert(
    fc.asyncProperty(appended(), way, shape, (rows, how, given) => {
      const plan = overOf(events(), given, { time: 5, timeDomain: 'processing' })
      // The oracle knows peers by their sort keys, and rows by arrival have none.
      const frame: OverFrame = { ...given.frame, kind: 'rows' }
      return equalsOracle(plan, rows, how, { oracle: { ...plan, frame } })
    }),
    { numRuns: 200 },
  )
})

test('by other columns, over rows that come and go', async () => {
  const shape = fc.record({
    partition: fc.constantFrom([k], [d], []),
    aggregates: some(AGGREGATES),
    order: fc.constantFrom('v', 'v desc', 'd, v', 'k desc', 't'),
    frame: fc.constantFrom(...UNBOUNDED),
  })
  await fc.assert(
    fc.asyncProperty(history(), way, shape, (rows, how, given) =>
      equalsOracle(overOf(events({ changelog: true }), given), rows, how),
    ),
    { numRuns: 200 },
  )
})

test('by other columns, numbers and rows before', async () => {
  const shape = fc.record({
    partition: fc.constantFrom([k], [d], []),
    aggregates: some([...PLACES, AGGREGATES[2]!]),
    order: fc.constantFrom('v', 'v desc', 'd, v', 'k desc', 't'),
    frame: fc.constant<OverFrame>({ kind: 'rows' }),
  })
  await fc.assert(
    fc.asyncProperty(history(), way, shape, (rows, how, given) =>
      equalsOracle(overOf(events({ changelog: true }), given), rows, how),
    ),
    { numRuns: 150 },
  )
})

test('by time over rows that may be taken back, as by any column', async () => {
  const shape = fc.record({
    partition,
    aggregates: some(AGGREGATES),
    order: fc.constant('t'),
    frame: fc.constantFrom(...UNBOUNDED),
  })
  await fc.assert(
    fc.asyncProperty(history(), way, shape, (rows, how, given) =>
      equalsOracle(overOf(events({ changelog: true }), given, { time: 5 }), rows, how),
    ),
    { numRuns: 100 },
  )
})

test('what can not be accumulated is refused where rows are not in order of time', async () => {
  for (const aggregate of [DISTINCT[0]!, call('LISTAGG', [k], types.string)]) {
    const given = { partition: [k], aggregates: [aggregate], order: 'v', frame: UNBOUNDED[0]! }
    await assert.rejects(
      runWay(overOf(events(), given), new Map([['events', [[]]]])),
      (error) =>
        error instanceof MillraceError && /needs rows in order of time/.test(error.message),
    )
  }
  const lead = { partition: [k], aggregates: [call('LEAD', [v], v.type)], order: 't' }
  await assert.rejects(
    runWay(
      overOf(events(), { ...lead, frame: UNBOUNDED[0]! }, { time: 5 }),
      new Map([['events', [[]]]]),
    ),
    (error) => error instanceof MillraceError && /LAG/.test(error.hint),
  )
})
