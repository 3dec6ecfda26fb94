/**
 * Key compaction: of the records with one key the last stays. Closed segments are rewritten one by one, each replaced whole.
 *
 * Nothing at or after a pin is touched, so that a replay from a checkpoint gives what the first reading gave. Offsets stay:
 * a rewritten batch keeps its first and last offset, and readers of the topic expect gaps. A tombstone stays for
 * delete.retention.ms, for readers that still hold the value that it removes.
 *
 * A pass is bounded: it learns the keys of segments that are new since the last one, up to `KEYS_MAX` of them, and lets others
 * work after each piece. Appends go on meanwhile; only the swap of a segment has the partition for itself.
 *
 * @see Kafka's LogCleaner
 */

import { crc32c } from '../codec/checksum.ts'
import type { Ports } from '../ports/ports.ts'
import { encodeRecords } from './batch-builder.ts'
import { scanBatches } from './batch-scan.ts'
import { COMPRESSIONS, type Compression, compress } from './compression.ts'
import type { PartitionWriter } from './partition-writer.ts'
import {
  type BatchHeader,
  COMPRESSION_MASK,
  CRC_AT,
  CRC_FROM,
  HEADER_BYTES,
  writeBatchHeader,
} from './record-batch.ts'
import { readRecords, type StoredRecord } from './records.ts'
import { damaged, rebuildIndexes } from './recovery.ts'
import { closedSegments, type SegmentFacts } from './retention.ts'
import { segmentPath } from './segment.ts'
import type { TopicConfig } from './topics.ts'

/** How far a partition has been compacted. Forgetting it costs reading the closed segments once more. */
export interface CompactionProgress {
  /** Below this offset each key stands once. */
  readonly compactedTo: number
  /** When the oldest tombstone that was left came in; undefined if none was left. */
  readonly oldestTombstoneMs: number | undefined
}

export interface Compacted extends CompactionProgress {
  readonly recordsBefore: number
  readonly recordsAfter: number
}

/** Gives way to others; false if no more is wanted. */
export type Pause = () => Promise<boolean>

/** What one pass remembers. */
export const KEYS_MAX = 1_000_000
/** What is worked on between two pauses: some milliseconds. */
const PIECE_BYTES = 256 << 10

/** One pass. @throws LOG_CORRUPT */
export async function compactPartition(
  ports: Ports,
  writer: PartitionWriter,
  config: TopicConfig,
  pinnedFrom: number | undefined,
  progress: CompactionProgress = { compactedTo: 0, oldestTombstoneMs: undefined },
  pause: Pause = async () => true,
  keysMax = KEYS_MAX,
): Promise<Compacted> {
  const { directory } = writer
  const tombstonesFrom = ports.clock.nowMs() - config.deleteRetentionMs
  const end = pinnedFrom ?? Number.POSITIVE_INFINITY
  const closed = await writer.exclusively(async () => closedSegments(ports, writer))
  const allowed = closed.filter((segment) => segment.endOffset <= end)
  const fresh = allowed.filter((segment) => segment.endOffset > progress.compactedTo)
  const { oldestTombstoneMs } = progress
  const hasDue = oldestTombstoneMs !== undefined && oldestTombstoneMs < tombstonesFrom
  let done: Compacted = { ...progress, recordsBefore: 0, recordsAfter: 0 }
  if (fresh.length === 0 && !hasDue) return done
  const known = await latestOffsets(ports, directory, fresh, keysMax, pause)
  if (known === undefined) return done
  const compactedTo = Math.max(progress.compactedTo, known.endOffset)
  const isKept = (record: StoredRecord): boolean => {
    if (record.key === null) return false
    const latest = known.offsets.get(keyText(record.key))
    if (latest !== undefined && latest !== record.offset) return false
    return record.value !== null || cameMs(record) >= tombstonesFrom
  }
  done = { ...done, oldestTombstoneMs: undefined }
  for (const { baseOffset, endOffset } of allowed) {
    if (endOffset > compactedTo) break
    const segment = await compactSegment(ports, writer, baseOffset, isKept, pause)
    if (segment === undefined) return { ...done, ...progress }
    done = {
      compactedTo,
      recordsBefore: done.recordsBefore + segment.recordsBefore,
      recordsAfter: done.recordsAfter + segment.recordsAfter,
      oldestTombstoneMs: earlier(done.oldestTombstoneMs, segment.oldestTombstoneMs),
    }
  }
  return done
}

function cameMs({ appendTimeMs, timestampMs }: StoredRecord): number {
  return appendTimeMs ?? timestampMs
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Math.min(one, other)
}

