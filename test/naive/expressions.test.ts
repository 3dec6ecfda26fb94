/** Random typed expressions over random columns: the vectorised engine gives what the oracle gives, row by row. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { readerOf } from '../../src/compile/cells.ts'
import type { Frame } from '../../src/compile/compiled.ts'
import { compileExpression, compilePredicate } from '../../src/compile/expression.ts'
import { LinearMemory } from '../../src/data/memory.ts'
import { type DataType, type Schema, types } from '../../src/data/types.ts'
import type { CaseBranch, Expression } from '../../src/plan/expressions.ts'
import { functionNamed } from '../../src/plan/functions/registry.ts'
import { batchOf, type Plain } from '../builders/batch.ts'
import { fc } from '../builders/properties.ts'
import { evaluate, NaiveFailure, type NaiveRow } from './expression.ts'

type Kind = 'bigint' | 'int' | 'double' | 'decimal' | 'string' | 'boolean' | 'timestamp'

const TYPES: Record<Kind, DataType> = {
  bigint: types.bigint,
  int: types.int,
  double: types.double,
  decimal: types.decimal(10, 2),
  string: types.string,
  boolean: types.boolean,
  timestamp: types.timestamp(3),
}
const KINDS = Object.keys(TYPES) as Kind[]
const schema: Schema = KINDS.map((name) => ({ name, type: TYPES[name] }))

const VALUES: Record<Kind, fc.Arbitrary<Plain>> = {
  bigint: fc.oneof(
    fc.bigInt({ min: -1000n, max: 1000n }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ),
  int: fc.oneof(
    fc.bigInt({ min: -5n, max: 5n }),
    fc.bigInt({ min: -(2n ** 31n), max: 2n ** 31n - 1n }),
  ),
  double: fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 })),
  decimal: fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((cents) => decimalOf(BigInt(cents))),
  string: fc.oneof(
    fc.constantFrom('a', 'ab', 'B', 'é', '😀x', ''),
    fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `t${text}`),
  ),
  boolean: fc.boolean(),
  timestamp: fc.bigInt({ min: -(10n ** 12n), max: 2n * 10n ** 12n }).map((ms) => ms * 1000n),
}

function decimalOf(cents: bigint): string {
  const size = (cents < 0n ? -cents : cents).toString().padStart(3, '0')
  return `${cents < 0n ? '-' : ''}${size.slice(0, -2)}.${size.slice(-2)}`
}

const rowOf = fc.tuple(...KINDS.map((kind) => fc.option(VALUES[kind], { nil: null, freq: 4 })))

/** A bound call, with the casts that its signature asks for. */
function bound(name: string, args: readonly Expression[]): Expression | undefined {
  const literals = args.map((arg) => (arg.kind === 'literal' ? arg.value : undefined))
  const resolved = functionNamed(name)!.resolve(
    args.map(({ type }) => type),
    literals,
  )
  if (typeof resolved === 'string') return undefined
  const cast = args.map((input, index): Expression => {
    const type = resolved.args[index]!
    const same =
      JSON.stringify({ ...type, nullable: true }) ===
      JSON.stringify({ ...input.type, nullable: true })
    return same ? input : { kind: 'cast', input, type, safe: false }
  })
  return { kind: 'call', function: name, args: cast, type: resolved.type }
}

function call(
  name: string,
  ...args: readonly fc.Arbitrary<Expression>[]
): fc.Arbitrary<Expression> {
  return fc.tuple(...args).map((told) => bound(name, told) ?? told[0]!)
}

function leaf(kind: Kind): fc.Arbitrary<Expression> {
  const type = TYPES[kind]
  const column = fc.constant<Expression>({ kind: 'column', index: KINDS.indexOf(kind), type })
  const literal = fc
    .option(VALUES[kind], { nil: null, freq: 8 })
    .map((value): Expression => ({ kind: 'literal', type, value: literalOf(value) }))
  return fc.oneof(column, column, literal)
}

function literalOf(value: Plain): null | boolean | number | string {
  return typeof value === 'bigint' ? String(value) : (value as null | boolean | number | string)
}

