/**
 * `millrace demo`: two hours of a shop's orders, with everything that goes wrong, through a pipeline that is killed between a sink's
 * prepare and its commit; the same through the program a team would write in an afternoon; both held against the truth.
 */
import { relative, resolve } from 'node:path'
import { invariant } from '../../errors.ts'
import type { Io } from '../io.ts'
import { openTarget } from '../produce-rows.ts'
import { countOf, countText, durationText, rateText } from '../render/quantity.ts'
import { closingLines, differenceLines } from './closing.ts'
import { type Exit, KILL_POINT, runMillrace, runNaive } from './contestants.ts'
import {
  makeProject,
  NEXT_COMMANDS,
  PARTITIONS,
  PIPELINE_FILE,
  TABLE_PATH,
  TOPIC,
  writeArrivals,
} from './demo-project.ts'
import { minuteOf, reconcile } from './reconcile.ts'
import { sabotage } from './sabotage.ts'
import { type Arrival, type ShopDay, shopDay } from './shop.ts'
import { readMillraceTable, readNaiveTable, readRouted } from './tables.ts'

export interface DemoOptions {
  readonly directory?: string
  readonly sabotage?: 'lose' | 'duplicate'
  /** 120,000 unless told: tests take fewer. */
  readonly orders?: number
}

const ORDERS = 120_000
const SEED = 20
/** What has arrived when the crash comes. */
const CRASH_SHARE = 0.6
const PRODUCE_ROWS = 5000

/** The exit code: 1 if a row of the table is not what it should be. */
export async function runDemo(io: Io, options: DemoOptions): Promise<number> {
  const startedMs = performance.now()
  const directory = resolve(io.directory, options.directory ?? 'millrace-demo')
  const say = narrator(io)
  const day = shopDay({ seed: SEED, orders: options.orders ?? ORDERS, endMs: Date.now() })
  introduce(io, day)
  makeProject(directory)
  const crash = Math.floor(day.arrivals.length * CRASH_SHARE)
  const morning = day.arrivals.slice(0, crash)

  await say('orders arrive', `${countText(crash)} lines, answered when on the disk`, () =>
    arrive(directory, day.arrivals, 0, crash),
  )
  await say('both are killed', 'between prepare and commit, windows open', () =>
    killBoth(directory, morning),
  )
  await say('the rest arrives', `${countText(day.arrivals.length - crash)} lines more`, () =>
    arrive(directory, day.arrivals, crash, day.arrivals.length),
  )
  let restart: readonly string[] = []
  const ranMs = performance.now()
  await say('both start again', 'from where they know they were', async () => {
    restart = await finishBoth(directory)
  })
  const seconds = (performance.now() - ranMs) / 1000
  if (options.sabotage !== undefined) {
    sabotage(directory, options.sabotage)
    io.out(io.style.warning(`  sabotaged: --sabotage ${options.sabotage}`))
  }
  for (const line of restart) io.out(io.style.faint(`    ${line}`))
  const times = { seconds, tookMs: performance.now() - startedMs }
  return await close(io, { directory, day, morning, ...times })
}

function introduce({ out, style }: Io, day: ShopDay): void {
  const count = (fate: string): string =>
    countText(day.orders.filter((order) => order.fate === fate).length)
  out('')
  out(
    `${style.strong('Millrace')} ${style.faint('· a shop’s two hours, with everything that goes wrong')}`,
  )
  out('')
  out(
    `  ${countText(day.orders.length)} orders from four tills, out of order by up to four seconds`,
  )
  out(`  ${count('phone')} of them sent by phones, two to twenty minutes late`)
  out(`  ${count('fast-clock')} from a till whose clock is a day ahead; one till falls silent`)
  out(`  ${countText(day.retries)} sent twice, ${countText(day.poison)} lines that are no orders`)
  out('')
}

/** Says what happens, then how long it took. */
function narrator({ out, style }: Io) {
  return async (what: string, detail: string, work: () => Promise<void>): Promise<void> => {
    const startedMs = performance.now()
    await work()
    const took = durationText(performance.now() - startedMs)
    out(`  ${style.good('✓')} ${what.padEnd(18)} ${style.faint(`${detail} · ${took}`)}`)
  }
}

async function arrive(
  directory: string,
  arrivals: readonly Arrival[],
  from: number,
  to: number,
): Promise<void> {
  writeArrivals(directory, arrivals.slice(0, to))
  const dataDirectory = resolve(directory, '.millrace')
  const target = await openTarget({ dataDirectory, topic: TOPIC, partitions: PARTITIONS })
  try {
    for (let start = from; start < to; start += PRODUCE_ROWS) {
      const rows = arrivals.slice(start, Math.min(start + PRODUCE_ROWS, to))
      await target.append(rows.map(({ line, till }) => ({ value: line, key: till, ...idOf(line) })))
    }
  } finally {
    await target.close()
  }
}

