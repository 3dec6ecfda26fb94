/** Whole pipelines on a simulated machine that dies at every step of their protocols: what comes out is there once, all of it. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { readDeltaIndependently } from '../../src/cli/demo/independent-reader.ts'
import { inspectPartition } from '../../src/log/inspect.ts'
import { openLog } from '../../src/log/log.ts'
import { localObjects } from '../../src/ports/node/objects.ts'
import type { Ports } from '../../src/ports/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import type { Outcome } from '../../src/run/handle.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { SimulatedCrash, type SimulatedPorts, simulatedPorts } from './ports.ts'

const FIRST_SEED = Number(process.env.MILLRACE_SEED ?? 1)
const SEEDS = Number(process.env.MILLRACE_SEEDS ?? 1)
const DATA = '/data'
const PARTITIONS = 4
const EVENTS = 160
const WINDOW_MS = 10_000
const START_MS = 1_699_999_000_000

const SQL = `
SET 'pipeline.name' = 'p';
SET 'execution.checkpointing.interval' = '3 ms';
CREATE TABLE clicks (k STRING, n BIGINT, at_time TIMESTAMP_LTZ(3), WATERMARK FOR at_time AS at_time - INTERVAL '2' SECOND)
  WITH ('connector' = 'log', 'topic' = 'clicks', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');
CREATE TABLE sums (k STRING, window_start TIMESTAMP(3), events BIGINT, total BIGINT)
  WITH ('connector' = 'delta', 'table-path' = '/lake/sums');
INSERT INTO sums SELECT k, window_start, COUNT(*), SUM(n)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at_time), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
`

test('however a pipeline dies, at whatever step, its table and its side topics hold every event once', async () => {
  const points = await stepsPassed()
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    for (const kind of ['kill', 'power'] as const) {
      for (const point of points) await throughCrashes(seed, point, kind)
    }
  }
})

async function stepsPassed(): Promise<string[]> {
  const ports = simulatedPorts(FIRST_SEED)
  await produce(ports, 0, EVENTS)
  const before = new Map(ports.passed)
  assert.deepEqual(await live(ports, 'now'), { kind: 'finished', because: 'now' })
  assert.deepEqual(await live(ports, 'end'), { kind: 'finished', because: 'end' })
  await holdsAllOnce(ports, 'without a crash')
  assert.ok(ports.passed.size >= 40, [...ports.passed.keys()].join())
  return [...ports.passed.keys()].filter((name) => ports.passed.get(name) !== before.get(name))
}

async function throughCrashes(seed: number, point: string, kind: 'kill' | 'power'): Promise<void> {
  const ports = simulatedPorts(seed)
  const where = `MILLRACE_SEED=${seed}: ${kind} at ${point}`
  try {
    let produced = 0
    for (const nth of [1, 2, 4]) {
      await produce(ports, produced, produced + EVENTS / 4)
      produced += EVENTS / 4
      ports.crashAt(point, nth, kind)
      const outcome = await live(ports, 'now')
      ports.disarm()
      if (outcome !== 'crashed') assert.deepEqual(outcome, { kind: 'finished', because: 'now' })
    }
    await produce(ports, produced, EVENTS)
    ports.crashAt(point, 1 + ports.random.below(3), kind)
    let outcome = await live(ports, 'end')
    ports.disarm()
    if (outcome === 'crashed') outcome = await live(ports, 'end')
    const hasEnded =
      outcome !== 'crashed' &&
      (outcome.kind === 'finished' ||
        (outcome.kind === 'failed' && outcome.error.code === 'PIPELINE_ENDED'))
    assert.ok(hasEnded, JSON.stringify(outcome))
    await holdsAllOnce(ports, where)
  } catch (error) {
    throw new Error(where, { cause: error })
  }
}

interface Click {
  readonly k: string
  readonly n: number
  readonly atMs: number
}

/** A row a second or so, every 20th of them a minute too late, every 33rd no JSON. */
function clickOf(n: number): Click | undefined {
  if (n % 33 === 32) return undefined
  const disorderMs = (n * 7919) % 1500
  const atMs = START_MS + n * 900 - disorderMs - (isLate(n) ? 60_000 : 0)
  return { k: `k${n % 3}`, n, atMs }
}

function isLate(n: number): boolean {
  return n % 20 === 19 && n > 100
}

async function produce(ports: SimulatedPorts, from: number, to: number): Promise<void> {
  const log = openLog({ ports, dataDirectory: DATA })
  await log.recover()
  if (log.topic('clicks') === undefined) {
    await log.createTopic('clicks', { partitions: PARTITIONS })
  }
  for (let n = from; n < to; n++) {
    const click = clickOf(n)
    const text =
      click === undefined
        ? `{oops ${n}`
        : JSON.stringify({ k: click.k, n, at_time: new Date(click.atMs).toISOString() })
    await log.append('clicks', n % PARTITIONS, [{ value: new TextEncoder().encode(text) }])
  }
  await log.close()
}

