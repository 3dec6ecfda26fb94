/** VALUES, UNION, INTERSECT and EXCEPT. */
import { type DataType, type Field, types, withNullability } from '../../data/types.ts'
import type { AggregateCall, Expression, LiteralValue } from '../../plan/expressions.ts'
import { commonTypeOf } from '../../plan/functions/coercion.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { type Correlate, type PlanNode, schemaOf } from '../../plan/nodes.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { BodySyntax, ExpressionSyntax } from '../syntax.ts'
import { bindExpression, callOf, castTo, requireBoolean, sameType } from './bind-expression.ts'
import { distinctNode } from './group-nodes.ts'
import { type Relation, relationOf } from './scope.ts'

/** SELECT without FROM: one row without columns. */
export const ONE_ROW: Relation = { node: { kind: 'values', schema: [], rows: [[]] }, columns: [] }

export function bindValues(rows: readonly (readonly ExpressionSyntax[])[], at: Place): Relation {
  const bound = rows.map((row) => row.map((each) => bindExpression(each, { relation: ONE_ROW })))
  const width = bound[0]?.length ?? 0
  if (bound.some((row) => row.length !== width)) {
    throw new SqlError('SQL_TYPE_MISMATCH', at, {
      message: 'the rows of VALUES have different numbers of columns',
      hint: 'give each the same',
    })
  }
  const schema = Array.from({ length: width }, (_, index) => {
    const listed = bound.map((row) => row[index]!.type)
    const type = commonTypeOf(listed)
    if (type === undefined) {
      throw new SqlError('SQL_TYPE_MISMATCH', at, {
        message: `column ${index + 1} of VALUES has no common type: ${listed.map(typeText).join(', ')}`,
        hint: 'CAST the values to one type',
      })
    }
    return { name: `EXPR$${index}`, type }
  })
  // Each row a projection over one row: values may be any expression.
  const inputs = bound.map((row): PlanNode => {
    const expressions = row.map((each, index) => castTo(each, schema[index]!.type, at))
    const literals = expressions.map((each) => (each.kind === 'literal' ? each.value : undefined))
    if (literals.every((value) => value !== undefined)) {
      return { kind: 'values', schema, rows: [literals as LiteralValue[]] }
    }
    return { kind: 'project', input: ONE_ROW.node, expressions, schema }
  })
  if (inputs.every((input) => input.kind === 'values')) {
    const all = inputs.flatMap((input) => (input.kind === 'values' ? input.rows : []))
    return relationOf({ kind: 'values', schema, rows: all })
  }
  return relationOf(inputs.length === 1 ? inputs[0]! : { kind: 'union-all', inputs, schema })
}

type SetSyntax = Extract<BodySyntax, { readonly inputs: unknown }>

/** `given`: the relations of the inputs. */
export function bindSet(syntax: SetSyntax, given: readonly Relation[]): Relation {
  const schema = commonSchema(syntax, given)
  const inputs = given.map(({ node }) => asSchema(node, schema, syntax.at))
  if (syntax.kind === 'union') {
    const all: PlanNode = { kind: 'union-all', inputs, schema }
    return relationOf(syntax.distinct ? distinctNode(all) : all)
  }
  return relationOf(counted(syntax, inputs, schema))
}

function commonSchema(syntax: SetSyntax, given: readonly Relation[]): readonly Field[] {
  const schemas = given.map(({ node }) => schemaOf(node))
  const [first] = schemas as [readonly Field[]]
  const widest = schemas.reduce((most, each) => (each.length > most.length ? each : most), first)
  return widest.map(({ name }, index) => {
    const listed = schemas.map((each) => each[index]?.type)
    const isWhole = !listed.includes(undefined)
    const type = isWhole ? commonTypeOf(listed as DataType[]) : undefined
    if (type === undefined) {
      throw new SqlError('SQL_TYPE_MISMATCH', syntax.at, {
        message: `the parts of ${syntax.kind.toUpperCase()} do not fit at column ${index + 1}, \`${name}\``,
        hint: 'select the same number of columns of types that have one in common',
      })
    }
    return { name: first[index]!.name, type }
  })
}

