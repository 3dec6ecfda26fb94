/**
 * Columns that nothing reads are not read: each scan keeps what is used above it, each projection what is asked of it. Below a
 * window all are kept.
 *
 * Subtrees that are equal stay equal: what is asked of one is asked of all, so that they still run once.
 */
import { layoutOf } from '../data/types.ts'
import {
  aggregateColumns,
  type ColumnExpression,
  collectColumns,
  mapAggregate,
  mapColumns,
} from './columns.ts'
import type { Expression } from './expressions.ts'
import { inputsOf, type PlanNode, schemaOf } from './nodes.ts'

type Needed = Map<string, Set<number>>

interface Pruned {
  readonly node: PlanNode
  /** Old index of a column to its new one. */
  readonly places: ReadonlyMap<number, number>
}

/** The same queries with fewer columns in between; their own columns stay. */
export function pruneColumns(roots: readonly PlanNode[]): readonly PlanNode[] {
  const needed: Needed = new Map()
  let before = -1
  for (let size = 0; size !== before; size = sizeOf(needed)) {
    before = size
    for (const root of roots) collect(root, allOf(root), needed)
  }
  return roots.map((root) => narrow(prune(root, needed), allOf(root), root))
}

function sizeOf(needed: Needed): number {
  let size = 1
  for (const set of needed.values()) size += set.size
  return size
}

function allOf(node: PlanNode): Set<number> {
  return new Set(schemaOf(node).keys())
}

function keyOf(node: PlanNode): string {
  return JSON.stringify(node)
}

function collect(node: PlanNode, asked: ReadonlySet<number>, needed: Needed): void {
  const key = keyOf(node)
  const all = needed.get(key) ?? new Set()
  for (const index of asked) all.add(index)
  if (all.size === 0 && schemaOf(node).length > 0) all.add(cheapest(node))
  needed.set(key, all)
  const beneath = neededOfInput(node, all)
  for (const input of inputsOf(node)) collect(input, beneath, needed)
}

/** COUNT(*) needs rows, not columns: the one that is easiest to read stands for them. */
function cheapest(node: PlanNode): number {
  const plain = schemaOf(node).findIndex(
    ({ type }) => layoutOf(type) === 'i64' || layoutOf(type) === 'f64',
  )
  return Math.max(0, plain)
}

function neededOfInput(node: PlanNode, asked: ReadonlySet<number>): Set<number> {
  const beneath = new Set<number>()
  switch (node.kind) {
    case 'filter':
      for (const index of asked) beneath.add(index)
      collectColumns(node.condition, beneath)
      break
    case 'watermark-assigner':
      for (const index of asked) beneath.add(index)
      beneath.add(node.rowtime)
      collectColumns(node.watermark, beneath)
      break
    case 'sort':
      for (const index of asked) beneath.add(index)
      for (const { expression } of node.keys) collectColumns(expression, beneath)
      break
    case 'union-all':
      for (const index of asked) beneath.add(index)
      break
    case 'project':
      for (const index of asked) collectColumns(node.expressions[index]!, beneath)
      break
    case 'window-table':
      for (const index of asked) if (index < node.schema.length - 3) beneath.add(index)
      beneath.add(node.time)
      break
    case 'window-aggregate':
      // A row that comes too late goes to `$late` whole, to be looked at and fed in again.
      for (const index of schemaOf(node.input).keys()) beneath.add(index)
      break
    case 'group-aggregate':
      for (const expression of node.keys) collectColumns(expression, beneath)
      for (const call of node.aggregates) aggregateColumns(call, beneath)
      break
    default:
      break
  }
  return beneath
}

function prune(node: PlanNode, needed: Needed): Pruned {
  const asked = [...(needed.get(keyOf(node)) ?? allOf(node))].sort((a, b) => a - b)
  const kept = new Map(asked.map((old, index) => [old, index]))
  switch (node.kind) {
    case 'scan':
      return { node: { ...node, schema: asked.map((index) => node.schema[index]!) }, places: kept }
    case 'values':
      return { node, places: identity(node) }
    case 'union-all': {
      const set = new Set(asked)
      const inputs = node.inputs.map((input) => narrow(prune(input, needed), set, input))
      return {
        node: { ...node, inputs, schema: asked.map((index) => node.schema[index]!) },
        places: kept,
      }
    }
    case 'project': {
      const { node: input, places } = prune(node.input, needed)
      const expressions = asked.map((index) => mapColumns(node.expressions[index]!, moved(places)))
      return {
        node: { ...node, input, expressions, schema: asked.map((index) => node.schema[index]!) },
        places: kept,
      }
    }
    default:
      return pruneOver(node, prune(node.input, needed))
  }
}

/** Nodes whose columns are their input's, or all their own. */
function pruneOver(
  node: Exclude<PlanNode, { kind: 'scan' | 'values' | 'union-all' | 'project' }>,
  { node: input, places }: Pruned,
): Pruned {
  const move = moved(places)
  switch (node.kind) {
    case 'filter':
      return { node: { ...node, input, condition: mapColumns(node.condition, move) }, places }
    case 'watermark-assigner': {
      const watermark = mapColumns(node.watermark, move)
      return { node: { ...node, input, rowtime: places.get(node.rowtime)!, watermark }, places }
    }
    case 'sort': {
      const keys = node.keys.map((key) => ({
        ...key,
        expression: mapColumns(key.expression, move),
      }))
      return { node: { ...node, input, keys }, places }
    }
    case 'window-table': {
      const beneath = schemaOf(input)
      const own = node.schema.slice(-3)
      const first = node.schema.length - 3
      const all = new Map(places)
      for (let index = 0; index < 3; index++) all.set(first + index, beneath.length + index)
      return {
        node: { ...node, input, time: places.get(node.time)!, schema: [...beneath, ...own] },
        places: all,
      }
    }
    case 'group-aggregate':
    case 'window-aggregate': {
      const keys = node.keys.map((key) => mapColumns(key, move))
      const aggregates = node.aggregates.map((call) => mapAggregate(call, move))
      if (node.kind === 'group-aggregate')
        return { node: { ...node, input, keys, aggregates }, places: identity(node) }
      return {
        node: { ...node, input, keys, aggregates, time: places.get(node.time)! },
        places: identity(node),
      }
    }
  }
}

function identity(node: PlanNode): ReadonlyMap<number, number> {
  return new Map(schemaOf(node).map((_, index) => [index, index]))
}

function moved(places: ReadonlyMap<number, number>): (column: ColumnExpression) => Expression {
  return (column) => ({ ...column, index: places.get(column.index)! })
}

/** Exactly the columns `asked`, in order: another query may have kept more of a shared subtree. */
function narrow({ node, places }: Pruned, asked: ReadonlySet<number>, before: PlanNode): PlanNode {
  const order = [...asked].sort((a, b) => a - b)
  const isSame =
    order.length === schemaOf(node).length && order.every((old, index) => places.get(old) === index)
  if (isSame) return node
  const fields = schemaOf(before)
  return {
    kind: 'project',
    input: node,
    expressions: order.map((old) => ({
      kind: 'column',
      index: places.get(old)!,
      type: fields[old]!.type,
    })),
    schema: order.map((old) => fields[old]!),
  }
}
