/** Rows that lie in linear memory, as record batches: what a sink writes. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { MillraceError } from '../errors.ts'
import { createFrameKernel } from '../kernels/frame.ts'
import { compress, compressionCode } from './compression.ts'
import { HEADER_BYTES, NO_PRODUCER, writeBatchHeader } from './record-batch.ts'
import type { TopicDescription } from './topics.ts'

/** Larger batches are cut: a reader takes one whole. */
const BATCH_BYTES = 1 << 20

/** One cell for each selected row, in order. 0: there are none. A cell of 0 is NULL. */
export interface RecordRows {
  readonly values: Pointer
  readonly keys: Pointer
  readonly timesUs: Pointer
  /** As on the wire, count first. */
  readonly headers?: Pointer
}

/** What batches are made for. */
export interface BatchTarget {
  /** Of a whole batch, before compression. */
  readonly bytesMax: number
  /** Of a batch with one row. */
  readonly rowBytesMax: number
  /** Of the batches' headers, compression included. */
  readonly attributes: number
  compress(records: Uint8Array): Uint8Array
  /** Memory for a batch, of any content; undefined: new memory. */
  readonly take?: (bytes: number) => Uint8Array<ArrayBuffer>
  tooLarge(bytes: number): Error
}

/** The rows that `selection` lists (undefined: the first `count`) as one batch, or as many as their size asks for. */
export type RowsEncoder = (
  rows: RecordRows,
  selection: Pointer | undefined,
  count: number,
  nowMs: number,
) => Uint8Array<ArrayBuffer>[]

/**
 * Batches without offset and producer: `stampBatch` gives them. `nowMs` is every record's time where `timesUs` is 0.
 * The encoder throws LOG_RECORD_TOO_LARGE for a row that the topic does not take.
 */
export function createRowsEncoder(memory: LinearMemory, topic: TopicDescription): RowsEncoder {
  const { compression, messageBytesMax } = topic.config
  return createBatchEncoder(memory, {
    bytesMax: Math.min(BATCH_BYTES, messageBytesMax),
    rowBytesMax: messageBytesMax,
    attributes: compressionCode(compression),
    compress: (records) => compress(compression, records),
    tooLarge: (bytes) => rowTooLarge(topic, bytes),
  })
}

/** As `createRowsEncoder`, for any target. The encoder throws what the target makes of a row that is too large. */
export function createBatchEncoder(memory: LinearMemory, target: BatchTarget): RowsEncoder {
  const kernel = createFrameKernel(memory)
  const take = target.take ?? unclearedBytes
  return function encode(cells, selection, count, nowMs): Uint8Array<ArrayBuffer>[] {
    const [baseTimestampMs, maxTimestampMs] = timeRange(memory, cells, selection, count, nowMs)
    const encoded = kernel.encode({
      ...cells,
      headers: cells.headers ?? 0,
      selection: selection ?? 0,
      count,
      baseTimestampMs: BigInt(baseTimestampMs),
      firstOffsetDelta: 0,
    })
    if (encoded.bytes > target.bytesMax - HEADER_BYTES && count > 1) {
      const rows = selection ?? firstRows(memory, count)
      const half = count >> 1
      const first = encode(cells, rows, half, nowMs)
      return [...first, ...encode(cells, rows + 4 * half, count - half, nowMs)]
    }
    if (encoded.bytes > target.rowBytesMax - HEADER_BYTES) throw target.tooLarge(encoded.bytes)
    const packed = target.compress(
      memory.u8.subarray(encoded.address, encoded.address + encoded.bytes),
    )
    const batch = take(HEADER_BYTES + packed.length)
    batch.set(packed, HEADER_BYTES)
    writeBatchHeader(batch, {
      baseOffset: 0,
      bytes: batch.length,
      attributes: target.attributes,
      lastOffset: count - 1,
      baseTimestampMs,
      maxTimestampMs,
      producerId: NO_PRODUCER,
      producerEpoch: -1,
      baseSequence: -1,
      recordCount: count,
    })
    return [batch]
  }
}

/** New memory of any content: clearing what is written over at once is work for nothing. */
export function unclearedBytes(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
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

function rowTooLarge({ name, config }: TopicDescription, bytes: number): MillraceError {
  return new MillraceError('LOG_RECORD_TOO_LARGE', {
    message: `a row of ${bytes} bytes; topic ${name} takes ${config.messageBytesMax}`,
    hint: "raise the topic's max.message.bytes",
    facts: { topic: name, bytes, bytesMax: config.messageBytesMax },
  })
}
