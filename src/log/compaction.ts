/**
 * Key compaction: of the records with one key the last stays. Closed segments are rewritten one by one, each replaced whole.
 *
 * Nothing at or after a pin is touched, so that a replay from a checkpoint gives what the first reading gave. Offsets stay:
 * a rewritten batch keeps its first and last offset, and readers of the topic expect gaps. A tombstone stays for
 * delete.retention.ms, for readers that still hold the value that it removes.
 *
 * @see Kafka's LogCleaner
 */
import type { Ports } from '../ports/ports.ts'
import { encodeRecords } from './batch-builder.ts'
import { scanBatches } from './batch-scan.ts'
import { crc32c } from './checksum.ts'
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
import { closedSegments } from './retention.ts'
import { segmentPath } from './segment.ts'
import type { TopicConfig } from './topics.ts'

export interface Compacted {
  readonly recordsBefore: number
  readonly recordsAfter: number
}

/** @throws LOG_CORRUPT */
export async function compactPartition(
  ports: Ports,
  writer: PartitionWriter,
  config: TopicConfig,
  pinnedFrom: number | undefined,
): Promise<Compacted> {
  return writer.exclusively(async () => {
    const end = pinnedFrom ?? Number.POSITIVE_INFINITY
    const bases = closedSegments(ports, writer)
      .filter((segment) => segment.endOffset <= end)
      .map((segment) => segment.baseOffset)
    const latest = latestOffsets(ports, writer.directory, bases)
    const tombstonesFrom = ports.clock.nowMs() - config.deleteRetentionMs
    const isKept = (record: StoredRecord): boolean => {
      if (record.key === null || latest.get(keyText(record.key)) !== record.offset) return false
      return record.value !== null || (record.appendTimeMs ?? record.timestampMs) >= tombstonesFrom
    }
    let [recordsBefore, recordsAfter] = [0, 0]
    for (const base of bases) {
      const done = await compactSegment(ports, writer.directory, base, isKept)
      recordsBefore += done.recordsBefore
      recordsAfter += done.recordsAfter
    }
    return { recordsBefore, recordsAfter }
  })
}

function latestOffsets(
  ports: Ports,
  directory: string,
  bases: readonly number[],
): Map<string, number> {
  const latest = new Map<string, number>()
  for (const base of bases)
    visitRecords(ports, segmentPath(directory, base, 'log'), (_, records) => {
      for (const { key, offset } of records) if (key !== null) latest.set(keyText(key), offset)
    })
  return latest
}

async function compactSegment(
  ports: Ports,
  directory: string,
  base: number,
  isKept: (record: StoredRecord) => boolean,
): Promise<Compacted> {
  const path = segmentPath(directory, base, 'log')
  const cleaned = `${path}.cleaned`
  const file = ports.files.open(cleaned, 'write')
  let [bytes, recordsBefore, recordsAfter] = [0, 0, 0]
  try {
    file.truncate(0)
    visitRecords(ports, path, (header, records, batch) => {
      const kept = records.filter(isKept)
      recordsBefore += records.length
      recordsAfter += kept.length
      if (kept.length === 0) return
      const rewritten = kept.length === records.length ? batch : rewrite(header, kept)
      ports.faultPoint('log.compaction.write')
      file.write(rewritten, bytes)
      bytes += rewritten.length
    })
    ports.faultPoint('log.compaction.sync')
    await file.sync()
  } finally {
    file.close()
  }
  if (recordsAfter === recordsBefore) ports.files.remove(cleaned)
  else await swap(ports, directory, base, cleaned)
  return { recordsBefore, recordsAfter }
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

function visitRecords(
  ports: Ports,
  path: string,
  visit: (header: BatchHeader, records: readonly StoredRecord[], batch: Uint8Array) => void,
): void {
  const file = ports.files.open(path, 'read')
  try {
    const end = scanBatches(file, 0, file.bytes(), ({ header, bytes }) => {
      visit(header, readRecords(bytes), bytes)
      return undefined
    })
    if (end.fault !== undefined) throw damaged(path, end.position, end.fault, undefined)
  } finally {
    file.close()
  }
}

/** Each byte a character: equal keys, equal texts. */
function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
