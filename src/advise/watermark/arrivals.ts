/**
 * The late-arrival distribution of a stream, kept while it passes: of each event, the delay that a watermark would have needed for
 * the event's window to be still open.
 *
 * A window of end E fires when the watermark, the greatest event time seen less the delay, reaches E - 1 ms. So an event that finds
 * the greatest time at M is lost just if  delay <= M - E + 1 ms: the *need* of the event. With several splits M is the least of
 * theirs. Sketches of needs stand in parts of the stream, of which neighbours merge when there are too many.
 */
import type { Part } from '../../time/interval.ts'
import { Sketch } from './sketch.ts'

/** Parts that are kept apart; then each two become one. */
const PARTS_MAX = 64
const PART_EVENTS_LEAST = 16
const HOUR_US = 3_600_000_000
const FIRES_BEFORE_US = 1000
/** Splits that have a distribution of their own; the rest share one. */
const SPLITS_MAX = 128

export interface SplitArrivals {
  readonly id: string
  events: number
  /** µs; -Infinity before the first. */
  greatestUs: number
  leastUs: number
  /** Of each event, how far it is behind the greatest time of its own split: µs. */
  readonly behind: Sketch
  /** Of each event, its append time less its event time: µs; empty where the source tells none. */
  readonly transit: Sketch
}

export interface ArrivalsPart {
  events: number
  readonly needs: Sketch
  /** Needs by the value that is lost with the event. */
  readonly values: Sketch
}

export interface Arrivals {
  readonly windowUs: number
  readonly splits: readonly SplitArrivals[]
  readonly parts: readonly ArrivalsPart[]
  /** By hour of day (UTC) of the greatest time seen. */
  readonly hours: readonly Sketch[]
  readonly events: number
  readonly outOfOrder: number
  readonly firstAppendUs: number
  readonly lastAppendUs: number
  /** Events ahead of their append time, believed all the same. */
  readonly ahead: number
  readonly aheadUsMax: number
  /** The event that was most alone: so many events, one after another, found themselves behind it. */
  readonly loneUs: number
  readonly loneBehind: number
  readonly loneAheadUs: number
}

/** Columns of a batch as plain numbers, `NaN` where there is nothing. Absent `appendUs`: the source tells none. */
export interface ArrivedRows {
  readonly count: number
  readonly timeUs: Float64Array
  readonly appendUs?: Float64Array
  readonly value?: Float64Array
}

export interface ArrivalsMeter {
  /** Rows of `split`, in their order; `othersUs` is the least of the other splits' greatest times, +Infinity without others. */
  add(split: number, rows: ArrivedRows, othersUs: number): void
  /** The number of another split. */
  split(id: string): number
  greatestUs(split: number): number
  read(): Arrivals
}

/** What stands while events pass. */
interface Metering {
  readonly windowUs: number
  readonly splits: SplitArrivals[]
  readonly holds: Hold[]
  readonly hours: readonly Sketch[]
  parts: ArrivalsPart[]
  partEvents: number
  readonly totals: Totals
}

interface Totals {
  events: number
  outOfOrder: number
  firstAppendUs: number
  lastAppendUs: number
  ahead: number
  aheadUsMax: number
  loneUs: number
  loneBehind: number
  loneAheadUs: number
}

/** How many events have come behind the greatest of their split, and by how much that one was ahead of the greatest before it. */
interface Hold {
  since: number
  aheadUs: number
}

export function meterArrivals(windowUs: number): ArrivalsMeter {
  const metering: Metering = {
    windowUs,
    splits: [],
    holds: [],
    hours: Array.from({ length: 24 }, () => new Sketch()),
    parts: [newPart()],
    partEvents: PART_EVENTS_LEAST,
    totals: {
      events: 0,
      outOfOrder: 0,
      firstAppendUs: Number.POSITIVE_INFINITY,
      lastAppendUs: Number.NEGATIVE_INFINITY,
      ahead: 0,
      aheadUsMax: 0,
      loneUs: Number.NEGATIVE_INFINITY,
      loneBehind: 0,
      loneAheadUs: 0,
    },
  }
  const { splits, hours, totals } = metering
  return {
    add(split, rows, othersUs) {
      addTransit(metering, splits[split]!, rows)
      for (let from = 0; from < rows.count; ) {
        const room = roomInPart(metering)
        const end = Math.min(rows.count, from + room)
        addPart(metering, split, rows, othersUs, from, end)
        from = end
      }
    },
    split: (id) => splitNumber(metering, id),
    greatestUs: (split) => splits[split]!.greatestUs,
    read: () => ({
      windowUs,
      splits: splits.slice(0, SPLITS_MAX),
      parts: metering.parts.filter(({ events }) => events > 0),
      hours,
      ...withOpenHolds(totals, metering),
    }),
  }
}

function splitNumber({ splits, holds }: Metering, id: string): number {
  const last = splits[SPLITS_MAX - 1]
  splits.push({
    id,
    events: 0,
    greatestUs: Number.NEGATIVE_INFINITY,
    leastUs: Number.POSITIVE_INFINITY,
    behind: last?.behind ?? new Sketch(),
    transit: last?.transit ?? new Sketch(),
  })
  holds.push({ since: 0, aheadUs: 0 })
  return splits.length - 1
}

