import assert from 'node:assert/strict'
import test from 'node:test'
import { type DataType, types } from '../data/types.ts'
import { aggregateText, expressionText, intervalText } from './expression-text.ts'
import type { Expression } from './expressions.ts'
import type { PlanNode } from './nodes.ts'
import { traitsOf } from './traits.ts'

const schema = [
  { name: 'shop', type: types.string },
  { name: 'amount', type: types.bigint },
  { name: 'at', type: types.timestamp(3) },
]
const scan: PlanNode = { kind: 'scan', schema, table: { name: 'orders', columns: [], options: {} } }
const column = (index: number): Expression => ({ kind: 'column', index, type: schema[index]!.type })
const count = { function: 'COUNT', args: [], distinct: false, type: types.bigint } as const
const grouped: PlanNode = {
  kind: 'group-aggregate',
  input: scan,
  keys: [column(0)],
  aggregates: [count],
  schema: [schema[0]!, { name: 'n', type: types.bigint }],
}
const times = ['window_start', 'window_end', 'window_time'].map((name) => ({
  name,
  type: types.timestamp(3),
}))

test('a GROUP BY without a window updates by its keys and keeps every key', () => {
  assert.deepEqual(traitsOf(grouped), { changes: 'update', state: 'keys', upsertKey: [0] })
})

test('a window gives rows that stay, named by its keys and the window, and keeps what is open', () => {
  const windowed: PlanNode = {
    kind: 'window-aggregate',
    input: scan,
    window: { kind: 'tumble', sizeUs: 60_000_000, offsetUs: 0 },
    time: 2,
    keys: [column(0)],
    aggregates: [count],
    schema: [schema[0]!, { name: 'n', type: types.bigint }, ...times],
  }
  assert.deepEqual(traitsOf(windowed), {
    changes: 'append',
    state: 'windows',
    upsertKey: [0, 2, 3],
  })
})

test('DISTINCT over rows that stay gives rows that stay; over rows that change it updates', () => {
  const distinct = { ...grouped, aggregates: [], schema: [schema[0]!] }
  assert.equal(traitsOf(distinct).changes, 'append')
  assert.equal(traitsOf({ ...distinct, input: grouped }).changes, 'update')
})

test('a projection carries the upsert key where its columns go, and loses it where they are gone', () => {
  const project = (expressions: Expression[]): PlanNode => ({
    kind: 'project',
    input: grouped,
    expressions,
    schema: expressions.map((_, index) => ({ name: `c${index}`, type: types.string })),
  })
  assert.deepEqual(traitsOf(project([column(1), column(0)])).upsertKey, [1])
  assert.equal(traitsOf(project([column(1)])).upsertKey, undefined)
  assert.equal(traitsOf(project([column(1)])).changes, 'update')
})

test('a filter, a union and a sort say what their inputs make of them', () => {
  const condition = column(0)
  assert.equal(traitsOf({ kind: 'filter', input: grouped, condition }).changes, 'update')
  assert.deepEqual(traitsOf({ kind: 'union-all', inputs: [scan, grouped], schema }), {
    changes: 'update',
    state: 'none',
  })
  assert.deepEqual(traitsOf({ kind: 'sort', input: scan, keys: [] }), {
    changes: 'append',
    state: 'rows',
  })
})

test('a join keeps all rows, unless both sides have a time to live or time passes them', () => {
  const join = {
    kind: 'join',
    type: 'inner',
    left: scan,
    right: scan,
    leftKeys: [column(0)],
    rightKeys: [column(0)],
    schema: [...schema, ...schema],
  } as const
  assert.deepEqual(traitsOf(join), { changes: 'append', state: 'rows' })
  assert.equal(traitsOf({ ...join, leftTtlUs: 1 }).state, 'rows')
  assert.equal(traitsOf({ ...join, leftTtlUs: 1, rightTtlUs: 1 }).state, 'time')
  const times = { leftTime: 1, rightTime: 1, lowerUs: 0, upperUs: 1 }
  assert.equal(traitsOf({ ...join, kind: 'interval-join', ...times }).state, 'time')
  const versioned = { ...join, kind: 'temporal-join', right: grouped, ...times } as const
  assert.deepEqual(traitsOf(versioned), { changes: 'append', state: 'keys' })
})

test('expressions read as SQL, with names and the brackets they need', () => {
  const call = (name: string, ...args: Expression[]): Expression => ({
    kind: 'call',
    function: name,
    args,
    type: types.boolean,
  })
  const literal = (value: string, type = types.bigint as Expression['type']): Expression => ({
    kind: 'literal',
    value,
    type,
  })
  const sum = call('PLUS', column(1), literal('1'))
  assert.equal(
    expressionText(call('GREATER', call('TIMES', sum, column(1)), literal('-5')), schema),
    '((amount + 1) * amount) > -5',
  )
  assert.equal(
    expressionText(call('AND', call('IS_NOT_NULL', column(0)), call('NOT', column(0))), schema),
    'shop IS NOT NULL AND NOT shop',
  )
  assert.equal(
    expressionText(call('UPPER', literal("it's", types.string)), schema),
    "UPPER('it''s')",
  )
  const interval = literal('90000000', { kind: 'interval_day_second', nullable: false })
  assert.equal(
    expressionText(call('MINUS', column(2), interval), schema),
    "at - INTERVAL '90 second'",
  )
  assert.equal(
    expressionText({ kind: 'cast', input: column(0), type: types.int, safe: true }, schema),
    'TRY_CAST(shop AS INT)',
  )
  const filtered = {
    ...count,
    function: 'SUM',
    args: [column(1)],
    distinct: true,
    filter: call('IS_TRUE', column(0)),
  }
  assert.equal(aggregateText(filtered, schema), 'SUM(DISTINCT amount) FILTER (WHERE shop IS TRUE)')
  assert.equal(aggregateText(count, schema), 'COUNT(*)')
})

test('intervals are said in the largest unit that is exact', () => {
  assert.deepEqual(
    [0n, 1n, 1500n, 5_000_000n, 90_000_000n, 3_600_000_000n, -60_000_000n].map(intervalText),
    ['0 second', '1 µs', '1500 µs', '5 second', '90 second', '1 hour', '-1 minute'],
  )
})

test('a key that is widened still names the rows, and one that is cut does not', () => {
  const castTo = (type: DataType): PlanNode => ({
    kind: 'project',
    input: {
      kind: 'deduplicate',
      input: scan,
      partition: [column(1)],
      time: 2,
      keep: 'last',
    } as PlanNode,
    expressions: [{ kind: 'cast', input: column(1), type, safe: false }],
    schema: [{ name: 'amount', type }],
  })
  assert.deepEqual(traitsOf(castTo(types.bigint)).upsertKey, [0])
  assert.equal(traitsOf(castTo(types.int)).upsertKey, undefined)
  assert.equal(traitsOf(castTo(types.string)).upsertKey, undefined)
})
