/**
 * Event ids: a name that a producer gives an event, so that sending it again appends nothing.
 *
 * An id travels with its record in the header 'event-id', so what is known of ids is as durable as the records, and
 * is read back from the last `event-id.window.records` of the partition when ids are first used after a start.
 */
import type { Files } from '../ports/files.ts'
import { scanBatches } from './batch-scan.ts'
import { readRecords } from './records.ts'
import { damaged } from './recovery.ts'
import { listSegments, segmentPath, segmentsFrom } from './segment.ts'

export const EVENT_ID_HEADER = 'event-id'

export interface EventIds {
  /** Is it among the last records before `endOffset`? */
  has(id: string, endOffset: number): boolean
  /** Offsets come in ascending order. */
  add(id: string, offset: number): void
}

/** Remembers ids among the last `windowRecords` offsets. */
export function createEventIds(windowRecords: number): EventIds {
  // A Map keeps the order of insertion, and that is the order of offsets.
  const offsets = new Map<string, number>()
  return {
    has: (id, endOffset) => (offsets.get(id) ?? -1) >= endOffset - windowRecords && offsets.has(id),
    add(id, offset) {
      offsets.delete(id)
      offsets.set(id, offset)
      for (const [oldest, at] of offsets) {
        if (at >= offset - windowRecords) break
        offsets.delete(oldest)
      }
    },
  }
}

/**
 * The ids of the last `windowRecords` before `endOffset`, read back from the segments.
 * @throws LOG_CORRUPT
 */
export function loadEventIds(
  files: Files,
  directory: string,
  endOffset: number,
  windowRecords: number,
): EventIds {
  const ids = createEventIds(windowRecords)
  const from = endOffset - windowRecords
  for (const base of segmentsFrom(listSegments(files, directory), from)) {
    const path = segmentPath(directory, base, 'log')
    const file = files.open(path, 'read')
    try {
      const end = scanBatches(file, 0, file.bytes(), ({ header, bytes }) => {
        if (header.lastOffset >= from) addIds(ids, bytes)
        return undefined
      })
      if (end.fault !== undefined) throw damaged(path, end.position, end.fault, undefined)
    } finally {
      file.close()
    }
  }
  return ids
}

function addIds(ids: EventIds, batch: Uint8Array): void {
  for (const { headers, offset } of readRecords(batch))
    for (const { key, value } of headers)
      if (key === EVENT_ID_HEADER && value !== null)
        ids.add(new TextDecoder().decode(value), offset)
}
