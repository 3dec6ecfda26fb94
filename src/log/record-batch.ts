/**
 * Kafka's record batch, version 2: how records lie on disk.
 *
 *   0 baseOffset i64 · 8 batchLength i32 (bytes after this field) · 12 partitionLeaderEpoch i32 · 16 magic i8 = 2
 *   17 crc u32 (CRC32C of all from byte 21) · 21 attributes i16 · 23 lastOffsetDelta i32 · 27 baseTimestamp i64
 *   35 maxTimestamp i64 · 43 producerId i64 · 51 producerEpoch i16 · 53 baseSequence i32 · 57 recordCount i32 · 61 records
 *
 *   attributes  bits 0-2 compression, 3 timestamp type (1 = LogAppendTime), 4 transactional, 5 control, 6 delete horizon
 *   record      length varint · attributes i8 · timestampDelta varlong · offsetDelta varint
 *               keyLength varint (-1 = null) · key · valueLength varint (-1 = null) · value
 *               headerCount varint · (keyLength varint · key · valueLength varint · value)*
 *
 * Under LogAppendTime Kafka sets maxTimestamp to the append time and leaves the deltas alone, so both times are known:
 * a Kafka consumer sees the append time, we offer the producer's as `timestamp` too.
 *
 * @see https://kafka.apache.org/documentation/#recordbatch
 */
import { crc32c } from '../codec/checksum.ts'

export const HEADER_BYTES = 61
export const LENGTH_AT = 8
/** Bytes before the part that batchLength counts. */
export const PREFIX_BYTES = 12
export const CRC_AT = 17
export const CRC_FROM = 21
export const MAGIC = 2

export const COMPRESSION_MASK = 7
export const APPEND_TIME_BIT = 1 << 3
export const TRANSACTIONAL_BIT = 1 << 4
export const CONTROL_BIT = 1 << 5
export const HORIZON_BIT = 1 << 6

export const NO_PRODUCER = -1

export interface BatchHeader {
  readonly baseOffset: number
  /** Of the whole batch, header included. */
  readonly bytes: number
  readonly crc: number
  readonly attributes: number
  /** Inclusive. */
  readonly lastOffset: number
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** `at` + HEADER_BYTES must lie within `bytes`; nothing is checked. */
export function readBatchHeader(bytes: Uint8Array, at: number): BatchHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES)
  const baseOffset = Number(view.getBigInt64(0))
  return {
    baseOffset,
    bytes: view.getInt32(LENGTH_AT) + PREFIX_BYTES,
    crc: view.getUint32(CRC_AT),
    attributes: view.getInt16(21),
    lastOffset: baseOffset + view.getInt32(23),
    baseTimestampMs: Number(view.getBigInt64(27)),
    maxTimestampMs: Number(view.getBigInt64(35)),
    producerId: Number(view.getBigInt64(43)),
    producerEpoch: view.getInt16(51),
    baseSequence: view.getInt32(53),
    recordCount: view.getInt32(57),
  }
}

/** Writes all but baseOffset and CRC, which `stampBatch` gives when the batch finds its place. */
export function writeBatchHeader(bytes: Uint8Array, header: Omit<BatchHeader, 'crc'>): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  view.setBigInt64(0, BigInt(header.baseOffset))
  view.setInt32(LENGTH_AT, header.bytes - PREFIX_BYTES)
  view.setInt32(12, 0)
  view.setInt8(16, MAGIC)
  view.setInt16(21, header.attributes)
  view.setInt32(23, header.lastOffset - header.baseOffset)
  view.setBigInt64(27, BigInt(header.baseTimestampMs))
  view.setBigInt64(35, BigInt(header.maxTimestampMs))
  view.setBigInt64(43, BigInt(header.producerId))
  view.setInt16(51, header.producerEpoch)
  view.setInt32(53, header.baseSequence)
  view.setInt32(57, header.recordCount)
}

export interface ProducerSequence {
  readonly producerId: number
  readonly epoch: number
  /** Of the batch's first record; 0 .. 2^31 - 1, wrapping. */
  readonly sequence: number
}

/** Gives a whole batch its offset, its append time (undefined: the producers' times stand) and producer, then its CRC. */
export function stampBatch(
  batch: Uint8Array,
  baseOffset: number,
  appendTimeMs: number | undefined,
  producer: ProducerSequence | undefined,
): void {
  const view = new DataView(batch.buffer, batch.byteOffset, HEADER_BYTES)
  view.setBigInt64(0, BigInt(baseOffset))
  if (appendTimeMs !== undefined) {
    view.setInt16(21, view.getInt16(21) | APPEND_TIME_BIT)
    view.setBigInt64(35, BigInt(appendTimeMs))
  }
  if (producer !== undefined) {
    view.setBigInt64(43, BigInt(producer.producerId))
    view.setInt16(51, producer.epoch)
    view.setInt32(53, producer.sequence)
  }
  view.setUint32(CRC_AT, crc32c(batch, CRC_FROM, batch.length))
}

/** What is wrong with the batch at `at`, or undefined. `length` bytes from `at` are there. */
export function batchFault(bytes: Uint8Array, at: number, length: number): string | undefined {
  if (length < HEADER_BYTES) return `${length} bytes where a batch header has ${HEADER_BYTES}`
  const header = readBatchHeader(bytes, at)
  if (bytes[at + 16] !== MAGIC) return `magic byte ${bytes[at + 16]}, not ${MAGIC}`
  if (header.bytes < HEADER_BYTES) return `a batch length of ${header.bytes - PREFIX_BYTES}`
  if (header.recordCount < 0 || header.lastOffset < header.baseOffset)
    return `${header.recordCount} records up to offset ${header.lastOffset}`
  if (header.bytes > length) return `a batch of ${header.bytes} bytes of which ${length} are there`
  const crc = crc32c(bytes, at + CRC_FROM, at + header.bytes)
  if (crc !== header.crc) return `a checksum of ${hex(crc)} where the batch says ${hex(header.crc)}`
  return undefined
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}
