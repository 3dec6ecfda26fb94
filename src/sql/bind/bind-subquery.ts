/**
 * Subqueries in expressions, as joins: what stands in WHERE on its own takes rows away (semi and anti joins), everywhere else a
 * left join gives a value.
 *
 * @see Calcite, SubQueryRemoveRule and RelDecorrelator; Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015
 */
import { types, withNullability } from '../../data/types.ts'
import { mapColumns } from '../../plan/columns.ts'
import { columnsIn } from '../../plan/conjuncts.ts'
import { type Decorrelated, decorrelate, equalPair } from '../../plan/decorrelate.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { joinOf } from '../../plan/joins.ts'
import { type PlanNode, schemaOf } from '../../plan/nodes.ts'
import { OUTER_COLUMNS } from '../../plan/outer-columns.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { QueryExpression, QuerySyntax } from '../syntax.ts'
import { callOf } from './bind-expression.ts'
import type { Attached, LateColumns } from './bind-late.ts'
import type { BindQuery, Catalog } from './catalog.ts'
import { aggregateNode, distinctNode } from './group-nodes.ts'
import type { Relation } from './scope.ts'

export interface SubqueryContext {
  /** Whose columns a subquery may name. */
  readonly relation: Relation
  readonly catalog: Catalog
  readonly bindQuery: BindQuery
  /** A column of `relation`, over the rows that the value is for: groups have only their keys. */
  readonly lower: (column: Expression, at: Place) => Expression
}

/** @throws SQL_UNSUPPORTED if the rows can't be told from the outside */
function boundQuery(query: QuerySyntax, { relation, catalog, ...context }: SubqueryContext) {
  const { node } = context.bindQuery(query, { ...catalog, outer: relation })
  const found = decorrelate(node)
  if (found === undefined) {
    throw new SqlError('SQL_UNSUPPORTED', query.at, {
      message: "this subquery names columns of the query around it where a join can't compare them",
      hint: 'compare them in its WHERE with =, and let aggregates stand above that; or join the tables and group',
    })
  }
  const lowered = (condition: Expression): Expression =>
    mapColumns(condition, (column) =>
      column.index < OUTER_COLUMNS
        ? column
        : outerAgain(context.lower({ ...column, index: column.index - OUTER_COLUMNS }, query.at)),
    )
  return {
    node: found.node,
    conditions: found.conditions.map(lowered),
    width: schemaOf(node).length,
  }
}

function outerAgain(expression: Expression): Expression {
  return mapColumns(expression, (column) => ({ ...column, index: column.index + OUTER_COLUMNS }))
}

/** Conditions of a subquery as conditions of a join: the outer side's columns, then its own. */
function joinedTo(outer: PlanNode, conditions: readonly Expression[]): readonly Expression[] {
  const width = schemaOf(outer).length
  return conditions.map((condition) =>
    mapColumns(condition, (column) => ({
      ...column,
      index: column.index >= OUTER_COLUMNS ? column.index - OUTER_COLUMNS : width + column.index,
    })),
  )
}

/** The rows of `node` for which the subquery has a row, or `negated` has none. */
export function filteredByExists(
  node: PlanNode,
  query: QuerySyntax,
  negated: boolean,
  context: SubqueryContext,
): PlanNode {
  const bound = boundQuery(query, context)
  const type = negated ? 'anti' : 'semi'
  return joinOf(type, node, bound.node, joinedTo(node, bound.conditions))
}

/** The rows of `node` whose `input` is among the subquery's; `negated`: is known not to be. */
export function filteredByIn(
  node: PlanNode,
  syntax: Extract<QueryExpression, { kind: 'in-query' }>,
  input: Expression,
  context: SubqueryContext,
): PlanNode {
  const bound = boundQuery(syntax.query, context)
  const items = itemsOf(input)
  requireWidth(syntax.query, bound.width, items.length)
  const width = schemaOf(node).length
  const tests = items.map((item, index): Expression => {
    const { type } = schemaOf(bound.node)[index]!
    const column: Expression = { kind: 'column', index: width + index, type }
    const equal = callOf('EQUALS', [item, column], syntax.at)
    // NOT IN does not hold where it is not known.
    return syntax.negated ? orUnknown(equal, [item, column], syntax.at) : equal
  })
  const conditions = [...joinedTo(node, bound.conditions), ...tests]
  return joinOf(syntax.negated ? 'anti' : 'semi', node, bound.node, conditions)
}

function orUnknown(test: Expression, args: readonly Expression[], at: Place): Expression {
  const nulls = args.filter(({ type }) => type.nullable).map((arg) => callOf('IS_NULL', [arg], at))
  return nulls.length === 0 ? test : callOf('OR', [...nulls, test], at)
}

/** (a, b) IN (SELECT x, y ...) compares one by one. */
function itemsOf(input: Expression): readonly Expression[] {
  return input.kind === 'call' && input.function === 'ROW' ? input.args : [input]
}

