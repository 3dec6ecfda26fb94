/**
 * A pipeline's status as a few calm lines, the same for `run` and `status`:
 *
 *   revenue  running · exactly-once · 1 worker · 12 s
 *     rows      1,204,331 read  98.1 k/s  lag 0 · 30 written · 2 late · 1 dead
 *     watermark 2026-01-31 12:00:05  held by orders[2]
 *               orders[0] 12:00:07 · orders[1] 12:00:09 · orders[2] 12:00:05 · orders[3] idle
 *     lateness  delay 5 s · of the last 20,480 99.94 % kept, 99.9 % promised
 *     windows   3 wait, the next for event time 2026-01-31 12:01:00
 *     state     12 MB in memory, 40 MB in files, 300 rows wait for it
 *     stored    checkpoint 1-7, 4 s ago, 12 KB
 *
 * Where windows wait and nothing has come out, lines below say why and what would change it.
 */
import {
  type CheckpointStatus,
  hasEnded,
  type PipelineStatus,
  type SpilledStatus,
  type SplitStatus,
  type TableLateness,
} from '../../serve/status.ts'
import { bytesText, countOf, countText, durationText, rateText, timeText } from './quantity.ts'
import type { Style } from './style.ts'
import { cut } from './table.ts'
import { wrapText } from './wrap.ts'

/** Splits beyond these are counted: the holding one is always shown. */
const SPLITS_SHOWN = 8

export interface StatusView {
  readonly nowMs: number
  readonly columns: number
  readonly style: Style
}

export function statusLines(pipeline: PipelineStatus, view: StatusView): string[] {
  const { style } = view
  const label = (name: string) => style.faint(name.padEnd(10))
  const lines = [
    headLine(pipeline, view),
    `  ${label('rows')}${rowsText(pipeline, style)}`,
    ...watermarkLines(pipeline, view, label),
    ...pipeline.lateness.flatMap((each) => latenessLine(each, pipeline, style, label)),
    ...(pipeline.windows.any ? [`  ${label('windows')}${windowsText(pipeline)}`] : []),
    ...(pipeline.spilled === undefined
      ? []
      : [`  ${label('state')}${spilledText(pipeline.spilled)}`]),
    `  ${label('stored')}${checkpointText(pipeline.checkpoint, view.nowMs)}`,
  ].map((line) => cut(line, view.columns))
  return [
    ...lines,
    ...troubleLines(pipeline, view),
    ...explanation(pipeline, view),
    ...problemLines(pipeline, view),
  ]
}

function headLine(pipeline: PipelineStatus, { nowMs, style }: StatusView): string {
  const facts = [
    pipeline.guarantee,
    countOf(pipeline.workers, 'worker'),
    ...(hasEnded(pipeline.state) ? [] : [durationText(Math.max(0, nowMs - pipeline.startedMs))]),
    ...(pipeline.restarts > 0 ? [countOf(pipeline.restarts, 'restart')] : []),
  ]
  return `${style.strong(pipeline.name)}  ${stateText(pipeline, style)}${style.faint(` · ${facts.join(' · ')}`)}`
}

function stateText({ state }: PipelineStatus, style: Style): string {
  if (state === 'failed') return style.bad(state)
  if (state === 'running' || state === 'finished') return style.good(state)
  return style.warning(state)
}

function rowsText(pipeline: PipelineStatus, style: Style): string {
  const { rowsRead, rowsWritten, rowsLate, rowsDead, rowsMadeDead, lag } = pipeline
  const speed = hasEnded(pipeline.state) ? '' : `  ${rateText(pipeline.rowsPerSecond)}`
  const behind = lag === undefined ? '' : `  lag ${countText(lag)}`
  const notice = (count: number, word: string) =>
    count === 0 ? `0 ${word}` : style.warning(`${countText(count)} ${word}`)
  return [
    `${countText(rowsRead)} read${speed}${behind}`,
    `${countText(rowsWritten)} written`,
    notice(rowsLate, 'late'),
    notice(rowsDead + rowsMadeDead, 'dead'),
  ].join(' · ')
}

