/**
 * How long a killed pipeline takes to be back: `npm run bench:recovery -- [--keys 1000000] [--rate 100000] [--rounds 5] [--json FILE]`.
 *
 * A process counts events by key, `keys` of them, in a window that stays open, into a Delta table, with a checkpoint a second, while it
 * appends `rate` events a second. It is killed (SIGKILL) at a random moment. Measured is the next process: from its start (Node's
 * own included) until it has restored its state, committed what was prepared and read all that the log holds.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Millrace, open, type Run } from '../src/index.ts'
import { openLog } from '../src/log/log.ts'
import { partitionRange } from '../src/log/lookup.ts'
import { nodePorts } from '../src/ports/node/ports.ts'

const TICK_MS = 10
const FILL_RECORDS = 10_000
/** The kill comes within so long after the state is whole and saved. */
const KILL_WITHIN_MS = 2000
const FIRST_MS = Date.UTC(2026, 0, 1)
const PIPELINE = `SET 'execution.checkpointing.interval' = '1 s'; SET 'pipeline.name' = 'counts';
  INSERT INTO counts SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(t), INTERVAL '1000' DAY))
  GROUP BY k, window_start, window_end`

export interface Recovery {
  readonly keys: number
  /** Milliseconds, medians over the rounds: until Node and the engine are loaded; until state is restored; until all is read. */
  readonly loadedMs: number
  readonly restoredMs: number
  readonly caughtUpMs: number
  readonly caughtUpMsMax: number
  /** Events that were left to be read when the state was back. */
  readonly replayed: number
}

interface Life {
  readonly directory: string
  readonly keys: number
  readonly rate: number
  /** `machineMs` when it was started. */
  readonly bornMs: number
}

type Told =
  | { readonly kind: 'saved' }
  | {
      readonly kind: 'caught-up'
      readonly loadedMs: number
      readonly restoredMs: number
      readonly caughtUpMs: number
      readonly replayed: number
    }

/** ms of a clock that all processes of the machine share. */
function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export async function measureRecovery(
  keys: number,
  rate: number,
  rounds: number,
): Promise<Recovery> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-recovery-'))
  const all: Extract<Told, { kind: 'caught-up' }>[] = []
  try {
    for (let round = 0; round <= rounds; round++) {
      const child = born({ directory, keys, rate, bornMs: machineMs() })
      const told = await heard(child, round === 0 ? 'saved' : 'caught-up')
      if (told.kind === 'caught-up') {
        all.push(told)
        await heard(child, 'saved')
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * KILL_WITHIN_MS))
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
    }
    await check(directory, keys)
  } finally {
    rmSync(directory, { recursive: true })
  }
  return {
    keys,
    loadedMs: median(all.map(({ loadedMs }) => loadedMs)),
    restoredMs: median(all.map(({ restoredMs }) => restoredMs)),
    caughtUpMs: median(all.map(({ caughtUpMs }) => caughtUpMs)),
    caughtUpMsMax: Math.round(Math.max(...all.map(({ caughtUpMs }) => caughtUpMs))),
    replayed: median(all.map(({ replayed }) => replayed)),
  }
}

function born(life: Life): ChildProcess {
  return fork(import.meta.filename, ['live', JSON.stringify(life)], { stdio: 'inherit' })
}

function heard<Kind extends Told['kind']>(child: ChildProcess, kind: Kind): Promise<Told> {
  return new Promise((resolve, reject) => {
    child.on('message', (told) => {
      if ((told as Told).kind === kind) resolve(told as Told)
    })
    child.once('exit', (code) => reject(new Error(`the pipeline's process ended with ${code}`)))
  })
}

