/**
 * Entries as records of a checkpoint, format 1, and back (the same layout is written in state/entry-codec.ts):
 *
 *   record   varint(bytes of key * 2 + removed), u8 key group, key, and unless removed: varint(bytes of value), value
 *   key      varint(bit i: key cell i is NULL), then the cells that are not
 *   value    the cells
 *   cell     i64: zigzag varint. f64: 8 bytes. i128: 16 bytes. bytes of a key: varint(length), bytes;
 *            of a value: varint(length + 1), bytes, or 0 for a cell that points nowhere
 */
import { BYTES, F64, I128 } from './hash.as'
import { slabFree, slabNeed, slabPut } from './slab.as'
import {
  DIRTY,
  KNOWN,
  LIVE,
  lookup,
  need,
  NEED_SLAB,
  release,
  removeEntry,
  touch,
  upsertRow,
} from './table.as'
import { hashFirst, hashRow, rowNulls } from './hash.as'

// @ts-nocheck: compiled by asc, not by tsc

export const NEED_OUTPUT: u32 = 5
export const BAD_RECORD: u32 = 6

export function putVarint(at: usize, value: u64): usize {
  while (value >= 128) {
    store<u8>(at++, <u8>value | 128)
    value >>>= 7
  }
  store<u8>(at, <u8>value)
  return at + 1
}

// @ts-ignore: decorator
@inline
export function zigzag(value: i64): u64 {
  return (<u64>(value << 1)) ^ (<u64>(value >> 63))
}

export function putBytes(at: usize, cell: u64, prefix: u64): usize {
  at = putVarint(at, prefix)
  memory.copy(at, <usize>(<u32>cell), <u32>(cell >>> 32))
  return at + <usize>(<u32>(cell >>> 32))
}

export function putKey(layout: usize, entry: usize, out: usize): usize {
  const nulls = <u32>load<u16>(entry, 6)
  let at = putVarint(out, nulls)
  const count = load<u32>(layout)
  for (let key: u32 = 0; key < count; key++) {
    if ((nulls >> key) & 1) continue
    const kind = load<u32>(layout + 16 + (key << 3))
    const held = entry + load<u32>(layout + 16 + (key << 3), 4)
    const cell = load<u64>(held)
    if (kind == BYTES) at = putBytes(at, cell, cell >>> 32)
    else if (kind == F64) {
      store<u64>(at, cell)
      at += 8
    } else if (kind == I128) {
      store<u64>(at, cell)
      store<u64>(at, load<u64>(held, 8), 8)
      at += 16
    } else at = putVarint(at, zigzag(<i64>cell))
  }
  return at
}

function putValue(layout: usize, entry: usize, out: usize): usize {
  let at = out
  let held = entry + load<u32>(layout, 12)
  const count = load<u32>(layout, 4)
  for (let value: u32 = 0; value < count; value++) {
    const kind = load<u32>(layout + 144 + (value << 2))
    const cell = load<u64>(held)
    if (kind == BYTES) {
      if (cell == 0) store<u8>(at++, 0)
      else at = putBytes(at, cell, (cell >>> 32) + 1)
    } else if (kind == F64) {
      store<u64>(at, cell)
      at += 8
    } else at = putVarint(at, zigzag(<i64>cell))
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

/** Where records are read. */
export let cursor: usize = 0

export function setCursor(at: usize): void {
  cursor = at
}

export function takeVarint(end: usize): u64 {
  let value: u64 = 0
  let shift: u64 = 0
  while (cursor < end && shift < 70) {
    const byte = <u64>load<u8>(cursor++)
    value |= (byte & 127) << shift
    if (byte < 128) return value
    shift += 7
  }
  cursor = end + 1
  return 0
}

// @ts-ignore: decorator
@inline
export function unzigzag(value: u64): i64 {
  return <i64>(value >>> 1) ^ -(<i64>(value & 1))
}

/**
 * Reads one cell to `held` and moves on; false if it goes beyond `end`. 'bytes' point into the record. `bias` is what a written
 * length is too large by; 0 itself then stands for a cell that points nowhere.
 */
export function takeCell(kind: u32, held: usize, end: usize, bias: u64): bool {
  if (kind == BYTES) {
    const prefix = takeVarint(end)
    if (prefix < bias) store<u64>(held, 0)
    else {
      const length = prefix - bias
      if (cursor > end || length > <u64>(end - cursor)) return false
      store<u64>(held, (<u64>cursor) | (length << 32))
      cursor += <usize>length
    }
  } else if (kind == F64 || kind == I128) {
    store<u64>(held, load<u64>(cursor))
    if (kind == I128) store<u64>(held, load<u64>(cursor, 8), 8)
    cursor += kind == I128 ? 16 : 8
  } else store<i64>(held, unzigzag(takeVarint(end)))
  return cursor <= end
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
      const inRecord = load<u64>(held)
      store<u64>(held, 0)
      if (inRecord != 0) {
        const length = <u32>(inRecord >>> 32)
        const cell = slabPut(slab, <usize>(<u32>inRecord), length)
        if (cell == 0) {
          need(table, NEED_SLAB, slabNeed(length))
          return 1
        }
        store<u64>(held, cell)
      }
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
    cursor = from
    const prefix = takeVarint(end)
    const keyBytes = prefix >>> 1
    if (cursor >= end || keyBytes > <u64>(end - cursor - 1)) return from
    const group = <u32>load<u8>(cursor++)
    const key = cursor
    const keyEnd = key + <usize>keyBytes
    let valueEnd = keyEnd
    let value = keyEnd
    if ((prefix & 1) == 0) {
      cursor = keyEnd
      const valueBytes = takeVarint(end)
      if (cursor > end || valueBytes > <u64>(end - cursor)) return from
      value = cursor
      valueEnd = cursor + <usize>valueBytes
    }
    if (group >= groupStart && group < groupEnd) {
      cursor = key
      if (!takeKey(layout, scratch, keyEnd)) return from
      const isOurs =
        sliceMask == 0 || (hashFirst(layout, scratch, 0, sliceKeys) & sliceMask) == sliceValue
      if (!isOurs) {
        from = valueEnd
        continue
      }
      if (prefix & 1) {
        const hash = hashRow(layout, scratch, 0)
        const entry = lookup(table, scratch, 0, hash, rowNulls)
        if (entry != 0 && load<u8>(entry, 4) & LIVE && !removeEntry(table, entry)) return from
      } else {
        const entry = upsertRow(table, scratch, 0)
        if (entry == 0) return from
        cursor = value
        if (takeValue(table, entry, valueEnd) != 0) return from
      }
    }
    from = valueEnd
  }
  return end
}
