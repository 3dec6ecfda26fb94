/** Queries to plans: FROM, WHERE, GROUP BY, HAVING, SELECT, UNION, ORDER BY, LIMIT. */
import type { Field } from '../../data/types.ts'
import type { Expression, LiteralValue } from '../../plan/expressions.ts'
import { commonTypeOf } from '../../plan/functions/coercion.ts'
import { aggregateNamed } from '../../plan/functions/registry.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { type PlanNode, type SortKey, schemaOf } from '../../plan/nodes.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type {
  BodySyntax,
  ExpressionSyntax,
  OrderItem,
  QuerySyntax,
  SelectItem,
  SelectSyntax,
} from '../syntax.ts'
import { groupingOf } from './bind-aggregate.ts'
import { bindExpression, castTo, requireBoolean, sameType } from './bind-expression.ts'
import { bindRelation } from './bind-relation.ts'
import { aggregateNode } from './bind-window.ts'
import type { Catalog } from './catalog.ts'
import { type Relation, relationOf, renamed } from './scope.ts'

/** @throws SqlError */
export function bindQuery(query: QuerySyntax, catalog: Catalog): Relation {
  const inner = withCommonTables(query, catalog)
  const body = bindBody(query.body, inner, query.orderBy)
  return ordered(body, query)
}

/** WITH: views that only this query sees. */
function withCommonTables(query: QuerySyntax, catalog: Catalog): Catalog {
  if (query.with.length === 0) return catalog
  const views = new Map(catalog.views)
  const inner = { ...catalog, views }
  for (const { name, columns, query: common } of query.with) {
    views.set(name.name, renamed(bindQuery(common, inner), columns, name.at))
  }
  return inner
}

/** A relation whose order may need columns that it does not show. */
interface Body {
  readonly relation: Relation
  /** Binds an expression of ORDER BY over the body's input, where there is one. */
  readonly orderExpression?: (syntax: ExpressionSyntax) => Expression
  /** What `relation`'s columns are computed from, over the same input. */
  readonly computed?: { readonly input: PlanNode; readonly expressions: readonly Expression[] }
}

/** `orderBy` may need aggregates that are not selected. */
function bindBody(body: BodySyntax, catalog: Catalog, orderBy: readonly OrderItem[]): Body {
  switch (body.kind) {
    case 'select':
      return bindSelect(body, catalog, orderBy)
    case 'values':
      return { relation: bindValues(body.rows, body.at) }
    case 'union':
      return { relation: bindUnion(body, catalog) }
    case 'nested':
      return { relation: bindQuery(body.query, catalog) }
  }
}

function bindSelect(select: SelectSyntax, catalog: Catalog, orderBy: readonly OrderItem[]): Body {
  const from = select.from === undefined ? ONE_ROW : bindRelation(select.from, catalog, bindQuery)
  const relation = select.where === undefined ? from : filtered(from, select.where)
  const isGrouped =
    select.groupBy !== undefined ||
    select.having !== undefined ||
    select.items.some((item) => item.kind === 'expression' && hasAggregate(item.expression))
  const body = isGrouped ? grouped(select, relation, orderBy) : projected(select.items, relation)
  if (!select.distinct) return body
  return { relation: distinct(body.relation) }
}

/** SELECT without FROM: one row without columns. */
const ONE_ROW: Relation = { node: { kind: 'values', schema: [], rows: [[]] }, columns: [] }

function filtered(relation: Relation, where: ExpressionSyntax): Relation {
  const condition = requireBoolean(bindExpression(where, { relation }), where.at)
  return { ...relation, node: { kind: 'filter', input: relation.node, condition } }
}

function projected(items: readonly SelectItem[], relation: Relation): Body {
  const bind = (syntax: ExpressionSyntax): Expression => bindExpression(syntax, { relation })
  const columns = items.flatMap((item, index) =>
    item.kind === 'star'
      ? starColumns(item, relation)
      : [selected(item, index, bind(item.expression))],
  )
  return computedBody(relation.node, columns, bind)
}

interface Selected {
  readonly name: string
  readonly expression: Expression
}

function grouped(select: SelectSyntax, relation: Relation, orderBy: readonly OrderItem[]): Body {
  const grouping = groupingOf(relation, select.groupBy ?? [])
  const columns = select.items.map((item, index) => {
    if (item.kind === 'star') {
      throw new SqlError('SQL_COLUMN_UNGROUPED', item.at, {
        message: '* stands for columns that are not grouped',
        hint: 'name the columns of GROUP BY and the aggregates',
      })
    }
    return selected(item, index, grouping.bind(item.expression))
  })
  const having =
    select.having === undefined
      ? undefined
      : requireBoolean(grouping.bind(select.having), select.having.at)
  const order = (syntax: ExpressionSyntax): Expression => grouping.bind(syntax)
  if (!select.distinct) {
    for (const { expression } of orderBy) if (hasAggregate(expression)) order(expression)
  }
  // Aggregates of HAVING and ORDER BY are among them by now.
  const node = aggregateNode(relation.node, grouping.keys, [...grouping.aggregates])
  const input: PlanNode =
    having === undefined ? node : { kind: 'filter', input: node, condition: having }
  return computedBody(input, columns, order)
}

function computedBody(
  input: PlanNode,
  columns: readonly Selected[],
  orderExpression: (syntax: ExpressionSyntax) => Expression,
): Body {
  const expressions = columns.map(({ expression }) => expression)
  const schema = uniqueNames(columns)
  const node: PlanNode = { kind: 'project', input, expressions, schema }
  return { relation: relationOf(node), orderExpression, computed: { input, expressions } }
}

