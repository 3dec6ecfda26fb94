/**
 * How late the events of a running pipeline are, as counts that stay: of each event the delay that would have kept it, to 1.6 %, in memory
 * that does not grow. Counts of one delay and one grid of windows add up exactly.
 */
import { NEED_BUCKETS, needEndUs } from '../kernels/lateness.ts'

/** JSON: it is told between threads, and kept in checkpoints. */
export interface Lateness {
  /** What the watermark's delay was while it was counted. */
  readonly delayUs: number
  /** From one end of windows to the next; 0: events are held against the watermark itself. */
  readonly windowUs: number
  readonly events: number
  /** Events whose window had fired when they came. */
  readonly lost: number
  /** Index and count of each bucket that is not empty, in turn, by rising index; events in none need no delay. */
  readonly needs: readonly number[]
}

export function noLateness({
  delayUs,
  windowUs,
}: Pick<Lateness, 'delayUs' | 'windowUs'>): Lateness {
  return { delayUs, windowUs, events: 0, lost: 0, needs: [] }
}

/** `all` together; undefined if there are none. Their delays and windows are the same. */
export function addedUp(all: readonly Lateness[]): Lateness | undefined {
  const first = all[0]
  if (first === undefined || all.length === 1) return first
  const counts = new Float64Array(NEED_BUCKETS)
  let events = 0
  let lost = 0
  for (const each of all) {
    events += each.events
    lost += each.lost
    addTo(counts, each.needs, 1)
  }
  return { ...first, events, lost, needs: needsOf(counts) }
}

/** What has come to `now` since `before`. */
export function since(before: Lateness, now: Lateness): Lateness {
  const counts = new Float64Array(NEED_BUCKETS)
  addTo(counts, now.needs, 1)
  addTo(counts, before.needs, -1)
  return {
    ...now,
    events: now.events - before.events,
    lost: now.lost - before.lost,
    needs: needsOf(counts),
  }
}

/** The least delay, to a bucket, that keeps `share` of the events: µs. */
export function delayKeeping({ events, needs }: Lateness, share: number): number {
  let late = 0
  for (let at = 1; at < needs.length; at += 2) late += needs[at]!
  let kept = events - late
  // What shares lose to rounding must not cost a bucket.
  const enough = share * events - 1e-9 * events
  if (kept >= enough) return 0
  for (let at = 0; at < needs.length; at += 2) {
    kept += needs[at + 1]!
    if (kept >= enough) return needEndUs(needs[at]!)
  }
  return 0
}

export function shareKept({ events, lost }: Pick<Lateness, 'events' | 'lost'>): number {
  return events === 0 ? 1 : 1 - lost / events
}

/** Buckets as `Lateness.needs` has them. */
function needsOf(counts: ArrayLike<number>): number[] {
  const needs: number[] = []
  for (let index = 0; index < counts.length; index++)
    if (counts[index]! !== 0) needs.push(index, counts[index]!)
  return needs
}

function addTo(counts: Float64Array, needs: readonly number[], sign: 1 | -1): void {
  for (let at = 0; at < needs.length; at += 2)
    counts[needs[at]!] = counts[needs[at]!]! + sign * needs[at + 1]!
}
