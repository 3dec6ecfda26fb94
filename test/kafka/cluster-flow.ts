/** A pipeline between two topics of the cluster, exactly once, and what is fed to it. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '@platformatic/kafka'
import { KAFKA_CLUSTER } from '../../scripts/engines/kafka-cluster.ts'
import { consumeWithJava, produceWithLibrdkafka, uniqueTopic } from './broker.ts'
import { temporaryDirectory } from './pipelines.ts'
import { launch, type PipelineProcess } from './processes.ts'
import { table } from './queries.ts'

const STEP = 400

export interface Flow {
  readonly source: string
  readonly sink: string
  readonly run: PipelineProcess
  fed: number
}

export async function flow(workers: number): Promise<Flow> {
  const [source, sink] = [uniqueTopic('in'), uniqueTopic('out')]
  await administer((admin) =>
    admin.createTopics({ topics: [source, sink], partitions: 2, replicas: 2 }),
  )
  const servers = { 'properties.bootstrap.servers': KAFKA_CLUSTER }
  const often = { 'scan.topic-partition-discovery.interval': '500 ms' }
  const exact = { 'sink.delivery-guarantee': 'exactly-once' }
  const sql = `SET 'pipeline.name' = '${sink}'; SET 'execution.checkpointing.interval' = '100 ms';
    ${table('i', 'n BIGINT', source, { ...servers, ...often })} ${table('o', 'n BIGINT', sink, { ...servers, ...exact })}
    INSERT INTO o SELECT n FROM i;`
  const run = launch(temporaryDirectory(), sql, { workers })
  await run.line(/running/)
  return { source, sink, run, fed: 0 }
}

async function administer<Result>(act: (admin: Admin) => Promise<Result>): Promise<Result> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: KAFKA_CLUSTER.split(',') })
  try {
    return await act(admin)
  } finally {
    await admin.close()
  }
}

export async function feed(to: Flow, partitions: number): Promise<void> {
  const records = Array.from({ length: STEP }, (_, at) => ({
    value: JSON.stringify({ n: to.fed + at }),
    partition: at % partitions,
  }))
  await produceWithLibrdkafka({ servers: KAFKA_CLUSTER, topic: to.source, records })
  to.fed += STEP
}

export async function leaders(topic: string): Promise<number[]> {
  const { topics } = await administer((admin) => admin.metadata({ topics: [topic] }))
  const { partitions } = topics.get(topic)!
  return Object.entries(partitions).map(([, { leader }]) => leader)
}

export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 200; waited++) {
    if (await isSo().catch(() => false)) return
    await sleep(300)
  }
  assert.fail(`not within a minute: ${what}`)
}

/** All that was fed, each once, as Java reads it; one more is asked for, so that a duplicate would show. */
export function checked({ sink, fed, run }: Flow): void {
  const found = consumeWithJava(sink, fed + 1, KAFKA_CLUSTER).map((line) => JSON.parse(line).n)
  assert.deepEqual(
    found.sort((a, b) => a - b),
    Array.from({ length: fed }, (_, n) => n),
    run.lines.slice(-20).join('\n'),
  )
}
