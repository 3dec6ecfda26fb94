/** A topic of the embedded log as a sink: rows are staged with the checkpoint and appended at its commit, exactly once. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { isNull, selectedRows } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import type { RecordEncoder } from '../../formats/format.ts'
import { createJsonEncoder } from '../../formats/json/encode.ts'
import { openLog } from '../../log/log.ts'
import { partitionOf } from '../../log/partitioner.ts'
import { createRowsEncoder, type RecordRows } from '../../log/rows-encoder.ts'
import { requireTopic, type TopicDescription } from '../../log/topics.ts'
import type { Sink, SinkRequest, SinkWriter } from '../contract/sink.ts'
import { openLogCommitter } from './committer.ts'
import { valueFormat } from './options.ts'
import { createStaging, type Staging, stagedDirectory } from './staged-rows.ts'

export async function openLogSink(request: SinkRequest): Promise<Sink> {
  const { ports, dataDirectory, options } = request
  return {
    guarantee: 'exactly-once',
    async prepareTable() {
      keyColumns(request)
      await valueFormat(request).prepareSink(schemaOf(request, physicalColumns(request)))
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
    openWriter: (worker, memory) => logWriter(request, worker, memory),
    openCommitter: () => openLogCommitter(request),
  }
}

async function logWriter(
  request: SinkRequest,
  worker: number,
  memory: LinearMemory,
): Promise<SinkWriter> {
  const { ports, dataDirectory, pipeline, table } = request
  const topic = requireTopic(ports, dataDirectory, request.options.topic!)
  const directory = stagedDirectory(dataDirectory, pipeline, table)
  const staging = createStaging(ports, dataDirectory, directory, worker)
  const columns = physicalColumns(request)
  const encoder = await valueFormat(request).openEncoder(memory, schemaOf(request, columns))
  const values = columnsEncoder(encoder, columns)
  const write = batchWriter(request, values, topic, worker, memory, staging)
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
  values: (batch: Batch) => Pointer,
  topic: TopicDescription,
  worker: number,
  memory: LinearMemory,
  staging: Staging,
): (batch: Batch) => void {
  const { metadataKeys } = request
  const keyed = keyColumns(request)
  const keys = keyed.length === 0 ? undefined : keysEncoder(request, memory, keyed)
  const timestamp = metadataKeys.indexOf('timestamp')
  const encode = createRowsEncoder(memory, topic)
  let turn = worker
  return (batch) => {
    const nowMs = request.ports.clock.nowMs()
    const cells: RecordRows = {
      values: values(batch),
      keys: keys?.(batch) ?? 0,
      timesUs: timestamp < 0 ? 0 : timesOf(memory, batch, timestamp, nowMs),
    }
    if (cells.keys === 0) {
      const partition = turn++ % topic.partitions
      for (const each of encode(cells, undefined, batch.count, nowMs)) staging.add(partition, each)
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
      for (const each of encode(cells, selection, rows.length, nowMs)) staging.add(partition, each)
    }
  }
}

/** One JSON object of some columns for each selected row. */
function keysEncoder(
  request: SinkRequest,
  memory: LinearMemory,
  columns: readonly number[],
): (batch: Batch) => Pointer {
  const isIso = request.options['json.timestamp-format.standard'] === 'ISO-8601'
  const timestampFormat = isIso ? 'ISO-8601' : 'SQL'
  const schema = schemaOf(request, columns)
  return columnsEncoder(createJsonEncoder({ memory, schema, timestampFormat }), columns)
}

function columnsEncoder(
  encoder: RecordEncoder,
  columns: readonly number[],
): (batch: Batch) => Pointer {
  return (batch) =>
    encoder.encode({ ...batch, columns: columns.map((column) => batch.columns[column]!) })
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

function schemaOf({ schema }: SinkRequest, columns: readonly number[]): Schema {
  return columns.map((column) => schema[column]!)
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
