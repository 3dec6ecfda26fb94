/**
 * A topic as a sink.
 *
 *   at-least-once   batches go out as they are made; a checkpoint waits until all are acknowledged
 *   exactly-once    they go out in the transaction of the next checkpoint: see transactions.ts
 */
import type { LinearMemory } from '../../data/memory.ts'
import type { Sink, SinkCommitter, SinkRequest, SinkWriter } from '../contract/sink.ts'
import { openKeyFormat, openValueFormat } from '../formats.ts'
import { keySchemaOf, valueSchemaOf } from '../records/key-fields.ts'
import { batchBuffers } from './batch-buffers.ts'
import { BatchSender, type ProducerIdentity, type QueuePlace } from './batch-sender.ts'
import { type Cluster, topicMetadata } from './cluster.ts'
import { CODE } from './failure.ts'
import { type BatchHands, handBatches } from './handed-batches.ts'
import { kafkaKeyFields } from './key-fields.ts'
import { topicMissing } from './offsets.ts'
import { clusterOf } from './open-cluster.ts'
import { optionInvalid, type Properties, propertiesOf } from './properties.ts'
import { openRowBatches, type RowBatches } from './row-batches.ts'
import { joinTransactions, type Transactions } from './transactions.ts'

export interface KafkaSinkKind {
  readonly isUpsert: boolean
}

interface Opened {
  readonly request: SinkRequest
  readonly properties: Properties
  readonly kind: KafkaSinkKind
}

const OPEN_PATIENCE_MS = 5000
const BUFFER_BYTES = 32 << 20

export async function openKafkaSink(request: SinkRequest, kind: KafkaSinkKind): Promise<Sink> {
  const properties = propertiesOf(request.table, request.options)
  const opened: Opened = { request, properties, kind }
  const isExact = request.options['sink.delivery-guarantee'] === 'exactly-once'
  checkOptions(opened, isExact)
  return isExact ? exactSink(opened) : plainSink(opened)
}

function plainSink(opened: Opened): Sink {
  return {
    guarantee: 'at-least-once',
    prepareTable: () => prepareTable(opened),
    openWriter: (worker, memory) => plainWriter(opened, worker, memory),
    openCommitter: async () => nothingToCommit(),
  }
}

function exactSink(opened: Opened): Sink {
  const transactions = () => joinTransactions(opened.request, opened.properties)
  return {
    guarantee: 'exactly-once',
    prepareTable: () => prepareTable(opened),
    openWriter: (worker, memory, line) =>
      line === undefined
        ? transactionalWriter(opened, transactions(), worker, memory)
        : handingWriter(opened, handBatches(line), worker, memory),
    async openCommitter() {
      const joined = transactions()
      await joined.open()
      return joined.committer()
    },
    attach: (line) => transactions().attach(line),
  }
}

/** @throws KAFKA_OPTION_INVALID */
function checkOptions({ request, kind }: Opened, isExact: boolean): void {
  const { table, options, primaryKey } = request
  const { topic } = options
  if (topic === undefined || topic.includes(';'))
    throw optionInvalid(table, 'topic', 'one topic, to write to')
  if (kind.isUpsert && primaryKey.length === 0)
    throw optionInvalid(table, 'connector', 'upsert-kafka needs PRIMARY KEY (...) NOT ENFORCED')
  if (isExact && options['sink.commit-interval'] !== undefined)
    throw optionInvalid(
      table,
      'sink.commit-interval',
      "with exactly-once each checkpoint has a transaction: SET 'execution.checkpointing.interval' instead",
    )
}

/** The topic is there, and the formats take the columns. @throws KAFKA_TOPIC_MISSING and what formats throw */
async function prepareTable(opened: Opened): Promise<void> {
  const { request, kind } = opened
  const { schema, metadataKeys, options } = request
  await withCluster(opened, (cluster) => partitionsOf(cluster, request))
  const physical = schema.filter((_, column) => metadataKeys[column] === undefined)
  const fields = kafkaKeyFields(request, kind.isUpsert, physical)
  await openValueFormat(request, `${options.topic}-value`).prepareSink(
    valueSchemaOf(fields, physical),
  )
  await openKeyFormat(request, `${options.topic}-key`)?.prepareSink(keySchemaOf(fields, physical))
}

function partitionsOf(cluster: Cluster, { table, options }: SinkRequest): Promise<number> {
  return cluster.patiently(OPEN_PATIENCE_MS, async () => {
    const topic = await topicMetadata(cluster, options.topic!)
    if (topic === undefined) throw topicMissing(table, options.topic!, cluster.servers)
    return topic.partitions.length
  })
}

/** Where record batches go: at least once, into the transaction, or to the thread that has it. */
interface Outlet {
  /** `acknowledged`, where it is called at all: nobody reads `bytes` any more. */
  add(
    place: QueuePlace,
    bytes: Uint8Array<ArrayBuffer>,
    recordCount: number,
    acknowledged: () => void,
  ): void
  isFull(bufferBytes: number): boolean
  /** Resolves when at most so many bytes are not acknowledged. @throws what keeps them from being */
  below(bytes: number): Promise<void>
  close(): void | Promise<void>
}

