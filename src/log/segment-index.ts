/** Looks into the index files of a segment, as a reader: what they say is a hint, and the batches decide. */
import type { Files } from '../ports/files.ts'
import { readWhole } from './durable-files.ts'
import { INDEX_ENTRY_BYTES, segmentPath, TIME_ENTRY_BYTES } from './segment.ts'

/** The place in .log of a batch at or before the one that holds `offset`; 0 if the index does not help. */
export function lookUpOffset(
  files: Files,
  directory: string,
  baseOffset: number,
  offset: number,
): number {
  const bytes = readWhole(files, segmentPath(directory, baseOffset, 'index'))
  if (bytes === undefined) return 0
  const view = viewOf(bytes)
  const entries = Math.floor(bytes.length / INDEX_ENTRY_BYTES)
  const found = lastAtMost(entries, (entry) => {
    return baseOffset + view.getInt32(entry * INDEX_ENTRY_BYTES) <= offset
  })
  return found < 0 ? 0 : view.getInt32(found * INDEX_ENTRY_BYTES + 4)
}

export interface TimeEntry {
  readonly timestampMs: number
  readonly offset: number
}

/** The last entry of a time before `timestampMs`: nothing before its offset is at or after that time. */
export function lookUpTime(
  files: Files,
  directory: string,
  baseOffset: number,
  timestampMs: number,
): TimeEntry | undefined {
  const bytes = readWhole(files, segmentPath(directory, baseOffset, 'timeindex'))
  if (bytes === undefined) return undefined
  const view = viewOf(bytes)
  const timeOf = (entry: number) => Number(view.getBigInt64(entry * TIME_ENTRY_BYTES))
  const entries = Math.floor(bytes.length / TIME_ENTRY_BYTES)
  const found = lastAtMost(entries, (entry) => timeOf(entry) < timestampMs)
  if (found < 0) return undefined
  const offset = baseOffset + view.getInt32(found * TIME_ENTRY_BYTES + 8)
  return { timestampMs: timeOf(found), offset }
}

/** The greatest timestamp in a closed segment; undefined if its time index is empty or missing. */
export function lastTime(files: Files, directory: string, baseOffset: number): number | undefined {
  const found = lookUpTime(files, directory, baseOffset, Number.POSITIVE_INFINITY)
  return found?.timestampMs
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The last of `count` entries for which `holds`, which is true up to some entry and false after it; -1 if none. */
function lastAtMost(count: number, holds: (entry: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) low = middle + 1
    else high = middle
  }
  return low - 1
}
