/**
 * Rows as records of a checkpoint, format 1, and back: records/record.as.ts, with
 *
 *   key      the list's key, then its entry's number as a zigzag varint
 *   value    the extras and the masks as zigzag varints, then the cells of leaves that are not NULL
 */
import { putKey } from '../group/codec.as'
import { BYTES, hashRow, I128 } from '../group/hash.as'
import { KNOWN, LIVE, need } from '../group/table.as'
import {
  cursor,
  ownBytes,
  putCell,
  putVarint,
  setCursor,
  takeCell,
  takeVarint,
  unzigzag,
  zigzag,
} from '../records/cells.as'
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
import { cellsOf, freeCells, release, ROW, take, waitsForSweep } from './store.as'

// @ts-nocheck: compiled by asc, not by tsc

// @ts-ignore: decorator
@inline
export function isNullLeaf(layout: usize, entry: usize, leaf: u32): bool {
  const word = entry + load<u32>(layout, 12) + ((leaf >> 6) << 3)
  return ((load<u64>(word) >> (<u64>leaf & 63)) & 1) != 0
}

function putValue(layout: usize, entry: usize, out: usize): usize {
  let at = out
  const cells = load<u32>(layout, 4) + load<u32>(layout, 16)
  for (let cell: u32 = 0; cell < cells; cell++) {
    at = putVarint(at, zigzag(load<i64>(entry + 24 + (cell << 3))))
  }
  const leaves = load<u32>(layout)
  for (let leaf: u32 = 0; leaf < leaves; leaf++) {
    const kind = load<u32>(layout + 32 + (leaf << 3))
    if (kind == ROW || isNullLeaf(layout, entry, leaf)) continue
    at = putCell(kind, entry + load<u32>(layout + 32 + (leaf << 3), 4), at)
  }
  return at
}

/** Bytes that the entry's record takes at most. */
function recordBytesMax(layout: usize, entry: usize): u32 {
  const heads = <usize>load<u32>(layout, 24)
  const keys = load<u32>(heads)
  const leaves = load<u32>(layout)
  let bytes: u32 = 64 + (keys << 4) + (load<u32>(layout, 4) + load<u32>(layout, 16)) * 10 + (leaves << 4)
  for (let key: u32 = 0; key < keys; key++) {
    if (load<u32>(heads + 16 + (key << 3)) != BYTES) continue
    bytes += load<u32>(<usize>load<u32>(entry) + load<u32>(heads + 16 + (key << 3), 4), 4)
  }
  if ((load<u8>(entry, 4) & LIVE) == 0) return bytes
  for (let leaf: u32 = 0; leaf < leaves; leaf++) {
    if (load<u32>(layout + 32 + (leaf << 3)) != BYTES) continue
    bytes += load<u32>(entry + load<u32>(layout + 32 + (leaf << 3), 4), 4)
  }
  return bytes
}

function putRecord(layout: usize, entry: usize, removed: bool, out: usize): usize {
  const head = <usize>load<u32>(entry)
  store<u8>(out, <u8>(load<u32>(head) & 127), 1)
  const keyEnd = putVarint(
    putKey(<usize>load<u32>(layout, 24), head, out + 2),
    zigzag(load<i64>(entry, 16)),
  )
  const keyBytes = keyEnd - (out + 2)
  let at = sealLength(out, ((<u64>keyBytes) << 1) | (removed ? 1 : 0), keyBytes, 1)
  if (removed) return at
  const valueBytes = putValue(layout, entry, at + 1) - (at + 1)
  return sealLength(at, <u64>valueBytes, valueBytes, 0)
}

/** Where `encodeRows` stopped in the list, how many records it wrote, and the end of the heads that it left to be swept. */
export let listAt: usize = 0
export let recordCount: u32 = 0
export let sweepEnd: usize = 0

/**
 * As `encodeDirty` of tables. Heads that have become empty are written to `sweep`, which may be where the list begins: there are no
 * more of them than entries that were read.
 */
export function encodeRows(
  table: usize,
  list: usize,
  listEnd: usize,
  out: usize,
  outEnd: usize,
  sweep: usize,
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
      out = putRecord(layout, entry, (state & LIVE) == 0, out)
      if (state & LIVE) store<u8>(entry, <u8>(LIVE | KNOWN), 4)
      else {
        const head = <usize>load<u32>(entry)
        const cells = cellsOf(table, head)
        store<u32>(cells, load<u32>(cells, 12) - 1, 12)
        store<u8>(entry, 0, 4)
        release(table, entry)
        if (waitsForSweep(cells)) {
          store<u32>(sweep, <u32>head)
          sweep += 4
        }
      }
    }
    list += 4
  }
  listAt = list
  sweepEnd = sweep
  return out
}

/** As `encodeLive` of tables. */
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

/**
 * Reads the keys of up to `max` records in [from, end) whose group is in [groupStart, groupEnd), and whose list's hash has the bits
 * `sliceValue` under `sliceMask`, into columns (u32 cells, u32 validity
 * a key; the number is the last), and where each one's value lies to `values`: u32 start, u32 end; start 0 where it was removed. Returns
 * where it stopped; `recordCount` says how many. A bad record: `table` needs BAD_RECORD.
 */