function writerInto(
  outlet: Outlet,
  { request, properties }: Opened,
  rows: RowBatches,
  memory: LinearMemory,
): SinkWriter {
  const bufferBytes = bufferBytesOf(properties)
  const topic = request.options.topic!
  return {
    write(batch) {
      if (batch.count === 0) return
      const mark = memory.arena.mark()
      rows.encode(batch, (partition, bytes, count) =>
        outlet.add({ topic, partition }, bytes, count, () => rows.giveBack(bytes)),
      )
      memory.arena.release(mark)
    },
    get full() {
      return outlet.isFull(bufferBytes)
    },
    drain: () => outlet.below(bufferBytes >> 1),
    // Exactly once all tables have one transaction, and their committers prepare it.
    async prepare() {
      await outlet.below(0)
      return undefined
    },
    async close() {
      rows.dispose()
      await outlet.close()
    },
  }
}

async function plainWriter(
  opened: Opened,
  worker: number,
  memory: LinearMemory,
): Promise<SinkWriter> {
  const { request, properties } = opened
  const cluster = await clusterOf(request, properties)
  try {
    const rows = await openRows(opened, cluster, worker, memory, false)
    const sender = new BatchSender({
      cluster,
      ports: request.ports,
      table: request.table,
      deliveryTimeoutMs: properties.number('delivery.timeout.ms', 120_000),
      requestTimeoutMs: properties.number('request.timeout.ms', 30_000),
      identity: () => newIdentity(cluster),
    })
    const outlet: Outlet = {
      add: (...batch) => sender.add(...batch),
      isFull: (bufferBytes) => sender.bytesPending > bufferBytes || sender.failure !== undefined,
      below: (bytes) => sender.below(bytes),
      async close() {
        sender.close()
        await cluster.close()
      },
    }
    return writerInto(outlet, opened, rows, memory)
  } catch (error) {
    await cluster.close()
    throw error
  }
}

async function transactionalWriter(
  opened: Opened,
  transactions: Transactions,
  worker: number,
  memory: LinearMemory,
): Promise<SinkWriter> {
  const cluster = await transactions.open()
  try {
    const rows = await openRows(opened, cluster, worker, memory, true)
    const outlet: Outlet = {
      add: (...batch) => transactions.sender().add(...batch),
      isFull: (bufferBytes) =>
        transactions.bytesPending > bufferBytes || transactions.failure !== undefined,
      below: (bytes) => transactions.below(bytes),
      close: () => transactions.leave(),
    }
    return writerInto(outlet, opened, rows, memory)
  } catch (error) {
    await transactions.leave()
    throw error
  }
}

/** Of a worker in another thread than the transaction. */
async function handingWriter(
  opened: Opened,
  hands: BatchHands,
  worker: number,
  memory: LinearMemory,
): Promise<SinkWriter> {
  const rows = await withCluster(opened, (cluster) =>
    openRows(opened, cluster, worker, memory, true),
  )
  const { add, below, close } = hands
  return writerInto({ add, below, close, isFull: () => hands.full }, opened, rows, memory)
}

/** Connected for as long as `act` takes. */
async function withCluster<Result>(
  { request, properties }: Opened,
  act: (cluster: Cluster) => Promise<Result>,
): Promise<Result> {
  const cluster = await clusterOf(request, properties)
  try {
    return await act(cluster)
  } finally {
    await cluster.close()
  }
}

async function openRows(
  { request, properties, kind }: Opened,
  cluster: Cluster,
  worker: number,
  memory: LinearMemory,
  isTransactional: boolean,
): Promise<RowBatches> {
  const partitions = await partitionsOf(cluster, request)
  const { client } = cluster
  const { isUpsert } = kind
  const buffers = batchBuffers(bufferBytesOf(properties))
  return openRowBatches({
    ...{ request, properties, memory, client, partitions, worker, isTransactional, isUpsert },
    buffers,
  })
}

function bufferBytesOf(properties: Properties): number {
  return properties.number('buffer.memory', BUFFER_BYTES)
}

async function newIdentity(cluster: Cluster): Promise<ProducerIdentity> {
  const connection = await cluster.connection('ask')
  const { api } = cluster.client.initProducerIdV4
  const what = 'asking for a producer id'
  const answer = await cluster.ask(what, connection, api, null, 60_000, undefined, undefined)
  if (answer.errorCode !== CODE.none) throw cluster.failed(what, answer.errorCode)
  return { producerId: Number(answer.producerId), epoch: answer.producerEpoch }
}

/** What is acknowledged is visible: nothing waits for a commit. */
function nothingToCommit(): SinkCommitter {
  return {
    commit: async () => ({ kind: 'committed', already: true }),
    lastCommitted: async () => undefined,
    close: async () => {},
  }
}
