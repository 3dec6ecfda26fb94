import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf, type Plain, plainOf } from '../../../test/builders/batch.ts'
import { fc } from '../../../test/builders/properties.ts'
import type { Batch } from '../../data/batch.ts'
import { LinearMemory, type Pointer } from '../../data/memory.ts'
import { type DataType, types, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { CompiledExpression, CompiledPredicate, Frame } from '../compiled.ts'
import type { AggregateEnvironment, AggregateSet, GroupState } from './aggregate-set.ts'
import { compileAggregates } from './compile-aggregates.ts'

const memory = new LinearMemory()

/** Columns of the rows under test: a key, a filter flag, then one of each kind of argument. */
const schema = [
  ['key', types.string],
  ['flag', types.boolean],
  ['int', types.int],
  ['big', types.bigint],
  ['double', types.double],
  ['price', types.decimal(10, 2)],
  ['wide', types.decimal(30, 4)],
  ['text', types.string],
  ['at', types.timestamp(3)],
  ['solid', withNullability(types.bigint, false)],
].map(([name, type]) => ({ name: name as string, type: type as DataType }))
const column = (name: string): Expression => {
  const index = schema.findIndex((field) => field.name === name)
  return { kind: 'column', index, type: schema[index]!.type }
}
const call = (name: string, argument: string | undefined, type: DataType, more = {}) => ({
  function: name,
  args: argument === undefined ? [] : [column(argument)],
  distinct: false,
  type,
  ...more,
})

const filtered = { filter: column('flag') }
const distinct = { distinct: true }
const calls: AggregateCall[] = [
  call('COUNT', undefined, types.bigint),
  call('COUNT', 'text', types.bigint),
  call('COUNT', 'solid', types.bigint),
  call('SUM', 'int', types.int),
  call('SUM', 'big', types.bigint, filtered),
  call('SUM', 'price', types.decimal(38, 2)),
  call('SUM', 'wide', types.decimal(38, 4)),
  call('SUM', 'double', types.double),
  call('AVG', 'int', types.int),
  call('AVG', 'price', types.decimal(38, 6)),
  call('AVG', 'double', types.double),
  call('MIN', 'int', types.int),
  call('MAX', 'big', types.bigint, filtered),
  call('MIN', 'double', types.double),
  call('MAX', 'double', types.double),
  call('MIN', 'wide', types.decimal(30, 4)),
  call('MAX', 'wide', types.decimal(30, 4)),
  call('MIN', 'text', types.string),
  call('MAX', 'text', types.string),
  call('MAX', 'at', types.timestamp(3)),
  call('MIN', 'flag', types.boolean),
  call('COUNT', 'text', types.bigint, distinct),
  call('SUM', 'int', types.int, { ...distinct, ...filtered }),
  call('AVG', 'int', types.int, distinct),
  call('COUNT', 'text', types.bigint, { ...distinct, ...filtered }),
  call('AVG', 'price', types.decimal(38, 6), distinct),
  call('MAX', 'solid', withNullability(types.bigint, false)),
]

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 4 })
const decimal = (scale: number, max: bigint) =>
  fc.bigInt({ min: -max, max }).map((unscaled) => decimalText(unscaled, scale))
const row: fc.Arbitrary<Plain[]> = fc.tuple(
  maybe(fc.constantFrom('a', 'b', 'a longer key')),
  maybe(fc.boolean()),
  maybe(fc.bigInt({ min: -(2n ** 31n), max: 2n ** 31n - 1n })),
  maybe(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })),
  maybe(fc.integer({ min: -1000, max: 1000 }).map((n) => n / 4)),
  maybe(fc.constantFrom('0.00', '-1.25', '99999999.99', '3.33')),
  maybe(decimal(4, 10n ** 29n)),
  maybe(fc.oneof(fc.string({ maxLength: 3 }), fc.constant('a text of some length'))),
  maybe(fc.bigInt({ min: -5n, max: 5n })),
  fc.bigInt({ min: -3n, max: 3n }),
)

function environment(retracts: boolean): AggregateEnvironment {
  const mark = { mark: 'kernel', jsBecause: [] } as const
  const evaluateIn = (expression: Expression) => (frame: Frame) => {
    assert.ok(expression.kind === 'column')
    return frame.columns[expression.index]!
  }
  return {
    memory,
    retracts,
    expression: (expression): CompiledExpression => ({
      ...mark,
      evaluate: evaluateIn(expression),
    }),
    predicate: (expression): CompiledPredicate => ({
      ...mark,
      select(frame) {
        const vector = evaluateIn(expression)(frame)
        const rows = Array.from({ length: frame.count }, (_, at) =>
          frame.selection === 0 ? at : memory.u32[frame.selection / 4 + at]!,
        ).filter((row) => plainOf(memory, vector, row) === true)
        const selection = memory.arena.allocate(4 * rows.length)
        rows.forEach((row, at) => {
          memory.u32[selection / 4 + at] = row
        })
        return { selection, count: rows.length }
      },
    }),
  }
}

