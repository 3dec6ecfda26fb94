/** Several worker threads over Kafka: splits are dealt to them, each writes what it has. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { startKafka } from '../../scripts/engines/kafka.ts'
import {
  consumeWithLibrdkafka,
  createTopic,
  fetchLibrdkafka,
  produceWithLibrdkafka,
  uniqueTopic,
} from './broker.ts'
import { temporaryDirectory } from './pipelines.ts'
import { table } from './queries.ts'

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

async function run(options: Readonly<Record<string, string>>) {
  const source = await createTopic(uniqueTopic('in'), 4)
  const sink = await createTopic(uniqueTopic('out'), 2)
  await produceWithLibrdkafka({
    topic: source,
    records: Array.from({ length: 4000 }, (_, n) => ({
      value: JSON.stringify({ n }),
      partition: n % 4,
      timestampMs: 1_700_000_000_000 + n * 10,
    })),
  })
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'pipelines'))
  const columns = "n BIGINT, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', WATERMARK FOR ts AS ts"
  const sql = `SET 'pipeline.name' = '${sink}';
    ${table('i', columns, source)} ${table('o', 'digit BIGINT, c BIGINT, s BIGINT', sink, options)}
    INSERT INTO o SELECT MOD(n, 10), COUNT(*), SUM(n) FROM TABLE(TUMBLE(TABLE i, DESCRIPTOR(ts), INTERVAL '10' SECOND))
    GROUP BY MOD(n, 10), window_start, window_end;`
  writeFileSync(join(directory, 'pipelines/sums.sql'), sql)
  const args = [MAIN, 'run', '--until', 'end', '--workers', '2']
  const ran = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
  return { ran, sink }
}

for (const guarantee of ['at-least-once', 'exactly-once'])
  test(`two worker threads read four partitions and write what one would, ${guarantee}`, async () => {
    const { ran, sink } = await run({ 'sink.delivery-guarantee': guarantee })
    assert.equal(ran.status, 0, ran.stderr)
    const found = (await consumeWithLibrdkafka(sink)).map(({ value }) => JSON.parse(value ?? ''))
    const total = (name: string) => found.reduce((sum, row) => sum + row[name], 0)
    assert.deepEqual([found.length, total('c'), total('s')], [40, 4000, 7_998_000])
  })