function requireWidth(query: QuerySyntax, given: number, wanted: number): void {
  if (given === wanted) return
  throw new SqlError('SQL_TYPE_MISMATCH', query.at, {
    message: `this subquery gives ${given} columns, and ${wanted === 1 ? 'one value is' : `${wanted} are`} asked for`,
    hint: 'select as many as are compared',
  })
}

/** A subquery's value, beside each row. `input`: of IN, over the rows. */
export function lateQuery(
  syntax: QueryExpression,
  input: Expression | undefined,
  unknownIsFalse: boolean,
  late: LateColumns,
  context: SubqueryContext,
): Expression {
  const bound = boundQuery(syntax.query, context)
  switch (syntax.kind) {
    case 'scalar-query':
      return lateScalar(syntax, bound, late)
    case 'exists':
      return late.add(NOT_NULL_BOOLEAN, (node) => {
        const found = marked(node, bound, [], syntax.at)
        return { node: found.node, value: callOf('IS_NOT_NULL', [found.value], syntax.at) }
      })
    case 'in-query':
      return lateIn(syntax, input!, unknownIsFalse, bound, late)
  }
}

const NOT_NULL_BOOLEAN = { kind: 'boolean', nullable: false } as const

interface Bound extends Decorrelated {
  /** Columns that the subquery itself selects. */
  readonly width: number
}

function lateScalar(
  syntax: Extract<QueryExpression, { kind: 'scalar-query' }>,
  bound: Bound,
  late: LateColumns,
): Expression {
  requireWidth(syntax.query, bound.width, 1)
  if (!isSingle(bound)) {
    throw new SqlError('SQL_UNSUPPORTED', syntax.at, {
      message: 'this subquery may give several rows where one value is asked for',
      hint: 'aggregate it: (SELECT MAX(x) FROM t), or ask with IN or EXISTS',
    })
  }
  if (bound.conditions.length > 0 && computesWithCount(bound.node, 0)) {
    throw new SqlError('SQL_UNSUPPORTED', syntax.at, {
      message: 'this subquery computes with a COUNT, which of no rows is 0',
      hint: 'compute outside of it: (SELECT COUNT(*) FROM t WHERE ...) + 1',
    })
  }
  const type = withNullability(schemaOf(bound.node)[0]!.type, true)
  return late.add(type, (node) => {
    const joined = joinOf('left', node, bound.node, joinedTo(node, bound.conditions))
    const column: Expression = { kind: 'column', index: schemaOf(node).length, type }
    const value = isCount(bound.node, 0) ? zeroForNone(column, syntax.at) : column
    return { node: joined, value }
  })
}

const ZERO: Expression = {
  kind: 'literal',
  value: '0',
  type: { kind: 'bigint', nullable: false },
}

function zeroForNone(column: Expression, at: Place): Expression {
  return callOf('COALESCE', [column, ZERO], at)
}

/** At most one row for each outer one: groups by no more than what the conditions compare, or LIMIT 1. */
function isSingle({ node, conditions, width }: Bound): boolean {
  const compared = conditions.length
  let rows: PlanNode = node
  while (rows.kind === 'project' || rows.kind === 'filter') rows = rows.input
  if (rows.kind === 'group-aggregate') return rows.keys.length <= compared && width > 0
  if (rows.kind === 'rank') return rows.from === rows.to
  if (rows.kind === 'values') return rows.rows.length <= 1
  return rows.kind === 'sort' && rows.limit !== undefined && rows.limit <= 1
}

/** COUNT of no rows is 0, not NULL. */
function isCount(node: PlanNode, index: number): boolean {
  if (node.kind === 'project') {
    const expression = node.expressions[index]!
    return expression.kind === 'column' && isCount(node.input, expression.index)
  }
  return (
    node.kind === 'group-aggregate' &&
    node.aggregates[index - node.keys.length]?.function === 'COUNT'
  )
}

/** A column of no rows is NULL, unless it is a COUNT: what is computed from one could be anything. */
function computesWithCount(node: PlanNode, index: number): boolean {
  if (node.kind !== 'project') return false
  const expression = node.expressions[index]!
  if (expression.kind === 'column') return computesWithCount(node.input, expression.index)
  return [...columnsIn(expression)].some((column) => isCount(node.input, column))
}

