/**
 * Records of a checkpoint, format 1 (the same layout is written in state/record-codec.ts):
 *
 *   record   varint(bytes of key * 2 + removed), u8 key group, key, and unless removed: varint(bytes of value), value
 */
import { cursor, putVarint, setCursor, takeVarint } from './cells.as'

// @ts-nocheck: compiled by asc, not by tsc

export const NEED_OUTPUT: u32 = 5
export const BAD_RECORD: u32 = 6

/** Puts `length` in front of the `length` bytes at `start + 1`, moving them if it takes more than one byte; the end. */
export function sealLength(start: usize, prefix: u64, moved: usize, extra: u32): usize {
  let size: u32 = 1
  let rest = prefix >>> 7
  while (rest != 0) {
    size++
    rest >>>= 7
  }
  if (size > 1) memory.copy(start + size, start + 1, moved + extra)
  putVarint(start, prefix)
  return start + size + moved + extra
}

/** Of the record that was opened. A removed one has no value: its `valueAt` is 0, its `valueEnd` the key's. */
export let keyGroup: u32 = 0
export let keyAt: usize = 0
export let keyEnd: usize = 0
export let valueAt: usize = 0
export let valueEnd: usize = 0

/** Says where the parts of the record at `from` lie; false if one goes beyond `end`. */
export function openRecord(from: usize, end: usize): bool {
  setCursor(from)
  const prefix = takeVarint(end)
  const keyBytes = prefix >>> 1
  if (cursor >= end || keyBytes > <u64>(end - cursor - 1)) return false
  keyGroup = <u32>load<u8>(cursor)
  keyAt = cursor + 1
  keyEnd = keyAt + <usize>keyBytes
  valueAt = 0
  valueEnd = keyEnd
  if (prefix & 1) return true
  setCursor(keyEnd)
  const valueBytes = takeVarint(end)
  if (cursor > end || valueBytes > <u64>(end - cursor)) return false
  valueAt = cursor
  valueEnd = cursor + <usize>valueBytes
  return true
}
