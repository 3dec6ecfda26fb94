/** What a partition holds, and where: for whoever reads, without a lock. */
import { MillraceError } from '../errors.ts'
import type { Ports } from '../ports/ports.ts'
import { scanBatches } from './batch-scan.ts'
import { readPublishedFile } from './high-watermark.ts'
import { APPEND_TIME_BIT } from './record-batch.ts'
import { readRecords } from './records.ts'
import { damaged } from './recovery.ts'
import { listSegments, segmentPath } from './segment.ts'
import { lookUpOffset, lookUpTime } from './segment-index.ts'
import { partitionDirectory } from './topics.ts'

export interface PartitionRange {
  /** The first offset that is there. */
  readonly startOffset: number
  /** Exclusive: the high watermark. */
  readonly endOffset: number
}

/** Empty from 0 while nothing was ever appended. */
export function partitionRange(
  ports: Ports,
  dataDirectory: string,
  topic: string,
  partition: number,
): PartitionRange {
  const directory = partitionDirectory(dataDirectory, topic, partition)
  const published = readPublishedFile(ports.files, directory)
  return { startOffset: published?.logStart ?? 0, endOffset: published?.highWatermark ?? 0 }
}

/**
 * The first offset whose time is `timestampMs` or later: the append time, or in a topic with CreateTime the producer's.
 * The end offset if there is none.
 */
export function offsetForTime(
  ports: Ports,
  dataDirectory: string,
  topic: string,
  partition: number,
  timestampMs: number,
): number {
  const { startOffset, endOffset } = partitionRange(ports, dataDirectory, topic, partition)
  const directory = partitionDirectory(dataDirectory, topic, partition)
  for (const base of listSegments(ports.files, directory)) {
    const found = firstAtTime(ports, directory, base, timestampMs, endOffset)
    if (found !== undefined) return Math.min(Math.max(found, startOffset), endOffset)
  }
  return endOffset
}

function firstAtTime(
  ports: Ports,
  directory: string,
  base: number,
  timestampMs: number,
  endOffset: number,
): number | undefined {
  const { files } = ports
  const before = lookUpTime(files, directory, base, timestampMs)
  const from = before === undefined ? 0 : lookUpOffset(files, directory, base, before.offset)
  const path = segmentPath(directory, base, 'log')
  const file = files.open(path, 'read')
  try {
    let found: number | undefined
    const end = scanBatches(file, from, file.bytes(), ({ header, bytes }) => {
      if (header.lastOffset >= endOffset) return 'stop'
      if (header.maxTimestampMs < timestampMs) return undefined
      found =
        header.attributes & APPEND_TIME_BIT
          ? header.baseOffset
          : readRecords(bytes).find((record) => record.timestampMs >= timestampMs)?.offset
      return found === undefined ? undefined : 'stop'
    })
    if (found === undefined && end.fault !== undefined && base < endOffset)
      throw damaged(path, end.position, end.fault, undefined)
    return found
  } finally {
    file.close()
  }
}

/** A position that the partition does not have (any more, or yet). */
export function offsetOutOfRange(
  topic: string,
  partition: number,
  offset: number,
  { startOffset, endOffset }: PartitionRange,
): MillraceError {
  return new MillraceError('LOG_OFFSET_OUT_OF_RANGE', {
    message: `offset ${offset} of ${topic}-${partition} is not there: it holds ${startOffset} to ${endOffset}`,
    hint:
      offset < startOffset
        ? 'retention has removed it: start from earliest-offset, and keep records longer than pipelines stand still'
        : 'the log has lost its end, or is another one: start from a position that it has',
    facts: { topic, partition, offset, startOffset, endOffset },
  })
}
