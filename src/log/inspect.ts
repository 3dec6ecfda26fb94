/** What is in a partition, batch by batch, and whether it is whole: read without a lock, while others write. */
import type { Ports } from '../ports/ports.ts'
import { scanBatches } from './batch-scan.ts'
import { COMPRESSIONS } from './compression.ts'
import { readPublishedFile } from './high-watermark.ts'
import { APPEND_TIME_BIT, COMPRESSION_MASK } from './record-batch.ts'
import { readRecords, type StoredRecord } from './records.ts'
import { listSegments, segmentPath } from './segment.ts'
import { partitionDirectory, requireTopic } from './topics.ts'

export interface InspectedBatch {
  readonly segment: string
  /** In the segment's file. */
  readonly position: number
  readonly bytes: number
  readonly baseOffset: number
  /** Inclusive. */
  readonly lastOffset: number
  readonly recordCount: number
  readonly compression: string
  readonly timestampType: 'LogAppendTime' | 'CreateTime'
  readonly baseTimestampMs: number
  readonly maxTimestampMs: number
  /** -1: no idempotent producer. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  /** Decoded only when asked for. */
  readonly records: readonly StoredRecord[] | undefined
}

export interface InspectOptions {
  readonly fromOffset?: number
  readonly batchesMax?: number
  readonly withRecords?: boolean
}

export interface Damage {
  readonly path: string
  /** From there on the file can't be believed. */
  readonly byte: number
  readonly what: string
}

export interface VerifiedPartition {
  readonly partition: number
  readonly segments: number
  readonly batches: number
  readonly records: number
  readonly bytes: number
  readonly startOffset: number
  /** Exclusive: the high watermark. */
  readonly endOffset: number
  /** Empty: all is whole, in order and without gaps. */
  readonly damages: readonly Damage[]
}

/**
 * Lists the batches of a partition that readers may see. Stops at damage: `verifyTopic` tells of it.
 * @throws LOG_TOPIC_MISSING
 */
export function inspectPartition(
  ports: Ports,
  dataDirectory: string,
  topic: string,
  partition: number,
  options: InspectOptions = {},
): InspectedBatch[] {
  requireTopic(ports, dataDirectory, topic)
  const { fromOffset = 0, batchesMax = Number.MAX_SAFE_INTEGER, withRecords = false } = options
  const directory = partitionDirectory(dataDirectory, topic, partition)
  const endOffset = readPublishedFile(ports.files, directory)?.highWatermark ?? 0
  const batches: InspectedBatch[] = []
  for (const base of listSegments(ports.files, directory)) {
    const segment = segmentPath(directory, base, 'log')
    const end = scanFile(ports, segment, ({ header, position, bytes }) => {
      if (header.lastOffset >= endOffset || batches.length >= batchesMax) return 'stop'
      if (header.lastOffset < fromOffset) return undefined
      const { attributes, crc: _, ...shown } = header
      batches.push({
        segment,
        position,
        ...shown,
        compression: COMPRESSIONS[attributes & COMPRESSION_MASK] ?? 'unknown',
        timestampType: attributes & APPEND_TIME_BIT ? 'LogAppendTime' : 'CreateTime',
        records: withRecords ? readRecords(bytes.slice()) : undefined,
      })
      return undefined
    })
    if (end.fault !== undefined || batches.length >= batchesMax) break
  }
  return batches
}

/**
 * Checks every batch below the high watermark: frame, checksum, records, order and continuity of offsets.
 * @throws LOG_TOPIC_MISSING
 */
export function verifyTopic(
  ports: Ports,
  dataDirectory: string,
  topic: string,
): VerifiedPartition[] {
  const { partitions, config } = requireTopic(ports, dataDirectory, topic)
  return Array.from({ length: partitions }, (_, partition) => {
    const directory = partitionDirectory(dataDirectory, topic, partition)
    return { partition, ...verifyPartition(ports, directory, config.cleanupPolicy === 'compact') }
  })
}

function verifyPartition(
  ports: Ports,
  directory: string,
  hasGaps: boolean,
): Omit<VerifiedPartition, 'partition'> {
  const published = readPublishedFile(ports.files, directory)
  const startOffset = published?.logStart ?? 0
  const endOffset = published?.highWatermark ?? 0
  const bases = listSegments(ports.files, directory)
  const damages: Damage[] = []
  let [batches, records, totalBytes] = [0, 0, 0]
  let expected = bases[0] ?? startOffset
  for (const base of bases) {
    const path = segmentPath(directory, base, 'log')
    const end = scanFile(ports, path, ({ header, position, bytes }) => {
      if (header.lastOffset >= endOffset) return 'stop'
      batches++
      records += header.recordCount
      totalBytes += header.bytes
      const follows = hasGaps ? header.baseOffset >= expected : header.baseOffset === expected
      if (!follows) {
        const what = `offset ${header.baseOffset} stands where ${expected} should`
        damages.push({ path, byte: position, what })
      }
      expected = header.lastOffset + 1
      const what = recordsFault(bytes)
      if (what !== undefined) damages.push({ path, byte: position, what })
      return undefined
    })
    if (end.fault !== undefined && expected < endOffset)
      damages.push({ path, byte: end.position, what: end.fault })
  }
  if (expected < endOffset && !hasGaps && damages.length === 0) {
    const path = segmentPath(directory, bases.at(-1) ?? startOffset, 'log')
    const what = `it ends at offset ${expected}, and ${endOffset} is published`
    damages.push({ path, byte: ports.files.stat(path)?.bytes ?? 0, what })
  }
  return {
    segments: bases.length,
    batches,
    records,
    bytes: totalBytes,
    startOffset,
    endOffset,
    damages,
  }
}

function recordsFault(batch: Uint8Array): string | undefined {
  try {
    readRecords(batch)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function scanFile(
  ports: Ports,
  path: string,
  visit: Parameters<typeof scanBatches>[3],
): ReturnType<typeof scanBatches> {
  const file = ports.files.open(path, 'read')
  try {
    return scanBatches(file, 0, file.bytes(), visit)
  } finally {
    file.close()
  }
}
