/** The records of one batch, one object each: for whatever is not hot (inspection, compaction, event ids, look-ups by time). */
import { MillraceError } from '../errors.ts'
import type { LogRecord, RecordHeader } from './batch-builder.ts'
import { decompress } from './compression.ts'
import { APPEND_TIME_BIT, COMPRESSION_MASK, HEADER_BYTES, readBatchHeader } from './record-batch.ts'
import { type Cursor, readVarint } from './varint.ts'

export interface StoredRecord extends Required<LogRecord> {
  readonly offset: number
  /** When the log took it in; undefined if the topic keeps only producers' times. */
  readonly appendTimeMs: number | undefined
}

const NO_HEADERS: readonly RecordHeader[] = []
const decoder = new TextDecoder()

/**
 * `batch` is whole and its checksum right; keys and values are views of it, or of its unpacked records.
 * @throws LOG_CORRUPT if the records are not what the header says, naming the place in the batch
 */
export function readRecords(batch: Uint8Array): StoredRecord[] {
  const header = readBatchHeader(batch, 0)
  const bytes = decompress(header.attributes & COMPRESSION_MASK, batch.subarray(HEADER_BYTES))
  const appendTimeMs = header.attributes & APPEND_TIME_BIT ? header.maxTimestampMs : undefined
  const records: StoredRecord[] = []
  const cursor: Cursor = { bytes, at: 0, end: bytes.length }
  for (let index = 0; index < header.recordCount; index++) {
    const start = cursor.at
    const record = readRecord(cursor)
    if (record === undefined) throw recordDamaged(header.baseOffset, index, start)
    const { offsetDelta, timestampDelta, ...rest } = record
    const timestampMs = header.baseTimestampMs + timestampDelta
    records.push({ ...rest, offset: header.baseOffset + offsetDelta, timestampMs, appendTimeMs })
  }
  return records
}

interface RawRecord {
  readonly offsetDelta: number
  readonly timestampDelta: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
}

function readRecord(cursor: Cursor): RawRecord | undefined {
  const length = readVarint(cursor)
  const end = cursor.at + length
  if (!(length > 0 && end <= cursor.end)) return undefined
  cursor.at++
  const timestampDelta = readVarint(cursor)
  const offsetDelta = readVarint(cursor)
  const key = readField(cursor)
  const value = readField(cursor)
  if (key === undefined || value === undefined) return undefined
  const headers = readHeaders(cursor)
  if (headers === undefined || cursor.at !== end || Number.isNaN(timestampDelta + offsetDelta))
    return undefined
  return { offsetDelta, timestampDelta, key, value, headers }
}

function readHeaders(cursor: Cursor): readonly RecordHeader[] | undefined {
  const count = readVarint(cursor)
  if (count === 0) return NO_HEADERS
  if (!(count > 0 && count <= cursor.end - cursor.at)) return undefined
  const headers: RecordHeader[] = []
  for (let index = 0; index < count; index++) {
    const key = readField(cursor)
    const value = readField(cursor)
    if (key === undefined || key === null || value === undefined) return undefined
    headers.push({ key: decoder.decode(key), value })
  }
  return headers
}

/** Null for length -1; undefined if it does not fit. */
function readField(cursor: Cursor): Uint8Array | null | undefined {
  const length = readVarint(cursor)
  if (length === -1) return null
  if (!(length >= 0 && cursor.at + length <= cursor.end)) return undefined
  const field = cursor.bytes.subarray(cursor.at, cursor.at + length)
  cursor.at += length
  return field
}

function recordDamaged(baseOffset: number, index: number, at: number): MillraceError {
  return new MillraceError('LOG_CORRUPT', {
    message: `record ${index} of the batch at offset ${baseOffset} is damaged (byte ${at} of its records)`,
    hint: 'the batch was written wrong, its checksum is right: ask whoever produced it',
    facts: { baseOffset, index, byte: at },
  })
}
