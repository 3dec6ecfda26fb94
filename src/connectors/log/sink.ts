/** A topic of the embedded log as a sink: rows are staged with the checkpoint and appended at its commit, exactly once. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { isNull, selectedRows } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import { createJsonEncoder } from '../../formats/json/encode.ts'
import { createFrameKernel } from '../../kernels/frame.ts'
import { compress, compressionCode } from '../../log/compression.ts'
import { openLog } from '../../log/log.ts'
import { partitionOf } from '../../log/partitioner.ts'
import { HEADER_BYTES, NO_PRODUCER, writeBatchHeader } from '../../log/record-batch.ts'
import { requireTopic, type TopicDescription } from '../../log/topics.ts'
import type { Sink, SinkRequest, SinkWriter } from '../contract/sink.ts'
import { openLogCommitter } from './committer.ts'
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
  const { metadataKeys } = request
  const values = columnsEncoder(request, memory, physicalColumns(request))
  const keyed = keyColumns(request)
  const keys = keyed.length === 0 ? undefined : columnsEncoder(request, memory, keyed)
  const timestamp = metadataKeys.indexOf('timestamp')
  const encode = recordsEncoder(request, topic, memory, staging)
  let turn = worker
  return (batch) => {
    const nowMs = request.ports.clock.nowMs()
    const cells: RecordRows = {
      values: values(batch),
      keys: keys?.(batch) ?? 0,
      timesUs: timestamp < 0 ? 0 : timesOf(memory, batch, timestamp, nowMs),
    }
    if (cells.keys === 0) {
      encode(cells, undefined, batch.count, turn++ % topic.partitions, nowMs)
      return
    }
    for (const [partition, rows] of byPartition(
      memory,
      cells.keys,
      batch.count,
      topic.partitions,
    )) {
      const selection = memory.arena.allocate(4 * rows.length)
      memory.u32.set(rows, selection >> 2)
      encode(cells, selection, rows.length, partition, nowMs)
    }
  }
}

/** One JSON object of some columns for each selected row. */
function columnsEncoder(
  { schema, options }: SinkRequest,
  memory: LinearMemory,
  columns: readonly number[],
): (batch: Batch) => Pointer {
  const encoder = createJsonEncoder({
    memory,
    schema: columns.map((column) => schema[column]!),
    timestampFormat: options['json.timestamp-format.standard'] === 'ISO-8601' ? 'ISO-8601' : 'SQL',
  })
  return (batch) =>
    encoder.encode({ ...batch, columns: columns.map((column) => batch.columns[column]!) })
}

/** One cell for each selected row, in order. 0: there are none. */
interface RecordRows {
  readonly values: Pointer
  readonly keys: Pointer
  readonly timesUs: Pointer
}

/** Stages the rows that `selection` lists (undefined: the first `count`) as one batch, or as many as their size asks for. */
type EncodeRecords = (
  cells: RecordRows,
  selection: Pointer | undefined,
  count: number,
  partition: number,
  nowMs: number,
) => void

function recordsEncoder(
  { table }: SinkRequest,
  topic: TopicDescription,
  memory: LinearMemory,
  staging: Staging,
): EncodeRecords {
  const kernel = createFrameKernel(memory)
  const { compression, messageBytesMax } = topic.config
  const bytesMax = Math.min(BATCH_BYTES, messageBytesMax) - HEADER_BYTES
  return function encode(cells, selection, count, partition, nowMs): void {
    const [baseTimestampMs, maxTimestampMs] = timeRange(memory, cells, selection, count, nowMs)
    const encoded = kernel.encode({
      ...cells,
      headers: 0,
      selection: selection ?? 0,
      count,
      baseTimestampMs: BigInt(baseTimestampMs),
      firstOffsetDelta: 0,
    })
    if (encoded.bytes > bytesMax && count > 1) {
      const rows = selection ?? firstRows(memory, count)
      const half = count >> 1
      encode(cells, rows, half, partition, nowMs)
      encode(cells, rows + 4 * half, count - half, partition, nowMs)
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
      lastOffset: count - 1,
      baseTimestampMs,
      maxTimestampMs,
      producerId: NO_PRODUCER,
      producerEpoch: -1,
      baseSequence: -1,
      recordCount: count,
    })
    staging.add(partition, batch)
  }
}

function firstRows(memory: LinearMemory, count: number): Pointer {
  const rows = memory.arena.allocate(4 * count)
  for (let row = 0; row < count; row++) memory.u32[(rows >> 2) + row] = row
  return rows
}

/** The first row's time and the greatest, in ms. */
function timeRange(
  memory: LinearMemory,
  { timesUs }: RecordRows,
  selection: Pointer | undefined,
  count: number,
  nowMs: number,
): readonly [number, number] {
  if (timesUs === 0) return [nowMs, nowMs]
  const msOf = (at: number) => {
    const row = selection === undefined ? at : memory.u32[(selection >> 2) + at]!
    return Math.floor(Number(memory.i64[(timesUs >> 3) + row]!) / 1000)
  }
  const first = msOf(0)
  let greatest = first
  for (let at = 1; at < count; at++) greatest = Math.max(greatest, msOf(at))
  return [first, greatest]
}

/** The selected rows' cells of the column, with the present time where it is NULL. */
function timesOf(memory: LinearMemory, batch: Batch, column: number, nowMs: number): Pointer {
  const vector = batch.columns[column]!
  const cells = memory.arena.allocate(8 * batch.count)
  let at = cells >> 3
  for (const row of selectedRows(memory, batch))
    memory.i64[at++] = isNull(memory, vector, row)
      ? BigInt(nowMs) * 1000n
      : memory.i64[(vector.cells >> 3) + row]!
  return cells
}

/** Places among the selected rows, by the partition of their keys. */
function byPartition(
  memory: LinearMemory,
  keys: Pointer,
  count: number,
  partitions: number,
): Map<number, number[]> {
  const rows = new Map<number, number[]>()
  for (let row = 0; row < count; row++) {
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

function physicalColumns({ schema, metadataKeys }: SinkRequest): readonly number[] {
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
