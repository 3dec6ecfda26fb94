/**
 * Late and dead rows on their way out: kept in order until they are flushed, then written to the log topics `<sink>.late` and
 * `<sink>.dead`, which prepare and commit with the sink's own checkpoints.
 */
import type { Value } from '../compile/value.ts'
import type { DeadRowOut, LateRow, SideOutput } from '../engine/side-output.ts'
import type { ValueRow } from '../engine/value-rows.ts'
import type { SideKind } from '../plan/side-tables.ts'

/** More than so many rows are flushed before the next batch. */
const PENDING_ROWS_MAX = 10_000

export interface WaitingRows {
  readonly kind: SideKind
  readonly rows: readonly ValueRow[]
}

export interface SideRows {
  /** For a node whose rows reach `sinks` (names of tables). `areMade`: they are not rows that were read, but made of them. */
  output(sinks: readonly string[], areMade?: boolean): SideOutput
  /** True when they should be flushed before more rows are read. */
  readonly full: boolean
  /** Topics and the rows waiting for them; forgets them. */
  take(): ReadonlyMap<string, WaitingRows>
  readonly lateCount: number
  /** Rows that were read. */
  readonly deadCount: number
  /** Rows that were made of others. */
  readonly madeDeadCount: number
}

export function createSideRows(): SideRows {
  let pending = new Map<string, { kind: SideKind; rows: ValueRow[] }>()
  let waiting = 0
  let lateCount = 0
  let deadCount = 0
  let madeDeadCount = 0
  const add = (sinks: readonly string[], kind: SideKind, row: ValueRow): void => {
    for (const sink of sinks) {
      const topic = `${sink}.${kind}`
      const rows = pending.get(topic) ?? { kind, rows: [] }
      rows.rows.push(row)
      pending.set(topic, rows)
      waiting++
    }
  }
  return {
    output: (sinks, areMade = false) => ({
      late(row) {
        lateCount++
        add(sinks, 'late', lateValues(row))
      },
      dead(row) {
        if (areMade) madeDeadCount++
        else deadCount++
        add(sinks, 'dead', deadValues(row))
      },
    }),
    get full() {
      return waiting > PENDING_ROWS_MAX
    },
    take() {
      const taken = pending
      pending = new Map()
      waiting = 0
      return taken
    },
    get lateCount() {
      return lateCount
    },
    get deadCount() {
      return deadCount
    },
    get madeDeadCount() {
      return madeDeadCount
    },
  }
}

function lateValues(late: LateRow): Value[] {
  const latenessMs = (late.watermarkUs - late.timeUs) / 1000n
  const { node, windowStartUs, windowEndUs, timeUs, watermarkUs, row } = late
  return [node, windowStartUs ?? null, windowEndUs ?? null, timeUs, watermarkUs, latenessMs, row]
}

function deadValues({ origin, split, position, reason, bytes }: DeadRowOut): Value[] {
  return [origin, split, position, reason, bytes]
}
