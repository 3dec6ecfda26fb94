/**
 * How fast Kafka's records are written and read, with no query between: `node bench/kafka-rates.ts [records]`. Records of 100 bytes, two
 * partitions of a real local broker.
 *
 *   produce   the same batch of rows again and again, acknowledged: encoding, checksums and sending
 *   consume   the records of one round, as they are, into a blackhole: fetching, checksums and splitting
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Admin } from '@platformatic/kafka'
import { isKafkaUp, KAFKA, startKafka, stopKafka } from '../scripts/engines/kafka.ts'
import { kafka } from '../src/connectors/kafka/connector.ts'
import { LinearMemory } from '../src/data/memory.ts'
import { types } from '../src/data/types.ts'
import { nodePorts } from '../src/ports/node/ports.ts'
import { batchOf } from '../test/builders/batch.ts'
import { kafkaOptions, runToEnd } from './kafka-topic.ts'

const BATCH_ROWS = 8192
const ROUNDS = 4
const TEXT = 'x'.repeat(100)

async function timed(what: string, act: () => Promise<number>): Promise<void> {
  const before = process.cpuUsage()
  const startMs = performance.now()
  const records = await act()
  const seconds = (performance.now() - startMs) / 1000
  const { user, system } = process.cpuUsage(before)
  const rate = (count: number) => `${(count / 1e6).toFixed(2)} M records`
  console.log(
    `${what}: ${rate(records / seconds)}/s, ${rate((records * 1e6) / (user + system))} a CPU second`,
  )
}

async function produce(topic: string, records: number): Promise<void> {
  const schema = [{ name: 's', type: types.string }]
  const sink = await kafka.sink!.open({
    ...{ table: 'o', pipeline: 'bench', schema, primaryKey: [], partitionedBy: [], mode: 'append' },
    options: { topic, 'properties.bootstrap.servers': KAFKA, format: 'raw' },
    ...{ metadataKeys: [undefined], ports: nodePorts(), baseDirectory: '.', dataDirectory: '.' },
  })
  const memory = new LinearMemory()
  const writer = await sink.openWriter(0, memory)
  const rows = Array.from({ length: BATCH_ROWS }, () => [TEXT])
  const batch = batchOf(memory, schema, rows)
  for (let round = 1; round <= ROUNDS; round++)
    await timed('produce', async () => {
      let written = 0
      for (; written < records / ROUNDS; written += BATCH_ROWS) {
        writer.write(batch)
        if (writer.full) await writer.drain()
      }
      await writer.prepare({ incarnation: 1, counter: round })
      return written
    })
  await writer.close()
}

async function consume(topic: string): Promise<void> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-bench-kafka-'))
  const sql = `CREATE TABLE i (s BYTES) WITH (${kafkaOptions(topic, 'raw')});
    CREATE TABLE o (s BYTES) WITH ('connector' = 'blackhole'); INSERT INTO o SELECT s FROM i;`
  for (let round = 1; round <= ROUNDS; round++)
    await timed('consume', () => runToEnd(sql, dataDirectory))
  rmSync(dataDirectory, { recursive: true })
}

const records = Number(process.argv[2] ?? 4_000_000)
const wasUp = await isKafkaUp()
await startKafka()
const topic = `bench-rates-${Date.now()}`
const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [KAFKA] })
await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 })
await produce(topic, records)
await consume(topic)
await admin.deleteTopics({ topics: [topic] })
await admin.close()
if (!wasUp) await stopKafka()
