/** What makes measured lateness say less than it seems to, each with its figures. */
import { delayAbove, spanText } from '../../time/delay.ts'
import { LATE_LEAST } from '../../time/interval.ts'
import type { Measured } from './measure.ts'
import type { Guard, WatermarkAdvice } from './shape.ts'

/** An order without one event out of place, over so many events, is a sorted one. */
const SORTED_EVENTS = 1000
/** History that came in so much faster than it happened was not live. */
const REPLAY_FACTOR = 10
const REPLAY_SPAN_US = 600_000_000
/** A need of more than this share of what was seen may have longer ones beyond the end. */
const TAIL_SHARE = 1 / 3
const SEASON_FACTOR = 2
/** A week, less what a week of events falls short of it at its ends. */
const WEEK_US = 6.9 * 86_400_000_000
const SPLIT_FACTOR = 4
const SPLIT_EVENTS_LEAST = 100
/** Clocks that agree this well are right. */
const CLOCK_AHEAD_US = 2_000_000
/** So many events behind one, that is so far ahead: its clock is the likelier cause. */
const LONE_SHARE = 0.02
const LONE_EVENTS = 100

type Found = Pick<WatermarkAdvice, 'chosen' | 'splits' | 'hours' | 'holdout'>

export function guardsOf(
  measured: Measured,
  eventSpanUs: number,
  asked: number,
  found: Found,
): Guard[] {
  return [
    ...orderGuards(measured, eventSpanUs),
    ...sampleGuards(measured, eventSpanUs, asked, found),
    ...clockGuards(measured, found.chosen.delayUs),
    ...splitGuards(found),
    ...timeGuards(found, eventSpanUs),
  ]
}

/** Whether the order is that of arrival at all. */
function orderGuards({ arrivals }: Measured, eventSpanUs: number): Guard[] {
  const appendSpanUs = arrivals.lastAppendUs - arrivals.firstAppendUs
  const guards: Guard[] = []
  if (
    eventSpanUs > REPLAY_SPAN_US &&
    appendSpanUs >= 0 &&
    appendSpanUs * REPLAY_FACTOR < eventSpanUs
  )
    guards.push({
      code: 'replayed',
      says: `events of ${spanText(eventSpanUs)} were appended within ${spanText(appendSpanUs)}: this is replayed history, its order is not that in which events arrive, and no delay can be had from it; measure a topic that is written as events happen, or order the file by when each event arrived`,
    })
  if (arrivals.outOfOrder === 0 && arrivals.events >= SORTED_EVENTS)
    guards.push({
      code: 'sorted',
      says: `not one of ${arrivals.events} events is out of order: they were sorted by their event time, or stamped as they were written, and say nothing of how late events arrive`,
    })
  return guards
}

function sampleGuards(
  { arrivals, unusable }: Measured,
  eventSpanUs: number,
  asked: number,
  { chosen }: Found,
): Guard[] {
  const guards: Guard[] = []
  if (unusable > 0)
    guards.push({
      code: 'unusable-rows',
      says: `${unusable} rows could not be read or have no event time: they are in none of the figures`,
    })
  if (!chosen.isEnough)
    guards.push({
      code: 'few-events',
      says: `${percent(asked)} needs ${chosen.eventsNeeded} independent events (${LATE_LEAST} beyond the delay), and these ${arrivals.events}, late in droves, count as fewer: take the interval for what it says, ask for less, or measure longer`,
    })
  const greatestUs = Math.max(0, ...arrivals.parts.map(({ needs }) => needs.greatest))
  if (greatestUs > eventSpanUs * TAIL_SHARE && eventSpanUs > 0)
    guards.push({
      code: 'tail-truncated',
      says: `the latest event needs ${spanText(greatestUs)}, and only ${spanText(eventSpanUs)} were seen: later ones may not have come yet; the tail is cut off, and completeness is told too high`,
    })
  return guards
}

