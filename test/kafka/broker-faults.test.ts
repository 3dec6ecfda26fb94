/** What the broker may do to a running pipeline: go away for a while, be killed, get more partitions, make a topic anew. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { KAFKA, kafkaTool, startKafka, stopKafka } from '../../scripts/engines/kafka.ts'
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

/** DOWN_MS=60000 BROKER_KILLS=5 for five times a minute. */
const DOWN_MS = Number(process.env.DOWN_MS ?? 8000)
const BROKER_KILLS = Number(process.env.BROKER_KILLS ?? 1)

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

test(`killed ${BROKER_KILLS} times, the broker loses nothing: the pipeline waits, says so and goes on`, {
  timeout: 1_200_000,
}, async () => {
  const source = await createTopic(uniqueTopic('in'), 2)
  const sink = await createTopic(uniqueTopic('out'), 2)
  await feed(source, 0, 500)
  const run = launch(temporaryDirectory(), copying(source, sink))
  await run.line(/"rows":500/)
  for (let fed = 500; fed < 500 * (BROKER_KILLS + 1); fed += 500) {
    const told = run.lines.length
    await stopKafka('SIGKILL')
    await run.line(/"trouble":".*(does not answer|ECONNREFUSED)|^restarting/, told)
    await sleep(DOWN_MS)
    await startKafka()
    await feed(source, fed, fed + 500)
    for (let waited = 0; waited < 200 && (await numbers(sink)).length < fed + 500; waited++)
      await sleep(500)
    assert.deepEqual(await numbers(sink), range(fed + 500))
  }
  run.child.kill('SIGKILL')
  await run.ended
})

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