export function decodeKeys(
  table: usize,
  from: usize,
  end: usize,
  groupStart: u32,
  groupEnd: u32,
  columns: usize,
  values: usize,
  max: u32,
  sliceMask: u32,
  sliceValue: u32,
): usize {
  const heads = <usize>load<u32>(<usize>load<u32>(table, 44), 24)
  recordCount = 0
  store<u32>(table, 0, 48)
  while (from < end && recordCount < max) {
    if (!openRecord(from, end)) return need(table, BAD_RECORD, 1)
    if (keyGroup >= groupStart && keyGroup < groupEnd) {
      setCursor(keyAt)
      if (!takeKeys(heads, columns, recordCount, keyEnd)) return need(table, BAD_RECORD, 1)
      const isOurs =
        sliceMask == 0 || (hashRow(heads, columns, recordCount) & sliceMask) == sliceValue
      if (isOurs) {
        store<u32>(values + ((<usize>recordCount) << 3), <u32>valueAt)
        store<u32>(values + ((<usize>recordCount) << 3), <u32>valueEnd, 4)
        recordCount++
      }
    }
    from = valueEnd
  }
  return from
}

function takeKeys(heads: usize, columns: usize, row: u32, end: usize): bool {
  const nulls = <u32>takeVarint(end)
  const count = load<u32>(heads)
  for (let key: u32 = 0; key < count; key++) {
    const kind = load<u32>(heads + 16 + (key << 3))
    const cells = <usize>load<u32>(columns + (key << 3))
    const validity = <usize>load<u32>(columns + (key << 3), 4) + (row >> 3)
    const bit: u8 = <u8>1 << <u8>(row & 7)
    if ((nulls >> key) & 1) {
      store<u8>(validity, load<u8>(validity) & ~bit)
      continue
    }
    store<u8>(validity, load<u8>(validity) | bit)
    const cell = cells + ((<usize>row) << (kind == I128 ? 4 : 3))
    if (!takeCell(kind, cell, end, 0)) return false
  }
  const numbers = <usize>load<u32>(columns + (count << 3))
  store<i64>(numbers + ((<usize>row) << 3), unzigzag(takeVarint(end)))
  return cursor == end
}

/** Decodes a value into a zeroed entry. 0: done, 1: the slab has no room, 2: the record is bad. */
function takeValue(table: usize, entry: usize, end: usize): u32 {
  const layout = <usize>load<u32>(table, 44)
  const words = load<u32>(layout, 4) + load<u32>(layout, 16)
  for (let word: u32 = 0; word < words; word++) {
    store<i64>(entry + 24 + (word << 3), unzigzag(takeVarint(end)))
  }
  const leaves = load<u32>(layout)
  for (let leaf: u32 = 0; leaf < leaves; leaf++) {
    const kind = load<u32>(layout + 32 + (leaf << 3))
    if (kind == ROW || isNullLeaf(layout, entry, leaf)) continue
    const held = entry + load<u32>(layout + 32 + (leaf << 3), 4)
    if (!takeCell(kind, held, end, 0)) {
      if (kind == BYTES) store<u64>(held, 0)
      return 2
    }
    if (kind == BYTES && !ownBytes(table, held)) return 1
  }
  return cursor == end ? 0 : 2
}

/**
 * Applies positions [from, count) of what `decodeKeys` read. `places`: u32 addresses of cells, one a position and the same for the same
 * key, that hold the entry so far, or 0. Returns where it stopped.
 */
export function applyValues(
  table: usize,
  places: usize,
  numbers: usize,
  values: usize,
  from: u32,
  count: u32,
): u32 {
  const layout = <usize>load<u32>(table, 44)
  const start = 24 + (load<u32>(layout, 4) << 3)
  for (let at = from; at < count; at++) {
    const place = <usize>load<u32>(places + ((<usize>at) << 2))
    const value = <usize>load<u32>(values + ((<usize>at) << 3))
    let entry = <usize>load<u32>(place)
    if (value == 0) {
      if (entry != 0) release(table, entry)
      store<u32>(place, 0)
      continue
    }
    if (entry != 0) {
      freeCells(table, entry)
      memory.fill(entry + start, 0, load<u32>(layout, 8) - start)
    } else {
      entry = take(table)
      if (entry == 0) return at
      store<u32>(place, <u32>entry)
    }
    store<i64>(entry, load<i64>(numbers + ((<usize>at) << 3)), 16)
    setCursor(value)
    const result = takeValue(table, entry, load<u32>(values + ((<usize>at) << 3), 4))
    if (result == 2) need(table, BAD_RECORD, 1)
    if (result != 0) return at
  }
  return count
}

/** Sorts pairs (u64 number, u64 address) by number; `other` is as large as `pairs`. Returns which of the two holds them. */
export function sortPairs(pairs: usize, other: usize, count: u32, counts: usize): usize {
  let from = pairs
  let to = other
  const bytes = (<usize>count) << 4
  for (let shift: u64 = 0; shift < 64; shift += 8) {
    memory.fill(counts, 0, 1024)
    for (let at = from; at < from + bytes; at += 16) {
      const slot = counts + (<usize>((load<u64>(at) >>> shift) & 255) << 2)
      store<u32>(slot, load<u32>(slot) + 1)
    }
    if (count == 0 || load<u32>(counts + (<usize>((load<u64>(from) >>> shift) & 255) << 2)) == count) continue
    let sum: u32 = 0
    for (let slot = counts; slot < counts + 1024; slot += 4) {
      const here = load<u32>(slot)
      store<u32>(slot, sum)
      sum += here
    }
    for (let at = from; at < from + bytes; at += 16) {
      const slot = counts + (<usize>((load<u64>(at) >>> shift) & 255) << 2)
      const target = to + ((<usize>load<u32>(slot)) << 4)
      store<u32>(slot, load<u32>(slot) + 1)
      store<u64>(target, load<u64>(at))
      store<u64>(target, load<u64>(at, 8), 8)
    }
    const swap = from
    from = to
    to = swap
  }
  return from
}
