/** Records of the log for people to look at: read without a lock, up to what is published, checksums checked. */

import { MillraceError } from '../errors.ts'
import { scanBatches } from '../log/batch-scan.ts'
import { partitionRange } from '../log/lookup.ts'
import { readRecords, type StoredRecord } from '../log/records.ts'
import { listSegments, segmentPath, segmentsFrom } from '../log/segment.ts'
import { lookUpOffset } from '../log/segment-index.ts'
import { partitionDirectory } from '../log/topics.ts'
import type { Ports } from '../ports/ports.ts'

export interface PartitionPlace {
  readonly ports: Ports
  readonly dataDirectory: string
  readonly topic: string
  readonly partition: number
}

/** At most `limit` records from `offset` on, in order. Keys and values are copies. @throws LOG_CORRUPT */
export function readPartition(
  place: PartitionPlace,
  offset: number,
  limit: number,
): StoredRecord[] {
  const { ports, dataDirectory, topic, partition } = place
  const { startOffset, endOffset } = partitionRange(ports, dataDirectory, topic, partition)
  const directory = partitionDirectory(dataDirectory, topic, partition)
  const from = Math.max(offset, startOffset)
  const found: StoredRecord[] = []
  if (from >= endOffset) return found
  for (const base of segmentsFrom(listSegments(ports.files, directory), from)) {
    const path = segmentPath(directory, base, 'log')
    const file = ports.files.open(path, 'read')
    try {
      const start = base <= from ? lookUpOffset(ports.files, directory, base, from) : 0
      const end = scanBatches(file, start, file.bytes(), ({ header, bytes }) => {
        if (header.baseOffset >= endOffset || found.length >= limit) return 'stop'
        if (header.lastOffset < from) return undefined
        for (const record of readRecords(bytes.slice())) {
          if (record.offset >= from && record.offset < endOffset && found.length < limit)
            found.push(record)
        }
        return undefined
      })
      const reached = found.at(-1)?.offset ?? from - 1
      if (end.fault !== undefined && found.length < limit && reached + 1 < endOffset)
        throw damagedSegment(path, end.position, end.fault)
    } finally {
      file.close()
    }
    if (found.length >= limit) break
  }
  return found
}

export interface Verified {
  readonly topic: string
  readonly partition: number
  readonly segments: number
  readonly batches: number
  readonly records: number
  readonly bytes: number
  readonly faults: readonly SegmentFault[]
}

export interface SegmentFault {
  readonly file: string
  readonly byte: number
  readonly fault: string
}

/** Reads every batch of a partition and checks its checksum, its records and that offsets only grow. */
export function verifyPartition(place: PartitionPlace): Verified {
  const { ports, dataDirectory, topic, partition } = place
  const { endOffset } = partitionRange(ports, dataDirectory, topic, partition)
  const directory = partitionDirectory(dataDirectory, topic, partition)
  const faults: SegmentFault[] = []
  const bases = listSegments(ports.files, directory)
  const sum = { batches: 0, records: 0, bytes: 0 }
  let next = 0
  for (const base of bases) {
    const path = segmentPath(directory, base, 'log')
    const file = ports.files.open(path, 'read')
    try {
      const end = scanBatches(file, 0, file.bytes(), ({ header, position, bytes }) => {
        const fault = batchFault(header.baseOffset, next, bytes)
        if (fault !== undefined) faults.push({ file: path, byte: position, fault })
        next = header.lastOffset + 1
        sum.batches++
        sum.records += header.recordCount
        sum.bytes += bytes.length
        return undefined
      })
      // What an interrupted append left behind was never acknowledged, and is cut off by the next owner.
      const isTail = base === bases.at(-1) && next >= endOffset
      if (end.fault !== undefined && !isTail)
        faults.push({ file: path, byte: end.position, fault: end.fault })
    } finally {
      file.close()
    }
  }
  if (next < endOffset)
    faults.push({
      file: directory,
      byte: 0,
      fault: `it ends at offset ${next}, but ${endOffset} were published`,
    })
  return { topic, partition, segments: bases.length, ...sum, faults }
}

function batchFault(baseOffset: number, next: number, bytes: Uint8Array): string | undefined {
  if (baseOffset < next) return `offset ${baseOffset} comes after ${next - 1}`
  try {
    readRecords(bytes)
    return undefined
  } catch (error) {
    if (error instanceof MillraceError) return error.message
    throw error
  }
}

function damagedSegment(path: string, byte: number, fault: string): MillraceError {
  return new MillraceError('LOG_CORRUPT', {
    message: `${path} is damaged at byte ${byte}: ${fault}`,
    hint: 'see what is affected with `millrace log verify`; restore the file from a copy',
    facts: { path, byte },
  })
}
