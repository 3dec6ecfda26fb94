/**
 * How far a source's rows are reflected in results: rows of windows that are still open have been read and are in no result yet.
 *
 * Rows are followed batch by batch, each with the greatest event time up to its end: a batch is reflected when everything below
 * has let go of all times up to that. So what is told is never later than the truth, and at most some batches earlier.
 */
import type { Position } from '../connectors/contract/source.ts'
import { firedThrough, gridOf, gridPointUs, WATERMARK_MAX, WATERMARK_MIN } from '../time/windows.ts'
import type { Graph, OperatorGraphNode } from './graph.ts'
import type { SourceSplit } from './source-split.ts'

/** Rows from a place on that wait for a result, up to where the next such rows begin. */
interface OpenRows {
  /** '': where the split begins. */
  readonly from: Position
  /** The greatest event time of these and all before. */
  untilUs: bigint
}

export interface Reflection {
  /** Rows behind `from` have been read, the latest of `untilUs`. */
  read(split: SourceSplit, from: Position | undefined, untilUs: bigint): void
  /** Tells each split where the first row stands that is in no result yet. */
  note(): void
}

/** Batches that are followed one by one; beyond it, older ones are taken together. */
const OPEN_MAX = 1024

/** Undefined where every row is reflected at once: nothing below `source` waits for time. */
export function reflectionOf(
  graph: Graph,
  source: number,
  watermarkUs: (node: number) => bigint,
  splits: readonly SourceSplit[],
): Reflection | undefined {
  const waits = waitsBelow(graph, source)
  if (waits.length === 0) return undefined
  const open = new Map<SourceSplit, OpenRows[]>(splits.map((split) => [split, restored(split)]))
  return {
    read(split, from, untilUs) {
      const rows = open.get(split)!
      const last = rows.at(-1)
      const latestUs = last === undefined || last.untilUs < untilUs ? untilUs : last.untilUs
      if (rows.length >= OPEN_MAX) last!.untilUs = latestUs
      else rows.push({ from: from ?? '', untilUs: latestUs })
    },
    note() {
      let reflectedUs = WATERMARK_MAX
      for (const { node, reflectedBeforeUs } of waits) {
        const beforeUs = reflectedBeforeUs(watermarkUs(node))
        if (beforeUs < reflectedUs) reflectedUs = beforeUs
      }
      for (const [split, rows] of open) {
        while (rows.length > 0 && rows[0]!.untilUs < reflectedUs) rows.shift()
        split.reflectedTo = rows[0]?.from
        split.openUntilUs = rows.at(-1)?.untilUs
      }
    },
  }
}

function restored({ reflectedTo, openUntilUs }: SourceSplit): OpenRows[] {
  if (reflectedTo === undefined || openUntilUs === undefined) return []
  return [{ from: reflectedTo, untilUs: openUntilUs }]
}

interface Wait {
  readonly node: number
  /** Rows before this event time are reflected when the node's watermark is so. */
  reflectedBeforeUs(watermarkUs: bigint): bigint
}

function waitsBelow(graph: Graph, source: number): Wait[] {
  const waits: Wait[] = []
  // A result of a window is as late as its end: what waits for it waits longer by the window's length.
  const visit = (index: number, laterUs: bigint): void => {
    const at = graph.nodes[index]!
    let below = laterUs
    if (at.kind === 'operator') {
      const wait = waitOf(at.plan)
      if (wait !== undefined) {
        const reflectedBeforeUs = (us: bigint) => earlier(wait.reflectedBeforeUs(us), laterUs)
        waits.push({ node: index, reflectedBeforeUs })
        below += wait.laterUs
      }
    }
    for (const consumer of at.consumers) visit(consumer.node, below)
  }
  visit(source, 0n)
  return waits
}

function earlier(us: bigint, byUs: bigint): bigint {
  if (us === WATERMARK_MAX || us === WATERMARK_MIN) return us
  return us - byUs
}

function waitOf(
  plan: OperatorGraphNode['plan'],
): { reflectedBeforeUs(watermarkUs: bigint): bigint; readonly laterUs: bigint } | undefined {
  if ('timeDomain' in plan && plan.timeDomain === 'processing') return undefined
  switch (plan.kind) {
    case 'window-table':
    case 'window-aggregate': {
      const { window } = plan
      if (window.kind === 'session') return untilTheEnd
      const { latenessUs = 0, lateDelayUs } =
        plan.kind === 'window-aggregate' ? (plan.emit ?? {}) : {}
      // Corrections that wait for the clock are told when their window is dropped at the latest.
      const waitsUs = lateDelayUs === undefined ? 0n : BigInt(latenessUs)
      // The window's rows have come when the watermark reaches its end.
      if (window.kind === 'attached')
        return {
          laterUs: BigInt(latenessUs),
          reflectedBeforeUs: (watermarkUs) => earlier(watermarkUs, waitsUs),
        }
      const grid = gridOf(window)
      return {
        laterUs: BigInt(window.sizeUs) + BigInt(latenessUs),
        reflectedBeforeUs(watermarkUs) {
          const fired = firedThrough(grid, earlier(watermarkUs, waitsUs))
          if (fired === Infinity) return WATERMARK_MAX
          if (fired === -Infinity) return WATERMARK_MIN
          return gridPointUs(grid, fired - grid.span + 1)
        },
      }
    }
    case 'match-recognize':
      return untilTheEnd
    case 'process':
      return plan.table === 'set' ? untilTheEnd : undefined
    case 'interval-join': {
      const reachUs = BigInt(Math.max(plan.upperUs, -plan.lowerUs, 0))
      return { laterUs: reachUs, reflectedBeforeUs: (us) => earlier(us, reachUs) }
    }
    case 'async-call':
    case 'temporal-join':
    case 'temporal-sort':
    case 'window-join':
    case 'window-rank':
    case 'deduplicate':
      return behindTheWatermark
    case 'over-aggregate':
      return plan.time === undefined ? undefined : behindTheWatermark
    default:
      return undefined
  }
}

/** Rows wait until the watermark has passed them. */
const behindTheWatermark = {
  laterUs: 0n,
  reflectedBeforeUs: (watermarkUs: bigint): bigint => watermarkUs,
}

/** How long a row waits hangs on the rows that follow: all wait until the end. */
const untilTheEnd = {
  laterUs: 0n,
  reflectedBeforeUs: (watermarkUs: bigint): bigint =>
    watermarkUs === WATERMARK_MAX ? WATERMARK_MAX : WATERMARK_MIN,
}
