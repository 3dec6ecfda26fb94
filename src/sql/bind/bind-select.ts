/** SELECT: FROM, WHERE, GROUP BY, HAVING, the columns, QUALIFY and DISTINCT. */
import type { Field } from '../../data/types.ts'
import { conjunctsOf } from '../../plan/conjuncts.ts'
import type { Expression } from '../../plan/expressions.ts'
import { filterOver } from '../../plan/joins.ts'
import { type PlanNode, schemaOf } from '../../plan/nodes.ts'
import { rankedBy } from '../../plan/ranks.ts'
import { SqlError } from '../sql-error.ts'
import type { ExpressionSyntax, OrderItem, SelectItem, SelectSyntax } from '../syntax.ts'
import { groupingOf } from './bind-aggregate.ts'
import { bindExpression, type ExpressionEnvironment, requireBoolean } from './bind-expression.ts'
import { type LateColumns, lateColumns } from './bind-late.ts'
import type { Body } from './bind-order.ts'
import { bindOver } from './bind-over.ts'
import { bindRelation } from './bind-relation.ts'
import { ONE_ROW } from './bind-sets.ts'
import { lateQuery, type SubqueryContext } from './bind-subquery.ts'
import { filteredBy } from './bind-where.ts'
import { type BindQuery, type Catalog, nameText } from './catalog.ts'
import { aggregateNode, distinctNode } from './group-nodes.ts'
import { hasAggregate } from './has-aggregate.ts'
import { type Relation, relationOf } from './scope.ts'
import { stateTtls } from './state-ttl.ts'
import { emitting } from './window-emit.ts'

export function bindSelect(
  select: SelectSyntax,
  catalog: Catalog,
  orderBy: readonly OrderItem[],
  bindQuery: BindQuery,
): Body {
  const from = fromOf(select, catalog, bindQuery)
  const relation =
    select.where === undefined ? from : filteredBy(from, select.where, catalog, bindQuery)
  const isGrouped =
    select.groupBy !== undefined ||
    select.having !== undefined ||
    select.items.some((item) => item.kind === 'expression' && hasAggregate(item.expression))
  const scope: SelectScope = { select, relation, catalog, bindQuery }
  const body = isGrouped ? grouped(scope, orderBy) : projected(scope)
  if (!select.distinct) return body
  const distinct = emitting(distinctNode(body.relation.node), select, catalog.settings)
  return { relation: relationOf(distinct) }
}

function fromOf(select: SelectSyntax, catalog: Catalog, bindQuery: BindQuery): Relation {
  if (select.from === undefined) return ONE_ROW
  return bindRelation(select.from, { catalog, bindQuery, stateTtls: stateTtls(select.stateTtl) })
}

interface SelectScope {
  readonly select: SelectSyntax
  readonly relation: Relation
  readonly catalog: Catalog
  readonly bindQuery: BindQuery
}

interface Selected {
  readonly name: string
  readonly expression: Expression
}

type Bind = (syntax: ExpressionSyntax) => Expression

/** Subqueries of an expression as late columns; `bind` gives expressions over the rows. */
function queriesIn(
  scope: SelectScope,
  late: LateColumns,
  bind: Bind,
  lower: SubqueryContext['lower'],
): Required<Pick<ExpressionEnvironment, 'query'>> {
  const context: SubqueryContext = { ...scope, lower }
  return {
    query: (syntax, unknownIsFalse) => {
      const input = syntax.kind === 'in-query' ? bind(syntax.input) : undefined
      return lateQuery(syntax, input, unknownIsFalse, late, context)
    },
  }
}

