/** A topic of the embedded log as a sink: rows are staged with the checkpoint and appended at its commit, exactly once. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { isNull, selectedRows } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import { createFrameKernel, type FrameKernel } from '../../kernels/frame.ts'
import { compress, compressionCode } from '../../log/compression.ts'
import { openLog } from '../../log/log.ts'
import { partitionOf } from '../../log/partitioner.ts'
import { HEADER_BYTES, NO_PRODUCER, writeBatchHeader } from '../../log/record-batch.ts'
import { requireTopic, type TopicDescription } from '../../log/topics.ts'
import type { Sink, SinkRequest, SinkWriter } from '../contract/sink.ts'
import { openLogCommitter } from './committer.ts'
import { jsonRows } from './json-rows.ts'
import { createStaging, type Staging, stagedDirectory } from './staged-rows.ts'

/** Larger batches are cut: a reader takes one whole. */
const BATCH_BYTES = 1 << 20

export async function openLogSink(request: SinkRequest): Promise<Sink> {
  const { ports, dataDirectory, options } = request
  return {
    guarantee: 'exactly-once',
    async prepareTable() {
      keyColumns(request)
      const log = openLog({ ports, dataDirectory })
      try {
        if (log.topic(options.topic!) !== undefined) return
        await log.createTopic(options.topic!, {
          partitions: Number(options['sink.partitions'] ?? 1),
        })
      } finally {
        await log.close()
      }
    },
    openWriter: async (worker, memory) => logWriter(request, worker, memory),
    openCommitter: () => openLogCommitter(request),
  }
}

function logWriter(request: SinkRequest, worker: number, memory: LinearMemory): SinkWriter {
  const { ports, dataDirectory, pipeline, table } = request
  const topic = requireTopic(ports, dataDirectory, request.options.topic!)
  const directory = stagedDirectory(dataDirectory, pipeline, table)
  const staging = createStaging(ports, dataDirectory, directory, worker)
  const write = batchWriter(request, topic, worker, memory, staging)
  return {
    write(batch) {
      const mark = memory.arena.mark()
      if (batch.count > 0) write(batch)
      memory.arena.release(mark)
    },
    full: false,
    drain: async () => {},
    async prepare(checkpoint) {
      const staged = await staging.prepare(checkpoint)
      return staged === undefined ? undefined : JSON.stringify(staged)
    },
    close: async () => staging.close(),
  }
}

function batchWriter(
  request: SinkRequest,
  topic: TopicDescription,
  worker: number,
  memory: LinearMemory,
  staging: Staging,
): (batch: Batch) => void {
  const { schema, metadataKeys, options } = request
  const timestampFormat =
    options['json.timestamp-format.standard'] === 'ISO-8601' ? 'ISO-8601' : 'SQL'
  const rowsOf = (columns: readonly number[]) =>
    jsonRows({ memory, schema: columns.map((c) => schema[c]!), columns, timestampFormat })
  const values = rowsOf(physicalColumns(schema, metadataKeys))
  const keyed = keyColumns(request)
  const keys = keyed.length === 0 ? undefined : rowsOf(keyed)
  const timestamp = metadataKeys.indexOf('timestamp')
  const encode = recordsEncoder(request, topic, memory, staging)
  let turn = worker
  return (batch) => {
    const nowMs = request.ports.clock.nowMs()
    const cells: RowCells = {
      values: values(batch),
      keys: keys?.(batch) ?? 0,
      timesUs: timestamp < 0 ? 0 : timesOf(memory, batch, timestamp, nowMs),
    }
    if (cells.keys === 0) {
      const rows = [...selectedRows(memory, batch)]
      encode(cells, rows, turn++ % topic.partitions, nowMs)
      return
    }
    for (const [partition, rows] of byPartition(memory, batch, cells.keys, topic.partitions))
      encode(cells, rows, partition, nowMs)
  }
}

/** One cell a row of the batch. 0: there are none. */
interface RowCells {
  readonly values: Pointer
  readonly keys: Pointer
  readonly timesUs: Pointer
}