/** A producer gives each order its id as event id: sent again, it is stored once. What is no order has none. */
function idOf(line: string): { readonly eventId?: string } {
  const id = /^\{"id":"([^"]+)".*"amount":[\d.]+,"placed_at":"\d[^"]*"\}$/.exec(line)?.[1]
  return id === undefined ? {} : { eventId: id }
}

async function killBoth(directory: string, morning: readonly Arrival[]): Promise<void> {
  const bytes = morning.reduce((sum, { line }) => sum + line.length + 1, 0)
  const [millrace] = await Promise.all([
    runMillrace(directory, [PIPELINE_FILE, '--until', 'now', '--json'], KILL_POINT),
    runNaive(directory, Math.floor(bytes * 0.95)),
  ])
  expectEnd(millrace, 'SIGKILL')
}

/** What the restart went on from, by its own word. */
async function finishBoth(directory: string): Promise<string[]> {
  const [millrace] = await Promise.all([
    runMillrace(directory, [PIPELINE_FILE, '--until', 'end', '--json']),
    runNaive(directory),
  ])
  expectEnd(millrace, null)
  const restored = /"checkpoint":\{"incarnation":(\d+),"counter":(\d+)\}/.exec(millrace.output)
  return restored === null
    ? []
    : [
        `Millrace: from checkpoint ${restored[1]}-${restored[2]}; its commit, which the crash had cut off,`,
        'was made first, then what had come after it was read again',
      ]
}

function expectEnd({ code, signal, output }: Exit, wanted: 'SIGKILL' | null): void {
  invariant(
    signal === wanted && (wanted !== null || code === 0),
    `the demo's pipeline ended with ${signal ?? code}:\n${output}`,
  )
}

interface Ended {
  readonly directory: string
  readonly day: ShopDay
  /** What had arrived before the crash. */
  readonly morning: readonly Arrival[]
  /** Of the run that finished. */
  readonly seconds: number
  readonly tookMs: number
}

async function close(io: Io, { directory, day, morning, seconds, tookMs }: Ended): Promise<number> {
  const { out, style } = io
  const routed = readRouted(resolve(directory, '.millrace'))
  const millrace = reconcile(await readMillraceTable(directory), day.orders, routed)
  const naive = reconcile(readNaiveTable(directory), day.orders, { late: [], dead: [] })
  const { late, dead, poison } = routed
  const { orders } = day
  const isHijacked = hijackedMinutes(day, morning)
  const closing = { orders, naive, millrace, late, quarantined: dead, poison, isHijacked }
  out('')
  for (const line of closingLines(closing, style)) out(`  ${line}`)
  out('')
  const read = day.orders.length + poison
  const used = read - dead.length - poison
  out(
    `  ${countOf(read, 'row')} read = ${countText(used)} used + ${countText(dead.length + poison)} dead`,
  )
  out(
    `  ${countText(late.length)} late, routed · ${style.strong(`${millrace.lost} lost, ${millrace.duplicated} duplicated`)}`,
  )
  out(
    style.faint(
      `  ${rateText(read / seconds)} with start-up and restart, on one core · all of it took ${durationText(tookMs)}`,
    ),
  )
  out('')
  for (const line of differenceLines(millrace, style)) out(line)
  const failed = millrace.lost + millrace.duplicated > 0
  if (failed) out(style.bad('  the table is not what it should be'))
  else nextSteps(io, directory)
  return failed ? 1 : 0
}

/** From the first order of the fast clock to the last that came before the crash. */
function hijackedMinutes(
  { orders }: ShopDay,
  morning: readonly Arrival[],
): (minute: string) => boolean {
  const first = minuteOf(orders.find(({ fate }) => fate === 'fast-clock')!.placedMs)
  const arrived = new Set(morning.map(({ line }) => idOf(line).eventId))
  const last = minuteOf(orders.findLast(({ id }) => arrived.has(id))!.placedMs)
  return (minute) => minute >= first && minute <= last
}

function nextSteps({ out, style, directory: working }: Io, directory: string): void {
  const folder = relative(working, directory) || '.'
  out(`  The table lies in ${style.name(`${folder}/${TABLE_PATH}`)}. Next:`)
  out('')
  out(`    ${style.name(`cd ${folder}`)}`)
  for (const { command, why } of NEXT_COMMANDS) {
    out(`    ${style.name(command)}`)
    out(`      ${style.faint(why)}`)
  }
  out('')
}
