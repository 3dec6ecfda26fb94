/** From measured arrivals to a delay, what it costs and how sure it is. */

import { delayAbove, intervalSql } from '../../time/delay.ts'
import { effectiveEvents, eventsNeeded, type Interval, wilson } from '../../time/interval.ts'
import { type Arrivals, type ArrivalsPart, partsAt, together } from './arrivals.ts'
import { guardsOf } from './guards.ts'
import type { Measured } from './measure.ts'
import type { DelayChoice, DelayKept, Holdout, SplitLateness, WatermarkAdvice } from './shape.ts'
import type { Sketch } from './sketch.ts'

const CURVE: readonly number[] = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1]
/** Of an entry of grouped state with one aggregate: its key, its cells and its place in the table. */
const ENTRY_BYTES = 64
/** Hours with fewer events say nothing of their own. */
const HOUR_EVENTS_LEAST = 100
/** Shares that differ by less are called the same. */
const SHARE_TOLERANCE = 0.001
const FOUNDATIONS: ReadonlySet<string> = new Set(['replayed', 'sorted'])

export interface Asked {
  readonly of: string
  readonly column: string
  readonly declared?: string
  /** The column of the value, if one was named. */
  readonly valueColumn?: string
  /** In (0, 1]. */
  readonly completeness: number
}

interface Whole {
  readonly arrivals: Arrivals
  readonly all: ArrivalsPart
  readonly eventSpanUs: number
}

export function judge(measured: Measured, asked: Asked): WatermarkAdvice {
  const { arrivals } = measured
  const all = together(arrivals.parts)
  const whole = { arrivals, all, eventSpanUs: eventSpanUs(arrivals) }
  const holdout = holdoutOf(arrivals.parts, asked.completeness)
  const delayUs = chosenDelayUs(whole, asked.completeness, holdout?.differs === true)
  const chosen = choiceAt(whole, delayUs, asked.completeness, holdout)
  const splits = arrivals.splits.map((split): SplitLateness => {
    const { id, events, behind, transit } = split
    const behindUs = quantileOf(behind, events, asked.completeness)
    return { id, events, behindUs, ...(transit.total > 0 && { transitUs: transit.quantile(0.5) }) }
  })
  const hours = arrivals.hours.flatMap((needs, hour) =>
    needs.total < HOUR_EVENTS_LEAST
      ? []
      : [{ hour, events: needs.total, delayUs: delayAbove(needs.quantile(asked.completeness)) }],
  )
  const found = { chosen, splits, hours, ...(holdout && { holdout }) }
  const guards = guardsOf(measured, whole.eventSpanUs, asked.completeness, found)
  return {
    ...asked,
    windowUs: arrivals.windowUs,
    events: arrivals.events,
    unusable: measured.unusable,
    future: measured.future,
    outOfOrder: arrivals.outOfOrder,
    eventSpanUs: whole.eventSpanUs,
    eventsPerSecond: perSecond(whole),
    asked: asked.completeness,
    line: watermarkLine(asked.column, delayUs),
    curve: curveOf(whole),
    distribution: distributionOf(all.needs),
    guards,
    isFounded: !guards.some(({ code }) => FOUNDATIONS.has(code)),
    ...found,
  }
}

/** `WATERMARK FOR c AS c - INTERVAL ...`; the column is quoted unless it is a plain word of small letters with an underscore. */
export function watermarkLine(column: string, delayUs: number): string {
  const name = /^[a-z]+_[a-z_0-9]*$/.test(column) ? column : `\`${column.replaceAll('`', '``')}\``
  return `WATERMARK FOR ${name} AS ${name} - ${intervalSql(delayUs)}`
}

/** Where halves differ, the worse one decides. */
function chosenDelayUs({ arrivals, all }: Whole, share: number, differs: boolean): number {
  const needed = delayAbove(all.needs.quantile(share))
  if (!differs) return needed
  const [first, second] = halves(arrivals.parts)
  return Math.max(
    needed,
    delayAbove(first.needs.quantile(share)),
    delayAbove(second.needs.quantile(share)),
  )
}

function curveOf(whole: Whole): DelayChoice[] {
  const choices = CURVE.map((share) =>
    choiceAt(whole, delayAbove(whole.all.needs.quantile(share)), share, undefined),
  )
  return choices.filter(({ delayUs }, at) => delayUs !== choices[at - 1]?.delayUs)
}

