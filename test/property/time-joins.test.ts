/** Joins by time: tables, late rows and, with one-row batches, changes are the oracle's in every way. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Expression } from '../../src/plan/expressions.ts'
import type { JoinType, PlanNode } from '../../src/plan/nodes.ts'
import type { Window } from '../../src/plan/windows.ts'
import {
  type Changed,
  type Fed,
  type FedRow,
  rowText,
  runWay,
  tableOf,
  type Way,
} from '../builders/engine-run.ts'
import { column, EVENTS, events } from '../builders/plans.ts'
import { fc } from '../builders/properties.ts'
import { watermarkedInputs, withoutAssigners } from '../builders/watermarked.ts'
import { runWorkers } from '../builders/workers-run.ts'
import { interpret } from '../naive/interpret.ts'
import { appended, history } from './ordered-rows.ts'

const SECOND = 1_000_000
const bool = { kind: 'boolean', nullable: true } as const
const BOTH = [...EVENTS, ...EVENTS.map(({ name, type }) => ({ name: `${name}_right`, type }))]
const smaller: Expression = {
  kind: 'call',
  function: 'LESS',
  type: bool,
  args: [column('v'), column('v_right', BOTH)],
}

const schedule = fc.array(
  fc.record({ split: fc.constantFrom('left/0', 'right/0'), rows: fc.integer({ min: 1, max: 4 }) }),
  { maxLength: 20 },
)
const way = fc.record({
  rowsMax: fc.constantFrom(1, 2, 5, 1000),
  restartAfter: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }),
  writesAhead: fc.boolean(),
  schedule,
})
const names = fc.constantFrom(['k'], ['k', 'd'], [])
const delay = fc.constantFrom(0n, 3_000_000n, 30_000_000n)
const bounds = fc
  .tuple(fc.integer({ min: -6, max: 6 }), fc.integer({ min: 0, max: 8 }))
  .map(([lower, width]) => ({ lowerUs: lower * SECOND, upperUs: (lower + width) * SECOND }))

interface IntervalGiven {
  readonly type: 'inner' | 'left' | 'right' | 'full'
  readonly names: readonly string[]
  readonly bounds: { readonly lowerUs: number; readonly upperUs: number }
  readonly hasCondition: boolean
  readonly delayUs: bigint
}

const given: fc.Arbitrary<IntervalGiven> = fc.record({
  type: fc.constantFrom('inner', 'left', 'right', 'full'),
  names,
  bounds,
  hasCondition: fc.boolean(),
  delayUs: delay,
})

function intervalJoin({ type, names, bounds, hasCondition, delayUs }: IntervalGiven): PlanNode {
  return {
    kind: 'interval-join',
    type,
    left: events({ name: 'left', delayUs }),
    right: events({ name: 'right', delayUs }),
    leftKeys: names.map((name) => column(name)),
    rightKeys: names.map((name) => column(name)),
    ...(hasCondition ? { condition: smaller } : {}),
    leftTime: 5,
    rightTime: 5,
    ...bounds,
    schema: BOTH,
  }
}

test('interval joins meet the rows within their bounds, in every way', async () => {
  await fc.assert(
    fc.asyncProperty(given, appended(18), appended(18), way, async (given, left, right, how) => {
      const fed: Fed = new Map([
        ['left', [left]],
        ['right', [right]],
      ])
      await equalsOracle(intervalJoin(given), fed, how, given.delayUs)
    }),
    { numRuns: 250 },
  )
})

test('an interval join holds the watermark back as far as its rows may reach', async () => {
  await fc.assert(
    fc.asyncProperty(given, appended(18), appended(18), way, async (given, left, right, how) => {
      const plan: PlanNode = {
        kind: 'window-aggregate',
        input: intervalJoin({ ...given, type: 'inner' }),
        window: { kind: 'tumble', sizeUs: 4 * SECOND, offsetUs: 0 },
        time: 5,
        keys: [],
        aggregates: [
          {
            function: 'COUNT',
            args: [],
            distinct: false,
            type: { kind: 'bigint', nullable: false },
          },
        ],
        schema: [
          { name: 'n', type: { kind: 'bigint', nullable: false } },
          ...['window_start', 'window_end', 'window_time'].map((name) => ({
            name,
            type: EVENTS[5]!.type,
          })),
        ],
      }
      const fed: Fed = new Map([
        ['left', [left]],
        ['right', [right]],
      ])
      const ran = await runWay(plan, fed, how)
      const { inputs } = watermarkedInputs(plan, fed, ran.read, given.delayUs)
      const expected = interpret(withoutAssigners(plan), inputs)
      if (expected.late === 0 && ran.late.length === 0)
        assert.deepEqual(tableOf(ran.changes), tableOf(expected.changes))
    }),
    { numRuns: 100 },
  )
})

test('interval joins give the same table with several workers, through rescaling', async () => {
  await fc.assert(
    fc.asyncProperty(
      given.map((each) => ({ ...each, names: ['k'], delayUs: 30_000_000n })),
      appended(30),
      appended(30),
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
      fc.nat(1000),
      async (given, left, right, workers, seed) => {
        const fed: Fed = new Map([
          ['left', [left.slice(0, 9), left.slice(9)]],
          ['right', [right]],
        ])
        const plan = intervalJoin(given)
        const how = { seed, workers, steps: 4, ringBytes: 1 << 16, rowsMax: 3 }
        const ran = await runWorkers(plan, fed, how)
        const inputs = new Map(
          [...fed].map(([table, splits]) => [
            table,
            splits.flat().map(({ row }) => EVENTS.map(({ name }) => row[name] ?? null)),
          ]),
        )
        const expected = interpret(withoutAssigners(plan), inputs)
        assert.deepEqual(tableOf(ran.changes), tableOf(expected.changes))
      },
    ),
    { numRuns: 40 },
  )
})

interface TemporalGiven {
  readonly type: 'inner' | 'left'
  readonly names: readonly string[]
  readonly hasCondition: boolean
  readonly delayUs: bigint
}

const temporalGiven: fc.Arbitrary<TemporalGiven> = fc.record({
  type: fc.constantFrom('inner', 'left'),
  names: fc.constantFrom(['k'], ['k', 'v']),
  hasCondition: fc.boolean(),
  delayUs: delay,
})

function temporalJoin({ type, names, hasCondition, delayUs }: TemporalGiven): PlanNode {
  return {
    kind: 'temporal-join',
    type,
    left: events({ name: 'left', delayUs, changelog: true }),
    right: events({ name: 'right', delayUs, changelog: true }),
    leftKeys: names.map((name) => column(name)),
    rightKeys: names.map((name) => column(name)),
    ...(hasCondition ? { condition: smaller } : {}),
    leftTime: 5,
    rightTime: 5,
    schema: BOTH,
  }
}

test('temporal joins meet the version that was valid, in every way', async () => {
  await fc.assert(
    fc.asyncProperty(
      // A late row that goes may meet another version than it met when it came: such rows only come here.
      temporalGiven.chain((given) =>
        fc.tuple(
          fc.constant(given),
          given.delayUs === 30_000_000n ? history(18) : appended(18),
          fc.oneof(appended(18), history(18)),
          way,
        ),
      ),
      async ([given, left, right, how]) => {
        const fed: Fed = new Map([
          ['left', [left]],
          ['right', [right]],
        ])
        await equalsOracle(temporalJoin(given), fed, how, given.delayUs)
      },
    ),
    { numRuns: 250 },
  )
})

const lookup = (type: 'inner' | 'left', changelog: boolean): PlanNode => ({
  kind: 'temporal-join',
  type,
  left: events({ name: 'left', changelog }),
  right: events({ name: 'right' }),
  leftKeys: [column('k')],
  rightKeys: [column('k')],
  leftTime: 5,
  timeDomain: 'processing',
  schema: BOTH,
})

/** The time of a left row is when it came: of rows that are alike but for it, any may go. */
const timeless = (changes: readonly Changed[]): Changed[] =>
  changes.map(({ kind, row }) => ({ kind, row: row.toSpliced(5, 1) }))