function recordsEncoder(
  { table }: SinkRequest,
  topic: TopicDescription,
  memory: LinearMemory,
  staging: Staging,
): (cells: RowCells, rows: readonly number[], partition: number, nowMs: number) => void {
  const kernel: FrameKernel = createFrameKernel(memory)
  const { compression, messageBytesMax } = topic.config
  const bytesMax = Math.min(BATCH_BYTES, messageBytesMax) - HEADER_BYTES
  return function encode(cells, rows, partition, nowMs): void {
    const selection = memory.arena.allocate(4 * rows.length)
    memory.u32.set(rows, selection >> 2)
    const [baseTimestampMs, maxTimestampMs] = timeRange(memory, cells.timesUs, rows, nowMs)
    const encoded = kernel.encode({
      ...cells,
      headers: 0,
      selection,
      count: rows.length,
      baseTimestampMs: BigInt(baseTimestampMs),
      firstOffsetDelta: 0,
    })
    if (encoded.bytes > bytesMax && rows.length > 1) {
      const half = rows.length >> 1
      encode(cells, rows.slice(0, half), partition, nowMs)
      encode(cells, rows.slice(half), partition, nowMs)
      return
    }
    if (encoded.bytes > messageBytesMax - HEADER_BYTES)
      throw rowTooLarge(table, topic, encoded.bytes)
    const records = memory.u8.slice(encoded.address, encoded.address + encoded.bytes)
    const packed = compress(compression, records)
    const batch = new Uint8Array(HEADER_BYTES + packed.length)
    batch.set(packed, HEADER_BYTES)
    writeBatchHeader(batch, {
      baseOffset: 0,
      bytes: batch.length,
      attributes: compressionCode(compression),
      lastOffset: rows.length - 1,
      baseTimestampMs,
      maxTimestampMs,
      producerId: NO_PRODUCER,
      producerEpoch: -1,
      baseSequence: -1,
      recordCount: rows.length,
    })
    staging.add(partition, batch)
  }
}

/** The first row's time and the greatest, in ms. */
function timeRange(
  memory: LinearMemory,
  timesUs: Pointer,
  rows: readonly number[],
  nowMs: number,
): readonly [number, number] {
  if (timesUs === 0) return [nowMs, nowMs]
  const msOf = (row: number) => Math.floor(Number(memory.i64[(timesUs >> 3) + row]!) / 1000)
  return [msOf(rows[0]!), rows.reduce((most, row) => Math.max(most, msOf(row)), msOf(rows[0]!))]
}

/** The column's cells, with the present time where it is NULL. */
function timesOf(memory: LinearMemory, batch: Batch, column: number, nowMs: number): Pointer {
  const vector = batch.columns[column]!
  if (vector.validity === 0) return vector.cells
  const cells = memory.arena.allocate(8 * batch.rowCount)
  for (const row of selectedRows(memory, batch))
    memory.i64[(cells >> 3) + row] = isNull(memory, vector, row)
      ? BigInt(nowMs) * 1000n
      : memory.i64[(vector.cells >> 3) + row]!
  return cells
}

function byPartition(
  memory: LinearMemory,
  batch: Batch,
  keys: Pointer,
  partitions: number,
): Map<number, number[]> {
  const rows = new Map<number, number[]>()
  for (const row of selectedRows(memory, batch)) {
    const words = (keys >> 2) + 2 * row
    const address = memory.u32[words]!
    const key = memory.u8.subarray(address, address + memory.u32[words + 1]!)
    const partition = partitionOf(key, partitions)
    const group = rows.get(partition)
    if (group === undefined) rows.set(partition, [row])
    else group.push(row)
  }
  return rows
}

function physicalColumns(
  schema: Schema,
  metadataKeys: readonly (string | undefined)[],
): readonly number[] {
  return schema.map((_, column) => column).filter((column) => metadataKeys[column] === undefined)
}

/** @throws LOG_OPTION_INVALID if key.fields names no column */
function keyColumns({ schema, options, table }: SinkRequest): readonly number[] {
  const names = (options['key.fields'] ?? '').split(';').filter((name) => name !== '')
  return names.map((name) => {
    const column = schema.findIndex((field) => field.name === name)
    if (column >= 0) return column
    throw new MillraceError('LOG_OPTION_INVALID', {
      message: `table ${table}: 'key.fields' names ${name}, which is no column`,
      hint: `columns are ${schema.map((field) => field.name).join(', ')}`,
      facts: { table, option: 'key.fields', value: name },
    })
  })
}

function rowTooLarge(table: string, topic: TopicDescription, bytes: number): MillraceError {
  return new MillraceError('LOG_RECORD_TOO_LARGE', {
    message: `table ${table}: a row of ${bytes} bytes; topic ${topic.name} takes ${topic.config.messageBytesMax}`,
    hint: "raise the topic's max.message.bytes",
    facts: { table, topic: topic.name, bytes },
  })
}
