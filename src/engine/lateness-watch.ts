/**
 * Whether the delay of a running source's watermark still keeps what it should.
 *
 * What has come is cut into slices, looked at from time to time; the newest 8 to 16 are *recent*. A slice holds an eighth of the events
 * that the promised share needs to be told at all, so a judgement rests on at least ten events beyond the delay. Recent slices are held
 * against the promise as intervals: late events come in droves, and some droves are no drift.
 */
import { delayAbove, intervalSql } from '../time/delay.ts'
import { effectiveEvents, eventsNeeded, type Interval, wilson } from '../time/interval.ts'
import { delayKeeping, type Lateness, noLateness, shareKept, since } from './lateness.ts'

const SLICES = 8
/** Where nothing was promised, what came first is the promise, told as finely as this share needs. */
const SHARE_UNASKED = 0.999
/** Shares that differ by less are called the same, where nothing was promised. */
const SHARE_TOLERANCE = 0.001

/** JSON: it is kept in checkpoints. */
export interface LatenessWatch {
  /** What had been counted when the recent slices began, and at the last whole eight of them. */
  readonly start: Lateness
  readonly middle: Lateness
  readonly slices: readonly Slice[]
  /** What the first eight slices kept. */
  readonly first?: { readonly share: number; readonly low: number }
  readonly isDrifting: boolean
}

interface Slice {
  readonly events: number
  readonly lost: number
}

/** What recent events say of the delay. */
export interface LatenessVerdict {
  /** What the delay should keep: what was promised, or what it kept at first. */
  readonly promised: number
  /** Of the recent events. */
  readonly kept: number
  readonly interval: Interval
  readonly events: number
  /** The delay that would have kept the promise: µs. */
  readonly keepingUs: number
  /** The same as SQL writes it. */
  readonly keeping: string
}

export function newWatch(now: Lateness): LatenessWatch {
  const start = noLateness(now)
  return { start, middle: start, slices: [], isDrifting: false }
}

/** `watch` after a look at what has been counted by now; the same if that is no whole slice more. */
export function looked(
  watch: LatenessWatch,
  now: Lateness,
  promised: number | undefined,
): LatenessWatch {
  const slice = sliceSince(watch, now)
  const least = Math.ceil(eventsNeeded(promised ?? SHARE_UNASKED) / SLICES)
  if (slice.events < least) return watch
  const next = withSlice(watch, slice, now)
  if (next.slices.length < SLICES) return next
  const { share, interval } = recentShare(next)
  const first = next.first ?? { share, low: interval.low }
  const floor = promised ?? first.low
  const tolerance = promised === undefined ? SHARE_TOLERANCE : 0
  const begins = interval.high < floor && share < (promised ?? first.share) - tolerance
  return { ...next, first, isDrifting: watch.isDrifting ? share < floor : begins }
}

/** Undefined while too few events have come. */
export function verdictOf(
  watch: LatenessWatch,
  now: Lateness,
  promised: number | undefined,
): LatenessVerdict | undefined {
  if (watch.first === undefined) return undefined
  const { share, interval, events } = recentShare(watch)
  const target = promised ?? watch.first.share
  const needUs = delayKeeping(since(watch.start, now), target)
  const keepingUs = needUs === 0 ? 0 : delayAbove(needUs - 1)
  return {
    promised: target,
    kept: share,
    interval,
    events,
    keepingUs,
    keeping: intervalSql(keepingUs),
  }
}

function sliceSince({ start, slices }: LatenessWatch, now: Lateness): Slice {
  const lost = slices.reduce((sum, slice) => sum + slice.lost, start.lost)
  return { events: now.events - eventsOf(slices) - start.events, lost: now.lost - lost }
}

function withSlice(watch: LatenessWatch, slice: Slice, now: Lateness): LatenessWatch {
  const slices = [...watch.slices, slice]
  if (slices.length === SLICES) return { ...watch, slices, middle: now }
  if (slices.length < 2 * SLICES) return { ...watch, slices }
  return { ...watch, slices: slices.slice(SLICES), start: watch.middle, middle: now }
}

function recentShare({ slices }: LatenessWatch) {
  const parts = slices.map((slice) => ({ events: slice.events, share: shareKept(slice) }))
  const events = eventsOf(slices)
  const share = parts.reduce((sum, part) => sum + part.events * part.share, 0) / events
  return { share, events, interval: wilson(share, effectiveEvents(parts)) }
}

function eventsOf(slices: readonly Slice[]): number {
  return slices.reduce((sum, { events }) => sum + events, 0)
}
