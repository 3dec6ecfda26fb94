/**
 * A query that names columns of the query around it, made one that doesn't: the conditions that do are taken out of it, and become
 * conditions of a join. Where they stand below groups, what they compare becomes a group key.
 */
import { collectColumns, mapColumns } from './columns.ts'
import { conjunctionOf, conjunctsOf } from './conjuncts.ts'
import type { Expression } from './expressions.ts'
import { inputsOf } from './inputs.ts'
import { joinConditions, joinedSchema, joinOf } from './joins.ts'
import {
  type GroupAggregate,
  type Join,
  type PlanNode,
  type Project,
  type Rank,
  type Sort,
  schemaOf,
} from './nodes.ts'
import { isOuter, OUTER_COLUMNS } from './outer-columns.ts'
import { columnsRead } from './shape.ts'

export interface Decorrelated {
  /** The first columns are the query's own; what conditions need stands behind them. */
  readonly node: PlanNode
  /** Over `node`'s columns, and the outer ones. */
  readonly conditions: readonly Expression[]
}

/** undefined where an outer column stands in what is no condition, or below a node that conditions can't be taken over. */
export function decorrelate(node: PlanNode): Decorrelated | undefined {
  if (!readsOuter(node)) return { node, conditions: [] }
  switch (node.kind) {
    case 'filter': {
      const beneath = decorrelate(node.input)
      if (beneath === undefined) return undefined
      const conjuncts = conjunctsOf(node.condition)
      const condition = conjunctionOf(conjuncts.filter((conjunct) => !isOuter(conjunct)))
      const input = beneath.node
      return {
        node: condition === undefined ? input : { kind: 'filter', input, condition },
        conditions: [...beneath.conditions, ...conjuncts.filter(isOuter)],
      }
    }
    case 'project':
      return overProject(node)
    case 'group-aggregate':
      return overGroups(node)
    case 'join':
      return overJoin(node)
    case 'sort':
      return overSort(node)
    default:
      return undefined
  }
}

function readsOuter(node: PlanNode): boolean {
  const isRead = columnsRead(node).some((columns) =>
    [...columns].some((column) => column >= OUTER_COLUMNS),
  )
  return isRead || ownOuter(node) || inputsOf(node).some(readsOuter)
}

/** Conditions of joins are over both inputs, which their numbers tell apart. */
function ownOuter(node: PlanNode): boolean {
  return 'condition' in node && node.condition !== undefined && isOuter(node.condition)
}

function columnAt(node: PlanNode, index: number): Expression {
  return { kind: 'column', index, type: schemaOf(node)[index]!.type }
}

/** `conditions` over columns that went elsewhere; outer ones stay. */
function movedTo(
  conditions: readonly Expression[],
  place: (column: number) => number,
): readonly Expression[] {
  return conditions.map((condition) =>
    mapColumns(condition, (column) =>
      column.index >= OUTER_COLUMNS ? column : { ...column, index: place(column.index) },
    ),
  )
}

function innerColumns(conditions: readonly Expression[]): readonly number[] {
  const columns = new Set<number>()
  for (const condition of conditions) collectColumns(condition, columns)
  return [...columns].filter((column) => column < OUTER_COLUMNS).sort((a, b) => a - b)
}

function overProject(node: Project): Decorrelated | undefined {
  const beneath = decorrelate(node.input)
  if (beneath === undefined || node.expressions.some(isOuter)) return undefined
  const needed = innerColumns(beneath.conditions)
  const width = node.expressions.length
  const fields = schemaOf(beneath.node)
  return {
    node: {
      ...node,
      input: beneath.node,
      expressions: [...node.expressions, ...needed.map((index) => columnAt(beneath.node, index))],
      schema: [
        ...node.schema,
        ...needed.map((index, at) => ({ name: `$outer${width + at}`, type: fields[index]!.type })),
      ],
    },
    conditions: movedTo(beneath.conditions, (column) => width + needed.indexOf(column)),
  }
}

