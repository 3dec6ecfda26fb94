/** What a running pipeline measures of its watermark, held against what its windows lose. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { openLog } from '../../src/log/log.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import type { Ports } from '../../src/ports/ports.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import type { PipelineStart, RunEvent, RunHandle, RunStatus } from '../../src/run/handle.ts'
import { startPipeline } from '../../src/run/start.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { temporaryDirectory } from './directories.ts'
import { randomOf } from './lateness.ts'

const START_MS = Date.UTC(2026, 0, 5)
const PARTITIONS = 4
/** Splits are read in turn, as they are when they are read as they come. */
const SMALL = { rowsMax: 200 }

/** Events of one partition: one each 100 ms, some of them late by up to `lateMs`. */
async function fill(
  dataDirectory: string,
  from: number,
  count: number,
  lateMs: (random: number) => number,
): Promise<void> {
  const log = openLog({ ports: nodePorts(), dataDirectory })
  if (from === 0) await log.createTopic('clicks', { partitions: PARTITIONS })
  const random = randomOf(from + 1)
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const records = Array.from({ length: count }, (_, at) => {
      const t = START_MS + (from + at) * 100 - Math.round(lateMs(random()))
      const text = new Date(t).toISOString().replace('T', ' ').replace('Z', '')
      return { value: Buffer.from(JSON.stringify({ t: text })) }
    })
    await log.append('clicks', partition, records)
  }
  await log.close()
}

function startOf(
  dataDirectory: string,
  more: Partial<PipelineStart>,
  settings = '',
  delay = '2',
): PipelineStart {
  const { pipeline, errors } = bindText(
    `SET 'time.future-guard' = 'off'; ${settings}
    CREATE TABLE clicks (t TIMESTAMP(3), WATERMARK FOR t AS t - INTERVAL '${delay}' SECOND)
      WITH ('connector' = 'log', 'topic' = 'clicks', 'format' = 'json');
    CREATE TABLE counts (w TIMESTAMP(3), c BIGINT) WITH ('connector' = 'blackhole');
    INSERT INTO counts SELECT window_start, COUNT(*)
    FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(t), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;`,
    'clicks',
    CONNECTORS,
  )
  assert.deepEqual(errors, [])
  const place = { dataDirectory, baseDirectory: dataDirectory }
  const start = { pipeline: pipeline!, connectors: CONNECTORS, ports: nodePorts(), ...place }
  return { ...start, ...more }
}

async function ran(start: PipelineStart): Promise<RunStatus> {
  const run: RunHandle = await startPipeline(start)
  const outcome = await run.finished
  if (outcome.kind === 'failed') throw outcome.error
  return run.status()
}

const sometimesLate = (random: number): number =>
  random < 0.1 ? 40_000 * random * 10 : 500 * random

test('what is measured lost is what the windows lose, and checkpoints keep it', async (context) => {
  const directory = temporaryDirectory(context)
  await fill(directory, 0, 3000, sometimesLate)
  const first = await ran(startOf(directory, { until: 'now', interleaving: SMALL }))
  const [source] = first.sources
  assert.equal(source!.lateness!.events, 3000 * PARTITIONS)
  assert.ok(source!.lateness!.lost > 0)
  assert.equal(source!.lateness!.lost, first.windows[0]!.late)
  assert.equal(source!.lateness!.windowUs, 10_000_000)
  await fill(directory, 3000, 1000, sometimesLate)
  const second = await ran(startOf(directory, { until: 'now', workers: 2, interleaving: SMALL }))
  const { events, lost } = second.sources[0]!.lateness!
  assert.equal(events, 4000 * PARTITIONS)
  assert.ok(lost > source!.lateness!.lost)
  for (const { lateness } of second.sources[0]!.splits) {
    assert.equal(lateness!.events, 4000)
    const delays = lateness!.delays.map(({ delayUs }) => delayUs)
    assert.deepEqual(
      delays,
      [...delays].sort((left, right) => left - right),
    )
    assert.ok(delays.at(-1)! > 10_000_000 && delays.at(-1)! < 40_000_000)
  }
  const other = await ran(startOf(directory, { until: 'now' }, '', '3'))
  assert.equal(other.sources[0]!.lateness!.events, 0)
})

test('workers in threads measure every event, against a watermark that is never ahead of all of theirs', async (context) => {
  const directory = temporaryDirectory(context)
  await fill(directory, 0, 9000, sometimesLate)
  const { sources, windows } = await ran(
    startOf(directory, { until: 'now', workers: 2, threads: true }),
  )
  const { events, lost } = sources[0]!.lateness!
  assert.equal(events, 9000 * PARTITIONS)
  assert.ok(lost <= windows[0]!.late, `${lost} measured, ${windows[0]!.late} late`)
})

/** Half a second passes whenever it is asked for the time. */
function hurried(): Ports {
  const ports = nodePorts()
  let ms = 0
  return { ...ports, clock: { ...ports.clock, monotonicMs: () => (ms += 500) } }
}

async function told(
  context: TestContext,
  settings: string,
  lates: readonly ((random: number) => number)[],
): Promise<readonly RunEvent[]> {
  const directory = temporaryDirectory(context)
  for (const [number, late] of lates.entries()) await fill(directory, number * 6000, 6000, late)
  const events: RunEvent[] = []
  const start = startOf(
    directory,
    {
      until: 'now',
      ports: hurried(),
      interleaving: SMALL,
      onEvent: (event) => events.push(event),
    },
    settings,
  )
  const status = await ran(start)
  assert.ok(status.sources[0]!.lateness!.recent !== undefined)
  return events.filter(({ kind }) => kind.startsWith('watermark-'))
}

const onTime = (random: number): number => 1000 * random
const late = (random: number): number => (random < 0.2 ? 30_000 : 1000 * random)

test('a delay that was right and is no longer is told once, with the delay that would keep the promise', async (context) => {
  const events = await told(context, "SET 'time.complete' = '99 %';", [onTime, late])
  assert.equal(events.length, 1, JSON.stringify(events))
  const [event] = events
  assert.ok(event?.kind === 'watermark-drifted')
  assert.equal(event.table, 'clicks')
  assert.equal(event.promised, 0.99)
  assert.ok(event.high < 0.99 && event.kept <= event.high)
  assert.equal(event.delayUs, 2_000_000)
  assert.ok(event.keepingUs >= 20_000_000 && event.keepingUs <= 31_000_000, event.keeping)
})

test('where nothing is promised, what the delay kept at first is', async (context) => {
  assert.deepEqual(await told(context, '', [onTime, onTime, onTime]), [])
  const events = await told(context, '', [onTime, onTime, late, onTime, onTime])
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['watermark-drifted', 'watermark-recovered'],
  )
})

test('a promise that is no share is refused', async (context) => {
  const start = startOf(temporaryDirectory(context), {}, "SET 'time.complete' = '100 %';")
  await assert.rejects(startPipeline(start), { code: 'SETTING_INVALID' })
})
