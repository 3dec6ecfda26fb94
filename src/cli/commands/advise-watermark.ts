/** `millrace advise watermark TOPIC|TABLE|FILE`: how long to wait for late events, measured. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { judge } from '../../advise/watermark/judge.ts'
import type { WatermarkAdvice } from '../../advise/watermark/shape.ts'
import { MillraceError } from '../../errors.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { durationMs, settingsOf } from '../../run/settings.ts'
import { examples, type ProjectOptions, projectOptions, usageError } from '../command.ts'
import { EXIT, type Io } from '../io.ts'
import { configure } from '../program-style.ts'
import { loadProject } from '../project.ts'
import { watermarkLines } from '../render/watermark.ts'
import { withWatermark } from '../watermark-edit.ts'
import { measureTable } from '../watermark-measure.ts'
import { measuredTable } from '../watermark-target.ts'

interface WatermarkOptions extends ProjectOptions {
  readonly time?: string
  readonly value?: string
  readonly window: string
  readonly complete: string
  readonly futureGuard: string
  readonly write?: string
  readonly format: string
  readonly json?: boolean
}

export function declareAdviseWatermark(parent: Command, io: Io): void {
  const command = parent
    .command('watermark')
    .description('Measure how late events arrive, and say how long to wait for them.')
    .argument(
      '<source>',
      'a table of the project, a topic of its log, or a file or folder of JSON lines',
    )
  configure(command, io)
  projectOptions(command)
    .helpOption('-h, --help', 'show this help')
    .option('--time <column>', "the event time, if not the table's watermark column")
    .option('--complete <share>', 'events whose window is still open when they come', '99.9%')
    .option('--window <duration>', 'of the windows that are counted; 0 for rows alone', '1m')
    .option('--value <column>', 'tell also how much of this column would be lost')
    .option('--future-guard <duration>', "as SET 'time.future-guard'; off for none", '1h')
    .option('--write <file>', 'put the watermark into the CREATE TABLE of this file')
    .option('--format <form>', 'text or json', 'text')
    .option('--json', 'the same as --format json')
    .action((source: string, options: WatermarkOptions) => measure(io, source, options))
  examples(
    command,
    'millrace advise watermark orders',
    'millrace advise watermark quakes --complete 99% --window 1h --value magnitude',
    'millrace advise watermark events.jsonl --time happened_at --json',
    'millrace advise watermark orders --complete 99.9% --write tables/orders.sql',
  )
}

async function measure(io: Io, named: string, options: WatermarkOptions): Promise<void> {
  const { time, value, format } = options
  if (format !== 'text' && format !== 'json')
    throw usageError(`--format can't be '${format}'`, 'it is text or json')
  const completeness = shareOf(options.complete)
  const windowUs = durationMs('--window', options.window) * 1000
  const { futureBoundUs } = settingsOf({ 'time.future-guard': options.futureGuard })
  const ports = nodePorts()
  const project = await loadProject(io, options)
  const target = await measuredTable({
    io,
    ports,
    project,
    named,
    ...(time !== undefined && { timeColumn: time }),
    ...(value !== undefined && { valueColumn: value }),
  })
  const measured = await measureTable(target, {
    ports,
    environment: io.environment,
    windowUs,
    futureBoundUs: futureBoundUs === undefined ? undefined : Number(futureBoundUs),
    ...(value !== undefined && { valueColumn: value }),
  })
  if (measured.arrivals.events === 0) throw nothing(named, measured.unusable)
  const advice = judge(measured, {
    of: named,
    column: target.column,
    ...(target.declared !== undefined && { declared: target.declared }),
    completeness,
    ...(value !== undefined && { valueColumn: value }),
  })
  if (format === 'json' || options.json) io.out(JSON.stringify(advice))
  else for (const line of watermarkLines(advice, io.style, io.columns())) io.out(line)
  if (!advice.isFounded) io.exitCode = EXIT.no
  if (options.write !== undefined) write(io, options.write, target.table, advice)
}

/** '99.9%', '99.9 %' or 0.999. @throws USAGE_INVALID */
function shareOf(text: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(%?)\s*$/.exec(text)
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1)
  if (share > 0 && share <= 1) return share
  throw usageError(
    `--complete can't be '${text}'`,
    'it is a share of the events: 99.9% or 0.999, more than 0 and at most 100%',
  )
}

/** @throws WATERMARK_UNFOUNDED, FILE_UNREADABLE, USAGE_INVALID if the file does not declare the table */
function write(io: Io, file: string, table: string, advice: WatermarkAdvice): void {
  if (!advice.isFounded)
    throw new MillraceError('WATERMARK_UNFOUNDED', {
      message: `${advice.of} says nothing of how late events arrive: ${file} is left as it is`,
      hint: 'measure where events stand in the order in which they arrive',
      facts: { source: advice.of, guards: advice.guards.map(({ code }) => code).join(', ') },
    })
  const path = resolve(io.directory, file)
  const text = readText(path, file)
  writeFileSync(path, withWatermark(file, text, table, advice.line))
  io.err(`${io.errorStyle.good('wrote')} ${advice.line} into ${file}`)
}

function readText(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new MillraceError('FILE_UNREADABLE', {
      message: `can't read ${file}`,
      hint: 'name the .sql file that has the CREATE TABLE',
      facts: { file },
      cause,
    })
  }
}

function nothing(source: string, unusable: number): MillraceError {
  return new MillraceError('WATERMARK_UNFOUNDED', {
    message: `${source} has no event to measure${unusable === 0 ? '' : `; ${unusable} rows could not be read or have no event time`}`,
    hint: 'let events flow for a while, or name another event time with --time',
    facts: { source, unusable },
  })
}
