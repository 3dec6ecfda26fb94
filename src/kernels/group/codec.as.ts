/**
 * Entries as records of a checkpoint (records/record.as.ts), and back:
 *
 *   key      varint(bit i: key cell i is NULL), then the cells that are not
 *   value    the cells; bytes are varint(length + 1), bytes, or 0 for a cell that points nowhere
 */
import { cursor, ownBytes, putBytes, putCell, putVarint, setCursor, takeCell, takeVarint } from '../records/cells.as'
import {
  BAD_RECORD,
  keyAt,
  keyEnd,
  keyGroup,
  NEED_OUTPUT,
  openRecord,
  sealLength,
  valueAt,
  valueEnd,
} from '../records/record.as'
import { BYTES, hashFirst, hashRow, rowNulls } from './hash.as'
import { slabFree } from './slab.as'
import { KNOWN, LIVE, lookup, need, release, removeEntry, upsertRow } from './table.as'

// @ts-nocheck: compiled by asc, not by tsc

export function putKey(layout: usize, entry: usize, out: usize): usize {
  const nulls = <u32>load<u16>(entry, 6)
  let at = putVarint(out, nulls)
  const count = load<u32>(layout)
  for (let key: u32 = 0; key < count; key++) {
    if ((nulls >> key) & 1) continue
    const kind = load<u32>(layout + 16 + (key << 3))
    const held = entry + load<u32>(layout + 16 + (key << 3), 4)
    at = putCell(kind, held, at)
  }
  return at
}

function putValue(layout: usize, entry: usize, out: usize): usize {
  let at = out
  let held = entry + load<u32>(layout, 12)
  const count = load<u32>(layout, 4)
  for (let value: u32 = 0; value < count; value++) {
    const kind = load<u32>(layout + 144 + (value << 2))
    if (kind == BYTES) {
      const cell = load<u64>(held)
      if (cell == 0) store<u8>(at++, 0)
      else at = putBytes(at, cell, (cell >>> 32) + 1)
    } else at = putCell(kind, held, at)
    held += 8
  }
  return at
}

/** Bytes that the entry's record takes at most. */
function recordBytesMax(layout: usize, entry: usize): u32 {
  const keys = load<u32>(layout)
  const values = load<u32>(layout, 4)
  let bytes: u32 = 32 + (keys << 4) + values * 10
  for (let key: u32 = 0; key < keys; key++) {
    if (load<u32>(layout + 16 + (key << 3)) == BYTES)
      bytes += load<u32>(entry + load<u32>(layout + 16 + (key << 3), 4), 4)
  }
  const first = entry + load<u32>(layout, 12)
  for (let value: u32 = 0; value < values; value++) {
    if (load<u32>(layout + 144 + (value << 2)) == BYTES) bytes += load<u32>(first + (value << 3), 4)
  }
  return bytes
}

function putRecord(layout: usize, entry: usize, removed: bool, out: usize): usize {
  store<u8>(out, <u8>(load<u32>(entry) & 127), 1)
  const keyBytes = putKey(layout, entry, out + 2) - (out + 2)
  let at = sealLength(out, ((<u64>keyBytes) << 1) | (removed ? 1 : 0), keyBytes, 1)
  if (removed) return at
  const valueBytes = putValue(layout, entry, at + 1) - (at + 1)
  return sealLength(at, <u64>valueBytes, valueBytes, 0)
}

/** Where `encodeDirty` stopped in the list, and how many records it wrote. */
export let listAt: usize = 0
export let recordCount: u32 = 0

/**
 * Writes the records of the entries in [list, listEnd) of the dirty list, which become clean and known; tombstones go. Returns the
 * end of what is written; stops early, with `need`, when `outEnd` is near.
 */
export function encodeDirty(
  table: usize,
  list: usize,
  listEnd: usize,
  out: usize,
  outEnd: usize,
): usize {
  const layout = <usize>load<u32>(table, 44)
  recordCount = 0
  store<u32>(table, 0, 48)
  while (list < listEnd) {
    const entry = <usize>load<u32>(list)
    const state = <u32>load<u8>(entry, 4)
    if ((state & (LIVE | KNOWN)) == 0) store<u8>(entry, 0, 4)
    else {
      const bytes = recordBytesMax(layout, entry)
      if (out + bytes > outEnd) {
        need(table, NEED_OUTPUT, bytes)
        break
      }
      recordCount++
      if (state & LIVE) {
        out = putRecord(layout, entry, false, out)
        store<u8>(entry, <u8>(LIVE | KNOWN), 4)
      } else {
        out = putRecord(layout, entry, true, out)
        store<u8>(entry, 0, 4)
        release(table, entry)
      }
    }
    list += 4
  }
  listAt = list
  return out
}

