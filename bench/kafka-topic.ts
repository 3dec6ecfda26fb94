/** The events of a benchmark in a topic of the real local Kafka, the same bytes as in the log: one partition, made once. */
import { Admin } from '@platformatic/kafka'
import { KAFKA } from '../scripts/engines/kafka.ts'
import { nodePorts } from '../src/ports/node/ports.ts'
import { CONNECTORS } from '../src/run/connectors.ts'
import { startPipeline } from '../src/run/start.ts'
import { bindText } from '../src/sql/bind-text.ts'
import { type EventsRequest, eventsTopic, TOPIC } from './data.ts'

/** Of a table that is read from its beginning to where it ends now: ours and Flink's. */
export function kafkaOptions(topic: string, format: 'json' | 'raw' = 'json'): string {
  const options = {
    connector: 'kafka',
    topic,
    'properties.bootstrap.servers': KAFKA,
    'scan.startup.mode': 'earliest-offset',
    'scan.bounded.mode': 'latest-offset',
    format,
  }
  return Object.entries(options)
    .map(([key, value]) => `'${key}' = '${value}'`)
    .join(', ')
}

/** The topic's name. */
export async function eventsInKafka(request: EventsRequest): Promise<string> {
  const { layout, events, seed } = request
  const topic = `bench-${layout}-${events}-${seed}`
  const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [KAFKA] })
  try {
    if ((await admin.listTopics()).includes(topic)) return topic
    // Events have the times of a seed: none may go by its age.
    const configs = [{ name: 'retention.ms', value: '-1' }]
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1, configs })
    try {
      await copy(await eventsTopic(request, 1), topic)
    } catch (error) {
      // Half of it is never found.
      await admin.deleteTopics({ topics: [topic] })
      throw error
    }
  } finally {
    await admin.close()
  }
  return topic
}

async function copy(dataDirectory: string, topic: string): Promise<void> {
  const log = `'connector' = 'log', 'topic' = '${TOPIC}', 'format' = 'raw'`
  await runToEnd(
    `SET 'pipeline.name' = '${topic}'; CREATE TABLE i (line STRING) WITH (${log});
    CREATE TABLE o (line STRING) WITH (${kafkaOptions(topic, 'raw')}); INSERT INTO o SELECT line FROM i;`,
    dataDirectory,
  )
}

/** In this process. @returns how many rows its sink took */
export async function runToEnd(sql: string, dataDirectory: string): Promise<number> {
  const { pipeline, errors } = bindText(sql, 'bench', CONNECTORS)
  if (errors.length > 0) throw errors[0]!
  const run = await startPipeline({
    pipeline: pipeline!,
    connectors: CONNECTORS,
    ports: nodePorts(),
    dataDirectory,
    baseDirectory: dataDirectory,
    until: 'end',
    fresh: true,
  })
  const outcome = await run.finished
  if (outcome.kind !== 'finished') throw new Error(JSON.stringify(outcome))
  return run.status().sinks[0]!.rowsWritten
}