/** Later columns of a name that is taken get a number, as in Flink: name, name0, name1. */
function uniqueNames(columns: readonly Selected[]): Field[] {
  const taken = new Set<string>()
  return columns.map(({ name, expression }) => {
    let unique = name
    for (let count = 0; taken.has(unique); count++) unique = `${name}${count}`
    taken.add(unique)
    return { name: unique, type: expression.type }
  })
}

function selected(
  item: Extract<SelectItem, { kind: 'expression' }>,
  index: number,
  expression: Expression,
): Selected {
  const { alias, expression: syntax } = item
  if (alias !== undefined) return { name: alias.name, expression }
  if (syntax.kind === 'reference') return { name: syntax.parts.at(-1)!.name, expression }
  if (syntax.kind === 'field') return { name: syntax.field.name, expression }
  return { name: `EXPR$${index}`, expression }
}

function starColumns(
  { qualifier, at }: Extract<SelectItem, { kind: 'star' }>,
  relation: Relation,
): Selected[] {
  const schema = schemaOf(relation.node)
  const found = relation.columns.flatMap((column, index) => {
    if (qualifier !== undefined && column.qualifier !== qualifier.name) return []
    const { type } = schema[index]!
    return [{ name: column.name, expression: { kind: 'column' as const, index, type } }]
  })
  if (found.length > 0) return found
  throw new SqlError('SQL_COLUMN_UNKNOWN', at, {
    message:
      qualifier === undefined
        ? 'there are no columns'
        : `there is no table \`${qualifier.name}\` here`,
    hint: 'name what is selected FROM',
  })
}

function distinct({ node }: Relation): Relation {
  const keys = schemaOf(node).map(
    ({ type }, index): Expression => ({ kind: 'column', index, type }),
  )
  const aggregated = aggregateNode(node, keys, [])
  const schema = schemaOf(node)
  const renamedNode: PlanNode =
    aggregated.kind === 'group-aggregate' ? { ...aggregated, schema } : aggregated
  return relationOf(renamedNode)
}

function bindValues(rows: readonly (readonly ExpressionSyntax[])[], at: Place): Relation {
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

function bindUnion(union: Extract<BodySyntax, { kind: 'union' }>, catalog: Catalog): Relation {
  const relations = union.inputs.map((input) => bindBody(input, catalog, []).relation)
  const schemas = relations.map(({ node }) => schemaOf(node))
  const [first] = schemas as [readonly Field[]]
  const schema = first.map(({ name }, index) => {
    const listed = schemas.map((each) => each[index]?.type)
    const type = listed.includes(undefined) ? undefined : commonTypeOf(listed as Field['type'][])
    if (type === undefined || schemas.some((each) => each.length !== first.length)) {
      throw new SqlError('SQL_TYPE_MISMATCH', union.at, {
        message: `the parts of UNION do not fit at column ${index + 1}, \`${name}\``,
        hint: 'select the same number of columns of types that have one in common',
      })
    }
    return { name, type }
  })
  const inputs = relations.map(({ node }) => asSchema(node, schema, union.at))
  const all = relationOf({ kind: 'union-all', inputs, schema })
  return union.distinct ? distinct(all) : all
}

function asSchema(node: PlanNode, schema: readonly Field[], at: Place): PlanNode {
  const own = schemaOf(node)
  if (own.every(({ type }, index) => sameType(type, schema[index]!.type))) return node
  const expressions = own.map(({ type }, index) =>
    castTo({ kind: 'column', index, type }, schema[index]!.type, at),
  )
  return { kind: 'project', input: node, expressions, schema }
}

function ordered(body: Body, { orderBy, limit, offset }: QuerySyntax): Relation {
  if (orderBy.length === 0 && limit === undefined && offset === undefined) return body.relation
  const rows = {
    ...(limit === undefined ? {} : { limit: wholeNumber(limit, 'LIMIT') }),
    ...(offset === undefined ? {} : { offset: wholeNumber(offset, 'OFFSET') }),
  }
  const bound = orderBy.map((item) => ({ item, ...orderKey(item, body) }))
  const hidden = bound.filter(({ hidden }) => hidden !== undefined)
  const { node } = body.relation
  if (hidden.length === 0 || body.computed === undefined) {
    const keys = bound.map(({ item, expression }) => sortKey(item, expression))
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
    sortKey(
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

function sortKey({ descending, nullsFirst }: OrderItem, expression: Expression): SortKey {
  // Flink's default: NULL is smaller than all values.
  return { expression, descending, nullsFirst: nullsFirst ?? !descending }
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

function hasAggregate(syntax: ExpressionSyntax): boolean {
  switch (syntax.kind) {
    case 'call':
      return isAggregate(syntax.call.name.name) || syntax.call.args.some(hasAggregate)
    case 'operator':
      return syntax.args.some(hasAggregate)
    case 'constructor':
      return syntax.items.some(hasAggregate)
    case 'cast':
    case 'field':
      return hasAggregate(syntax.input)
    case 'in':
      return hasAggregate(syntax.input) || syntax.list.some(hasAggregate)
    case 'between':
      return [syntax.input, syntax.low, syntax.high].some(hasAggregate)
    case 'case':
      return (
        [syntax.operand, syntax.otherwise].some(
          (each) => each !== undefined && hasAggregate(each),
        ) ||
        syntax.branches.some((branch) => hasAggregate(branch.when) || hasAggregate(branch.then))
      )
    default:
      return false
  }
}

function isAggregate(name: string): boolean {
  return aggregateNamed(name) !== undefined
}