/** The last offset of each key of as many segments as there is room for; undefined if no more is wanted. */
async function latestOffsets(
  ports: Ports,
  directory: string,
  segments: readonly SegmentFacts[],
  keysMax: number,
  pause: Pause,
): Promise<{ offsets: Map<string, number>; endOffset: number } | undefined> {
  const offsets = new Map<string, number>()
  let reached = 0
  for (const { baseOffset, endOffset } of segments) {
    if (offsets.size >= keysMax) break
    const visit = (_: BatchHeader, records: readonly StoredRecord[]) => {
      for (const { key, offset } of records) if (key !== null) offsets.set(keyText(key), offset)
    }
    const path = segmentPath(directory, baseOffset, 'log')
    if (!(await visitRecords(ports, path, visit, pause))) return undefined
    reached = endOffset
  }
  return { offsets, endOffset: reached }
}

interface CompactedSegment {
  readonly recordsBefore: number
  readonly recordsAfter: number
  readonly oldestTombstoneMs: number | undefined
}

/** Undefined if no more is wanted: then the segment is as it was. */
async function compactSegment(
  ports: Ports,
  writer: PartitionWriter,
  base: number,
  isKept: (record: StoredRecord) => boolean,
  pause: Pause,
): Promise<CompactedSegment | undefined> {
  const path = segmentPath(writer.directory, base, 'log')
  const cleaned = `${path}.cleaned`
  const file = ports.files.open(cleaned, 'write')
  let [bytes, recordsBefore, recordsAfter] = [0, 0, 0]
  let oldestTombstoneMs: number | undefined
  let isWhole = false
  try {
    file.truncate(0)
    const visit = (header: BatchHeader, records: readonly StoredRecord[], batch: Uint8Array) => {
      const kept = records.filter(isKept)
      recordsBefore += records.length
      recordsAfter += kept.length
      for (const record of kept)
        if (record.value === null) oldestTombstoneMs = earlier(oldestTombstoneMs, cameMs(record))
      if (kept.length === 0) return
      const rewritten = kept.length === records.length ? batch : rewrite(header, kept)
      ports.faultPoint('log.compaction.write')
      file.write(rewritten, bytes)
      bytes += rewritten.length
    }
    isWhole = await visitRecords(ports, path, visit, pause)
    ports.faultPoint('log.compaction.sync')
    await file.sync()
  } finally {
    file.close()
  }
  if (!isWhole || recordsAfter === recordsBefore) ports.files.remove(cleaned)
  else await writer.exclusively(() => swap(ports, writer.directory, base, cleaned))
  return isWhole ? { recordsBefore, recordsAfter, oldestTombstoneMs } : undefined
}

/** The old indexes go first: a segment without them is whole, and one with those of another file is not. */
async function swap(ports: Ports, directory: string, base: number, cleaned: string): Promise<void> {
  const { files } = ports
  for (const suffix of ['index', 'timeindex'] as const) {
    const path = segmentPath(directory, base, suffix)
    if (files.exists(path)) files.remove(path)
  }
  ports.faultPoint('log.compaction.unindexed')
  await files.syncDirectory(directory)
  ports.faultPoint('log.compaction.rename')
  files.rename(cleaned, segmentPath(directory, base, 'log'))
  await files.syncDirectory(directory)
  ports.faultPoint('log.compaction.renamed')
  rebuildIndexes(ports, directory, base)
}

/** The batch with some of its records: the same offsets, times and producer. */
function rewrite(header: BatchHeader, kept: readonly StoredRecord[]): Uint8Array {
  const name = COMPRESSIONS[header.attributes & COMPRESSION_MASK]
  const compression: Compression = name === 'gzip' || name === 'zstd' ? name : 'none'
  const records = encodeRecords(kept, header.baseOffset, header.baseTimestampMs)
  const packed = compress(compression, records)
  const batch = new Uint8Array(HEADER_BYTES + packed.length)
  batch.set(packed, HEADER_BYTES)
  writeBatchHeader(batch, { ...header, bytes: batch.length, recordCount: kept.length })
  const crc = crc32c(batch, CRC_FROM, batch.length)
  new DataView(batch.buffer).setUint32(CRC_AT, crc)
  return batch
}

/** In pieces, with a pause after each; false if it was ended there. */
async function visitRecords(
  ports: Ports,
  path: string,
  visit: (header: BatchHeader, records: readonly StoredRecord[], batch: Uint8Array) => void,
  pause: Pause,
): Promise<boolean> {
  const file = ports.files.open(path, 'read')
  try {
    const bytes = file.bytes()
    for (let position = 0; position < bytes; ) {
      let visited = 0
      const end = scanBatches(file, position, bytes, ({ header, bytes: batch }) => {
        if (visited >= PIECE_BYTES) return 'stop'
        visit(header, readRecords(batch), batch)
        visited += batch.length
        return undefined
      })
      if (end.fault !== undefined) throw damaged(path, end.position, end.fault, undefined)
      position = end.position
      if (!(await pause())) return false
    }
    return true
  } finally {
    file.close()
  }
}

/** Each byte a character: equal keys, equal texts. */
function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
