import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf, type Plain } from '../../test/builders/batch.ts'
import { LinearMemory } from '../data/memory.ts'
import { type DataType, type Schema, types } from '../data/types.ts'
import type { Expression, LiteralValue } from '../plan/expressions.ts'
import { functionNamed } from '../plan/functions/registry.ts'
import { readerOf } from './cells.ts'
import type { Frame } from './compiled.ts'
import { compileExpression, compilePredicate, compileProjection } from './expression.ts'

const SCHEMA: Schema = [
  { name: 'x', type: types.bigint },
  { name: 'i', type: types.int },
  { name: 's', type: types.string },
]
const [x, i, s] = SCHEMA.map(
  ({ type }, index): Expression => ({ kind: 'column', index, type }),
) as [Expression, Expression, Expression]

function literal(value: LiteralValue, type: DataType): Expression {
  return { kind: 'literal', value, type }
}
const int = (value: number) => literal(String(value), { kind: 'int', nullable: false })

function call(name: string, ...args: readonly Expression[]): Expression {
  const resolved = functionNamed(name)!.resolve(
    args.map(({ type }) => type),
    args.map((arg) => (arg.kind === 'literal' ? arg.value : undefined)),
  )
  assert.ok(typeof resolved !== 'string')
  return { kind: 'call', function: name, args, type: resolved.type }
}

interface Outcome {
  readonly values: readonly unknown[]
  readonly failed: ReadonlyMap<number, string>
  readonly counted: ReadonlyMap<string, number>
}

function frameOf(rows: readonly (readonly Plain[])[], overflow: 'wrap' | 'error' = 'wrap') {
  const memory = new LinearMemory()
  const failed = new Map<number, string>()
  const counted = new Map<string, number>()
  const frame: Frame = {
    memory,
    ...batchOf(memory, SCHEMA, rows),
    context: {
      nowUs: () => 0n,
      timeZone: 'UTC',
      overflow,
      fail: (row, reason) => failed.set(row, reason),
      count: (event, count) => counted.set(event, (counted.get(event) ?? 0) + count),
    },
  }
  return { frame, failed, counted }
}

function run(
  expression: Expression,
  rows: readonly (readonly Plain[])[],
  overflow: 'wrap' | 'error' = 'wrap',
): Outcome {
  const { frame, failed, counted } = frameOf(rows, overflow)
  const { memory } = frame
  const vector = compileExpression(expression, { memory }).evaluate(frame)
  const read = readerOf(memory, vector)
  return { values: rows.map((_, row) => read(row)), failed, counted }
}

const MOST = 2n ** 63n - 1n

test('overflow wraps as in Java, and is counted without NULLs and near misses', () => {
  const sum = run(call('PLUS', x, x), [
    [MOST, 0n, ''],
    [null, 0n, ''],
    [1n, 0n, ''],
  ])
  assert.deepEqual(sum.values, [-2n, null, 2n])
  assert.deepEqual([...sum.counted], [['overflow', 1]])
  const product = run(call('TIMES', x, int(1)), [[MOST, 0n, '']])
  assert.deepEqual([product.values, product.counted.size], [[MOST], 0])
  const narrow = run(call('PLUS', i, int(1)), [[0n, 2147483647n, '']])
  assert.deepEqual(narrow.values, [-2147483648n])
})

test("with 'error' an overflowing row fails, and only that", () => {
  const { failed } = run(
    call('PLUS', x, x),
    [
      [1n, 0n, ''],
      [MOST, 0n, ''],
    ],
    'error',
  )
  assert.deepEqual([...failed.keys()], [1])
})

test('a division by zero fails its row', () => {
  const { values, failed } = run(call('DIVIDE', int(10), i), [
    [0n, 0n, ''],
    [0n, 3n, ''],
    [0n, null, ''],
  ])
  assert.deepEqual([...failed], [[0, 'Division by zero']])
  assert.deepEqual(values.slice(1), [3n, null])
})

test('a branch that is not taken fails no row', () => {
  const safe: Expression = {
    kind: 'case',
    branches: [branch(call('NOT_EQUALS', i, int(0)), call('DIVIDE', int(10), i))],
    otherwise: int(-1),
    type: types.int,
  }
  const rows = [
    [0n, 0n, ''],
    [0n, 5n, ''],
  ]
  assert.deepEqual(run(safe, rows), { values: [-1n, 2n], failed: new Map(), counted: new Map() })
  const guarded = call(
    'AND',
    call('NOT_EQUALS', i, int(0)),
    call('EQUALS', call('DIVIDE', int(10), i), int(2)),
  )
  assert.deepEqual(run(guarded, rows).failed.size, 0)
  const fallback = call('COALESCE', i, call('DIVIDE', i, int(0)))
  assert.deepEqual(run(fallback, rows).failed.size, 0)
})

function branch(when: Expression, taken: Expression) {
  // biome-ignore lint/suspicious/noThenProperty: a plan's CASE says then
  return { when, then: taken }
}