const context = {
  nowUs: () => 0n,
  timeZone: 'UTC',
  overflow: 'wrap' as const,
  fail: () => assert.fail('no row fails'),
  count: () => {},
}

function stateMaker(set: AggregateSet): () => GroupState {
  const groups = keyedTables(memory, { keys: [types.string], values: set.values })
  const sides = set.sides.map(({ keys, values }) =>
    keyedTables(memory, { keys: [types.string, ...keys], values }),
  )
  return () => ({ groups: groups(), sides: sides.map((make) => make()) })
}

/** Feeds rows, some of them not selected, with `change`. */
function feed(state: GroupState, rows: Plain[][], change: AggregateSet['update']): void {
  if (rows.length === 0) return
  const padded = rows.flatMap((row, at) => (at % 3 === 1 ? [row.map(() => null), row] : [row]))
  const picks = padded.flatMap((row, at) => (rows.includes(row) ? [at] : []))
  const batch: Batch = batchOf(
    memory,
    schema,
    padded.map((row) => row.map((value, index) => (index === 9 ? (value ?? 0n) : value))),
    padded.length === rows.length ? {} : { selection: picks },
  )
  const entries = memory.arena.allocate(4 * batch.count)
  const keys = [batch.columns[0]!]
  state.groups.upsert({ count: batch.count, selection: batch.selection, keys }, entries)
  const { rowCount, columns, selection, count } = batch
  change(state, { memory, rowCount, columns, selection, count, context }, keys, entries)
}

function resultsOf(set: AggregateSet, state: GroupState): Map<Plain, Plain[]> {
  const out = new Map<Plain, Plain[]>()
  const entries: Pointer = memory.arena.allocate(4 * 100)
  const { count } = state.groups.scan(0, entries, 100)
  const keys = state.groups.keysOf(entries, count)
  const vectors = set.results(state, entries, count)
  for (let at = 0; at < count; at++) {
    out.set(
      plainOf(memory, keys[0]!, at),
      vectors.map((vector) => plainOf(memory, vector, at)),
    )
  }
  return out
}

test('aggregates of rows that come, in batches and panes, equal a recomputation', () => {
  const set = compileAggregates(calls, environment(false))
  assert.equal(set.mark, 'kernel')
  const make = stateMaker(set)
  const batches = fc.array(fc.array(row, { maxLength: 12 }), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(batches, fc.boolean(), (batches, inPanes) => {
      const mark = memory.arena.mark()
      const whole = make()
      for (const rows of batches) {
        const pane = inPanes ? make() : whole
        feed(pane, rows, set.update)
        if (inPanes) set.merge(whole, pane)
      }
      assert.deepEqual(resultsOf(set, whole), recomputed(batches.flat()))
      memory.arena.release(mark)
    }),
    { numRuns: 150 },
  )
})

test('aggregates of rows that come and go equal a recomputation of those that stayed', () => {
  const set = compileAggregates(calls, environment(true))
  assert.equal(set.mark, 'js')
  const make = stateMaker(set)
  const steps = fc.array(
    fc.record({ come: fc.array(row, { maxLength: 8 }), go: fc.array(fc.nat(), { maxLength: 8 }) }),
    { maxLength: 6 },
  )
  fc.assert(
    fc.property(steps, (steps) => {
      const mark = memory.arena.mark()
      const state = make()
      const rows: Plain[][] = []
      const seen = new Set<Plain>()
      for (const { come, go } of steps) {
        feed(state, come, set.update)
        rows.push(...come)
        for (const [key] of come) seen.add(key ?? null)
        const gone = go.flatMap((at) => (rows.length === 0 ? [] : rows.splice(at % rows.length, 1)))
        feed(state, gone, set.retract)
        // Groups without rows stay until the operator removes them: COUNT 0, SUM NULL.
        assert.deepEqual(resultsOf(set, state), recomputed(rows, seen))
      }
      memory.arena.release(mark)
    }),
    { numRuns: 150 },
  )
})

test('an average of decimals is rounded half up, a sum beyond 38 digits is NULL', () => {
  const big = '99999999999999999999999999.9999'
  const [sum, average] = [types.decimal(38, 4), types.decimal(38, 6)]
  const set = compileAggregates(
    [call('AVG', 'price', average), call('SUM', 'wide', sum)],
    environment(false),
  )
  const state = stateMaker(set)()
  const rowOf = (price: string) => ['a', null, null, null, null, price, big, null, null, 0n]
  feed(state, [rowOf('0.01'), rowOf('0.01'), rowOf('0.00')], set.update)
  assert.deepEqual(resultsOf(set, state).get('a'), ['0.006667', '299999999999999999999999999.9997'])
  const cell = state.groups.valueOffset(4)
  const entry = memory.arena.allocate(4)
  state.groups.scan(0, entry, 1)
  // The accumulator as it stands after enough rows.
  memory.i64[(memory.u32[entry / 4]! + cell) / 8] = 2n ** 62n + 2n ** 61n
  assert.equal(resultsOf(set, state).get('a')![1], null)
})

