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
import { formatMode } from '../formats.ts'
import { keySchemaOf, valueSchemaOf } from '../records/key-fields.ts'
import { withoutDeleted } from '../records/tombstones.ts'
import { openLogCommitter } from './committer.ts'
import { keyFormat, logKeyFields, valueFormat } from './options.ts'
import { createStaging, type Staging, stagedDirectory } from './staged-rows.ts'

/** @param isUpsert a row that goes is a record without a value, and a topic that is made is compacted */
export async function openLogSink(request: SinkRequest, isUpsert: boolean): Promise<Sink> {
  const { ports, dataDirectory, options } = request
  return {
    guarantee: 'exactly-once',
    async prepareTable() {
      const { values, keySchema } = writtenColumns(request, isUpsert)
      await valueFormat(request).prepareSink(schemaOf(request, values))
      if (isUpsert) await keyFormat(request).prepareSink(keySchema)
      const log = openLog({ ports, dataDirectory })
      try {
        if (log.topic(options.topic!) !== undefined) return
        await log.createTopic(options.topic!, {
          partitions: Number(options['sink.partitions'] ?? 1),
          ...(isUpsert ? { settings: { 'cleanup.policy': 'compact' } } : {}),
        })
      } finally {
        await log.close()
      }
    },
    openWriter: (worker, memory) => logWriter(request, isUpsert, worker, memory),
    openCommitter: () => openLogCommitter(request),
  }
}

async function logWriter(
  request: SinkRequest,
  isUpsert: boolean,
  worker: number,
  memory: LinearMemory,
): Promise<SinkWriter> {
  const { ports, dataDirectory, pipeline, table } = request
  const topic = requireTopic(ports, dataDirectory, request.options.topic!)
  const directory = stagedDirectory(dataDirectory, pipeline, table)
  const staging = createStaging(ports, dataDirectory, directory, worker)
  const encoders = await encodersOf(request, isUpsert, memory)
  const write = batchWriter(request, encoders, topic, worker, memory, staging)
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
    async close() {
      staging.close()
      encoders.dispose()
    },
  }
}

interface Encoders {
  values(batch: Batch): Pointer
  /** Undefined where records have no key. */
  readonly keys: ((batch: Batch) => Pointer) | undefined
  dispose(): void
}

async function encodersOf(
  request: SinkRequest,
  isUpsert: boolean,
  memory: LinearMemory,
): Promise<Encoders> {
  const written = writtenColumns(request, isUpsert)
  const value = await valueFormat(request).openEncoder(memory, schemaOf(request, written.values))
  const key = await keyEncoder(request, isUpsert, memory, written)
  return {
    values(batch) {
      const cells = encoded(value, batch, written.values)
      if (isUpsert) withoutDeleted(memory, batch, cells)
      return cells
    },
    keys: key === undefined ? undefined : (batch) => encoded(key, batch, written.keys),
    dispose() {
      value.dispose()
      key?.dispose()
    },
  }
}

/** Of an upsert topic the key is of its format; of others a JSON object. */
async function keyEncoder(
  request: SinkRequest,
  isUpsert: boolean,
  memory: LinearMemory,
  { keys, keySchema }: WrittenColumns,
): Promise<RecordEncoder | undefined> {
  if (keys.length === 0) return undefined
  if (isUpsert) return keyFormat(request).openEncoder(memory, keySchema)
  const isIso = request.options['json.timestamp-format.standard'] === 'ISO-8601'
  const timestampFormat = isIso ? 'ISO-8601' : 'SQL'
  return createJsonEncoder({ memory, schema: keySchema, timestampFormat })
}

function encoded(encoder: RecordEncoder, batch: Batch, columns: readonly number[]): Pointer {
  return encoder.encode({ ...batch, columns: columns.map((column) => batch.columns[column]!) })
}

function batchWriter(
  request: SinkRequest,
  { values, keys }: Encoders,
  topic: TopicDescription,
  worker: number,
  memory: LinearMemory,
  staging: Staging,
): (batch: Batch) => void {
  const timestamp = request.metadataKeys.indexOf('timestamp')
  const encode = createRowsEncoder(memory, topic)
  // Changes without a key keep their order in one partition.
  const step = formatMode(request.options) === 'append' ? 1 : 0
  let turn = worker
  return (batch) => {
    const nowMs = request.ports.clock.nowMs()
    const cells: RecordRows = {
      values: values(batch),
      keys: keys?.(batch) ?? 0,
      timesUs: timestamp < 0 ? 0 : timesOf(memory, batch, timestamp, nowMs),
    }
    if (cells.keys === 0) {
      const partition = turn % topic.partitions
      turn += step
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

interface WrittenColumns {
  /** Numbers of the batches' columns. */
  readonly values: readonly number[]
  readonly keys: readonly number[]
  readonly keySchema: Schema
}

/** @throws LOG_OPTION_INVALID if key.fields names no column, or an upsert table has no primary key */
function writtenColumns(request: SinkRequest, isUpsert: boolean): WrittenColumns {
  const values = physicalColumns(request)
  if (!isUpsert) {
    const keys = keyColumns(request)
    return { values, keys, keySchema: schemaOf(request, keys) }
  }
  const physical = schemaOf(request, values)
  const fields = logKeyFields(request, isUpsert, physical)
  const placeOf = (name: string) => request.schema.findIndex((field) => field.name === name)
  return {
    values: valueSchemaOf(fields, physical).map(({ name }) => placeOf(name)),
    keys: fields.names.map(placeOf),
    keySchema: keySchemaOf(fields, physical),
  }
}

/** Those of 'key.fields'; of changes, whose order matters by key, the primary key unless told. */
function keyColumns({ schema, options, table, primaryKey }: SinkRequest): readonly number[] {
  const named = options['key.fields']?.split(';').filter((name) => name !== '')
  const names = named ?? (formatMode(options) === 'append' ? [] : primaryKey)
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
