/** Records of a partition one by one, for what is small or is looked at: read without a lock, up to what is published, checksums checked. */

import { MillraceError } from '../errors.ts'
import type { Ports } from '../ports/ports.ts'
import { scanBatches } from './batch-scan.ts'
import { partitionRange } from './lookup.ts'
import { readRecords, type StoredRecord } from './records.ts'
import { listSegments, segmentPath, segmentsFrom } from './segment.ts'
import { lookUpOffset } from './segment-index.ts'
import { partitionDirectory } from './topics.ts'

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

function damagedSegment(path: string, byte: number, fault: string): MillraceError {
  return new MillraceError('LOG_CORRUPT', {
    message: `${path} is damaged at byte ${byte}: ${fault}`,
    hint: 'see what is affected with `millrace log verify`; restore the file from a copy',
    facts: { path, byte },
  })
}
