/** Kafka to Kafka exactly once, through kills of the pipeline at every step; KILLS=30 kills at random so often. */
import assert from 'node:assert/strict'
import { cpSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startKafka } from '../../scripts/engines/kafka.ts'
import { readDeltaIndependently } from '../../src/cli/demo/independent-reader.ts'
import {
  consumeWithLibrdkafka,
  createTopic,
  fetchLibrdkafka,
  produceWithLibrdkafka,
  uniqueTopic,
} from './broker.ts'
import { temporaryDirectory } from './pipelines.ts'
import { kill, killAll, launch } from './processes.ts'
import { table } from './queries.ts'

const KILLS = Number(process.env.KILLS ?? 6)
const STEPS = [
  'checkpoint-prepare',
  'kafka.transaction.marker',
  'kafka.transaction.prepared',
  'checkpoint-prepared',
  'checkpoint-durable',
  'checkpoint-committed',
  'checkpoint-confirmed',
]

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

after(killAll)

interface Setting {
  readonly directory: string
  readonly source: string
  readonly sink: string
  readonly sql: string
}

async function setting(
  select: string,
  columns: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Setting> {
  const source = await createTopic(uniqueTopic('in'), 2)
  const sink = await createTopic(uniqueTopic('out'), 2)
  const exact = { 'sink.delivery-guarantee': 'exactly-once', ...more }
  const sql = `SET 'pipeline.name' = '${sink}'; SET 'execution.checkpointing.interval' = '100 ms';
    ${table('i', "n BIGINT, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', WATERMARK FOR ts AS ts", source)}
    ${table('o', columns, sink, exact)}
    INSERT INTO o ${select};`
  return { directory: temporaryDirectory(), source, sink, sql }
}

/** Numbers one behind the other, a second apart, to both partitions alike. */
async function feed({ source }: Setting, from: number, to: number): Promise<number> {
  const records = Array.from({ length: to - from }, (_, at) => ({
    value: JSON.stringify({ n: from + at }),
    partition: (from + at) % 2,
    timestampMs: 1_700_000_000_000 + (from + at) * 1000,
  }))
  await produceWithLibrdkafka({ topic: source, records })
  return to
}

async function finish({ directory, sql }: Setting): Promise<void> {
  const last = launch(directory, sql, { end: true })
  assert.equal(await last.ended, 0, last.lines.join('\n'))
}

async function written({ sink }: Setting): Promise<Record<string, number>[]> {
  return (await consumeWithLibrdkafka(sink)).map(({ value }) => JSON.parse(value ?? ''))
}

test('killed once at every step of a checkpoint, each row is there once', {
  timeout: 300_000,
}, async () => {
  const set = await setting('SELECT n FROM i', 'n BIGINT')
  let fed = 0
  for (const step of STEPS) {
    fed = await feed(set, fed, fed + 500)
    const life = launch(set.directory, set.sql, { killAt: `${step}:2` })
    // A second checkpoint needs rows that the first has not.
    await life.line(/running/)
    await sleep(300)
    fed = await feed(set, fed, fed + 500)
    assert.equal(await life.ended, undefined, `${step}: ${life.lines.join('\n')}`)
  }
  const restored = launch(set.directory, set.sql, { killAt: 'restore-commit' })
  assert.equal(await restored.ended, undefined)
  await finish(set)
  const found = (await written(set)).map(({ n }) => n!).sort((a, b) => a - b)
  assert.deepEqual(
    found,
    Array.from({ length: fed }, (_, n) => n),
  )
})

test(`killed ${KILLS} times at random, each window is there once and right`, {
  timeout: 1_200_000,
}, async () => {
  const columns = 'window_start TIMESTAMP(3), c BIGINT, s BIGINT'
  const select =
    "SELECT window_start, COUNT(*), SUM(n) FROM TABLE(TUMBLE(TABLE i, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end"
  const set = await setting(select, columns)
  let fed = 0
  for (let round = 0; round < KILLS; round++) {
    fed = await feed(set, fed, fed + 1000)
    const life = launch(set.directory, set.sql)
    await life.line(/running/)
    await sleep(Math.random() * 600)
    await kill(life)
  }
  await finish(set)
  const found = (await written(set)).map(({ c, s }) => `${c} ${s}`).sort()
  const expected = Array.from({ length: fed / 10 }, (_, window) => `10 ${window * 100 + 45}`).sort()
  assert.deepEqual(found, expected)
})

test('down for longer than the time-out of its transaction, a pipeline goes back a checkpoint: Kafka and Delta have each row once', {
  timeout: 120_000,
}, async () => {
  const set = await setting('SELECT n FROM i', 'n BIGINT', {
    'properties.transaction.timeout.ms': '2000',
  })
  const lake = join(set.directory, 'lake')
  const both = `${set.sql.replace(/INSERT[\s\S]*$/, '')}
    CREATE TABLE l (n BIGINT) WITH ('connector' = 'delta', 'table-path' = '${lake}');
    EXECUTE STATEMENT SET BEGIN INSERT INTO l SELECT n FROM i; INSERT INTO o SELECT n FROM i; END;`
  await feed(set, 0, 500)
  const first = launch(set.directory, both, { killAt: 'checkpoint-durable:3' })
  await first.line(/"rows":(500|1000)/)
  await feed(set, 500, 1000)
  assert.equal(await first.ended, undefined, first.lines.join('\n'))
  await sleep(5000)
  const second = launch(set.directory, both, { end: true })
  assert.equal(await second.ended, 0, second.lines.join('\n'))
  assert.ok(
    second.lines.some((line) => line.startsWith('rolled-back ')),
    second.lines.join('\n'),
  )
  const expected = Array.from({ length: 1000 }, (_, n) => n)
  assert.deepEqual(
    (await written(set)).map(({ n }) => n!).sort((x, y) => x - y),
    expected,
  )
  const inLake: number[] = []
  for await (const row of readDeltaIndependently(lake)) inLake.push(Number(row.n))
  assert.deepEqual(
    inLake.sort((x, y) => x - y),
    expected,
  )
})

test('a pipeline that slept while a copy of it went on elsewhere writes nothing more when it wakes', {
  timeout: 120_000,
}, async () => {
  const set = await setting('SELECT n FROM i', 'n BIGINT')
  await feed(set, 0, 500)
  const sleeper = launch(set.directory, set.sql)
  await sleeper.line(/"rows":500/)
  sleeper.child.kill('SIGSTOP')
  const elsewhere = temporaryDirectory()
  cpSync(join(set.directory, 'data'), join(elsewhere, 'data'), { recursive: true, filter: isFile })
  await feed(set, 500, 1000)
  const copy = { ...set, directory: elsewhere }
  const other = launch(elsewhere, set.sql)
  await other.line(/"rows":[1-9].*"incarnation":2/)
  sleeper.child.kill('SIGCONT')
  await feed(set, 1000, 1500)
  assert.equal(await sleeper.ended, 1, sleeper.lines.join('\n'))
  assert.match(sleeper.lines.at(-1) ?? '', /RESTORE_BEHIND/)
  await kill(other)
  await finish(copy)
  const found = (await written(set)).map(({ n }) => n!).sort((a, b) => a - b)
  assert.deepEqual(
    found,
    Array.from({ length: 1500 }, (_, n) => n),
  )
})

function isFile(path: string): boolean {
  return !lstatSync(path).isSocket()
}
