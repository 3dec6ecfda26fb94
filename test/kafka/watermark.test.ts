/** Lateness measured over a real topic, and a pipeline over it that keeps what was promised. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { KAFKA, startKafka } from '../../scripts/engines/kafka.ts'
import { judge } from '../../src/advise/watermark/judge.ts'
import { measureTable } from '../../src/cli/watermark-measure.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import { intervalSql } from '../../src/time/delay.ts'
import { randomOf, STREAMS } from '../advise/lateness.ts'
import { createTopic, fetchLibrdkafka, produceWithLibrdkafka, uniqueTopic } from './broker.ts'
import { start, temporaryDirectory } from './pipelines.ts'

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

test('a topic of two partitions is measured, and a pipeline with the advised delay keeps what was promised', async () => {
  const topic = await createTopic(uniqueTopic('lateness'), 2)
  const { splits } = STREAMS.find(({ name }) => name === 'exponential')!
  // Each partition has half of the events, in their order.
  const records = splits(randomOf(11))[0]!.map((event, at) => ({
    value: JSON.stringify(event),
    partition: at % 2,
  }))
  await produceWithLibrdkafka({ topic, records })
  const table = (
    delay: string,
  ): string => `CREATE TABLE measured (t BIGINT, v DOUBLE, happened_at AS TO_TIMESTAMP_LTZ(t, 3),
    WATERMARK FOR happened_at AS happened_at - ${delay})
    WITH ('connector' = 'kafka', 'topic' = '${topic}', 'properties.bootstrap.servers' = '${KAFKA}',
      'format' = 'json', 'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset');`
  const directory = temporaryDirectory()
  const project = {
    directory,
    dataDirectory: join(directory, '.millrace'),
    config: { data: '.millrace', workers: 1, http: {}, log: { level: 'silent' as const } },
    tables: [
      {
        name: 'tables.sql',
        text: table("INTERVAL '0' SECOND").replace(", 'scan.bounded.mode' = 'latest-offset'", ''),
      },
    ],
    pipelines: [],
  }
  const measured = await measureTable(
    { project, table: 'measured', column: 'happened_at' },
    { ports: nodePorts(), environment: {}, windowUs: 60_000_000, futureBoundUs: 3_600_000_000 },
  )
  assert.equal(measured.arrivals.events, records.length)
  const advice = judge(measured, { of: topic, column: 'happened_at', completeness: 0.99 })
  const sql = `${table(intervalSql(advice.chosen.delayUs))}
    CREATE TABLE counted (n BIGINT) WITH ('connector' = 'blackhole');
    INSERT INTO counted SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE measured, DESCRIPTOR(happened_at), INTERVAL '1' MINUTE))
    GROUP BY window_start, window_end`
  const run = await start({ sql, directory, more: { until: 'end' } })
  await run.finished
  const { read, late } = run.status().conservation
  assert.equal(read, records.length)
  const { low, high } = advice.chosen.interval
  const achieved = 1 - late / read
  const isPromised = Math.abs(achieved - advice.chosen.completeness) <= 0.001
  assert.ok(isPromised || (achieved >= low && achieved <= high), `${achieved}`)
})