/** `node` with a column that is TRUE where `bound` has a row whose first columns are `items`, else NULL. */
function marked(node: PlanNode, bound: Bound, items: readonly Expression[], at: Place): Attached {
  const pairs = bound.conditions.map(equalPair)
  if (pairs.includes(undefined)) {
    throw new SqlError('SQL_UNSUPPORTED', at, {
      message: 'this subquery compares columns of the query around it by more than =',
      hint: 'let it stand in WHERE on its own, with AND: ... WHERE EXISTS (...) AND a > 1',
    })
  }
  const columns = items.map((_, index): Expression => {
    const { type } = schemaOf(bound.node)[index]!
    return { kind: 'column', index, type }
  })
  const keys = [...columns, ...pairs.map((pair) => pair!.inner)]
  const mark: Expression = { kind: 'literal', value: true, type: NOT_NULL_BOOLEAN }
  const listed: PlanNode = {
    kind: 'project',
    input: bound.node,
    expressions: keys.length === 0 ? [mark] : keys,
    schema: (keys.length === 0 ? [mark] : keys).map(({ type }, index) => ({
      name: `$key${index}`,
      type,
    })),
  }
  const distinct = distinctNode(listed)
  const width = schemaOf(distinct).length
  const withMark: PlanNode = {
    kind: 'project',
    input: distinct,
    expressions: [
      ...schemaOf(distinct).map(({ type }, index): Expression => ({ kind: 'column', index, type })),
      mark,
    ],
    schema: [...schemaOf(distinct), { name: '$found', type: NOT_NULL_BOOLEAN }],
  }
  const first = schemaOf(node).length
  const outers = [...items, ...pairs.map((pair) => withoutOuter(pair!.outer))]
  const tests = outers.map((outer, index) => {
    const column: Expression = { kind: 'column', index: first + index, type: keys[index]!.type }
    return callOf('EQUALS', [outer, column], at)
  })
  return {
    node: joinOf('left', node, withMark, tests),
    value: { kind: 'column', index: first + width, type: types.boolean },
  }
}

function withoutOuter(expression: Expression): Expression {
  return mapColumns(expression, (column) => ({ ...column, index: column.index - OUTER_COLUMNS }))
}

/** IN as a value: TRUE where it is found; where it isn't, NULL if a NULL on either side could have been it. */
function lateIn(
  syntax: Extract<QueryExpression, { kind: 'in-query' }>,
  input: Expression,
  unknownIsFalse: boolean,
  bound: Bound,
  late: LateColumns,
): Expression {
  const { at } = syntax
  const items = itemsOf(input)
  requireWidth(syntax.query, bound.width, items.length)
  const isNullable =
    items.some(({ type }) => type.nullable) ||
    items.some((_, index) => schemaOf(bound.node)[index]!.type.nullable)
  const isPlain = !isNullable || (unknownIsFalse && !syntax.negated)
  if (!isPlain && (items.length > 1 || bound.conditions.length > 0)) {
    throw new SqlError('SQL_UNSUPPORTED', at, {
      message: `IN of this subquery may be unknown, since ${typeText(items[0]!.type)} may be NULL`,
      hint: 'let it stand in WHERE on its own, with AND, or compare columns that are NOT NULL',
    })
  }
  const type = { ...types.boolean, nullable: !isPlain }
  return late.add(type, (node, placed) => {
    const found = marked(node, bound, items.map(placed), at)
    const isFound = callOf('IS_NOT_NULL', [found.value], at)
    if (isPlain) return { ...found, value: syntax.negated ? callOf('NOT', [isFound], at) : isFound }
    return withUnknown(found, isFound, placed(items[0]!), bound, syntax)
  })
}

/** How many rows there are, and how many are not NULL, tell whether a row that is not found is known not to be there. */
function withUnknown(
  { node }: Attached,
  isFound: Expression,
  item: Expression,
  bound: Bound,
  { negated, at }: { readonly negated: boolean; readonly at: Place },
): Attached {
  const { type } = schemaOf(bound.node)[0]!
  const count = (args: readonly Expression[]): AggregateCall => ({
    function: 'COUNT',
    args,
    distinct: false,
    type: { kind: 'bigint', nullable: false },
  })
  const counts = aggregateNode(
    bound.node,
    [],
    [count([]), count([{ kind: 'column', index: 0, type }])],
  )
  const first = schemaOf(node).length
  const column = (index: number): Expression => ({ kind: 'column', index, type: types.bigint })
  const [rows, values] = [column(first), column(first + 1)]
  const literal = (value: boolean | null): Expression => ({
    kind: 'literal',
    value,
    type: types.boolean,
  })
  const unknown = callOf(
    'OR',
    [callOf('IS_NULL', [item], at), callOf('LESS', [values, rows], at)],
    at,
  )
  const isEmpty = callOf('EQUALS', [zeroForNone(rows, at), ZERO], at)
  return {
    node: joinOf('left', node, counts, []),
    value: {
      kind: 'case',
      branches: [
        // biome-ignore lint/suspicious/noThenProperty: SQL's own word, and no promise
        { when: isEmpty, then: literal(negated) },
        // biome-ignore lint/suspicious/noThenProperty: SQL's own word, and no promise
        { when: isFound, then: literal(!negated) },
        // biome-ignore lint/suspicious/noThenProperty: SQL's own word, and no promise
        { when: unknown, then: literal(null) },
      ],
      otherwise: literal(negated),
      type: types.boolean,
    },
  }
}
