/** Builds record batches from records: one growing buffer, handed out whole. */
import { invariant } from '../errors.ts'
import { type Compression, compress, compressionCode } from './compression.ts'
import { HEADER_BYTES, NO_PRODUCER, writeBatchHeader } from './record-batch.ts'
import { varintBytes, writeVarint } from './varint.ts'

export interface LogRecord {
  /** Null or absent: no key. */
  readonly key?: Uint8Array | null
  /** Null: a tombstone. */
  readonly value: Uint8Array | null
  readonly headers?: readonly RecordHeader[]
  /** The producer's time, ms since the epoch; absent: when the record is appended. */
  readonly timestampMs?: number
}

export interface RecordHeader {
  readonly key: string
  readonly value: Uint8Array | null
}

export interface BatchBuilder {
  readonly count: number
  /** Of the batch so far, uncompressed, header included. */
  readonly bytes: number
  /** `nowMs` stands in for a record's missing timestamp. */
  add(record: LogRecord, nowMs: number): void
  /** A record without key and headers whose value is `source[start, end)`. */
  addValue(source: Uint8Array, start: number, end: number, timestampMs: number): void
  /** The batch, in memory of its own, with offset 0 and no producer until it is stamped; the builder starts anew. */
  finish(compression: Compression): Uint8Array
  /** Forgets what was added. */
  clear(): void
}

const NO_HEADERS: readonly RecordHeader[] = []
/** Three varints and the attributes. */
const RECORD_HEAD_BYTES_MAX = 32
const encoder = new TextEncoder()

export function createBatchBuilder(bytesExpected = 1 << 16): BatchBuilder {
  let buffer: Uint8Array = new Uint8Array(HEADER_BYTES + bytesExpected)
  let at = HEADER_BYTES
  let count = 0
  let baseTimestampMs = 0
  let maxTimestampMs = 0

  /** Writes what comes before a record's key; `bodyBytes` counts from the key on. */
  function begin(timestampMs: number, bodyBytes: number): void {
    invariant(Number.isSafeInteger(timestampMs), `whole milliseconds: ${timestampMs}`)
    if (count === 0) baseTimestampMs = maxTimestampMs = timestampMs
    if (timestampMs > maxTimestampMs) maxTimestampMs = timestampMs
    buffer = withRoom(buffer, at, bodyBytes + RECORD_HEAD_BYTES_MAX)
    const delta = timestampMs - baseTimestampMs
    at = writeVarint(buffer, at, 1 + varintBytes(delta) + varintBytes(count) + bodyBytes)
    buffer[at++] = 0
    at = writeVarint(buffer, at, delta)
    at = writeVarint(buffer, at, count++)
  }

  function clear(): void {
    at = HEADER_BYTES
    count = 0
  }

  return {
    get count() {
      return count
    },
    get bytes() {
      return at
    },
    add(record, nowMs) {
      const key = record.key ?? null
      const headers = (record.headers ?? NO_HEADERS).map(encodeHeader)
      begin(record.timestampMs ?? nowMs, bodyBytes(key, record.value, headers))
      at = writeBody(buffer, at, key, record.value, headers)
    },
    addValue(source, start, end, timestampMs) {
      const length = end - start
      begin(timestampMs, 1 + varintBytes(length) + length + 1)
      at = writeVarint(buffer, at, -1)
      at = writeVarint(buffer, at, length)
      buffer.set(source.subarray(start, end), at)
      at += length
      buffer[at++] = 0
    },
    finish(compression) {
      invariant(count > 0, 'a batch has records')
      const records = buffer.subarray(HEADER_BYTES, at)
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
      clear()
      return batch
    },
    clear,
  }
}

function encodeHeader(header: RecordHeader): EncodedHeader {
  return { key: encoder.encode(header.key), value: header.value }
}

/** `buffer`, or a larger one with its first `used` bytes, that holds `more` after them. */
function withRoom(buffer: Uint8Array, used: number, more: number): Uint8Array {
  if (used + more <= buffer.length) return buffer
  const larger = new Uint8Array(Math.max(used + more, buffer.length * 2))
  larger.set(buffer.subarray(0, used))
  return larger
}

/** The records area, uncompressed, of records that have their offsets and times already. */
export function encodeRecords(
  records: readonly (Required<LogRecord> & { readonly offset: number })[],
  baseOffset: number,
  baseTimestampMs: number,
): Uint8Array {
  let buffer: Uint8Array = new Uint8Array(1 << 12)
  let at = 0
  for (const record of records) {
    const headers = record.headers.map(encodeHeader)
    const body = bodyBytes(record.key, record.value, headers)
    buffer = withRoom(buffer, at, body + RECORD_HEAD_BYTES_MAX)
    const timestampDelta = record.timestampMs - baseTimestampMs
    const offsetDelta = record.offset - baseOffset
    at = writeVarint(buffer, at, 1 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + body)
    buffer[at++] = 0
    at = writeVarint(buffer, at, timestampDelta)
    at = writeVarint(buffer, at, offsetDelta)
    at = writeBody(buffer, at, record.key, record.value, headers)
  }
  return buffer.subarray(0, at)
}

interface EncodedHeader {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

function bodyBytes(
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly EncodedHeader[],
): number {
  let bytes = fieldBytes(key) + fieldBytes(value) + varintBytes(headers.length)
  for (const header of headers) bytes += fieldBytes(header.key) + fieldBytes(header.value)
  return bytes
}

function fieldBytes(field: Uint8Array | null): number {
  return field === null ? 1 : varintBytes(field.length) + field.length
}

function writeBody(
  buffer: Uint8Array,
  start: number,
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly EncodedHeader[],
): number {
  let at = writeBytes(buffer, start, key)
  at = writeBytes(buffer, at, value)
  at = writeVarint(buffer, at, headers.length)
  for (const header of headers) {
    at = writeBytes(buffer, at, header.key)
    at = writeBytes(buffer, at, header.value)
  }
  return at
}

function writeBytes(buffer: Uint8Array, at: number, field: Uint8Array | null): number {
  if (field === null) return writeVarint(buffer, at, -1)
  const start = writeVarint(buffer, at, field.length)
  buffer.set(field, start)
  return start + field.length
}