/** The process that is killed. Its first life fills the log and the state; each later one says how it came back. */
async function live({ directory, keys, rate, bornMs }: Life): Promise<void> {
  const loadedMs = machineMs() - bornMs
  const dataDirectory = join(directory, 'data')
  const log = openLog({ ports: nodePorts(), dataDirectory })
  const isFirst = log.topic('events') === undefined
  if (isFirst) await fill(log, keys)
  const db = await opened(directory)
  let restored = false
  const run = await db.run(PIPELINE, {
    onEvent({ kind }) {
      restored ||= kind === 'restored'
    },
  })
  const restoredMs = machineMs() - bornMs
  if (!isFirst) {
    if (!restored) throw new Error('nothing was restored')
    const { endOffset } = partitionRange(nodePorts(), dataDirectory, 'events', 0)
    const from = readTo(run)
    while (readTo(run) < endOffset) await new Promise((resolve) => setTimeout(resolve, 1))
    const caughtUpMs = machineMs() - bornMs
    const told: Told = {
      kind: 'caught-up',
      loadedMs,
      restoredMs,
      caughtUpMs,
      replayed: endOffset - from,
    }
    process.send!(told)
  }
  await appendForEver(log, keys, rate, run)
}

function opened(directory: string): Promise<Millrace> {
  return open({
    data: join(directory, 'data'),
    directory,
    tables: `CREATE TABLE events (k BIGINT, t TIMESTAMP_LTZ(3), WATERMARK FOR t AS t)
        WITH ('connector' = 'log', 'topic' = 'events', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');
      CREATE TABLE counts (k BIGINT, events BIGINT) WITH ('connector' = 'delta', 'table-path' = 'lake');`,
  })
}

/** Ends the pipeline and holds the table against the log: each event once. */
async function check(directory: string, keys: number): Promise<void> {
  const db = await opened(directory)
  const outcome = await (await db.run(PIPELINE, { until: 'end' })).finished
  if (outcome.kind === 'failed') throw outcome.error
  const { endOffset } = partitionRange(nodePorts(), join(directory, 'data'), 'events', 0)
  const [row] = await db.query('SELECT COUNT(*) AS k, SUM(events) AS n FROM counts').rows()
  await db.close()
  if (Number(row?.k) !== keys || Number(row?.n) !== endOffset)
    throw new Error(`${row?.k} keys and ${row?.n} events, not ${keys} and ${endOffset}`)
}

function readTo(run: Run): number {
  return Number(run.status().sources[0]?.splits[0]?.position ?? 0)
}

async function fill(log: ReturnType<typeof openLog>, keys: number): Promise<void> {
  await log.createTopic('events')
  for (let key = 0; key < keys; key += FILL_RECORDS) {
    const count = Math.min(FILL_RECORDS, keys - key)
    await log.append(
      'events',
      0,
      Array.from({ length: count }, (_, at) => event(key + at)),
    )
  }
}

function event(key: number): { value: Buffer } {
  return { value: Buffer.from(`{"k":${key},"t":"${new Date(FIRST_MS).toISOString()}"}`) }
}

/** Says once that a checkpoint holds all keys. */
async function appendForEver(
  log: ReturnType<typeof openLog>,
  keys: number,
  rate: number,
  run: Run,
): Promise<void> {
  let isSaved = false
  /** Of the last checkpoint when all keys had been read; the next may have been cut before. */
  let counter: number | undefined
  const startMs = machineMs()
  for (let appended = 0; ; ) {
    const due = Math.floor(((machineMs() - startMs) / 1000) * rate) - appended
    const records = Array.from({ length: due }, (_, at) => event((appended + at) % keys))
    appended += due
    if (due > 0) await log.append('events', 0, records)
    const { last } = run.status().checkpoint
    if (last !== undefined && readTo(run) >= keys) counter ??= last.counter
    if (!isSaved && counter !== undefined && last!.counter > counter + 1) {
      isSaved = true
      const told: Told = { kind: 'saved' }
      process.send!(told)
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS))
  }
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((left, right) => left - right)[values.length >> 1]!)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      keys: { type: 'string', default: '1000000' },
      rate: { type: 'string', default: '100000' },
      rounds: { type: 'string', default: '5' },
      json: { type: 'string' },
    },
  })
  const { keys, rate, rounds } = values
  const recovery = await measureRecovery(Number(keys), Number(rate), Number(rounds))
  for (const [name, value] of Object.entries(recovery)) console.log(`${name.padEnd(16)} ${value}`)
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify(recovery, null, 2)}\n`)
}

if (import.meta.main) {
  if (process.argv[2] === 'live') await live(JSON.parse(process.argv[3]!) as Life)
  else await main()
}