function projected(scope: SelectScope): Body {
  const { select, relation, catalog } = scope
  const late = lateColumns()
  const outer = catalog.outer === undefined ? {} : { outer: catalog.outer }
  const bind: Bind = (syntax) => bindExpression(syntax, env)
  const env: ExpressionEnvironment = {
    relation,
    ...outer,
    over: (call, at) => late.addOver(bindOver(call, at, select.windows, bind)),
    ...queriesIn(scope, late, bind, (column) => column),
  }
  const columns = select.items.flatMap((item, index) =>
    item.kind === 'star'
      ? starColumns(item, relation)
      : [selected(item, index, bind(item.expression))],
  )
  const order: Bind = (syntax) => bindExpression(syntax, { relation, ...outer })
  return computedBody(relation.node, columns, order, late, qualified(select, bind))
}

function grouped(scope: SelectScope, orderBy: readonly OrderItem[]): Body {
  const { select, relation, catalog } = scope
  const grouping = groupingOf(relation, select.groupBy ?? [], catalog.outer)
  const [beneath, late] = [lateColumns(), lateColumns()]
  const bindHaving: Bind = (syntax) =>
    grouping.bind(syntax, {
      unknownIsFalse: true,
      ...queriesIn(scope, beneath, bindHaving, grouping.lower),
    })
  const bind: Bind = (syntax) =>
    grouping.bind(syntax, {
      over: (call, at) => late.addOver(bindOver(call, at, select.windows, bind)),
      ...queriesIn(scope, late, bind, grouping.lower),
    })
  const columns = select.items.map((item, index) => {
    if (item.kind === 'star') {
      throw new SqlError('SQL_COLUMN_UNGROUPED', item.at, {
        message: '* stands for columns that are not grouped',
        hint: 'name the columns of GROUP BY and the aggregates',
      })
    }
    return selected(item, index, bind(item.expression))
  })
  const having =
    select.having === undefined
      ? undefined
      : requireBoolean(bindHaving(select.having), select.having.at)
  const qualify = qualified(select, bind)
  const order: Bind = (syntax) => grouping.bind(syntax, {})
  if (!select.distinct) {
    for (const { expression } of orderBy) if (hasAggregate(expression)) order(expression)
  }
  // Aggregates of HAVING and ORDER BY are among them by now.
  const groups = aggregateNode(grouping.node, grouping.keys, [...grouping.aggregates])
  const node = emitting(expiring(groups, select), select, catalog.settings)
  const { node: rows, placed } = beneath.attachTo(node)
  const input: PlanNode =
    having === undefined ? rows : { kind: 'filter', input: rows, condition: placed(having) }
  return computedBody(input, columns, order, late, qualify)
}

/** STATE_TTL of the table that is grouped. */
function expiring(node: PlanNode, { from, stateTtl }: SelectSyntax): PlanNode {
  if (node.kind !== 'group-aggregate' || from === undefined || from.kind === 'join') return node
  const name = from.alias?.name.name ?? (from.kind === 'table' ? nameText(from.name) : undefined)
  const ttlUs = name === undefined ? undefined : stateTtls(stateTtl).get(name)
  return ttlUs === undefined ? node : { ...node, ttlUs }
}

function qualified({ qualify }: SelectSyntax, bind: Bind): Expression | undefined {
  return qualify && requireBoolean(bind(qualify), qualify.at)
}

function computedBody(
  rows: PlanNode,
  columns: readonly Selected[],
  orderExpression: Bind,
  late: LateColumns,
  qualify: Expression | undefined,
): Body {
  const { node, placed } = late.attachTo(rows)
  const input = qualify === undefined ? node : qualifiedRows(node, placed(qualify))
  const expressions = columns.map(({ expression }) => placed(expression))
  const schema = uniqueNames(columns)
  const top: PlanNode = { kind: 'project', input, expressions, schema }
  return { relation: relationOf(top), orderExpression, computed: { input, expressions } }
}

function qualifiedRows(node: PlanNode, condition: Expression): PlanNode {
  const conjuncts = conjunctsOf(condition)
  const ranked = rankedBy(node, conjuncts)
  return ranked === undefined ? filterOver(node, conjuncts) : filterOver(ranked.node, ranked.rest)
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