/** One process: it is over when the run is, or when it crashed, and from then on touches nothing. */
async function live(ports: SimulatedPorts, until: 'now' | 'end'): Promise<Outcome | 'crashed'> {
  const process = mortal(ports)
  const { pipeline } = bindText(SQL, 'p', CONNECTORS)
  assert.ok(pipeline !== undefined)
  let outcome: Outcome | undefined
  let failure: unknown
  startPipeline({
    pipeline,
    connectors: CONNECTORS,
    ports: process.ports,
    dataDirectory: DATA,
    baseDirectory: '/',
    until,
  })
    .then(async (run) => {
      outcome = await run.finished
    })
    .catch((error: unknown) => {
      failure = error
    })
  while (outcome === undefined && failure === undefined && !process.isDead()) {
    await ports.clock.advance(1)
  }
  if (process.isDead()) return 'crashed'
  process.end()
  if (isEnded(failure)) return { kind: 'finished', because: 'end' }
  if (failure !== undefined) throw failure
  return outcome!
}

function isEnded(failure: unknown): boolean {
  return failure instanceof Error && 'code' in failure && failure.code === 'PIPELINE_ENDED'
}

/** Ports of one process: after its death every call fails, and nothing that it waits for comes. */
function mortal(ports: SimulatedPorts): { ports: Ports; isDead(): boolean; end(): void } {
  let dead = false
  let ended = false
  const check = (): void => {
    if (dead || ended) throw new SimulatedCrash('this process is dead')
  }
  const files = new Proxy(ports.files, {
    get(target, name) {
      check()
      return Reflect.get(target, name)
    },
  })
  const { clock } = ports
  return {
    isDead: () => dead,
    end() {
      ended = true
    },
    ports: {
      ...ports,
      files,
      objects: (url) => localObjects(files, ports.random, url),
      clock: {
        ...clock,
        sleep: (ms, signal) => (dead ? new Promise(() => {}) : clock.sleep(ms, signal)),
      },
      faultPoint(name) {
        check()
        try {
          ports.faultPoint(name)
        } catch (crash) {
          dead = true
          throw crash
        }
      },
    },
  }
}

async function holdsAllOnce(ports: SimulatedPorts, where: string): Promise<void> {
  const late = sideRows(ports, 'sums.late').map((text) => Number(/\bn\D{1,6}(\d+)/.exec(text)?.[1]))
  assert.equal(new Set(late).size, late.length, `${where}: late twice: ${late.join()}`)
  assert.ok(late.length > 0 && late.every(isLate), `${where}: late: ${late.join()}`)
  const expected = new Map<string, { events: number; total: number }>()
  const dead: number[] = []
  for (let n = 0; n < EVENTS; n++) {
    const click = clickOf(n)
    if (click === undefined) dead.push(n)
    if (click === undefined || late.includes(n)) continue
    const startMs = click.atMs - (click.atMs % WINDOW_MS)
    const key = `${click.k} ${startMs}`
    const { events, total } = expected.get(key) ?? { events: 0, total: 0 }
    expected.set(key, { events: events + 1, total: total + n })
  }
  assert.equal(sideRows(ports, 'sums.dead').length, dead.length, `${where}: dead rows`)
  const found = await tableRows(ports)
  const wanted = [...expected].map(([key, { events, total }]) => `${key} ${events} ${total}`)
  assert.deepEqual(found.sort(), wanted.sort(), where)
}

function sideRows(ports: SimulatedPorts, topic: string): string[] {
  if (!ports.files.exists(`${DATA}/log/${topic}-0`)) return []
  return inspectPartition(ports, DATA, topic, 0, { withRecords: true }).flatMap((batch) =>
    batch.records!.map(({ value }) => new TextDecoder().decode(value!)),
  )
}

/** Written out to a real disk for a reader that knows nothing of ports. */
async function tableRows(ports: SimulatedPorts): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-table-'))
  copyOut(ports, '/lake/sums', directory)
  const rows: string[] = []
  for await (const row of readDeltaIndependently(directory)) {
    const start = row.window_start
    const startMs = start instanceof Date ? start.getTime() : Date.parse(`${start}`)
    rows.push(`${row.k} ${startMs} ${row.events} ${row.total}`)
  }
  rmSync(directory, { recursive: true })
  return rows
}

function copyOut(ports: SimulatedPorts, from: string, to: string): void {
  for (const name of ports.files.list(from)) {
    const path = `${from}/${name}`
    if (ports.files.stat(path)!.isDirectory) {
      copyOut(ports, path, join(to, name))
      continue
    }
    mkdirSync(dirname(join(to, name)), { recursive: true })
    writeFileSync(join(to, name), ports.files.contents(path))
  }
}
