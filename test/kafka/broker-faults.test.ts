/** What may happen to the topics of a running pipeline: they get more partitions, are made anew. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { KAFKA, kafkaTool, startKafka } from '../../scripts/engines/kafka.ts'
import {
  administer,
  consumeWithLibrdkafka,
  createTopic,
  fetchLibrdkafka,
  produceWithLibrdkafka,
  uniqueTopic,
} from './broker.ts'
import { temporaryDirectory } from './pipelines.ts'
import { killAll, launch } from './processes.ts'
import { table } from './queries.ts'

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})
after(killAll)

function copying(
  source: string,
  sink: string,
  more: Readonly<Record<string, string>> = {},
): string {
  const exact = { 'sink.delivery-guarantee': 'exactly-once' }
  return `SET 'pipeline.name' = '${sink}'; SET 'execution.checkpointing.interval' = '100 ms';
    ${table('i', 'n BIGINT', source, more)} ${table('o', 'n BIGINT', sink, exact)}
    INSERT INTO o SELECT n FROM i;`
}

async function feed(topic: string, from: number, to: number, partition?: number): Promise<void> {
  const records = Array.from({ length: to - from }, (_, at) => ({
    value: JSON.stringify({ n: from + at }),
    ...(partition === undefined ? {} : { partition }),
  }))
  await produceWithLibrdkafka({ topic, records })
}

async function numbers(topic: string): Promise<number[]> {
  const found = await consumeWithLibrdkafka(topic)
  return found.map(({ value }) => JSON.parse(value ?? '').n).sort((a, b) => a - b)
}

const range = (to: number): number[] => Array.from({ length: to }, (_, n) => n)

test('partitions that are added while a pipeline runs are read from their beginnings', {
  timeout: 120_000,
}, async () => {
  const source = await createTopic(uniqueTopic('in'), 1)
  const sink = await createTopic(uniqueTopic('out'), 1)
  const often = {
    'scan.topic-partition-discovery.interval': '500 ms',
    'scan.startup.mode': 'latest-offset',
  }
  const run = launch(temporaryDirectory(), copying(source, sink, often))
  await run.line(/"last"/)
  await feed(source, 0, 100)
  kafkaTool('org.apache.kafka.tools.TopicCommand', [
    ...['--bootstrap-server', KAFKA, '--alter', '--topic', source, '--partitions', '3'],
  ])
  await feed(source, 100, 200, 1)
  await feed(source, 200, 300, 2)
  await run.line(/^restarting .* has 3 partitions/)
  for (let waited = 0; waited < 60 && (await numbers(sink)).length < 300; waited++) await sleep(300)
  assert.deepEqual(await numbers(sink), range(300))
  run.child.kill('SIGKILL')
  await run.ended
})

test('a topic that was deleted and made again stops its readers, running or restarted', {
  timeout: 120_000,
}, async () => {
  const source = await createTopic(uniqueTopic('in'), 1)
  const sink = await createTopic(uniqueTopic('out'), 1)
  const directory = temporaryDirectory()
  await feed(source, 0, 100)
  const sql = copying(source, sink)
  const run = launch(directory, sql)
  await run.line(/"rows":100/)
  await administer((admin) => admin.deleteTopics({ topics: [source] }))
  await sleep(500)
  await createTopic(source)
  await feed(source, 0, 200)
  assert.equal(await run.ended, 1, run.lines.join('\n'))
  assert.match(run.lines.at(-1) ?? '', /KAFKA_TOPIC_RECREATED/)
  const again = launch(directory, sql)
  assert.equal(await again.ended, 1, again.lines.join('\n'))
  assert.deepEqual(await numbers(sink), range(100))
})
