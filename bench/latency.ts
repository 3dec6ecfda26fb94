/**
 * How long a window's row takes: `npm run bench:latency -- [--seconds 30] [--rate 100000] [--fsync batch|interval|os] [--json FILE]`.
 *
 * One process owns the directory: it appends `rate` events a second, in batches of 5 ms, and runs a pipeline of them into a Delta
 * table with a checkpoint a second. Another follows the same query with `changes`, which waits for no checkpoint. Measured is, for
 * each window of 100 ms, from the call that appends the row which moves the watermark past the window's end to the last of the
 * window's rows at the reader; and to the Delta version that holds them. The clock is the machine's, the same for both.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { open } from '../src/index.ts'
import { openLog } from '../src/log/log.ts'
import type { FsyncPolicy } from '../src/log/partition-writer.ts'
import { nodePorts } from '../src/ports/node/ports.ts'

const WINDOW_MS = 100
const TICK_MS = 5
const KEYS = 10
/** Windows of the first seconds are not counted: compilers are still at work. */
const WARM_MS = 3000
const VERSION = /^(\d{20})\.json$/

const TABLES = `CREATE TABLE events (k BIGINT, t TIMESTAMP_LTZ(3), WATERMARK FOR t AS t)
  WITH ('connector' = 'log', 'topic' = 'events', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');`
const QUERY = `SELECT window_start, k, COUNT(*) AS events
  FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(t), INTERVAL '0.1' SECOND)) GROUP BY k, window_start, window_end`

export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface Latency {
  readonly eventsPerSecond: number
  /** Milliseconds. */
  readonly reader: Spread
  readonly delta: Spread
}

interface Options {
  readonly seconds: number
  readonly rate: number
  readonly fsync: FsyncPolicy['kind']
}

/** What the reading process tells: windows by their start (ms), with the time at which all of their rows had come. */
type Arrivals = readonly (readonly [startMs: number, atMs: number])[]

/** ms of a clock that all processes of the machine share. */
function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export async function measureLatency({ seconds, rate, fsync }: Options): Promise<Latency> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-latency-'))
  const lake = join(directory, 'lake')
  const dataDirectory = join(directory, 'data')
  const policy: FsyncPolicy =
    fsync === 'interval' ? { kind: fsync, intervalMs: 100 } : { kind: fsync }
  const log = openLog({ ports: nodePorts(), dataDirectory, fsync: policy })
  await log.createTopic('events')
  const reader = fork(import.meta.filename, ['read', dataDirectory], { stdio: 'inherit' })
  const db = await open({
    data: dataDirectory,
    directory,
    tables: `${TABLES} CREATE TABLE counts (window_start TIMESTAMP(3), k BIGINT, events BIGINT)
      WITH ('connector' = 'delta', 'table-path' = '${lake}');`,
  })
  try {
    const [ready] = await new Promise<unknown[]>((resolve) =>
      reader.once('message', (...told) => resolve(told)),
    )
    if (ready !== 'ready') throw new Error('the reader did not start')
    await db.run(`SET 'execution.checkpointing.interval' = '1 s'; INSERT INTO counts ${QUERY}`)
    const watch = watchVersions(lake)
    const { crossedMs, appended, tookMs } = await produce(log, seconds * 1000, rate)
    await new Promise((resolve) => setTimeout(resolve, 2500))
    const visible = watch.stop()
    reader.send('stop')
    const arrivals = await new Promise<Arrivals>((resolve) =>
      reader.once('message', (told) => resolve(told as Arrivals)),
    )
    const counted = [...crossedMs].slice(WARM_MS / WINDOW_MS)
    return {
      eventsPerSecond: Math.round((appended / tookMs) * 1000),
      reader: spreadOf(delays(counted, new Map(arrivals))),
      delta: spreadOf(delays(counted, visible)),
    }
  } finally {
    await db.close()
    await log.close()
    rmSync(directory, { recursive: true })
  }
}