/** A step a percent, then a tenth, then a hundredth. */
function distributionOf(needs: Sketch): DelayKept[] {
  const levels = [0, 99, 99.9].flatMap((from, index) =>
    Array.from({ length: index === 0 ? 99 : 9 }, (_, at) => (from + (at + 1) / 10 ** index) / 100),
  )
  const kept = [...levels, 1].map((level): DelayKept => {
    const delayUs = delayAbove(needs.quantile(level))
    return { delayUs, completeness: needs.shareBelow(delayUs).likely }
  })
  return kept.filter(({ delayUs }, at) => delayUs !== kept[at - 1]?.delayUs)
}

function choiceAt(
  whole: Whole,
  delayUs: number,
  asked: number,
  holdout: Holdout | undefined,
): DelayChoice {
  const { arrivals, all } = whole
  const { least, likely: completeness, most } = all.needs.shareBelow(delayUs)
  const independent = effectiveEvents(partsAt(arrivals.parts, delayUs))
  // All of them is more than any number of events can show.
  const needed = eventsNeeded(asked < 1 ? asked : 1 - 1 / (all.events + 1))
  const value = all.values.shareBelow(delayUs)
  const spanUs = delayUs + arrivals.windowUs
  return {
    delayUs,
    completeness,
    interval: widened(foretold(completeness, independent), { low: least, high: most }, () =>
      holdout?.differs === true ? halvesAt(arrivals.parts, delayUs) : [],
    ),
    ...(all.values.total > 0 && { valueCompleteness: value.likely }),
    addedLatencyUs: delayUs,
    openWindows: Math.ceil(spanUs / arrivals.windowUs),
    stateBytesMost: Math.ceil(
      Math.min(all.events, (perSecond(whole) * spanUs) / 1e6) * ENTRY_BYTES,
    ),
    eventsNeeded: needed,
    isEnough: independent >= needed,
  }
}

/** Of what comes next, not of the mean alone: as many events again are as unsure as these, which halves what they tell. */
function foretold(completeness: number, independent: number): Interval {
  return wilson(completeness, independent / 2)
}

/** The interval also holds what the sketch leaves open, and each half where they differ. */
function widened(interval: Interval, open: Interval, others: () => readonly Interval[]): Interval {
  const every = [interval, open, ...others()]
  return {
    low: Math.min(...every.map(({ low }) => low)),
    high: Math.max(...every.map(({ high }) => high)),
  }
}

function halves(parts: readonly ArrivalsPart[]) {
  const middle = parts.reduce((sum, { events }) => sum + events, 0) / 2
  let seen = 0
  const at = parts.findIndex(({ events }) => {
    seen += events
    return seen >= middle
  })
  const first = parts.slice(0, at + 1)
  const second = parts.slice(at + 1)
  return [
    { parts: first, ...together(first) },
    { parts: second, ...together(second) },
  ] as const
}

function halvesAt(parts: readonly ArrivalsPart[], delayUs: number): Interval[] {
  return halves(parts).map((half) => shareOf(half, delayUs))
}

function shareOf(
  half: { readonly parts: readonly ArrivalsPart[]; readonly needs: Sketch },
  delayUs: number,
): Interval & { readonly share: number } {
  const share = half.needs.shareBelow(delayUs).likely
  return { share, ...wilson(share, effectiveEvents(partsAt(half.parts, delayUs))) }
}

/** Fitted on the first half, tried on the second. Undefined with too few parts to have halves. */
function holdoutOf(parts: readonly ArrivalsPart[], asked: number): Holdout | undefined {
  if (parts.length < 4) return undefined
  const [first, second] = halves(parts)
  const delayUs = delayAbove(first.needs.quantile(asked))
  const fitted = shareOf(first, delayUs)
  const achieved = shareOf(second, delayUs)
  const apart = achieved.low > fitted.high || achieved.high < fitted.low
  const differs = apart && Math.abs(achieved.share - fitted.share) > SHARE_TOLERANCE
  return { delayUs, fitted, achieved, differs }
}

function eventSpanUs({ splits }: Arrivals): number {
  const from = Math.min(...splits.map(({ leastUs }) => leastUs))
  const to = Math.max(...splits.map(({ greatestUs }) => greatestUs))
  return Number.isFinite(to - from) ? to - from : 0
}

function perSecond({ all, eventSpanUs: spanUs }: Whole): number {
  return spanUs === 0 ? 0 : (all.events / spanUs) * 1e6
}

/** `behind` holds only the events that are behind; the others are on time. */
function quantileOf(behind: Sketch, events: number, share: number): number {
  const late = behind.total
  const onTime = events - late
  return share * events <= onTime || late === 0
    ? 0
    : behind.quantile((share * events - onTime) / late)
}