/** Rows of a table that ends, as all left rows meet them. */
function lookedUp(type: 'inner' | 'left', left: readonly FedRow[], right: readonly FedRow[]) {
  const valuesOf = ({ row }: FedRow) => EVENTS.map(({ name }) => row[name] ?? null)
  const latest = new Map(right.map((each) => [each.row.k, valuesOf(each)]))
  return left.flatMap((each) => {
    const met = each.row.k === null ? undefined : latest.get(each.row.k)
    if (met === undefined && type === 'inner') return []
    return [{ kind: each.kind, row: [...valuesOf(each), ...(met ?? EVENTS.map(() => null))] }]
  })
}

test('rows meet the whole of a table that ends, in every way and with several workers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('inner' as const, 'left' as const),
      fc.oneof(appended(18), history(18)),
      appended(12),
      way,
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
      async (type, left, right, how, workers) => {
        const fed: Fed = new Map([
          ['left', [left]],
          ['right', [right]],
        ])
        const expected = tableOf(timeless(lookedUp(type, left, right)))
        const ran = await runWay(lookup(type, true), fed, how)
        assert.deepEqual(tableOf(timeless(ran.changes)), expected)
        const threads = { seed: right.length, workers, steps: 4, ringBytes: 1 << 16, rowsMax: 3 }
        const shared = await runWorkers(lookup(type, true), fed, threads)
        assert.deepEqual(tableOf(timeless(shared.changes)), expected)
      },
    ),
    { numRuns: 80 },
  )
})

