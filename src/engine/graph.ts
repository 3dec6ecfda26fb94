/**
 * A pipeline as a graph: each distinct subtree of its plan once, inputs before what reads them.
 *
 * What stands between a scan and its watermark is one *source* node with it: a split's rows get their event time before
 * anything else sees them, because a watermark is a function of the rows of one split.
 */
import { invariant } from '../errors.ts'
import { operatorIds } from '../plan/identity.ts'
import { inputsOf } from '../plan/inputs.ts'
import type {
  Filter,
  PlanNode,
  Project,
  Scan,
  SinkNode,
  Values,
  WatermarkAssigner,
} from '../plan/nodes.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import { readersOf } from '../plan/readers.ts'
import { makesChanges } from '../plan/traits.ts'
import { type WantedGroups, wantedGroups } from '../plan/wanted-groups.ts'

export interface Graph {
  readonly nodes: readonly GraphNode[]
}

export type GraphNode = SourceGraphNode | OperatorGraphNode

interface GraphPlace {
  /** Stable, by `plan/identity.ts`. Names its part of a checkpoint. */
  readonly id: string
  /** Its number in `nodes`. */
  readonly index: number
  /** Numbers of the nodes that it reads, left to right. */
  readonly inputs: readonly number[]
  /** Who reads it, and as which of their inputs. */
  readonly consumers: readonly { readonly node: number; readonly input: number }[]
}

export interface SourceGraphNode extends GraphPlace {
  readonly kind: 'source'
  readonly origin: Scan | Values
  /** From the scan upwards. */
  readonly projects: readonly Project[]
  readonly assigner?: WatermarkAssigner
}

export interface OperatorGraphNode extends GraphPlace {
  readonly kind: 'operator'
  readonly plan: Exclude<PlanNode, Scan | Values | WatermarkAssigner> | SinkNode
  /** Of a projection: the filter below it that nothing else reads, done with it. */
  readonly filter?: Filter
  /** Of a window aggregate: the groups that who reads it asks for, if not all. */
  readonly wanted?: WantedGroups
}

type Draft = { -readonly [Key in keyof GraphPlace]: GraphPlace[Key] } & {
  consumers: { node: number; input: number }[]
} & (
    | Pick<SourceGraphNode, 'kind' | 'origin' | 'projects' | 'assigner'>
    | Pick<OperatorGraphNode, 'kind' | 'plan' | 'filter' | 'wanted'>
  )

export function graphOf(pipeline: Pick<Pipeline, 'sinks'>): Graph {
  const nodes: Draft[] = []
  const byText = new Map<string, number>()
  const ids = operatorIds(pipeline)
  const readers = readersOf(pipeline.sinks)
  const wantedOf = wantedGroups(pipeline.sinks)
  const visit = (plan: PlanNode | SinkNode): number => {
    const text = JSON.stringify(plan)
    const known = byText.get(text)
    if (known !== undefined) return known
    const source = sourceOf(plan)
    const filter = plan.kind === 'project' ? ownFilter(plan, readers) : undefined
    const wanted = wantedOf.get(text)
    const inputs = source === undefined ? inputsOf(filter ?? plan).map(visit) : []
    const index = nodes.length
    const place = { id: ids.get(plan)!, index, inputs, consumers: [] }
    nodes.push(
      source === undefined
        ? {
            ...place,
            kind: 'operator',
            plan: plan as OperatorGraphNode['plan'],
            ...(filter && { filter }),
            ...(wanted && { wanted }),
          }
        : { ...place, ...source },
    )
    inputs.forEach((node, input) => {
      nodes[node]!.consumers.push({ node: index, input })
    })
    byText.set(text, index)
    return index
  }
  for (const sink of pipeline.sinks) visit(sink)
  return { nodes }
}

function ownFilter({ input }: Project, readers: ReadonlyMap<string, number>): Filter | undefined {
  return input.kind === 'filter' && readers.get(JSON.stringify(input)) === 1 ? input : undefined
}

