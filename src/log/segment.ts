/**
 * Segments: a partition's records in files that are named by their first offset.
 *
 *   <baseOffset, 20 digits>.log        record batches, one after another
 *   <baseOffset, 20 digits>.index      8 bytes an entry: i32 last offset of a batch − baseOffset · i32 the batch's place in .log
 *   <baseOffset, 20 digits>.timeindex  12 bytes an entry: i64 greatest timestamp so far · i32 its offset − baseOffset
 *
 * An entry is made at the first batch after every 4 KiB. The indexes hold nothing that .log does not, and are made anew from it.
 *
 * @see Kafka's LogSegment, OffsetIndex and TimeIndex
 */
import { join } from 'node:path'
import type { FileHandle, Files } from '../ports/files.ts'
import type { BatchHeader } from './record-batch.ts'

export const INDEX_ENTRY_BYTES = 8
export const TIME_ENTRY_BYTES = 12
const INDEX_INTERVAL_BYTES = 4096
const BASE = /^(\d{20})\.log$/

/** A segment that is being written. */
export interface ActiveSegment {
  readonly baseOffset: number
  readonly log: FileHandle
  readonly index: FileHandle
  readonly timeIndex: FileHandle
  bytes: number
  indexBytes: number
  timeIndexBytes: number
  bytesSinceIndex: number
  /** Of the batches so far, with the last offset of the batch that has it; -1 while empty. */
  maxTimestampMs: number
  maxTimestampOffset: number
  lastIndexedTimestampMs: number
  /** When the first batch was appended, for rolling by time; undefined while empty. */
  firstAppendMs: number | undefined
}

export function segmentPath(
  directory: string,
  baseOffset: number,
  suffix: 'log' | 'index' | 'timeindex' | 'producers',
): string {
  return join(directory, `${String(baseOffset).padStart(20, '0')}.${suffix}`)
}

/** The base offsets of the segments in `directory`, ascending; none if it is missing. */
export function listSegments(files: Files, directory: string): number[] {
  if (!files.exists(directory)) return []
  return files
    .list(directory)
    .map((name) => BASE.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
}

/** Of ascending base offsets, those of the segments that hold `offset` or what comes after it. */
export function segmentsFrom(bases: readonly number[], offset: number): readonly number[] {
  const after = bases.findIndex((base) => base > offset)
  return bases.slice(after === -1 ? -1 : Math.max(after - 1, 0))
}

/** Opens (and makes, if missing) the files of a segment, as empty: whoever opens one with content scans it. */
export function openSegment(files: Files, directory: string, baseOffset: number): ActiveSegment {
  return {
    baseOffset,
    log: files.open(segmentPath(directory, baseOffset, 'log'), 'write'),
    index: files.open(segmentPath(directory, baseOffset, 'index'), 'write'),
    timeIndex: files.open(segmentPath(directory, baseOffset, 'timeindex'), 'write'),
    bytes: 0,
    indexBytes: 0,
    timeIndexBytes: 0,
    bytesSinceIndex: 0,
    maxTimestampMs: -1,
    maxTimestampOffset: baseOffset,
    lastIndexedTimestampMs: -1,
    firstAppendMs: undefined,
  }
}

export function closeSegment(segment: ActiveSegment): void {
  segment.log.close()
  segment.index.close()
  segment.timeIndex.close()
}

/** Takes a batch, which lies at `segment.bytes`, into the indexes. */
export function indexBatch(segment: ActiveSegment, header: BatchHeader, nowMs: number): void {
  segment.firstAppendMs ??= nowMs
  if (header.maxTimestampMs > segment.maxTimestampMs) {
    segment.maxTimestampMs = header.maxTimestampMs
    segment.maxTimestampOffset = header.lastOffset
  }
  if (segment.bytesSinceIndex > INDEX_INTERVAL_BYTES) {
    const entry = new DataView(new ArrayBuffer(INDEX_ENTRY_BYTES))
    entry.setInt32(0, header.lastOffset - segment.baseOffset)
    entry.setInt32(4, segment.bytes)
    segment.index.write(new Uint8Array(entry.buffer), segment.indexBytes)
    segment.indexBytes += INDEX_ENTRY_BYTES
    indexTime(segment)
    segment.bytesSinceIndex = 0
  }
  segment.bytes += header.bytes
  segment.bytesSinceIndex += header.bytes
}

/** Writes the greatest timestamp so far to the time index, if it is not there. */
export function indexTime(segment: ActiveSegment): void {
  if (segment.maxTimestampMs <= segment.lastIndexedTimestampMs) return
  const entry = new DataView(new ArrayBuffer(TIME_ENTRY_BYTES))
  entry.setBigInt64(0, BigInt(segment.maxTimestampMs))
  entry.setInt32(8, segment.maxTimestampOffset - segment.baseOffset)
  segment.timeIndex.write(new Uint8Array(entry.buffer), segment.timeIndexBytes)
  segment.timeIndexBytes += TIME_ENTRY_BYTES
  segment.lastIndexedTimestampMs = segment.maxTimestampMs
}