function asSchema(node: PlanNode, schema: readonly Field[], at: Place): PlanNode {
  const own = schemaOf(node)
  if (own.every(({ type }, index) => sameType(type, schema[index]!.type))) return node
  const expressions = own.map(({ type }, index) =>
    castTo({ kind: 'column', index, type }, schema[index]!.type, at),
  )
  return { kind: 'project', input: node, expressions, schema }
}

const COUNT_TYPE = withNullability(types.bigint, false)

/**
 * INTERSECT and EXCEPT: how often each row is on either side, NULLs alike, says how often it is in the result: once or not at all,
 * or with ALL the lesser, or what is left.
 */
function counted(
  { kind, distinct, at }: SetSyntax,
  inputs: readonly PlanNode[],
  schema: readonly Field[],
): PlanNode {
  const width = schema.length
  const column = (index: number, type: DataType): Expression => ({ kind: 'column', index, type })
  const columns = schema.map(({ type }, index) => column(index, type))
  const sided: readonly Field[] = [...schema, { name: '$side', type: COUNT_TYPE }]
  const sides = inputs.map((input, side): PlanNode => {
    const mark: Expression = { kind: 'literal', value: `${side}`, type: COUNT_TYPE }
    return { kind: 'project', input, expressions: [...columns, mark], schema: sided }
  })
  const countOf = (side: number): AggregateCall => {
    const which: Expression = { kind: 'literal', value: `${side}`, type: COUNT_TYPE }
    const filter = callOf('EQUALS', [column(width, COUNT_TYPE), which], at)
    return { function: 'COUNT', args: [], distinct: false, filter, type: COUNT_TYPE }
  }
  const rows: PlanNode = {
    kind: 'group-aggregate',
    input: { kind: 'union-all', inputs: sides, schema: sided },
    keys: columns,
    aggregates: [countOf(0), countOf(1)],
    schema: [...schema, { name: '$left', type: COUNT_TYPE }, { name: '$right', type: COUNT_TYPE }],
  }
  const [left, right] = [column(width, COUNT_TYPE), column(width + 1, COUNT_TYPE)]
  const zero: Expression = { kind: 'literal', value: '0', type: COUNT_TYPE }
  const isThere = (count: Expression) => callOf('GREATER', [count, zero], at)
  if (distinct) {
    const other = kind === 'intersect' ? isThere(right) : callOf('EQUALS', [right, zero], at)
    const condition = requireBoolean(callOf('AND', [isThere(left), other], at), at)
    return {
      kind: 'project',
      input: { kind: 'filter', input: rows, condition },
      expressions: columns,
      schema,
    }
  }
  const times =
    kind === 'intersect' ? callOf('LEAST', [left, right], at) : callOf('MINUS', [left, right], at)
  return replicated(rows, times, columns, schema, at)
}

/** Each row so many times; none where that is below one. */
function replicated(
  rows: PlanNode,
  times: Expression,
  columns: readonly Expression[],
  schema: readonly Field[],
  at: Place,
): PlanNode {
  const zero: Expression = { kind: 'literal', value: '0', type: COUNT_TYPE }
  const input: PlanNode = {
    kind: 'filter',
    input: rows,
    condition: callOf('GREATER', [times, zero], at),
  }
  const made = schema.map(({ name, type }) => ({ name: `${name}$`, type }))
  const correlate: Correlate = {
    kind: 'correlate',
    input,
    type: 'inner',
    function: 'REPLICATE_ROWS',
    args: [times, ...columns],
    schema: [...schemaOf(input), ...made],
  }
  const first = schemaOf(input).length
  return {
    kind: 'project',
    input: correlate,
    expressions: schema.map(({ type }, index) => ({ kind: 'column', index: first + index, type })),
    schema,
  }
}
