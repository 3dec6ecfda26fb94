/** Pipelines that are killed at random, KILLS=30 times each: what they wrote is read by Java with `read_committed`, and by delta-rs. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startKafka } from '../../scripts/engines/kafka.ts'
import { fetchPeers, startPeer } from '../interop/delta-peers.ts'
import { consumeWithJava, fetchLibrdkafka } from './broker.ts'
import { feed, finish, type Setting, setting } from './crash-setting.ts'
import { kill, killAll, launch } from './processes.ts'

const KILLS = Number(process.env.KILLS ?? 30)
const WINDOWS =
  "SELECT window_start, COUNT(*), SUM(n) FROM TABLE(TUMBLE(TABLE i, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end"
const COLUMNS = 'window_start TIMESTAMP(3), c BIGINT, s BIGINT'

before(async () => {
  fetchLibrdkafka()
  fetchPeers()
  await startKafka()
})

after(killAll)

/** Feeds, starts, kills; then runs to the end. @returns the windows that must be there */
async function killedAtRandom(set: Setting): Promise<string[]> {
  let fed = 0
  for (let round = 0; round < KILLS; round++) {
    fed = await feed(set, fed, fed + 1000)
    const life = launch(set.directory, set.sql, { workers: set.workers })
    await life.line(/running/)
    await sleep(Math.random() * 600)
    await kill(life)
  }
  await finish(set)
  return Array.from({ length: fed / 10 }, (_, window) => `10 ${window * 100 + 45}`).sort()
}

for (const workers of [1, 2])
  test(`killed ${KILLS} times at random, each window is once in Kafka and right, ${workers} workers`, {
    timeout: 1_200_000,
  }, async () => {
    const set = await setting(WINDOWS, COLUMNS, { workers })
    const expected = await killedAtRandom(set)
    // One more than there must be: a duplicate would show.
    const found = consumeWithJava(set.sink, expected.length + 1).map((line) => JSON.parse(line))
    assert.deepEqual(found.map(({ c, s }) => `${c} ${s}`).sort(), expected)
  })

test(`killed ${KILLS} times at random, each window is once in Delta and right`, {
  timeout: 1_200_000,
}, async () => {
  const kafka = await setting(WINDOWS, COLUMNS)
  const lake = join(kafka.directory, 'lake')
  const sql = `${kafka.sql.replace(/CREATE TABLE o[\s\S]*$/, '')}
    CREATE TABLE l (${COLUMNS}) WITH ('connector' = 'delta', 'table-path' = '${lake}'); INSERT INTO l ${WINDOWS};`
  const expected = await killedAtRandom({ ...kafka, sql })
  const peer = startPeer('delta-rs')
  const found = await peer.read(lake, ['c', 's'])
  peer.close()
  assert.deepEqual(found.map(([c, s]) => `${c} ${s}`).sort(), expected)
})