test('an unknown aggregate is refused, and an overflowing SUM when it is to be an error', () => {
  const isError = (code: string) => (error: unknown) =>
    error instanceof MillraceError && error.code === code
  const median = call('MEDIAN', 'int', types.int)
  const compile = () => compileAggregates([median], environment(false))
  assert.throws(compile, isError('AGGREGATE_UNSUPPORTED'))
  const set = compileAggregates([call('SUM', 'big', types.bigint)], environment(false))
  const state = stateMaker(set)()
  const rows = [1, 2].map(() => ['a', null, null, 2n ** 63n - 1n, null, null, null, null, null, 0n])
  const strict: AggregateSet['update'] = (state, frame, keys, entries) =>
    set.update(state, { ...frame, context: { ...context, overflow: 'error' } }, keys, entries)
  assert.throws(() => feed(state, rows, strict), isError('AGGREGATE_OVERFLOW'))
})

test('a SUM of small integers that its type can not hold is counted once each time, and its average is not', () => {
  const sum = call('SUM', 'int', types.int)
  const set = compileAggregates([sum, call('AVG', 'int', types.int)], environment(false))
  const state = stateMaker(set)()
  let told = 0
  const count = (event: string, rows: number) => {
    assert.equal(event, 'overflow')
    told += rows
  }
  const counted: AggregateSet['update'] = (state, frame, keys, entries) =>
    set.update(state, { ...frame, context: { ...context, count } }, keys, entries)
  const most = 2n ** 31n - 1n
  const rowOf = (int: bigint) => ['a', null, int, null, null, null, null, null, null, 0n]
  feed(state, [rowOf(most), rowOf(0n)], counted)
  assert.equal(told, 0)
  feed(state, [rowOf(most), rowOf(5n)], counted)
  assert.equal(told, 1)
  assert.deepEqual(resultsOf(set, state).get('a'), [3n, (2n * most + 5n) / 4n])
  const strict: AggregateSet['update'] = (state, frame, keys, entries) =>
    set.update(state, { ...frame, context: { ...context, overflow: 'error' } }, keys, entries)
  assert.throws(
    () => feed(state, [rowOf(most), rowOf(most)], strict),
    (error) => error instanceof MillraceError && error.code === 'AGGREGATE_OVERFLOW',
  )
})

/** The oracle: groups as arrays, each call from its words. */
function recomputed(rows: Plain[][], keys: Set<Plain> = new Set(rows.map(([key]) => key ?? null))) {
  const groups = new Map<Plain, Plain[][]>()
  for (const key of keys) groups.set(key, [])
  for (const row of rows) groups.get(row[0]!)!.push(row)
  return new Map(
    [...groups].map(([key, rows]) => [key, calls.map((call) => aggregate(call, rows))]),
  )
}

function aggregate(call: AggregateCall, rows: Plain[][]): Plain {
  const kept = call.filter === undefined ? rows : rows.filter((row) => row[1] === true)
  const [argument] = call.args
  if (argument === undefined) return BigInt(kept.length)
  assert.ok(argument.kind === 'column')
  let values = kept.map((row) => row[argument.index]!).filter((value) => value !== null)
  if (call.distinct) values = [...new Set(values)]
  if (call.function === 'COUNT') return BigInt(values.length)
  if (values.length === 0) return null
  if (call.function === 'MIN' || call.function === 'MAX') {
    const sorted = values.sort(comparePlain)
    return sorted.at(call.function === 'MIN' ? 0 : -1)!
  }
  const average = call.function === 'AVG'
  if (argument.type.kind === 'double') {
    const sum = values.reduce<number>((sum, value) => sum + Number(value), 0)
    return average ? sum / values.length : sum
  }
  if (argument.type.kind === 'decimal') {
    const { scale } = argument.type
    const sum = values.reduce<bigint>((sum, value) => sum + unscaled(String(value)), 0n)
    if (!average) return decimalText(sum, scale)
    return decimalText(halfUp(sum * 10000n, BigInt(values.length)), scale + 4)
  }
  const sum = values.reduce<bigint>((sum, value) => sum + BigInt(String(value)), 0n)
  const bits = argument.type.kind === 'int' ? 32 : 64
  return BigInt.asIntN(bits, average ? BigInt.asIntN(64, sum) / BigInt(values.length) : sum)
}

const unscaled = (text: string) => BigInt(text.replace('.', ''))

function comparePlain(a: Plain, b: Plain): number {
  if (typeof a === 'string' && /^-?\d+\.\d{4}$/.test(a)) {
    const difference = unscaled(a) - unscaled(String(b))
    return difference < 0n ? -1 : difference > 0n ? 1 : 0
  }
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(String(b)))
  return Number(a! > b!) - Number(a! < b!)
}

function halfUp(a: bigint, b: bigint): bigint {
  const twice = (2n * (a < 0n ? -a : a) + b) / (2n * b)
  return a < 0n ? -twice : twice
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
