/** ORDER BY, LIMIT, OFFSET over the rows of a query. */
import type { Expression } from '../../plan/expressions.ts'
import { type PlanNode, schemaOf } from '../../plan/nodes.ts'
import { SqlError } from '../sql-error.ts'
import type { ExpressionSyntax, OrderItem, QuerySyntax } from '../syntax.ts'
import { bindExpression } from './bind-expression.ts'
import { sortKeyOf } from './bind-over.ts'
import { type Relation, relationOf } from './scope.ts'

/** A relation whose order may need columns that it does not show. */
export interface Body {
  readonly relation: Relation
  /** Binds an expression of ORDER BY over the body's input, where there is one. */
  readonly orderExpression?: (syntax: ExpressionSyntax) => Expression
  /** What `relation`'s columns are computed from, over the same input. */
  readonly computed?: { readonly input: PlanNode; readonly expressions: readonly Expression[] }
}

export function ordered(body: Body, { orderBy, limit, offset }: QuerySyntax): Relation {
  if (orderBy.length === 0 && limit === undefined && offset === undefined) return body.relation
  const rows = {
    ...(limit === undefined ? {} : { limit: wholeNumber(limit, 'LIMIT') }),
    ...(offset === undefined ? {} : { offset: wholeNumber(offset, 'OFFSET') }),
  }
  const bound = orderBy.map((item) => ({ item, ...orderKey(item, body) }))
  const hidden = bound.filter(({ hidden }) => hidden !== undefined)
  const { node } = body.relation
  if (hidden.length === 0 || body.computed === undefined) {
    const keys = bound.map(({ item, expression }) => sortKeyOf(item, expression))
    return { ...body.relation, node: { kind: 'sort', input: node, keys, ...rows } }
  }
  // Columns that only the order needs are computed beside the others, and left out above.
  const schema = schemaOf(node)
  const { input, expressions } = body.computed
  const extra = hidden.map(({ hidden }) => hidden!)
  const wide: PlanNode = {
    kind: 'project',
    input,
    expressions: [...expressions, ...extra],
    schema: [...schema, ...extra.map(({ type }, index) => ({ name: `$order${index}`, type }))],
  }
  let next = schema.length
  const keys = bound.map(({ item, expression, hidden }) =>
    sortKeyOf(
      item,
      hidden === undefined ? expression : { kind: 'column', index: next++, type: hidden.type },
    ),
  )
  const sorted: PlanNode = { kind: 'sort', input: wide, keys, ...rows }
  return relationOf({
    kind: 'project',
    input: sorted,
    expressions: schema.map(({ type }, index) => ({ kind: 'column', index, type })),
    schema,
  })
}

/** A key by the name of a selected column, by what a column is computed from, or of its own. */
function orderKey(
  { expression: syntax }: OrderItem,
  { relation, orderExpression, computed }: Body,
): { readonly expression: Expression; readonly hidden?: Expression } {
  const named =
    syntax.kind === 'reference' && syntax.parts.length === 1
      ? relation.columns.findIndex(({ name }) => name === syntax.parts[0]!.name)
      : -1
  const place = named < 0 ? ordinalOf(syntax, relation) : named
  if (place !== undefined) {
    const { type } = schemaOf(relation.node)[place]!
    return { expression: { kind: 'column', index: place, type } }
  }
  if (orderExpression === undefined || computed === undefined) {
    return { expression: bindExpression(syntax, { relation }) }
  }
  const bound = orderExpression(syntax)
  const text = JSON.stringify(bound)
  const index = computed.expressions.findIndex((each) => JSON.stringify(each) === text)
  if (index >= 0) return { expression: { kind: 'column', index, type: bound.type } }
  return { expression: bound, hidden: bound }
}

/** ORDER BY 2: the second column that is selected. */
function ordinalOf(syntax: ExpressionSyntax, relation: Relation): number | undefined {
  if (syntax.kind !== 'literal' || syntax.literal.kind !== 'exact') return undefined
  const ordinal = Number(syntax.literal.text)
  if (Number.isInteger(ordinal) && ordinal >= 1 && ordinal <= relation.columns.length)
    return ordinal - 1
  throw new SqlError('SQL_COLUMN_UNKNOWN', syntax.at, {
    message: `there is no column ${syntax.literal.text} to order by`,
    hint: `the columns are 1 to ${relation.columns.length}`,
  })
}

function wholeNumber(syntax: ExpressionSyntax, what: string): number {
  if (
    syntax.kind === 'literal' &&
    syntax.literal.kind === 'exact' &&
    /^\d+$/.test(syntax.literal.text)
  ) {
    return Number(syntax.literal.text)
  }
  throw new SqlError('SQL_SYNTAX', syntax.at, {
    message: `${what} is a whole number`,
    hint: `write ${what} 10`,
  })
}
