/**
 * Event-time windows recomputed the slow, obvious way, from the definition: a row is late for a window that had fired before
 * the row came. It shares no code with the engine, and knows nothing of batches.
 */

export interface Event {
  readonly key: string | null
  readonly timeMs: number
  readonly value: number | null
}

export interface WindowSpec {
  readonly delayMs: number
  readonly slideMs: number
  readonly sizeMs: number
}

export interface WindowRow {
  readonly key: string | null
  readonly startMs: number
  readonly count: number
  /** NULL where no value was there. */
  readonly max: number | null
}

export interface LateEvent {
  readonly index: number
  readonly startMs: number
}

export interface Recomputed {
  readonly rows: readonly WindowRow[]
  readonly late: readonly LateEvent[]
}

/** All windows of one split's events, fired at the end of input at the latest. */
export function recompute(events: readonly Event[], spec: WindowSpec): Recomputed {
  const rows = new Map<
    string,
    { key: string | null; startMs: number; count: number; max: number | null }
  >()
  const late: LateEvent[] = []
  let watermarkMs = Number.NEGATIVE_INFINITY
  for (const [index, event] of events.entries()) {
    for (const startMs of windowsOf(event.timeMs, spec)) {
      if (watermarkMs >= startMs + spec.sizeMs - 1) {
        late.push({ index, startMs })
        continue
      }
      const id = JSON.stringify([event.key, startMs])
      const row = rows.get(id) ?? { key: event.key, startMs, count: 0, max: null }
      row.count++
      if (event.value !== null) row.max = Math.max(row.max ?? event.value, event.value)
      rows.set(id, row)
    }
    watermarkMs = Math.max(watermarkMs, event.timeMs - spec.delayMs)
  }
  return { rows: [...rows.values()], late }
}

function windowsOf(timeMs: number, { slideMs, sizeMs }: WindowSpec): number[] {
  const starts: number[] = []
  const last = Math.floor(timeMs / slideMs) * slideMs
  for (let start = last; start > timeMs - sizeMs; start -= slideMs) starts.push(start)
  return starts
}
