/** A batch of rows to record batches by partition: formats make keys and values, the kernel the records. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { isNull, selectedRows } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import type { RecordEncoder } from '../../formats/format.ts'
import { COMPRESSIONS, type Compression, compress } from '../../log/compression.ts'
import { rowsByPartition } from '../../log/partitioner.ts'
import { TRANSACTIONAL_BIT } from '../../log/record-batch.ts'
import { createBatchEncoder, type RecordRows } from '../../log/rows-encoder.ts'
import type { SinkRequest } from '../contract/sink.ts'
import { openKeyFormat, openValueFormat } from '../formats.ts'
import { keySchemaOf, valueSchemaOf } from '../records/key-fields.ts'
import { withoutDeleted } from '../records/tombstones.ts'
import type { BatchBuffers } from './batch-buffers.ts'
import type { KafkaClient } from './client.ts'
import { headerCells } from './header-cells.ts'
import { kafkaKeyFields } from './key-fields.ts'
import { optionInvalid, type Properties } from './properties.ts'

export type TakeBatch = (partition: number, bytes: Uint8Array<ArrayBuffer>, rows: number) => void

export interface RowBatches {
  /** What `take` is given is the caller's, until it is given back: to be used again. */
  encode(batch: Batch, take: TakeBatch): void
  giveBack(bytes: Uint8Array<ArrayBuffer>): void
  dispose(): void
}

export interface RowBatchesRequest {
  readonly request: SinkRequest
  readonly properties: Properties
  readonly memory: LinearMemory
  readonly client: KafkaClient
  readonly partitions: number
  readonly worker: number
  readonly isTransactional: boolean
  /** True for `upsert-kafka`: a row that goes is a record without a value. */
  readonly isUpsert: boolean
  readonly buffers: BatchBuffers
}

const REQUEST_BYTES_MAX = 1 << 20

/** @throws KAFKA_OPTION_INVALID, and what formats throw */
export async function openRowBatches(open: RowBatchesRequest): Promise<RowBatches> {
  const { request, memory, partitions, isUpsert } = open
  const { schema, metadataKeys, ports, options } = request
  const topic = options.topic!
  const physical = schema.filter((_, column) => metadataKeys[column] === undefined)
  const fields = kafkaKeyFields(request, isUpsert, physical)
  const columnOf = (name: string) => schema.findIndex((field) => field.name === name)
  const valueColumns = valueSchemaOf(fields, physical).map(({ name }) => columnOf(name))
  const keyColumns = fields.names.map(columnOf)
  const values = await openValueFormat(request, `${topic}-value`).openEncoder(
    memory,
    valueColumns.map((column) => schema[column]!),
  )
  const keys = await openKeyFormat(request, `${topic}-key`)?.openEncoder(
    memory,
    keySchemaOf(fields, physical),
  )
  const encode = createBatchEncoder(memory, batchTarget(open))
  const timestamp = metadataKeys.indexOf('timestamp')
  const headers = metadataKeys.indexOf('headers')
  const isKeyed = keys !== undefined && (options['sink.partitioner'] ?? 'default') === 'default'
  let turn = open.worker
  const nextTurn = () =>
    options['sink.partitioner'] === 'fixed' ? open.worker % partitions : turn++ % partitions
  return {
    encode(batch, take) {
      const nowMs = ports.clock.nowMs()
      const valueCells = cellsOf(values, batch, valueColumns)
      if (isUpsert) withoutDeleted(memory, batch, valueCells)
      const cells: RecordRows = {
        values: valueCells,
        keys: keys === undefined ? 0 : cellsOf(keys, batch, keyColumns),
        timesUs: timestamp < 0 ? 0 : timesOf(memory, batch, timestamp, nowMs),
        headers: headers < 0 ? 0 : headerCells(memory, batch, headers),
      }
      if (!isKeyed) {
        takeEach(encode(cells, undefined, batch.count, nowMs), nextTurn(), take)
        return
      }
      const { places, ends } = rowsByPartition(
        memory,
        cells.keys,
        batch.count,
        partitions,
        nextTurn(),
      )
      for (let partition = 0, from = 0; partition < partitions; partition++) {
        const count = ends[partition]! - from
        if (count > 0) takeEach(encode(cells, places + 4 * from, count, nowMs), partition, take)
        from = ends[partition]!
      }
    },
    giveBack: open.buffers.giveBack,
    dispose() {
      values.dispose()
      keys?.dispose()
    },
  }
}

function takeEach(
  batches: readonly Uint8Array<ArrayBuffer>[],
  partition: number,
  take: TakeBatch,
): void {
  for (const bytes of batches) take(partition, bytes, recordCountOf(bytes))
}

/** Of a batch's header. */
function recordCountOf(batch: Uint8Array): number {
  return new DataView(batch.buffer, batch.byteOffset, batch.length).getInt32(57)
}

function cellsOf(encoder: RecordEncoder, batch: Batch, columns: readonly number[]): Pointer {
  return encoder.encode({ ...batch, columns: columns.map((column) => batch.columns[column]!) })
}

/** The selected rows' cells of the column, with the present time where it is NULL. */
function timesOf(memory: LinearMemory, batch: Batch, column: number, nowMs: number): Pointer {
  const vector = batch.columns[column]!
  const cells = memory.arena.allocate(8 * batch.count)
  let at = cells >>> 3
  for (const row of selectedRows(memory, batch))
    memory.i64[at++] = isNull(memory, vector, row)
      ? BigInt(nowMs) * 1000n
      : memory.i64[(vector.cells >>> 3) + row]!
  return cells
}

function batchTarget({
  request,
  properties,
  client,
  isTransactional,
  buffers,
}: RowBatchesRequest): Parameters<typeof createBatchEncoder>[1] {
  const bytesMax = properties.number('max.request.size', REQUEST_BYTES_MAX)
  const compression = properties.get('compression.type') ?? 'none'
  const names: readonly string[] = COMPRESSIONS
  const code = names.indexOf(compression)
  if (code < 0)
    throw optionInvalid(request.table, 'properties.compression.type', COMPRESSIONS.join(', '))
  return {
    bytesMax,
    rowBytesMax: bytesMax,
    attributes: code | (isTransactional ? TRANSACTIONAL_BIT : 0),
    take: buffers.take,
    compress: (records) => packed(client, compression, records),
    tooLarge: (bytes) =>
      new MillraceError('KAFKA_RECORD_TOO_LARGE', {
        message: `table ${request.table}: a row of ${bytes} bytes, where a request has at most ${bytesMax}`,
        hint: "raise 'properties.max.request.size', and the topic's max.message.bytes",
        facts: { table: request.table, bytes, bytesMax },
      }),
  }
}

/** `records` lie in shared memory, which codecs do not take. */
function packed(client: KafkaClient, compression: string, records: Uint8Array): Uint8Array {
  if (compression === 'none') return records
  const own = Buffer.allocUnsafeSlow(records.length)
  own.set(records)
  const { lz4, snappy } = client.compressionsAlgorithms
  if (compression === 'lz4') return lz4.compressSync(own)
  if (compression === 'snappy') return snappy.compressSync(own)
  return compress(compression as Compression, own)
}