function watermarkLines(
  pipeline: PipelineStatus,
  { style }: StatusView,
  label: (name: string) => string,
): string[] {
  const timed = pipeline.splits.filter(
    ({ watermarkMs, isHolding }) => watermarkMs !== undefined || isHolding,
  )
  if (timed.length === 0 && !pipeline.windows.any) return []
  const holder = pipeline.splits.find(({ isHolding }) => isHolding)
  const at = pipeline.watermarkMs === undefined ? 'none yet' : timeText(pipeline.watermarkMs)
  const held =
    holder === undefined || pipeline.splits.length < 2 ? '' : `  held by ${splitName(holder)}`
  const first = `  ${label('watermark')}${at}${style.name(held)}`
  if (pipeline.splits.length < 2) return [first]
  return [first, `  ${label('')}${splitsText(pipeline.splits)}`]
}

/** Only where it says something: enough events, or late ones. */
function latenessLine(
  { table, delayMs, events, eventsLost, isDrifting, recent }: TableLateness,
  { lateness }: PipelineStatus,
  style: Style,
  label: (name: string) => string,
): string[] {
  const of = lateness.length > 1 ? `${table}: ` : ''
  const delay = `delay ${durationText(delayMs)}`
  if (recent === undefined) {
    if (eventsLost === 0) return []
    const kept = `${countText(events - eventsLost)} of ${countText(events)} events kept`
    return [`  ${label('lateness')}${of}${delay} · ${kept}`]
  }
  const { kept, promised, keepingMs } = recent
  const shares = `${percent(kept)} kept, ${percent(promised)} promised`
  const needs = `, which takes ${durationText(keepingMs)}`
  const told = isDrifting ? style.warning(`${shares}${needs}`) : shares
  return [`  ${label('lateness')}${of}${delay} · of the last ${countText(recent.events)} ${told}`]
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(3))} %`
}

function splitsText(splits: readonly SplitStatus[]): string {
  // The lowest first: they are what one looks for.
  const ordered = [...splits].sort(
    (a, b) =>
      Number(b.isHolding) - Number(a.isHolding) ||
      Number(a.isIdle) - Number(b.isIdle) ||
      (a.watermarkMs ?? -Infinity) - (b.watermarkMs ?? -Infinity),
  )
  const shown = ordered.slice(0, SPLITS_SHOWN).map((split) => {
    const at = split.watermarkMs === undefined ? 'none yet' : timeText(split.watermarkMs).slice(11)
    return `${splitName(split)} ${split.isIdle ? 'idle' : at}`
  })
  const more = ordered.length - shown.length
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(' · ')
}

function splitName({ table, split }: SplitStatus): string {
  return `${table}[${split}]`
}

function windowsText({ windows }: PipelineStatus): string {
  if (windows.open === 0) return 'none waits'
  const next =
    windows.nextEndMs === undefined
      ? ''
      : `, the next for event time ${timeText(windows.nextEndMs)}`
  return `${countText(windows.open)} ${windows.open === 1 ? 'waits' : 'wait'}${next}`
}

/** As a part of a sentence. */
function windowsPhrase(pipeline: PipelineStatus): string {
  const { open } = pipeline.windows
  if (open === 0) return 'no window waits'
  return windowsText(pipeline).replace(/^\S+/, countOf(open, 'window'))
}

function spilledText({ residentBytes, spilledBytes, waitingRows }: SpilledStatus): string {
  const waiting = waitingRows === 0 ? '' : `, ${countOf(waitingRows, 'row')} wait for it`
  return `${bytesText(residentBytes)} in memory, ${bytesText(spilledBytes)} in files${waiting}`
}

function checkpointText(checkpoint: CheckpointStatus | undefined, nowMs: number): string {
  if (checkpoint === undefined) return 'no checkpoint yet'
  const age = durationText(Math.max(0, nowMs - checkpoint.completedMs))
  return `checkpoint ${checkpoint.id}, ${age} ago, ${bytesText(checkpoint.bytes)}`
}

/** Why nothing has come out of the windows yet, for whoever has sent ten rows and waits. */
function explanation(pipeline: PipelineStatus, { style, columns }: StatusView): string[] {
  const { windows, rowsRead, rowsWritten, watermarkMs } = pipeline
  if (hasEnded(pipeline.state) || rowsWritten > 0 || windows.open === 0) return []
  if (windows.nextEndMs === undefined) return []
  const end = windows.nextEndMs
  const reached =
    watermarkMs === undefined ? 'there is no watermark yet' : `it is at ${timeText(watermarkMs)}`
  const toGo =
    watermarkMs === undefined ? '' : `, ${durationText(end - watermarkMs)} of event time short`
  const why =
    `${style.warning('why no rows yet?')} ${countOf(rowsRead, 'row')} came in, but a window fires only when the watermark ` +
    `reaches its end, ${timeText(end)}; ${reached}${toGo}. The watermark moves with the events, not with the clock: an event ` +
    `late enough fires the window. If none will come, ${style.name('millrace run --until end')} fires every window; with ` +
    `${style.name("SET 'time.idle-watermark' = 'clock'")} the watermark follows the clock once no split has more.`
  return wrapText(why, columns, '  ')
}

/** Each reason once, with a split that it concerns. */
function troubleLines({ splits, state }: PipelineStatus, { style, columns }: StatusView): string[] {
  if (hasEnded(state)) return []
  const reasons = new Map<string, SplitStatus>()
  for (const split of splits)
    if (split.trouble !== undefined && !reasons.has(split.trouble))
      reasons.set(split.trouble, split)
  return [...reasons].flatMap(([reason, split]) =>
    wrapText(`${style.warning(`${splitName(split)} waits:`)} ${reason}`, columns, '  '),
  )
}

function problemLines({ problem }: PipelineStatus, { style, columns }: StatusView): string[] {
  if (problem === undefined) return []
  return [
    ...wrapText(`${style.bad(problem.code)}${style.faint(':')} ${problem.message}`, columns, '  '),
    ...wrapText(`${style.faint('=')} ${problem.hint}`, columns, '    '),
  ]
}

/** One line for logs and pipes, where nothing can be redrawn. */
export function statusLine(pipeline: PipelineStatus, nowMs: number): string {
  const { name, state, rowsRead, rowsPerSecond, rowsWritten, rowsLate, rowsDead, lag } = pipeline
  const parts = [
    `${countText(rowsRead)} read`,
    rateText(rowsPerSecond),
    ...(lag === undefined ? [] : [`lag ${countText(lag)}`]),
    `${countText(rowsWritten)} written`,
    `${countText(rowsLate)} late`,
    `${countText(rowsDead + pipeline.rowsMadeDead)} dead`,
    ...(pipeline.watermarkMs === undefined ? [] : [`watermark ${timeText(pipeline.watermarkMs)}`]),
    ...(pipeline.windows.any ? [windowsPhrase(pipeline)] : []),
    checkpointText(pipeline.checkpoint, nowMs),
    ...troubleText(pipeline),
  ]
  return `${name}: ${state}, ${parts.join(', ')}`
}

function troubleText({ splits, state }: PipelineStatus): string[] {
  const troubled = splits.find(({ trouble }) => trouble !== undefined)
  if (troubled === undefined || hasEnded(state)) return []
  return [`${splitName(troubled)} waits: ${troubled.trouble}`]
}

/** The books of a run that is over: every row that was read, and where it went. */
export function balanceLine(pipeline: PipelineStatus, style: Style): string {
  const { rowsRead, rowsUsed, rowsDead, rowsLate, rowsWritten, windows } = pipeline
  const holds = rowsRead === rowsUsed + rowsDead
  const read = `${countOf(rowsRead, 'row')} read = ${countText(rowsUsed)} used + ${countText(rowsDead)} dead`
  const pairs = windows.any
    ? ` · ${countOf(windows.counted + rowsLate, 'row in windows', 'rows in windows')} = ${countText(windows.counted)} counted + ${countText(rowsLate)} late`
    : ''
  const made = pipeline.rowsMadeDead
  const results = made === 0 ? '' : ` · ${countOf(made, 'row')} made of others dead`
  return `${holds ? read : style.bad(read)}${pairs}${results} · ${countText(rowsWritten)} written`
}