/**
 * Writes the records of the live entries in [from, end), `entryBytes` apart, and changes nothing. `listAt` is where it stopped; early,
 * with `need`, when `outEnd` is near.
 */
export function encodeLive(
  table: usize,
  from: usize,
  end: usize,
  out: usize,
  outEnd: usize,
): usize {
  const layout = <usize>load<u32>(table, 44)
  const entryBytes = load<u32>(layout, 8)
  recordCount = 0
  store<u32>(table, 0, 48)
  while (from < end) {
    if (load<u8>(from, 4) & LIVE) {
      const bytes = recordBytesMax(layout, from)
      if (out + bytes > outEnd) {
        need(table, NEED_OUTPUT, bytes)
        break
      }
      recordCount++
      out = putRecord(layout, from, false, out)
    }
    from += entryBytes
  }
  listAt = from
  return out
}

/** After a restore: the entries in the list are what the checkpoint knows. */
export function settleDirty(list: usize, listEnd: usize): void {
  while (list < listEnd) {
    const entry = <usize>load<u32>(list)
    store<u8>(entry, load<u8>(entry, 4) & LIVE ? <u8>(LIVE | KNOWN) : 0, 4)
    list += 4
  }
}

/** Decodes a key into the one-row columns of `scratch`: columns, then from 128 on a cell each 16 bytes, then from 384 a validity byte each. */
function takeKey(layout: usize, scratch: usize, end: usize): bool {
  const nulls = <u32>takeVarint(end)
  const count = load<u32>(layout)
  for (let key: u32 = 0; key < count; key++) {
    const cell = scratch + 128 + (key << 4)
    const validity = scratch + 384 + key
    store<u32>(scratch + (key << 3), <u32>cell)
    store<u32>(scratch + (key << 3), <u32>validity, 4)
    store<u8>(validity, (nulls >> key) & 1 ? 0 : 1)
    if ((nulls >> key) & 1) continue
    if (!takeCell(load<u32>(layout + 16 + (key << 3)), cell, end, 0)) return false
  }
  return cursor == end
}

/** Decodes the value into the entry. 0: done, 1: the slab has no room, 2: the record is bad. */
function takeValue(table: usize, entry: usize, end: usize): u32 {
  const layout = <usize>load<u32>(table, 44)
  const slab = <usize>load<u32>(table, 40)
  const count = load<u32>(layout, 4)
  let held = entry + load<u32>(layout, 12)
  for (let value: u32 = 0; value < count; value++) {
    const kind = load<u32>(layout + 144 + (value << 2))
    if (kind == BYTES) {
      const before = load<u64>(held)
      if (before != 0) slabFree(slab, before)
      if (!takeCell(kind, held, end, 1)) {
        store<u64>(held, 0)
        return 2
      }
      if (load<u64>(held) != 0 && !ownBytes(table, held)) return 1
    } else if (!takeCell(kind, held, end, 0)) return 2
    held += 8
  }
  return cursor == end ? 0 : 2
}

/**
 * Applies records in [from, end) whose key group is in [groupStart, groupEnd), and whose hash, that of the first `sliceKeys` key
 * cells, has the bits `sliceValue` under `sliceMask`. Returns where it stopped: `end`, or the start of the record that needs room (it is then applied anew) or is bad.
 * `scratch` is 512 bytes.
 */
export function restoreRecords(
  table: usize,
  from: usize,
  end: usize,
  groupStart: u32,
  groupEnd: u32,
  scratch: usize,
  sliceMask: u32,
  sliceValue: u32,
  sliceKeys: u32,
): usize {
  const layout = <usize>load<u32>(table, 44)
  while (from < end) {
    store<u32>(table, BAD_RECORD, 48)
    if (!openRecord(from, end)) return from
    if (keyGroup >= groupStart && keyGroup < groupEnd) {
      setCursor(keyAt)
      if (!takeKey(layout, scratch, keyEnd)) return from
      const isOurs =
        sliceMask == 0 || (hashFirst(layout, scratch, 0, sliceKeys) & sliceMask) == sliceValue
      if (!isOurs) {
        from = valueEnd
        continue
      }
      if (valueAt == 0) {
        const hash = hashRow(layout, scratch, 0)
        const entry = lookup(table, scratch, 0, hash, rowNulls)
        if (entry != 0 && load<u8>(entry, 4) & LIVE && !removeEntry(table, entry)) return from
      } else {
        const entry = upsertRow(table, scratch, 0)
        if (entry == 0) return from
        setCursor(valueAt)
        if (takeValue(table, entry, valueEnd) != 0) return from
      }
    }
    from = valueEnd
  }
  return end
}