interface WindowGiven {
  readonly type: JoinType
  readonly names: readonly string[]
  readonly hasCondition: boolean
  readonly delayUs: bigint
  readonly window: Window
}

const windowGiven: fc.Arbitrary<WindowGiven> = fc.record({
  type: fc.constantFrom('inner', 'left', 'right', 'full', 'semi', 'anti'),
  names,
  hasCondition: fc.boolean(),
  delayUs: delay,
  window: fc.constantFrom(
    { kind: 'tumble', sizeUs: 5 * SECOND, offsetUs: 0 } as const,
    { kind: 'hop', slideUs: 2 * SECOND, sizeUs: 4 * SECOND, offsetUs: 0 } as const,
  ),
})

function windowJoin({ type, names, hasCondition, delayUs, window }: WindowGiven): PlanNode {
  const schema = [
    ...EVENTS,
    ...['window_start', 'window_end', 'window_time'].map((name) => ({
      name,
      type: EVENTS[5]!.type,
    })),
  ]
  const sideOf = (name: string): PlanNode => ({
    kind: 'window-table',
    input: events({ name, delayUs }),
    window,
    time: 5,
    schema,
  })
  const both = [...schema, ...schema.map(({ name, type }) => ({ name: `${name}_right`, type }))]
  const condition: Expression = {
    ...smaller,
    args: [column('v'), column('v_right', both)],
  } as Expression
  const columns = { start: 6, end: 7 }
  return {
    kind: 'window-join',
    type,
    left: sideOf('left'),
    right: sideOf('right'),
    leftKeys: names.map((name) => column(name)),
    rightKeys: names.map((name) => column(name)),
    ...(hasCondition ? { condition } : {}),
    leftWindow: columns,
    rightWindow: columns,
    schema: type === 'semi' || type === 'anti' ? schema : both,
  }
}

test('window joins meet the rows of their windows, in every way', async () => {
  await fc.assert(
    fc.asyncProperty(
      windowGiven,
      appended(18),
      appended(18),
      way,
      async (given, left, right, how) => {
        const fed: Fed = new Map([
          ['left', [left]],
          ['right', [right]],
        ])
        await equalsOracle(windowJoin(given), fed, how, given.delayUs)
      },
    ),
    { numRuns: 250 },
  )
})

async function equalsOracle(plan: PlanNode, fed: Fed, how: Way, delayUs: bigint): Promise<void> {
  const ran = await runWay(plan, fed, how)
  const { inputs } = watermarkedInputs(plan, fed, ran.read, delayUs)
  const expected = interpret(withoutAssigners(plan), inputs)
  assert.deepEqual(tableOf(ran.changes), tableOf(expected.changes))
  assert.deepEqual(
    ran.late.map(([, , time, watermark]) => rowText([time, watermark])).sort(),
    expected.missed.map(({ timeUs, watermarkUs }) => rowText([timeUs, watermarkUs])).sort(),
  )
}