test('a filter of AND and OR evaluates its right side only where it can matter', () => {
  const { frame, failed } = frameOf([
    [0n, 0n, ''],
    [0n, 5n, ''],
    [0n, null, ''],
  ])
  const { memory } = frame
  const tenth = call('EQUALS', call('DIVIDE', int(10), i), int(2))
  const condition = call('AND', call('NOT_EQUALS', i, int(0)), tenth)
  const { selection, count } = compilePredicate(condition, { memory }).select(frame)
  assert.deepEqual([...memory.u32.subarray(selection / 4, selection / 4 + count)], [1])
  const either = call('OR', call('EQUALS', i, int(0)), tenth)
  assert.equal(compilePredicate(either, { memory }).select(frame).count, 2)
  assert.equal(failed.size, 0)
})

test('a condition that all rows of a whole batch pass, and one that none does', () => {
  const { frame } = frameOf([
    [1n, 0n, ''],
    [2n, 0n, ''],
  ])
  const { memory } = frame
  const always = compilePredicate(literal(true, types.boolean), { memory }).select(frame)
  assert.deepEqual(always, { selection: 0, count: 2 })
  const never = compilePredicate(literal(null, types.boolean), { memory }).select(frame)
  assert.equal(never.count, 0)
  assert.notEqual(never.selection, 0)
})

test('remainders by a constant are tested without a division, for every divisor and sign', () => {
  const values = [-246n, -124n, -123n, -1n, 0n, 1n, 96n, 123n, 124n, 2n ** 62n, MOST, -(2n ** 63n)]
  const { frame } = frameOf(values.map((value) => [value, 0n, '']))
  const { memory } = frame
  for (const divisor of [1, 2, 3, 8, 12, 96, 123, 2147483647]) {
    for (const [name, wanted] of [
      ['EQUALS', true],
      ['NOT_EQUALS', false],
    ] as const) {
      const condition = call(name, call('MOD', x, int(divisor)), int(0))
      const { selection, count } = compilePredicate(condition, { memory }).select(frame)
      const rows = Array.from({ length: count }, (_, at) => memory.u32[selection / 4 + at]!)
      const expected = [...values.keys()].filter(
        (row) => (values[row]! % BigInt(divisor) === 0n) === wanted,
      )
      assert.deepEqual(rows, expected, `${name} ${divisor}`)
    }
  }
})

test('the benchmark queries are kernels throughout, and what is not says which function', () => {
  const memory = new LinearMemory()
  const q1 = call('TIMES', literal('0.908', types.decimal(3, 3)), x)
  const q2 = call('EQUALS', call('MOD', x, int(123)), int(0))
  assert.deepEqual(
    compileProjection([q1, x], { memory }).map(({ mark }) => mark),
    ['kernel', 'kernel'],
  )
  assert.equal(compilePredicate(q2, { memory }).mark, 'kernel')
  const upper = compilePredicate(call('EQUALS', call('UPPER', s), literal('A', types.string)), {
    memory,
  })
  assert.deepEqual([upper.mark, upper.jsBecause], ['js', ['UPPER']])
})

test('exact products of BIGINT and DECIMAL keep all digits', () => {
  const { values } = run(call('TIMES', literal('-0.908', types.decimal(3, 3)), x), [
    [MOST, 0n, ''],
    [-5n, 0n, ''],
  ])
  assert.deepEqual(values, [-908n * MOST, 4540n])
})

test('decimals of 38 digits are compared with literals of fewer digits by kernels', () => {
  const values = [MOST, -MOST, -5n, 0n, 4n, 1102n]
  const product = call('TIMES', literal('0.908', types.decimal(3, 3)), x)
  const { frame } = frameOf(values.map((value) => [value, 0n, '']))
  const { memory } = frame
  const than = { int: int(-4), decimal: literal('3.6', types.decimal(2, 1)) }
  const scaled = { int: -4000n, decimal: 3600n }
  const holds: Record<string, (a: bigint, b: bigint) => boolean> = {
    EQUALS: (a, b) => a === b,
    NOT_EQUALS: (a, b) => a !== b,
    LESS: (a, b) => a < b,
    LESS_OR_EQUAL: (a, b) => a <= b,
    GREATER: (a, b) => a > b,
    GREATER_OR_EQUAL: (a, b) => a >= b,
  }
  for (const [name, test] of Object.entries(holds)) {
    for (const kind of ['int', 'decimal'] as const) {
      const predicate = compilePredicate(call(name, product, than[kind]), { memory })
      assert.equal(predicate.mark, 'kernel')
      const { selection, count } = predicate.select(frame)
      const rows = Array.from({ length: count }, (_, at) => memory.u32[selection / 4 + at]!)
      const expected = [...values.keys()].filter((row) => test(908n * values[row]!, scaled[kind]))
      assert.deepEqual(rows, expected, `${name} ${kind}`)
    }
  }
})
