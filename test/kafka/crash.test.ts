/** Kafka to Kafka exactly once, through kills of the pipeline at every step, time-outs of its transactions, and a copy of it that goes on elsewhere. */
import assert from 'node:assert/strict'
import { cpSync, lstatSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startKafka } from '../../scripts/engines/kafka.ts'
import { fetchPeers, startPeer } from '../interop/delta-peers.ts'
import { administer, consumeWithJava, fetchLibrdkafka, uniqueTopic } from './broker.ts'
import { feed, finish, type Setting, setting, written } from './crash-setting.ts'
import { runToEnd, temporaryDirectory } from './pipelines.ts'
import { kill, killAll, launch } from './processes.ts'

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
  fetchPeers()
  await startKafka()
})

after(killAll)

for (const workers of [1, 2])
  test(
    `killed once at every step of a checkpoint, each row is there once, ${workers} workers`,
    {
      timeout: 300_000,
    },
    () => killedAtEveryStep(workers),
  )

async function killedAtEveryStep(workers: number): Promise<void> {
  const set = await setting('SELECT n FROM i', 'n BIGINT', { workers })
  let fed = 0
  for (const step of STEPS) {
    fed = await feed(set, fed, fed + 500)
    const life = launch(set.directory, set.sql, { killAt: `${step}:2`, workers })
    // A second checkpoint needs rows that the first has not.
    await life.line(/running/)
    await sleep(300)
    fed = await feed(set, fed, fed + 500)
    assert.equal(await life.ended, undefined, `${step}: ${life.lines.join('\n')}`)
  }
  const restored = launch(set.directory, set.sql, { killAt: 'restore-commit', workers })
  assert.equal(await restored.ended, undefined)
  await finish(set)
  const found = (await written(set)).map(({ n }) => n!).sort((a, b) => a - b)
  assert.deepEqual(
    found,
    Array.from({ length: fed }, (_, n) => n),
  )
}

test('down for longer than the time-out of its transaction, a pipeline goes back a checkpoint: Kafka and Delta have each row once', {
  timeout: 120_000,
}, async () => {
  const set = await setting('SELECT n FROM i', 'n BIGINT', {
    options: { 'properties.transaction.timeout.ms': '2000' },
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
  assert.deepEqual(readByJava(set, 1000), expected)
  const peer = startPeer('delta-rs')
  const inLake = (await peer.read(lake, ['n'])).map(([n]) => Number(n))
  peer.close()
  assert.deepEqual(
    inLake.sort((x, y) => x - y),
    expected,
  )
})

test('without the topic of its markers a pipeline that was killed between commit and confirmation stops by name, and writes nothing again', {
  timeout: 60_000,
}, async () => {
  const markers = uniqueTopic('markers')
  const set = await setting('SELECT n FROM i', 'n BIGINT', {
    options: { 'sink.checkpoint-topic': markers },
  })
  await feed(set, 0, 500)
  const life = launch(set.directory, set.sql, { killAt: 'checkpoint-committed:2' })
  await life.line(/"rows":500/)
  await feed(set, 500, 1000)
  assert.equal(await life.ended, undefined, life.lines.join('\n'))
  const before = await written(set)
  assert.ok(before.length > 0)
  await administer((admin) => admin.deleteTopics({ topics: [markers] }))
  const request = { sql: set.sql, directory: join(set.directory, 'data') }
  await assert.rejects(runToEnd(request), {
    code: 'COMMIT_REFUSED',
    message: /what became of the transaction of millrace-.* can't be known/,
  })
  assert.deepEqual(await written(set), before)
})

for (const workers of [1, 2])
  test(
    `a pipeline that slept while a copy of it went on elsewhere writes nothing more when it wakes, ${workers} workers`,
    {
      timeout: 120_000,
    },
    () => zombie(workers),
  )

async function zombie(workers: number): Promise<void> {
  const set = await setting('SELECT n FROM i', 'n BIGINT', { workers })
  await feed(set, 0, 500)
  const sleeper = launch(set.directory, set.sql, { workers })
  await sleeper.line(/"rows":500/)
  sleeper.child.kill('SIGSTOP')
  const elsewhere = temporaryDirectory()
  cpSync(join(set.directory, 'data'), join(elsewhere, 'data'), { recursive: true, filter: isFile })
  await feed(set, 500, 1000)
  const copy = { ...set, directory: elsewhere }
  const other = launch(elsewhere, set.sql, { workers })
  await other.line(/"rows":[1-9].*"incarnation":2/)
  sleeper.child.kill('SIGCONT')
  await feed(set, 1000, 1500)
  assert.equal(await sleeper.ended, 1, sleeper.lines.join('\n'))
  assert.match(sleeper.lines.at(-1) ?? '', /RESTORE_BEHIND/)
  await kill(other)
  await finish(copy)
  assert.deepEqual(
    readByJava(set, 1500),
    Array.from({ length: 1500 }, (_, n) => n),
  )
}

/** One more than there must be is asked for: a duplicate would show. */
function readByJava({ sink }: Setting, count: number): number[] {
  const found = consumeWithJava(sink, count + 1).map((line): number => JSON.parse(line).n)
  return found.sort((x, y) => x - y)
}

function isFile(path: string): boolean {
  return !lstatSync(path).isSocket()
}
