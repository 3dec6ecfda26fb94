/** Advice on a watermark on a terminal: the line, what it keeps, the curve, and what to beware of. */

import { percent } from '../../advise/watermark/guards.ts'
import type { DelayChoice, WatermarkAdvice } from '../../advise/watermark/shape.ts'
import { spanText } from '../../time/delay.ts'
import { bytesText, countText, rateText } from './quantity.ts'
import type { Style } from './style.ts'
import { tableLines } from './table.ts'
import { wrapText } from './wrap.ts'

/** The curve's bars, and what they are on a narrow terminal. */
const BAR_WIDTH = 20
const BAR_WIDTH_NARROW = 4
const WIDTH_OF_BARS = 100
const SPLITS_SHOWN = 8
const WIDTH_LEAST = 60
const WIDTH_MOST = 110

export function watermarkLines(advice: WatermarkAdvice, style: Style, columns: number): string[] {
  const width = Math.max(WIDTH_LEAST, Math.min(columns, WIDTH_MOST))
  const prose = (text: string) => wrapText(text, width, '  ')
  const { chosen, holdout } = advice
  return [
    style.strong(advice.isFounded ? advice.line : 'no delay can be had from this'),
    ...(advice.declared === undefined ? [] : prose(`over ${advice.declared}`)),
    ...prose(keepsText(advice, chosen)),
    ...prose(
      `Results come ${spanText(chosen.addedLatencyUs)} later than without it; ${chosen.openWindows} windows are open at one time, at most ${bytesText(chosen.stateBytesMost)} of state.`,
    ),
    ...prose(sampleText(advice)),
    ...(advice.isFounded && advice.asked < 1 ? prose(watchText(advice)) : []),
    '',
    style.strong('delay, completeness, latency, state'),
    ...curveLines(advice, style, width < WIDTH_OF_BARS),
    ...splitLines(advice, style),
    ...hourLines(advice, style),
    ...(holdout === undefined
      ? []
      : [
          '',
          ...prose(
            `Fitted on the first half: ${spanText(holdout.delayUs)} keeps ${percent(holdout.fitted.share)}. On the rest it kept ${percent(holdout.achieved.share)} (${percent(holdout.achieved.low)} to ${percent(holdout.achieved.high)})${holdout.differs ? ': they differ' : ''}.`,
          ),
        ]),
    ...(advice.guards.length === 0 ? [] : ['', style.strong('beware')]),
    ...advice.guards.flatMap(({ code, says }) => wrapText(`- ${code}: ${says}.`, width, '  ')),
  ]
}

function keepsText({ valueColumn, windowUs }: WatermarkAdvice, chosen: DelayChoice): string {
  const { low, high } = chosen.interval
  const value =
    chosen.valueCompleteness === undefined
      ? ''
      : `, and ${percent(chosen.valueCompleteness)} of ${valueColumn}`
  const open = windowUs === 0 ? 'come before the watermark' : 'find their window still open'
  const window = windowUs === 0 ? '' : ` (windows of ${spanText(windowUs)})`
  return `${percent(chosen.completeness)} of the events${value} ${open}${window}; 95 % interval ${percent(low)} to ${percent(high)}.`
}

function watchText({ asked }: WatermarkAdvice): string {
  return `SET 'time.complete' = '${percent(asked)}' has a pipeline watch that it stays so.`
}

function sampleText(advice: WatermarkAdvice): string {
  const { events, outOfOrder, eventSpanUs, eventsPerSecond, chosen, asked, unusable } = advice
  const rule = `${percent(asked)} takes ${countText(chosen.eventsNeeded)} independent events: ${chosen.isEnough ? 'there are enough' : 'there are too few'}`
  const left = unusable === 0 ? '' : `, ${countText(unusable)} rows unusable`
  return `${countText(events)} events over ${spanText(eventSpanUs)} (${eventsPerSecond < 1 ? `${Math.round(eventsPerSecond * 3600)}/h` : rateText(eventsPerSecond)}), ${countText(outOfOrder)} out of order${left}. ${rule}.`
}

function curveLines({ curve, chosen }: WatermarkAdvice, style: Style, isNarrow: boolean): string[] {
  const most = Math.max(...curve.map(({ delayUs }) => delayUs), 1)
  const hasValue = chosen.valueCompleteness !== undefined
  const rows = curve.map((choice) => [
    spanText(choice.delayUs),
    percent(choice.completeness),
    `${percent(choice.interval.low)} – ${percent(choice.interval.high)}`,
    ...(hasValue ? [percent(choice.valueCompleteness ?? 1)] : []),
    bar(choice.delayUs, most, isNarrow ? BAR_WIDTH_NARROW : BAR_WIDTH),
    `${choice.openWindows}`,
    bytesText(choice.stateBytesMost),
    choice.isEnough ? '' : isNarrow ? 'few' : 'few events',
  ])
  const right = 'right' as const
  const names = [
    { name: 'delay', align: right },
    { name: 'complete', align: right },
    { name: '95 % interval', align: right },
    ...(hasValue ? [{ name: 'of value', align: right }] : []),
    { name: isNarrow ? 'wait' : 'added latency (log)' },
    { name: 'windows', align: right },
    { name: 'state', align: right },
    { name: '' },
  ]
  return tableLines(names, rows, style).map((line) => `  ${line}`)
}

/** Delays span many powers of ten: a millisecond is no bar, the longest is the full one. */
function bar(delayUs: number, most: number, width: number): string {
  const share = delayUs <= 1000 ? 0 : Math.log(delayUs / 1000) / Math.log(Math.max(most / 1000, 2))
  const filled = Math.round(share * width)
  return '█'.repeat(filled) + '·'.repeat(width - filled)
}

function splitLines({ splits, asked }: WatermarkAdvice, style: Style): string[] {
  if (splits.length < 2) return []
  const worst = splits
    .toSorted((left, right) => right.behindUs - left.behindUs)
    .slice(0, SPLITS_SHOWN)
  const rows = worst.map(({ id, events, behindUs, transitUs }) => [
    id,
    countText(events),
    spanText(behindUs),
    transitUs === undefined ? '' : spanText(transitUs),
  ])
  const right = 'right' as const
  const names = [
    { name: 'split' },
    { name: 'events', align: right },
    { name: `behind, ${percent(asked)}`, align: right },
    { name: 'taken in after', align: right },
  ]
  const rest = splits.length - worst.length
  return [
    '',
    style.strong('by split'),
    ...tableLines(names, rows, style).map((line) => `  ${line}`),
    ...(rest === 0 ? [] : [`  and ${rest} more, which are less behind`]),
  ]
}

function hourLines({ hours }: WatermarkAdvice, style: Style): string[] {
  if (hours.length < 2) return []
  const most = Math.max(...hours.map(({ delayUs }) => delayUs), 1)
  const line = hours
    .map(({ delayUs }) => '▁▂▃▄▅▆▇█'[Math.min(7, Math.floor((delayUs / most) * 8))])
    .join('')
  const worst = hours.toSorted((left, right) => right.delayUs - left.delayUs)[0]!
  return [
    '',
    `${style.strong('by hour of day, UTC')}  ${line}  ${hours[0]!.hour} h to ${hours.at(-1)!.hour} h, at most ${spanText(worst.delayUs)} at ${worst.hour} h`,
  ]
}
