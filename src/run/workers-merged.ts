/** Several workers seen as one: for status, and for checkpoints. */
import type { GraphNode } from '../engine/graph.ts'
import type { Operator, SpillProgress, WindowProgress } from '../engine/operator.ts'
import { UNREAD_US } from '../engine/source-stage.ts'
import type { Assembly } from './assembly.ts'
import type { SideRows, WaitingRows } from './side-rows.ts'

/** What can be asked of the dataflow of all workers. */
export interface DataflowView {
  /** True when all inputs of every sink have ended. */
  ended(): boolean
  watermarkUs(node: number): bigint
  readonly operators: readonly {
    readonly node: GraphNode
    readonly operator: OperatorView
  }[]
}

/** Of one operator, in all workers. */
export interface OperatorView extends Pick<Operator, 'name' | 'progress'> {
  /** Undefined, too, where none of the workers' operators has state that may leave memory. */
  spilled?(): SpillProgress | undefined
}

/** Where nodes stand, by id; a source that has no splits here stands nowhere. */
export function watermarksOf({
  dataflow,
  sources,
}: Pick<Assembly, 'dataflow' | 'sources'>): ReadonlyMap<string, bigint> {
  const found = dataflow.watermarks()
  for (const { node, splits } of sources) if (splits.length === 0) found.delete(node.id)
  return found
}

export function mergedDataflow(workers: readonly Assembly[]): DataflowView {
  const all = workers.map(({ dataflow }) => dataflow)
  return {
    ended: () => all.every((each) => each.ended()),
    watermarkUs(node) {
      const reading = workers.filter(({ sources }) =>
        sources.every((source) => source.node.index !== node || source.splits.length > 0),
      )
      return leastUs(reading.map(({ dataflow }) => dataflow.watermarkUs(node))) ?? UNREAD_US
    },
    operators: all[0]!.operators.map(({ node }, index) => ({
      node,
      operator: mergedOperator(all.map((each) => each.operators[index]!.operator)),
    })),
  }
}

function mergedOperator(all: readonly Operator[]): OperatorView {
  const { name, progress } = all[0]!
  const spilled = () => mergedSpilled(all.flatMap((operator) => operator.spilled?.() ?? []))
  if (progress === undefined) return { name, spilled }
  const merged = () => mergedProgress(all.map((operator) => operator.progress!()))
  return { name, spilled, progress: merged }
}

/** Undefined of none. */
export function mergedSpilled(parts: readonly SpillProgress[]): SpillProgress | undefined {
  if (parts.length === 0) return undefined
  const sum = (of: (part: SpillProgress) => number): number =>
    parts.reduce((total, part) => total + of(part), 0)
  return {
    residentBytes: sum(({ residentBytes }) => residentBytes),
    spilledBytes: sum(({ spilledBytes }) => spilledBytes),
    waitingRows: sum(({ waitingRows }) => waitingRows),
    swaps: sum(({ swaps }) => swaps),
    pauseMsMax: Math.max(...parts.map(({ pauseMsMax }) => pauseMsMax)),
  }
}

export function leastUs(all: readonly bigint[]): bigint | undefined {
  return all.reduce<bigint | undefined>(
    (least, us) => (least === undefined || us < least ? us : least),
    undefined,
  )
}

export function mergedProgress(parts: readonly WindowProgress[]): WindowProgress {
  const ends = parts.flatMap(({ nextEndUs }) => (nextEndUs === undefined ? [] : [nextEndUs]))
  const least = leastUs(ends)
  return {
    openWindows: Math.max(0, ...parts.map(({ openWindows }) => openWindows)),
    ...(least === undefined ? {} : { nextEndUs: least }),
    counted: parts.reduce((sum, { counted }) => sum + counted, 0),
    late: parts.reduce((sum, { late }) => sum + late, 0),
  }
}

export function mergedSide(all: readonly SideRows[]): SideRows {
  return {
    output: (sinks, areMade) => all[0]!.output(sinks, areMade),
    get full() {
      return all.some(({ full }) => full)
    },
    take: () => mergedWaiting(all.map((side) => side.take())),
    get lateCount() {
      return all.reduce((sum, { lateCount }) => sum + lateCount, 0)
    },
    get deadCount() {
      return all.reduce((sum, { deadCount }) => sum + deadCount, 0)
    },
    get madeDeadCount() {
      return all.reduce((sum, { madeDeadCount }) => sum + madeDeadCount, 0)
    },
  }
}

export function mergedWaiting(
  all: readonly ReadonlyMap<string, WaitingRows>[],
): Map<string, WaitingRows> {
  const merged = new Map<string, WaitingRows>()
  for (const side of all) {
    for (const [topic, { kind, rows }] of side) {
      merged.set(topic, { kind, rows: [...(merged.get(topic)?.rows ?? []), ...rows] })
    }
  }
  return merged
}
