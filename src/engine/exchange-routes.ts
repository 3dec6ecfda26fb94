/** Where rows must change workers, and by which keys: where rows of one key must meet. */
import type { Schema } from '../data/types.ts'
import type { Expression } from '../plan/expressions.ts'
import { type PlanNode, type SinkNode, schemaOf } from '../plan/nodes.ts'
import type { Graph, GraphNode, OperatorGraphNode } from './graph.ts'
import { schemaOfSource } from './source-stage.ts'

/** An edge that rows cross by the hash of their keys; without keys all go to one worker. */
export interface Route {
  readonly from: number
  readonly to: number
  readonly input: number
  readonly node: OperatorGraphNode
  readonly keys: readonly Expression[]
  /** Of the rows. */
  readonly schema: Schema
  /** Numbers, in the list of routes, of those whose rows come to this one's beginning without crossing another. */
  readonly above: readonly number[]
}

/** In order of what they lead to: rows that come by one leave by later ones only. */
export function routesOf(graph: Graph): readonly Route[] {
  const routes: Route[] = []
  const routeTo = (node: number, input: number): number =>
    routes.findIndex((route) => route.to === node && route.input === input)
  const above = (node: number): number[] =>
    graph.nodes[node]!.inputs.flatMap((from, input) => {
      const route = routeTo(node, input)
      return route >= 0 ? [route] : above(from)
    })
  for (const node of graph.nodes) {
    if (node.kind !== 'operator') continue
    for (const [input, from] of node.inputs.entries()) {
      const keys = keysOf(node, input)
      if (keys === undefined) continue
      const schema = rowsOf(graph.nodes[from]!)
      routes.push({
        from,
        to: node.index,
        input,
        node,
        keys,
        schema,
        above: [...new Set(above(from))],
      })
    }
  }
  return routes
}

function keysOf({ plan }: OperatorGraphNode, input: number): readonly Expression[] | undefined {
  switch (plan.kind) {
    case 'window-aggregate':
    case 'group-aggregate':
      return plan.keys
    case 'window-table':
      // A session's rows meet; windows on a grid ask for nothing.
      return plan.window.kind === 'session' ? plan.window.partition : undefined
    case 'window-rank':
    case 'over-aggregate':
    case 'rank':
    case 'deduplicate':
    case 'match-recognize':
      return plan.partition
    case 'process':
      return plan.table === 'set' ? plan.partition : undefined
    case 'join':
    case 'interval-join':
    case 'temporal-join':
    case 'window-join':
      return input === 0 ? plan.leftKeys : plan.rightKeys
    case 'changelog-normalize':
      return plan.keys.map((index) => columnOf(plan.input, index))
    case 'temporal-sort':
    case 'sort':
      return []
    case 'sink':
      return primaryKeyOf(plan)
    default:
      return undefined
  }
}

/** Rows of one primary key are written by one writer, in their order. */
function primaryKeyOf({ table, input }: SinkNode): readonly Expression[] | undefined {
  if (table.primaryKey === undefined || table.primaryKey.length === 0) return undefined
  const written = table.columns.filter(
    (column) => column.kind === 'physical' || (column.kind === 'metadata' && !column.virtual),
  )
  const schema = schemaOf(input)
  return table.primaryKey.map((name) => {
    const index = written.findIndex((column) => column.name === name)
    return { kind: 'column', index, type: schema[index]!.type }
  })
}

function columnOf(input: PlanNode, index: number): Expression {
  return { kind: 'column', index, type: schemaOf(input)[index]!.type }
}

function rowsOf(node: GraphNode): Schema {
  if (node.kind === 'source') return schemaOfSource(node)
  return node.plan.kind === 'sink' ? [] : schemaOf(node.plan)
}