/** Each condition compares an inner expression with an outer one: the inner one becomes a key. */
function overGroups(node: GroupAggregate): Decorrelated | undefined {
  const beneath = decorrelate(node.input)
  if (beneath === undefined) return undefined
  const pairs = beneath.conditions.map(equalPair)
  if (pairs.includes(undefined)) return undefined
  const inner = pairs.map((pair) => pair!.inner)
  const keys = [...node.keys, ...inner]
  const [own, extra] = [node.keys.length, inner.length]
  const aggregated: GroupAggregate = {
    ...node,
    input: beneath.node,
    keys,
    schema: [
      ...node.schema.slice(0, own),
      ...inner.map(({ type }, at) => ({ name: `$outer${own + at}`, type })),
      ...node.schema.slice(own),
    ],
  }
  // The query's own columns first, as they were.
  const order = [
    ...node.schema.map((_, index) => (index < own ? index : index + extra)),
    ...inner.map((_, at) => own + at),
  ]
  return {
    node: {
      kind: 'project',
      input: aggregated,
      expressions: order.map((index) => columnAt(aggregated, index)),
      schema: order.map((index) => aggregated.schema[index]!),
    },
    conditions: pairs.map((pair, at): Expression => {
      const column: Expression = {
        kind: 'column',
        index: node.schema.length + at,
        type: pair!.inner.type,
      }
      return { ...pair!.condition, args: [pair!.outer, column] }
    }),
  }
}

interface EqualPair {
  readonly condition: Extract<Expression, { kind: 'call' }>
  readonly outer: Expression
  readonly inner: Expression
}

/** `outer = inner`, none of them mixed. */
export function equalPair(condition: Expression): EqualPair | undefined {
  if (condition.kind !== 'call' || condition.function !== 'EQUALS') return undefined
  const [first, second] = condition.args as [Expression, Expression]
  for (const [outer, inner] of [
    [first, second],
    [second, first],
  ] as const) {
    if (isOuter(outer) && innerColumns([outer]).length === 0 && !isOuter(inner))
      return { condition, outer, inner }
  }
  return undefined
}

function overJoin(node: Join): Decorrelated | undefined {
  const [left, right] = [decorrelate(node.left), decorrelate(node.right)]
  if (left === undefined || right === undefined) return undefined
  const keepsLeft = node.type === 'inner' || node.type === 'left'
  const isRefused =
    (left.conditions.length > 0 && !keepsLeft) ||
    (right.conditions.length > 0 && node.type !== 'inner')
  const conjuncts = joinConditions(node)
  if (isRefused || (conjuncts.some(isOuter) && node.type !== 'inner')) return undefined
  const before = schemaOf(node.left).length
  const [own, width] = [node.schema.length, schemaOf(left.node).length]
  const place = (column: number): number => (column < before ? column : column - before + width)
  const joined = joinOf(
    node.type,
    left.node,
    right.node,
    movedTo(
      conjuncts.filter((conjunct) => !isOuter(conjunct)),
      place,
    ),
  )
  // The query's own columns first: what the left side's conditions need stands between its sides now.
  const extra = schemaOf(joined)
    .map((_, index) => index)
    .filter(
      (index) => (index >= before && index < width) || index >= width + schemaOf(node.right).length,
    )
  const order = [...Array.from({ length: own }, (_, index) => place(index)), ...extra]
  const at = (column: number): number => order.indexOf(column)
  return {
    node: {
      kind: 'project',
      input: joined,
      expressions: order.map((index) => columnAt(joined, index)),
      schema: joinedSchema(
        'inner',
        order.map((index) => schemaOf(joined)[index]!),
        [],
      ),
    },
    conditions: [
      ...movedTo(left.conditions, at),
      ...movedTo(right.conditions, (column) => at(column + width)),
      ...movedTo(conjuncts.filter(isOuter), (column) => at(place(column))),
    ],
  }
}

/** ORDER BY ... LIMIT of each outer row's rows: a rank by what the conditions compare. */
function overSort(node: Sort): Decorrelated | undefined {
  const beneath = decorrelate(node.input)
  if (beneath === undefined) return undefined
  if (node.limit === undefined) return beneath
  const pairs = beneath.conditions.map(equalPair)
  if (pairs.includes(undefined)) return undefined
  const from = (node.offset ?? 0) + 1
  const ranked: Rank = {
    kind: 'rank',
    input: beneath.node,
    function: 'ROW_NUMBER',
    partition: pairs.map((pair) => pair!.inner),
    order: node.keys,
    from,
    to: from + node.limit - 1,
    outputsNumber: false,
    schema: schemaOf(beneath.node),
  }
  return { node: ranked, conditions: beneath.conditions }
}