function fixed(kind: Kind, value: string): fc.Arbitrary<Expression> {
  return fc.constant<Expression>({ kind: 'literal', type: TYPES[kind], value })
}

function tree(kind: Kind, depth: number): fc.Arbitrary<Expression> {
  if (depth === 0) return leaf(kind)
  const of = (each: Kind) => tree(each, depth - 1)
  const same = of(kind)
  const castFrom = (from: Kind, safe: boolean) =>
    of(from).map((input): Expression => ({ kind: 'cast', input, type: TYPES[kind], safe }))
  const chosen = fc.tuple(of('boolean'), same, of('boolean'), same, same).map(
    ([when, first, when2, second, otherwise]): Expression => ({
      kind: 'case',
      branches: [branch(when, first), branch(when2, second)],
      otherwise,
      type: TYPES[kind],
    }),
  )
  return fc.oneof(
    leaf(kind),
    chosen,
    call('COALESCE', same, same),
    call('IF', of('boolean'), same, same),
    call('NULLIF', same, same),
    ...special(kind, of, castFrom),
  )
}

function branch(when: Expression, taken: Expression): CaseBranch {
  // biome-ignore lint/suspicious/noThenProperty: a plan's CASE says then
  return { when, then: taken }
}

function special(
  kind: Kind,
  of: (kind: Kind) => fc.Arbitrary<Expression>,
  castFrom: (from: Kind, safe: boolean) => fc.Arbitrary<Expression>,
): readonly fc.Arbitrary<Expression>[] {
  switch (kind) {
    case 'bigint':
    case 'int':
      return [
        ...['PLUS', 'MINUS', 'TIMES', 'DIVIDE', 'MOD', 'GREATEST'].map((name) =>
          call(name, of(kind), of(kind)),
        ),
        call('MOD', of(kind), fixed(kind, '123')),
        call('NEGATE', of(kind)),
        ...(kind === 'bigint'
          ? [
              call(
                'EXTRACT',
                fc
                  .constantFrom('SECOND', 'HOUR', 'DAY', 'YEAR')
                  .chain((unit) => fixed('string', unit)),
                of('timestamp'),
              ),
              castFrom('int', false),
              castFrom('boolean', false),
            ]
          : [
              castFrom('bigint', false),
              castFrom('double', false),
              castFrom('decimal', false),
              castFrom('string', true),
              castFrom('string', false),
              call('CHAR_LENGTH', of('string')),
            ]),
      ]
    case 'double':
      return [
        ...['PLUS', 'MINUS', 'TIMES', 'DIVIDE', 'MOD'].map((name) =>
          call(name, of('double'), of('double')),
        ),
        call('NEGATE', of('double')),
        castFrom('bigint', false),
        castFrom('decimal', false),
      ]
    case 'decimal':
      return ['PLUS', 'MINUS', 'TIMES', 'DIVIDE', 'MOD'].map((name) =>
        fc
          .tuple(call(name, of('decimal'), fc.oneof(of('decimal'), of('int'), of('bigint'))))
          .map(
            ([input]): Expression => ({ kind: 'cast', input, type: TYPES.decimal, safe: false }),
          ),
      )
    case 'string':
      return [
        call('UPPER', fc.oneof(fixed('string', 'aé'), of('string'))),
        call('CONCAT', of('string'), of('string')),
        call(
          'SUBSTRING',
          of('string'),
          fc.constantFrom('1', '2', '3').chain((at) => fixed('int', at)),
          fixed('int', '4'),
        ),
        castFrom('bigint', false),
        castFrom('boolean', false),
      ]
    case 'timestamp':
      return [
        call(
          'FLOOR',
          of('timestamp'),
          fc.constantFrom('SECOND', 'MINUTE', 'HOUR', 'DAY').chain((unit) => fixed('string', unit)),
        ),
      ]
    default:
      return [
        ...['AND', 'OR'].map((name) => call(name, of('boolean'), of('boolean'), of('boolean'))),
        ...['NOT', 'IS_NULL', 'IS_TRUE', 'IS_FALSE', 'IS_NOT_TRUE', 'IS_NOT_FALSE'].map((name) =>
          call(name, of('boolean')),
        ),
        ...['EQUALS', 'NOT_EQUALS', 'LESS', 'LESS_OR_EQUAL', 'GREATER', 'GREATER_OR_EQUAL'].flatMap(
          (name) => [
            ...(['bigint', 'int', 'double', 'decimal', 'string', 'timestamp'] as const).map(
              (each) => call(name, of(each), of(each)),
            ),
            call(name, of('decimal'), of('bigint')),
            call(name, call('MOD', of('bigint'), fixed('bigint', '12')), fixed('bigint', '0')),
          ],
        ),
        call('IS_NOT_NULL', of('bigint')),
        call('IS_NULL', of('string')),
      ]
  }
}

