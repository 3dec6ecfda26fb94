/**
 * How fast the Kafka sink writes: records of 100 bytes to a real local broker, the same batch of rows again and again, so that what is measured is encoding, checksums and sending.
 * `node bench/kafka-produce.ts [records]`
 */
import { Admin } from '@platformatic/kafka'
import { isKafkaUp, KAFKA, startKafka, stopKafka } from '../scripts/engines/kafka.ts'
import { kafka } from '../src/connectors/kafka/connector.ts'
import { LinearMemory } from '../src/data/memory.ts'
import { types } from '../src/data/types.ts'
import { nodePorts } from '../src/ports/node/ports.ts'
import { batchOf } from '../test/builders/batch.ts'

const BATCH_ROWS = 8192
const ROUNDS = 4
/** With its name and quotes a record of 100 bytes. */
const TEXT = 'x'.repeat(92)

const records = Number(process.argv[2] ?? 2_000_000)
const wasUp = await isKafkaUp()
await startKafka()
const topic = `bench-produce-${Date.now()}`
const admin = new Admin({ clientId: 'bench', bootstrapBrokers: [KAFKA] })
await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 })
const schema = [{ name: 's', type: types.string }]
const sink = await kafka.sink!.open({
  ...{ table: 'o', pipeline: 'bench', schema, primaryKey: [], partitionedBy: [], mode: 'append' },
  options: { topic, 'properties.bootstrap.servers': KAFKA, format: 'json' },
  ...{ metadataKeys: [undefined], ports: nodePorts(), baseDirectory: '.', dataDirectory: '.' },
})
const memory = new LinearMemory()
const writer = await sink.openWriter(0, memory)
const batch = batchOf(
  memory,
  schema,
  Array.from({ length: BATCH_ROWS }, () => [TEXT]),
)
for (let round = 1; round <= ROUNDS; round++) {
  const before = process.cpuUsage()
  const startMs = performance.now()
  let written = 0
  for (; written < records; written += BATCH_ROWS) {
    writer.write(batch)
    if (writer.full) await writer.drain()
  }
  await writer.prepare({ incarnation: 1, counter: round })
  const seconds = (performance.now() - startMs) / 1000
  const { user, system } = process.cpuUsage(before)
  const rate = (count: number) => `${(count / 1e6).toFixed(2)} M records`
  console.log(
    `${rate(written / seconds)}/s, ${rate((written * 1e6) / (user + system))} a CPU second`,
  )
}
await writer.close()
await admin.deleteTopics({ topics: [topic] })
await admin.close()
if (!wasUp) await stopKafka()