/** Appends events of the present moment; for each window, when the append was called that had the first row beyond it. */
async function produce(
  log: ReturnType<typeof openLog>,
  forMs: number,
  rate: number,
): Promise<{ crossedMs: Map<number, number>; appended: number; tookMs: number }> {
  const crossedMs = new Map<number, number>()
  const startMs = machineMs()
  let appended = 0
  let last = Math.floor(Date.now() / WINDOW_MS)
  let failure: unknown
  while (machineMs() - startMs < forMs && failure === undefined) {
    const due = Math.floor(((machineMs() - startMs) / 1000) * rate) - appended
    const nowMs = Date.now()
    const time = new Date(nowMs).toISOString()
    const records = Array.from({ length: due }, (_, at) => ({
      value: Buffer.from(`{"k":${(appended + at) % KEYS},"t":"${time}"}`),
    }))
    // A window fires when the watermark reaches its end less 1 ms.
    const window = Math.floor((nowMs + 1) / WINDOW_MS)
    const calledMs = machineMs()
    if (due > 0) {
      for (; last < window; last++) crossedMs.set(last * WINDOW_MS, calledMs)
      appended += due
      log.append('events', 0, records).catch((error: unknown) => {
        failure = error
      })
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
  if (failure !== undefined) throw failure
  return { crossedMs, appended, tookMs: machineMs() - startMs }
}

/** Looks for new versions of a Delta table; windows by their start, with the time at which the version was seen that has them. */
function watchVersions(table: string): { stop(): Map<number, number> } {
  const visible = new Map<number, number>()
  let seen = -1
  let shown = Number.NEGATIVE_INFINITY
  const look = (): void => {
    const names = readdirSync(join(table, '_delta_log')).filter((name) => VERSION.test(name))
    const atMs = machineMs()
    for (const name of names.sort()) {
      const version = Number(VERSION.exec(name)![1])
      if (version <= seen) continue
      seen = version
      const lastMs = lastWindowMs(readFileSync(join(table, '_delta_log', name), 'utf8'))
      if (lastMs === undefined) continue
      if (shown === Number.NEGATIVE_INFINITY) shown = lastMs - WINDOW_MS
      for (shown += WINDOW_MS; shown <= lastMs; shown += WINDOW_MS) visible.set(shown, atMs)
      shown = lastMs
    }
  }
  const timer = setInterval(look, 5)
  return {
    stop() {
      clearInterval(timer)
      return visible
    },
  }
}

/** The greatest window_start among the files that a version adds, by their statistics. */
function lastWindowMs(version: string): number | undefined {
  let last: number | undefined
  for (const line of version.trim().split('\n')) {
    const { add } = JSON.parse(line) as { add?: { stats?: string } }
    if (add?.stats === undefined) continue
    const { maxValues } = JSON.parse(add.stats) as { maxValues: { window_start: string } }
    const text = maxValues.window_start
    const ms = Date.parse(text.endsWith('Z') ? text : `${text}Z`)
    last = Math.max(last ?? ms, ms)
  }
  return last
}

function delays(
  crossed: readonly (readonly [number, number])[],
  arrived: ReadonlyMap<number, number>,
): number[] {
  return crossed.flatMap(([startMs, calledMs]) => {
    const atMs = arrived.get(startMs)
    return atMs === undefined ? [] : [atMs - calledMs]
  })
}

function spreadOf(all: readonly number[]): Spread {
  const sorted = all.toSorted((left, right) => left - right)
  const at = (share: number): number =>
    Number(
      (
        sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN
      ).toFixed(1),
    )
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** The other process. */
async function read(dataDirectory: string): Promise<void> {
  const stopping = new AbortController()
  process.on('message', () => stopping.abort())
  const db = await open({ data: dataDirectory, tables: TABLES })
  const rows = new Map<number, number>()
  const arrivals = new Map<number, number>()
  process.send!('ready')
  for await (const { row } of db.changes(QUERY, { signal: stopping.signal })) {
    const startMs = Date.parse(`${String(row.window_start).replace(' ', 'T')}Z`)
    const have = (rows.get(startMs) ?? 0) + 1
    rows.set(startMs, have)
    if (have === KEYS) arrivals.set(startMs, machineMs())
  }
  process.send!([...arrivals])
  process.disconnect()
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '30' },
      rate: { type: 'string', default: '100000' },
      fsync: { type: 'string', default: 'batch' },
      json: { type: 'string' },
    },
  })
  const { fsync } = values
  if (fsync !== 'batch' && fsync !== 'interval' && fsync !== 'os')
    throw new Error(`--fsync is batch, interval or os, not ${fsync}`)
  const options = { seconds: Number(values.seconds), rate: Number(values.rate), fsync } as const
  const latency = await measureLatency(options)
  console.log(`${latency.eventsPerSecond} events/s, fsync ${fsync}`)
  for (const name of ['reader', 'delta'] as const) {
    const { count, p50, p99, max } = latency[name]
    console.log(`${name.padEnd(8)} ${count} windows: p50 ${p50} ms, p99 ${p99} ms, max ${max} ms`)
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(latency, null, 2)}\n`)
}

if (import.meta.main) {
  if (process.argv[2] === 'read') await read(process.argv[3]!)
  else await main()
}