/** Events that the last part still takes; a new one is begun if there is no room. */
function roomInPart(metering: Metering): number {
  if (metering.parts.at(-1)!.events >= metering.partEvents) {
    if (metering.parts.length === PARTS_MAX) {
      metering.parts = inPairs(metering.parts)
      metering.partEvents *= 2
    }
    metering.parts.push(newPart())
  }
  return metering.partEvents - metering.parts.at(-1)!.events
}

/** Rows [from, end), all of the last part. */
function addPart(
  { windowUs, splits, holds, hours, parts, totals }: Metering,
  number: number,
  { timeUs, value }: ArrivedRows,
  othersUs: number,
  from: number,
  end: number,
): void {
  const part = parts.at(-1)!
  const split = splits[number]!
  const hold = holds[number]!
  let { greatestUs, leastUs } = split
  let hour = hourOf(Math.min(greatestUs, othersUs))
  let late = 0
  let lateOfHour = 0
  let hourFrom = from
  for (let row = from; row < end; row++) {
    const time = timeUs[row]!
    const worth = value === undefined ? 0 : value[row]!
    if (time < leastUs) leastUs = time
    const needUs = neededUs(time, greatestUs < othersUs ? greatestUs : othersUs, windowUs)
    if (needUs > 0) {
      late++
      lateOfHour++
      part.needs.add(needUs)
      hours[hour]!.add(needUs)
      if (worth > 0) part.values.add(needUs, worth)
    } else if (worth > 0) part.values.addZeros(worth)
    if (time < greatestUs) {
      hold.since++
      totals.outOfOrder++
      split.behind.add(greatestUs - time)
      continue
    }
    takeHold(hold, totals, greatestUs, time)
    greatestUs = time
    const now = hourOf(greatestUs < othersUs ? greatestUs : othersUs)
    if (now === hour) continue
    hours[hour]!.addZeros(row + 1 - hourFrom - lateOfHour)
    hourFrom = row + 1
    lateOfHour = 0
    hour = now
  }
  hours[hour]!.addZeros(end - hourFrom - lateOfHour)
  part.needs.addZeros(end - from - late)
  part.events += end - from
  Object.assign(split, { greatestUs, leastUs, events: split.events + end - from })
  totals.events += end - from
}

/** The delay at which an event of `time` that finds the greatest time at `reachedUs` is lost, and above which it is not; 0 if it never is. */
function neededUs(time: number, reachedUs: number, windowUs: number): number {
  if (time >= reachedUs) return 0
  if (windowUs === 0) return reachedUs - time
  return reachedUs - (Math.floor(time / windowUs) + 1) * windowUs + FIRES_BEFORE_US
}

function takeHold(hold: Hold, totals: Totals, greatestUs: number, time: number): void {
  if (hold.since > totals.loneBehind) {
    totals.loneBehind = hold.since
    totals.loneUs = greatestUs
    totals.loneAheadUs = hold.aheadUs
  }
  hold.since = 0
  hold.aheadUs = time - greatestUs
}

function addTransit({ totals }: Metering, split: SplitArrivals, rows: ArrivedRows): void {
  const { appendUs, timeUs, count } = rows
  if (appendUs === undefined) return
  for (let row = 0; row < count; row++) {
    const append = appendUs[row]!
    const transit = append - timeUs[row]!
    if (Number.isNaN(append)) continue
    if (append < totals.firstAppendUs) totals.firstAppendUs = append
    if (append > totals.lastAppendUs) totals.lastAppendUs = append
    if (transit > 0) split.transit.add(transit)
    else split.transit.addZeros(1)
    if (transit >= 0) continue
    totals.ahead++
    totals.aheadUsMax = Math.max(totals.aheadUsMax, -transit)
  }
}

/** All of `parts` together. */
export function together(parts: readonly ArrivalsPart[]): ArrivalsPart {
  const sum = newPart()
  for (const { needs, values, events } of parts) {
    sum.needs.merge(needs)
    sum.values.merge(values)
    sum.events += events
  }
  return sum
}

/** The parts as shares complete at `delayUs`. */
export function partsAt(parts: readonly ArrivalsPart[], delayUs: number): Part[] {
  return parts.map(({ events, needs }) => ({ events, share: needs.shareBelow(delayUs).likely }))
}

function withOpenHolds(totals: Totals, { splits, holds }: Metering): Totals {
  const read = { ...totals }
  holds.forEach(({ since, aheadUs }, index) => {
    if (since <= read.loneBehind) return
    read.loneBehind = since
    read.loneUs = splits[index]!.greatestUs
    read.loneAheadUs = aheadUs
  })
  return read
}

function newPart(): ArrivalsPart {
  return { events: 0, needs: new Sketch(), values: new Sketch() }
}

function inPairs(parts: readonly ArrivalsPart[]): ArrivalsPart[] {
  const pairs: ArrivalsPart[] = []
  for (let at = 0; at < parts.length; at += 2) pairs.push(together(parts.slice(at, at + 2)))
  return pairs
}

function hourOf(timeUs: number): number {
  if (!Number.isFinite(timeUs)) return 0
  const hour = Math.floor(timeUs / HOUR_US) % 24
  return hour < 0 ? hour + 24 : hour
}