interface Case {
  readonly rows: readonly NaiveRow[]
  readonly selection: readonly number[] | undefined
}

const rowsOf: fc.Arbitrary<Case> = fc
  .array(rowOf, { minLength: 1, maxLength: 70 })
  .chain((rows) =>
    fc
      .option(fc.subarray(rows.map((_, row) => row)), { nil: undefined })
      .map((selection) => ({ rows, selection })),
  )

function frameOf(memory: LinearMemory, { rows, selection }: Case, failed: Set<number>): Frame {
  const batch = batchOf(memory, schema, rows, selection === undefined ? {} : { selection })
  return {
    memory,
    ...batch,
    context: {
      nowUs: () => 0n,
      timeZone: 'UTC',
      overflow: 'wrap',
      fail: (row) => failed.add(row),
      count: () => undefined,
    },
  }
}

/** The oracle's value, or 'failed'. */
function naive(expression: Expression, row: NaiveRow): Plain | 'failed' {
  try {
    return evaluate(expression, row)
  } catch (error) {
    if (error instanceof NaiveFailure) return 'failed'
    throw error
  }
}

/** A decimal as unscaled bigint, as the engine's reader tells it. */
function unscaled(value: Plain, type: DataType): Plain {
  return type.kind === 'decimal' && typeof value === 'string'
    ? BigInt(value.replace('.', ''))
    : value
}

for (const kind of KINDS) {
  test(`random ${kind} expressions give, vectorised, what the oracle gives row by row`, () => {
    const memory = new LinearMemory()
    const property = fc.property(tree(kind, 3), rowsOf, (expression, given) => {
      const mark = memory.arena.mark()
      const failed = new Set<number>()
      const frame = frameOf(memory, given, failed)
      const vector = compileExpression(expression, { memory }).evaluate(frame)
      const read = readerOf(memory, vector)
      for (const row of given.selection ?? given.rows.keys()) {
        const expected = naive(expression, given.rows[row]!)
        assert.equal(failed.has(row), expected === 'failed', `row ${row} fails: ${failed.has(row)}`)
        if (expected !== 'failed')
          assert.deepEqual(read(row), unscaled(expected, expression.type), `row ${row}`)
      }
      memory.arena.release(mark)
    })
    fc.assert(property, { numRuns: 250 })
  })
}

test('a random condition selects the rows where the oracle finds it TRUE', () => {
  const memory = new LinearMemory()
  const property = fc.property(tree('boolean', 3), rowsOf, (condition, given) => {
    const mark = memory.arena.mark()
    const frame = frameOf(memory, given, new Set())
    const { selection, count } = compilePredicate(condition, { memory }).select(frame)
    const selected = Array.from({ length: count }, (_, at) =>
      selection === 0 ? at : memory.u32[selection / 4 + at]!,
    )
    const asked = [...(given.selection ?? given.rows.keys())]
    // AND stops at what is not TRUE, so that it may pass by a failure the oracle meets.
    const expected = asked.map((row) => [row, naive(condition, given.rows[row]!)] as const)
    const certain = expected.filter(([, value]) => value !== 'failed')
    const unsure = new Set(expected.filter(([, value]) => value === 'failed').map(([row]) => row))
    assert.deepEqual(
      selected.filter((row) => !unsure.has(row)),
      certain.filter(([, value]) => value === true).map(([row]) => row),
    )
    memory.arena.release(mark)
  })
  fc.assert(property, { numRuns: 400 })
})
