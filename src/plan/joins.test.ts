/** Wherever a condition of a join comes to stand, the rows are those of the join as it was written. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { interpret } from '../../test/naive/interpret.ts'
import { types } from '../data/types.ts'
import { conjunctionOf } from './conjuncts.ts'
import type { Expression } from './expressions.ts'
import { filterOver, joinedSchema, joinOf } from './joins.ts'
import { type JoinType, type PlanNode, schemaOf } from './nodes.ts'

const SCHEMA = [
  { name: 'x', type: types.int },
  { name: 'y', type: types.int },
]
const scan = (name: string): PlanNode => ({
  kind: 'scan',
  schema: SCHEMA,
  table: { name, columns: [], options: {} },
})

const column = (index: number): Expression => ({ kind: 'column', index, type: types.int })
const literal = (value: number): Expression => ({
  kind: 'literal',
  value: `${value}`,
  type: types.int,
})
const call = (name: string, args: readonly Expression[]): Expression => ({
  kind: 'call',
  function: name,
  args,
  type: types.boolean,
})

/** A condition over so many columns. */
function condition(columns: number): fc.Arbitrary<Expression> {
  const any = fc.nat(columns - 1).map(column)
  const value = fc.oneof(any, fc.integer({ min: 0, max: 2 }).map(literal))
  const simple = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(any, value).map((args) => call('EQUALS', args)) },
    fc.tuple(any, value).map((args) => call('LESS', args)),
    fc.tuple(any).map((args) => call('IS_NULL', args)),
    fc.tuple(any).map((args) => call('IS_NOT_NULL', args)),
  )
  return fc.oneof(
    { weight: 4, arbitrary: simple },
    fc.tuple(simple, simple).map((args) => call('OR', args)),
    fc.tuple(any, any).map((args) => call('IS_NOT_DISTINCT_FROM', args)),
    fc.tuple(any, any).map(([a, b]) => {
      const nulls = call('AND', [call('IS_NULL', [b]), call('IS_NULL', [a])])
      return call('OR', [nulls, call('EQUALS', [a, b])])
    }),
    fc.constant<Expression>({ kind: 'literal', value: true, type: types.boolean }),
  )
}
const conditions = (columns: number) => fc.array(condition(columns), { maxLength: 3 })
const cell = fc.option(fc.bigInt({ min: 0n, max: 2n }), { freq: 4 })
const table = fc.array(fc.tuple(cell, cell), { maxLength: 5 })
const joinType = fc.constantFrom<JoinType>('inner', 'left', 'right', 'full', 'semi', 'anti')

interface Written {
  readonly type: JoinType
  readonly on: readonly Expression[]
}

/** As written: every condition where it stands. */
function plain({ type, on }: Written, left: PlanNode, right: PlanNode): PlanNode {
  const all = conjunctionOf(on)
  return {
    kind: 'join',
    type,
    left,
    right,
    leftKeys: [],
    rightKeys: [],
    ...(all === undefined ? {} : { condition: all }),
    schema: joinedSchema(type, schemaOf(left), schemaOf(right)),
  }
}

function filtered(input: PlanNode, where: readonly Expression[]): PlanNode {
  const all = conjunctionOf(where)
  return all === undefined ? input : { kind: 'filter', input, condition: all }
}

/** Columns the other way round, and one of them twice. */
function projected(input: PlanNode): PlanNode {
  const indexes = [...schemaOf(input).keys()].reverse()
  return {
    kind: 'project',
    input,
    expressions: indexes.map(column),
    schema: indexes.map((index) => schemaOf(input)[index]!),
  }
}

const tables = fc.record({ a: table, b: table, c: table })
const rowsOf = (plan: PlanNode, given: { readonly [name: string]: readonly unknown[] }) => {
  const inputs = new Map(Object.entries(given)) as Parameters<typeof interpret>[1]
  const text = (row: readonly unknown[]) => row.map(String).join(' ')
  return interpret(plan, inputs).rows.map(text).sort()
}

test('a join with a filter on it gives the rows of both as written', () => {
  const written = joinType.chain((type) => {
    const width = type === 'semi' || type === 'anti' ? 2 : 4
    return fc.record({ type: fc.constant(type), on: conditions(4), where: conditions(width) })
  })
  fc.assert(
    fc.property(written, tables, ({ where, ...join }, given) => {
      const placed = filterOver(joinOf(join.type, scan('a'), scan('b'), join.on), where)
      const expected = filtered(plain(join, scan('a'), scan('b')), where)
      assert.deepEqual(rowsOf(placed, given), rowsOf(expected, given))
    }),
    { numRuns: 500 },
  )
})

test('so do joins of joins, with projections between', () => {
  const outer = fc.constantFrom<JoinType>('inner', 'left', 'right', 'full')
  const written = fc.record({
    first: fc.record({ type: outer, on: conditions(4) }),
    second: fc.record({ type: outer, on: conditions(6) }),
    where: conditions(6),
  })
  fc.assert(
    fc.property(written, tables, ({ first, second, where }, given) => {
      const inner = projected(joinOf(first.type, scan('a'), scan('b'), first.on))
      const placed = filterOver(projected(joinOf(second.type, inner, scan('c'), second.on)), where)
      const expected = filtered(
        projected(plain(second, projected(plain(first, scan('a'), scan('b'))), scan('c'))),
        where,
      )
      assert.deepEqual(rowsOf(placed, given), rowsOf(expected, given))
    }),
    { numRuns: 500 },
  )
})
