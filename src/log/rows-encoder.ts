/** Rows that lie in linear memory, as record batches: what a sink writes. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { MillraceError } from '../errors.ts'
import { createFrameKernel } from '../kernels/frame.ts'
import { compress, compressionCode } from './compression.ts'
import { HEADER_BYTES, NO_PRODUCER, writeBatchHeader } from './record-batch.ts'
import type { TopicDescription } from './topics.ts'

/** Larger batches are cut: a reader takes one whole. */
const BATCH_BYTES = 1 << 20

/** One cell for each selected row, in order. 0: there are none. */
export interface RecordRows {
  readonly values: Pointer
  readonly keys: Pointer
  readonly timesUs: Pointer
}

/** The rows that `selection` lists (undefined: the first `count`) as one batch, or as many as their size asks for. */
export type RowsEncoder = (
  rows: RecordRows,
  selection: Pointer | undefined,
  count: number,
  nowMs: number,
) => Uint8Array[]

/**
 * Batches without offset and producer: `stampBatch` gives them. `nowMs` is every record's time where `timesUs` is 0.
 * The encoder throws LOG_RECORD_TOO_LARGE for a row that the topic does not take.
 */
export function createRowsEncoder(memory: LinearMemory, topic: TopicDescription): RowsEncoder {
  const kernel = createFrameKernel(memory)
  const { compression, messageBytesMax } = topic.config
  const bytesMax = Math.min(BATCH_BYTES, messageBytesMax) - HEADER_BYTES
  return function encode(cells, selection, count, nowMs): Uint8Array[] {
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
      const first = encode(cells, rows, half, nowMs)
      return [...first, ...encode(cells, rows + 4 * half, count - half, nowMs)]
    }
    if (encoded.bytes > messageBytesMax - HEADER_BYTES) throw rowTooLarge(topic, encoded.bytes)
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
    return [batch]
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

function rowTooLarge({ name, config }: TopicDescription, bytes: number): MillraceError {
  return new MillraceError('LOG_RECORD_TOO_LARGE', {
    message: `a row of ${bytes} bytes; topic ${name} takes ${config.messageBytesMax}`,
    hint: "raise the topic's max.message.bytes",
    facts: { topic: name, bytes, bytesMax: config.messageBytesMax },
  })
}
