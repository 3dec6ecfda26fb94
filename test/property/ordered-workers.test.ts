/** What keeps rows in an order gives the same table for any number of workers, in any order of turns, and restarted into other numbers. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Schema, types } from '../../src/data/types.ts'
import type { PlanNode } from '../../src/plan/nodes.ts'
import type { FedRow } from '../builders/engine-run.ts'
import { tableOf } from '../builders/engine-run.ts'
import { column, EVENTS, events, orderBy } from '../builders/plans.ts'
import { fc } from '../builders/properties.ts'
import { runWorkers, type WorkersWay } from '../builders/workers-run.ts'

const ONE: WorkersWay = { seed: 1, workers: [1], steps: 0, ringBytes: 1 << 20, rowsMax: 1000 }
const partition = [column('k')]
const input = events({ delayUs: 0n })
const numbered = [...EVENTS, { name: 'n', type: types.bigint }]
const sum = { function: 'SUM', args: [column('v')], distinct: false, type: types.bigint }
const first = {
  function: 'FIRST_VALUE',
  args: [column('r')],
  distinct: false,
  type: column('r').type,
}
const lag = { function: 'LAG', args: [column('d')], distinct: false, type: column('d').type }
const over = { kind: 'over-aggregate', input, partition } as const

const grouped: Schema = [
  { name: 'k', type: types.string },
  { name: 'd', type: types.decimal(30, 2) },
  { name: 'c', type: { ...types.bigint, nullable: false } },
]
const windowed: Schema = [
  ...EVENTS,
  ...['window_start', 'window_end', 'window_time'].map((name) => ({
    name,
    type: types.timestamp(3),
  })),
]

const PLANS: Readonly<Record<string, PlanNode>> = {
  'top 2': {
    kind: 'rank',
    input,
    function: 'ROW_NUMBER',
    partition,
    order: orderBy('v desc'),
    from: 1,
    to: 2,
    outputsNumber: true,
    schema: numbered,
  },
  'top 3 of rows that come and go': {
    kind: 'rank',
    input: {
      kind: 'deduplicate',
      input,
      partition: [column('d'), column('k')],
      time: 5,
      keep: 'last',
    },
    function: 'ROW_NUMBER',
    partition,
    order: orderBy('v'),
    from: 1,
    to: 3,
    outputsNumber: false,
    schema: EVENTS,
  },
  'top 2 of counts that grow': {
    kind: 'rank',
    input: {
      kind: 'group-aggregate',
      input,
      keys: [column('k'), column('d')],
      aggregates: [{ function: 'COUNT', args: [], distinct: false, type: grouped[2]!.type }],
      schema: grouped,
    },
    function: 'ROW_NUMBER',
    partition: [column('k', grouped)],
    order: orderBy('c desc, d', grouped),
    from: 1,
    to: 2,
    outputsNumber: true,
    schema: [...grouped, { name: 'n', type: types.bigint }],
  },
  'top 2 of windows': {
    kind: 'window-rank',
    input: {
      kind: 'window-table',
      input,
      window: { kind: 'tumble', sizeUs: 10_000, offsetUs: 0 },
      time: 5,
      schema: windowed,
    },
    window: { start: 6, end: 7 },
    function: 'ROW_NUMBER',
    partition,
    order: orderBy('v desc', windowed),
    from: 1,
    to: 2,
    outputsNumber: false,
    schema: windowed,
  },
  'first rows': { kind: 'deduplicate', input, partition, time: 5, keep: 'first' },
  'last rows': { kind: 'deduplicate', input, partition, time: 5, keep: 'last' },
  'sums of a range': {
    ...over,
    order: orderBy('t'),
    time: 5,
    frame: { kind: 'range', preceding: 50_000 },
    aggregates: [sum],
    schema: numbered,
  },
  'sums, first and last values': {
    ...over,
    order: orderBy('t'),
    time: 5,
    frame: { kind: 'rows' },
    aggregates: [sum, first, lag],
    schema: [...numbered, { name: 'f', type: first.type }, { name: 'l', type: lag.type }],
  },
  'sums by value': {
    ...over,
    order: orderBy('v'),
    frame: { kind: 'rows' },
    aggregates: [sum, first, lag],
    schema: [...numbered, { name: 'f', type: first.type }, { name: 'l', type: lag.type }],
  },
  'in order of time': { kind: 'temporal-sort', input, time: 5, keys: orderBy('t') },
  'with what was before': { kind: 'changelog-normalize', input, keys: [0, 2] },
}

// Splits in order of time, all times and values different: nothing ties, nothing is late.
const row = fc.record({
  k: fc.constantFrom('hot', 'a', '', null),
  d: fc.constantFrom('1.50', '-2.25', null),
  r: fc.constantFrom(['p', 1n], [null, null], null),
})
const splits = fc
  .array(fc.array(row, { minLength: 1, maxLength: 16 }), { minLength: 1, maxLength: 4 })
  .map((all) => {
    let number = 0n
    return all.map((rows) =>
      rows.map((each): FedRow => {
        number++
        return {
          kind: '+I',
          row: { ...each, v: (number * 7919n) % 1009n, x: null, t: number * 1000n },
        }
      }),
    )
  })
const way = fc.record({
  seed: fc.nat(),
  workers: fc.array(fc.constantFrom(1, 2, 3, 4), { minLength: 1, maxLength: 3 }),
  steps: fc.integer({ min: 1, max: 20 }),
  ringBytes: fc.constantFrom(16, 4096),
  rowsMax: fc.constantFrom(1, 4, 1000),
})

for (const [name, plan] of Object.entries(PLANS)) {
  test(`workers change nothing: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(splits, way, async (given, how) => {
        // Rows of one key stand in one split: which of two splits comes first is for nobody to say.
        const fed = new Map([
          ['events', plan.kind === 'changelog-normalize' ? given.slice(0, 1) : given],
        ])
        const expected = await runWorkers(plan, fed, ONE)
        const ran = await runWorkers(plan, fed, how)
        assert.deepEqual(tableOf(ran.changes), tableOf(expected.changes))
      }),
      { numRuns: 12 },
    )
  })
}
