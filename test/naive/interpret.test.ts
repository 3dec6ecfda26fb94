/** The oracle itself, on cases small enough to check by hand. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type Field, type Schema, types } from '../../src/data/types.ts'
import type { AggregateCall, Expression } from '../../src/plan/expressions.ts'
import type { PlanNode } from '../../src/plan/nodes.ts'
import type { Window } from '../../src/plan/windows.ts'
import { interpret } from './interpret.ts'

const SECOND = 1_000_000n
const schema: Schema = [
  { name: 'k', type: types.string },
  { name: 'v', type: types.bigint },
  { name: 't', type: types.timestamp(3) },
]
const [k, v, t] = schema.map(
  ({ type }, index): Expression => ({ kind: 'column', index, type }),
) as [Expression, Expression, Expression]
const scan: PlanNode = {
  kind: 'scan',
  table: { name: 'bids', columns: [], options: {} },
  schema,
}
const sum: AggregateCall = { function: 'SUM', args: [v], distinct: false, type: types.bigint }
const count: AggregateCall = { function: 'COUNT', args: [], distinct: false, type: types.bigint }
const out = (...names: readonly string[]): Field[] =>
  names.map((name) => ({ name, type: types.bigint }))

test('a grouped changelog is what is left after its retractions', () => {
  const plan: PlanNode = {
    kind: 'group-aggregate',
    input: scan,
    keys: [k],
    aggregates: [sum, count],
    schema: out('k', 's', 'c'),
  }
  const inputs = new Map([
    [
      'bids',
      [
        { kind: '+I', row: ['a', 1n, 0n] },
        { kind: '+I', row: ['b', 5n, 0n] },
        { kind: '-U', row: ['a', 1n, 0n] },
        { kind: '+U', row: ['a', 7n, 0n] },
        { kind: '-D', row: ['b', 5n, 0n] },
      ] as const,
    ],
  ])
  assert.deepEqual(interpret(plan, inputs).rows, [['a', 7n, 1n]])
})

test('a row is late for the windows that fired before it, and counts in the others', () => {
  const assigned: PlanNode = { kind: 'watermark-assigner', input: scan, rowtime: 2, watermark: t }
  const window: Window = { kind: 'hop', slideUs: 5_000_000, sizeUs: 10_000_000, offsetUs: 0 }
  const plan: PlanNode = {
    kind: 'window-aggregate',
    input: assigned,
    window,
    time: 2,
    keys: [],
    aggregates: [sum],
    schema: out('s', 'start', 'end', 'time'),
  }
  const inputs = new Map([
    [
      'bids',
      [
        ['a', 1n, 1n * SECOND],
        ['a', 2n, 11n * SECOND],
        ['a', 4n, 6n * SECOND],
      ],
    ],
  ])
  const { rows, late } = interpret(plan, inputs)
  const totals = rows.map(([total, start]) => [start, total])
  assert.equal(late, 1)
  assert.deepEqual(totals, [
    [-5n * SECOND, 1n],
    [0n, 1n],
    [5n * SECOND, 6n],
    [10n * SECOND, 2n],
  ])
})

test('a row that cannot be computed is dead and leaves the others', () => {
  const condition: Expression = {
    kind: 'call',
    function: 'EQUALS',
    args: [
      {
        kind: 'call',
        function: 'DIVIDE',
        args: [{ kind: 'literal', value: '10', type: types.bigint }, v],
        type: types.bigint,
      },
      { kind: 'literal', value: '5', type: types.bigint },
    ],
    type: types.boolean,
  }
  const plan: PlanNode = { kind: 'filter', input: scan, condition }
  const inputs = new Map([
    [
      'bids',
      [
        ['a', 0n, 0n],
        ['b', 2n, 0n],
        ['c', 3n, 0n],
      ],
    ],
  ])
  const { rows, dead, late } = interpret(plan, inputs)
  assert.deepEqual({ rows, dead, late }, { rows: [['b', 2n, 0n]], dead: 1, late: 0 })
})

test('a sorted table keeps its order, NULLs where they are told to be', () => {
  const plan: PlanNode = {
    kind: 'sort',
    input: scan,
    keys: [{ expression: v, descending: true, nullsFirst: false }],
    limit: 2,
    offset: 1,
  }
  const inputs = new Map([
    [
      'bids',
      [
        ['a', 1n, 0n],
        ['b', null, 0n],
        ['c', 3n, 0n],
      ],
    ],
  ])
  assert.deepEqual(interpret(plan, inputs).rows, [
    ['a', 1n, 0n],
    ['b', null, 0n],
  ])
})