function clockGuards({ arrivals, future, futureUsMax }: Measured, delayUs: number): Guard[] {
  const guards: Guard[] = []
  const { ahead, aheadUsMax, loneBehind, loneAheadUs, loneUs, events } = arrivals
  if (future > 0)
    guards.push({
      code: 'future-events',
      says: `${future} events are up to ${spanText(futureUsMax)} ahead of when they were taken in, and are set aside, as a pipeline's time.future-guard does`,
    })
  if (ahead > 0 && aheadUsMax > CLOCK_AHEAD_US)
    guards.push({
      code: 'clock-ahead',
      says: `${ahead} events are ahead of when they were taken in, up to ${spanText(aheadUsMax)}: fast clocks move the watermark for all, and the delay pays for them; SET 'time.future-guard' = '${Math.ceil(aheadUsMax / 1e6)} s' or less keeps the fastest out`,
    })
  const isLone = loneBehind >= Math.max(LONE_EVENTS, LONE_SHARE * events)
  if (isLone && loneAheadUs > Math.max(delayUs / 4, CLOCK_AHEAD_US) && Number.isFinite(loneUs))
    guards.push({
      code: 'clock-lone',
      says: `one event, at ${new Date(loneUs / 1000).toISOString()}, is ${spanText(loneAheadUs)} ahead of all before it, and the ${loneBehind} events after it are behind it: one clock decides here; look at it before you believe the delay`,
    })
  return guards
}

function splitGuards({ splits }: Found): Guard[] {
  const told = splits.filter(({ events }) => events >= SPLIT_EVENTS_LEAST)
  if (told.length < 2) return []
  return told.flatMap((split): Guard[] => {
    const others = told.filter((other) => other !== split)
    const transitUs = median(others.map((other) => other.transitUs ?? 0))
    const behindUs = median(others.map((other) => other.behindUs))
    const waits =
      split.transitUs !== undefined &&
      split.transitUs > CLOCK_AHEAD_US &&
      split.transitUs > SPLIT_FACTOR * transitUs
    const disorders = split.behindUs > CLOCK_AHEAD_US && split.behindUs > SPLIT_FACTOR * behindUs
    if (!waits && !disorders) return []
    const how = waits
      ? `its events are taken in ${spanText(split.transitUs ?? 0)} after they happened, those of the others after ${spanText(transitUs)}`
      : `its events are up to ${spanText(split.behindUs)} behind their own, those of the others ${spanText(behindUs)}`
    return [
      {
        code: 'slow-split',
        says: `split '${split.id}' is slow: ${how}; while it is read it holds the watermark of all, and if it falls silent for longer than table.exec.source.idle-timeout, what it brings afterwards is late`,
      },
    ]
  })
}

function timeGuards({ hours, holdout, chosen }: Found, eventSpanUs: number): Guard[] {
  const guards: Guard[] = []
  if (eventSpanUs < WEEK_US)
    guards.push({
      code: 'short',
      says: `only ${spanText(eventSpanUs)} were seen, not a week: nights, weekends and other days may be later, and are in none of the figures`,
    })
  const worst = hours.toSorted((left, right) => right.delayUs - left.delayUs)[0]
  const middleUs = median(hours.map(({ delayUs }) => delayUs))
  if (
    worst &&
    hours.length >= 3 &&
    worst.delayUs > SEASON_FACTOR * Math.max(middleUs, delayAbove(1))
  )
    guards.push({
      code: 'season',
      says: `events that arrive from ${two(worst.hour)}:00 to ${two(worst.hour)}:59 UTC need ${spanText(worst.delayUs)}, in the middle hour ${spanText(middleUs)}: one delay for all hours (${spanText(chosen.delayUs)}) is too short in some and too long in others`,
    })
  if (holdout?.differs)
    guards.push({
      code: 'drift',
      says: `${spanText(holdout.delayUs)}, fitted on the first half, was complete by ${percent(holdout.fitted.share)} there and by ${percent(holdout.achieved.share)} on the rest: lateness changes; the delay is that of the worse half, and has to be measured again`,
    })
  return guards
}

export function percent(share: number): string {
  const text = (100 * share).toFixed(3)
  return `${text.replace(/\.?0+$/, '')} %`
}

function median(figures: readonly number[]): number {
  return figures.toSorted((left, right) => left - right)[Math.floor(figures.length / 2)] ?? 0
}

function two(hour: number): string {
  return `${hour}`.padStart(2, '0')
}