/** True if the rows that come to `node` are those that sources gave, each once, and come nowhere else. */
export function areRowsRead(graph: Graph, node: GraphNode): boolean {
  if (node.kind === 'source') return true
  return node.inputs.every((index) => {
    const input = graph.nodes[index]!
    if (input.consumers.length > 1) return false
    if (input.kind === 'source') return true
    return KEEPS_ROWS.has(input.plan.kind) && areRowsRead(graph, input)
  })
}

/** Each row of theirs is one of their inputs'. */
const KEEPS_ROWS: ReadonlySet<string> = new Set(['filter', 'project', 'union-all'])

/** Numbers of the sink nodes that `node`'s rows reach, itself included. */
export function sinksBelow(graph: Graph, node: number): readonly number[] {
  const seen = new Set<number>()
  const visit = (index: number): void => {
    if (seen.has(index)) return
    seen.add(index)
    for (const consumer of graph.nodes[index]!.consumers) visit(consumer.node)
  }
  visit(node)
  return [...seen].filter((index) => isSink(graph.nodes[index]!)).sort((a, b) => a - b)
}

export function isSink(node: GraphNode): node is OperatorGraphNode & { readonly plan: SinkNode } {
  return node.kind === 'operator' && node.plan.kind === 'sink'
}

/**
 * True if the rows of `node` may be taken back: it makes changes, or reads what does, or a table that gives them. A sort gives its
 * rows at the end.
 */
export function isUpdating(
  graph: Graph,
  node: number,
  givesChanges: (scan: Scan) => boolean,
): boolean {
  const at = graph.nodes[node]!
  if (at.kind === 'source') return at.origin.kind === 'scan' && givesChanges(at.origin)
  if (at.plan.kind === 'sort') return false
  // A version that is replaced changes nothing that was told.
  if (at.plan.kind === 'temporal-join') return isUpdating(graph, at.inputs[0]!, givesChanges)
  if (at.plan.kind !== 'sink' && makesChanges(at.plan)) return true
  return at.inputs.some((input) => isUpdating(graph, input, givesChanges))
}

/** True if a table beneath `node` gives changes. */
export function readsChanges(
  graph: Graph,
  node: number,
  givesChanges: (scan: Scan) => boolean,
): boolean {
  const at = graph.nodes[node]!
  if (at.kind === 'source') return at.origin.kind === 'scan' && givesChanges(at.origin)
  return at.inputs.some((input) => readsChanges(graph, input, givesChanges))
}

/** True if the rows of `node` go nowhere but to be looked up: to the right of joins that take the latest row of a key. */
export function isLookedUp(graph: Graph, node: number): boolean {
  const { consumers } = graph.nodes[node]!
  return (
    consumers.length > 0 &&
    consumers.every(({ node: index, input }) => {
      const at = graph.nodes[index]!
      if (at.kind === 'source') return false
      const { plan } = at
      if (plan.kind === 'filter' || plan.kind === 'project') return isLookedUp(graph, index)
      return plan.kind === 'temporal-join' && plan.rightTime === undefined && input === 1
    })
  )
}

function sourceOf(
  plan: PlanNode | SinkNode,
): Pick<SourceGraphNode, 'kind' | 'origin' | 'projects' | 'assigner'> | undefined {
  if (plan.kind === 'scan' || plan.kind === 'values')
    return { kind: 'source', origin: plan, projects: [] }
  if (plan.kind !== 'watermark-assigner') return undefined
  const projects: Project[] = []
  let below = plan.input
  while (below.kind === 'project') {
    projects.unshift(below)
    below = below.input
  }
  invariant(
    below.kind === 'scan' || below.kind === 'values',
    `a watermark stands above a scan and its computed columns, not above ${below.kind}`,
  )
  return { kind: 'source', origin: below, projects, assigner: plan }
}
