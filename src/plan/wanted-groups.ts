/**
 * What is asked of the groups of a window, where that is not all: those that come first by one aggregate, because the only reader is a
 * top-N of each window, ordered by that aggregate.
 *
 * The reader stays as it is and decides between those that tie. So more groups may be told than are wanted, never fewer.
 */
import { layoutOf } from '../data/types.ts'
import { isUserFunction } from './functions/user.ts'
import { inputsOf } from './inputs.ts'
import {
  type PlanNode,
  type SinkNode,
  schemaOf,
  type WindowAggregate,
  type WindowRank,
} from './nodes.ts'
import { readersOf } from './readers.ts'

/** Beyond, all groups are told. */
const COUNT_MAX = 1000

/** The first `count` groups of each window, and all that tie with the last of them. */
export interface WantedGroups {
  readonly count: number
  /** Which aggregate they are ordered by. */
  readonly aggregate: number
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** By the text of the window aggregate. */
export function wantedGroups(
  roots: readonly (PlanNode | SinkNode)[],
): ReadonlyMap<string, WantedGroups> {
  const readers = readersOf(roots)
  const wanted = new Map<string, WantedGroups>()
  const seen = new Set<PlanNode | SinkNode>()
  const visit = (node: PlanNode | SinkNode): void => {
    if (seen.has(node)) return
    seen.add(node)
    const asked = node.kind === 'window-rank' ? askedBy(node, readers) : undefined
    if (asked !== undefined) wanted.set(JSON.stringify(asked.of), asked.wanted)
    inputsOf(node).forEach(visit)
  }
  roots.forEach(visit)
  return wanted
}

function askedBy(
  rank: WindowRank,
  readers: ReadonlyMap<string, number>,
): { readonly of: WindowAggregate; readonly wanted: WantedGroups } | undefined {
  const [first] = rank.order
  if (first === undefined || rank.partition.length > 0 || rank.to > COUNT_MAX) return undefined
  // A row that fails goes to dead, and another takes its place.
  if (rank.order.some(({ expression }) => expression.kind !== 'column')) return undefined
  const below = beneath(rank.input, first.expression, readers)
  if (below === undefined || !tellsOnce(below.node)) return undefined
  const { keys, aggregates } = below.node
  const aggregate = below.index - keys.length
  if (aggregates[aggregate] === undefined) return undefined
  const layout = layoutOf(schemaOf(below.node)[below.index]!.type)
  if (layout === 'bytes' || layout === 'row') return undefined
  const { descending, nullsFirst } = first
  return { of: below.node, wanted: { count: rank.to, aggregate, descending, nullsFirst } }
}

/** The node beneath projections that only choose columns, with nothing else reading on the way, and which of its columns it is. */
function beneath(
  node: PlanNode,
  column: WindowRank['order'][number]['expression'],
  readers: ReadonlyMap<string, number>,
): { readonly node: PlanNode; readonly index: number } | undefined {
  if (column.kind !== 'column' || readers.get(JSON.stringify(node)) !== 1) return undefined
  if (node.kind !== 'project') return { node, index: column.index }
  if (!node.expressions.every(({ kind }) => kind === 'column' || kind === 'literal'))
    return undefined
  return beneath(node.input, node.expressions[column.index]!, readers)
}

/** Each window of a grid is told once, by functions that may be asked for a result more than once. */
function tellsOnce(node: PlanNode): node is WindowAggregate {
  return (
    node.kind === 'window-aggregate' &&
    node.emit === undefined &&
    node.window.kind !== 'session' &&
    node.window.kind !== 'attached' &&
    node.aggregates.every((call) => !isUserFunction(call.function))
  )
}
