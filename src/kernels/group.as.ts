/** Keyed state: rows to entries in bulk, and the hash that the exchange shares. Layouts: group/table.as.ts. */
import { hashRow, I64, isValid, mix, NULL_CELL, rowAt, rowNulls, SEED } from './group/hash.as'
import { slabFree, slabNeed, slabPut } from './group/slab.as'
import { insert, LIVE, lookup, need, NEED_SLAB, touch, upsertRow } from './group/table.as'

// @ts-nocheck: compiled by asc, not by tsc

export { growDirectory, growSub, initialiseSub, removeEntry, splitSub } from './group/table.as'
export {
  changeRows,
  emptyGroups,
  greatestCell,
  interleave,
  interleaveBits,
  markChanged,
  touchGroups,
} from './group/changes.as'
export {
  encodeDirty,
  encodeLive,
  listAt,
  recordCount,
  restoreRecords,
  settleDirty,
} from './group/codec.as'

/** u32 hashes of the selected rows' keys, by position. */
export function hashKeys(
  layout: usize,
  columns: usize,
  selection: usize,
  count: u32,
  out: usize,
): void {
  if (load<u32>(layout) == 1 && load<u32>(layout, 16) == I64) {
    hashOne(<usize>load<u32>(columns), <usize>load<u32>(columns, 4), selection, count, out)
    return
  }
  for (let at: u32 = 0; at < count; at++) {
    store<u32>(out + ((<usize>at) << 2), hashRow(layout, columns, rowAt(selection, at)))
  }
}

/** The same of one i64 key. */
function hashOne(cells: usize, validity: usize, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const cell = isValid(validity, row) ? load<u64>(cells + ((<usize>row) << 3)) : NULL_CELL
    store<u32>(out + ((<usize>at) << 2), <u32>mix(SEED ^ cell))
  }
}

/** The live, dirty entry of an i64 key that is not NULL, inserted if absent; 0 if something has no room. */
// @ts-ignore: decorator
@inline
function entryOf(table: usize, slots: usize, slotCount: u32, hash: u32, key: u64): usize {
  let slot = slots + ((<usize>(((<u64>hash) * (<u64>slotCount)) >>> 32)) << 3)
  let entry: usize = 0
  while (true) {
    const held = load<u64>(slot)
    entry = <usize>(<u32>held)
    if (<u32>(held >>> 32) == hash && entry != 0) {
      if (load<u64>(entry, 8) == key) break
    } else if (entry == 0) break
    slot += 8
    if (slot == slots + ((<usize>slotCount) << 3)) slot = slots
  }
  if (entry == 0) {
    entry = insert(table, hash)
    if (entry != 0) store<u64>(entry, key, 8)
  } else if ((load<u8>(entry, 4) & 3) != 3) {
    if (!touch(table, entry)) entry = 0
  }
  return entry
}

/**
 * Upserts positions [from, count) of rows with one i64 key that is never NULL. Returns where it stopped; less than `count`: the
 * table says what it needs. A NULL's entry has cell 0 too, but another hash than 0 has.
 */
export function upsertOne(
  table: usize,
  cells: usize,
  selection: usize,
  from: u32,
  count: u32,
  entries: usize,
): u32 {
  const directory = <usize>load<u32>(table)
  const mask = load<u32>(table, 4)
  let slots = <usize>load<u32>(directory) + 16
  let slotCount = load<u32>(directory, 4)
  for (let at = from; at < count; at++) {
    const key = load<u64>(cells + ((<usize>rowAt(selection, at)) << 3))
    const hash = <u32>mix(SEED ^ key)
    if (mask != 0) {
      const pointer = directory + ((<usize>(hash & mask)) << 3)
      slots = <usize>load<u32>(pointer) + 16
      slotCount = load<u32>(pointer, 4)
    }
    const entry = entryOf(table, slots, slotCount, hash, key)
    if (entry == 0) return at
    store<u32>(entries + ((<usize>at) << 2), <u32>entry)
  }
  return count
}

/** The same, with 1 added to the cell at `offset` of each row's entry instead of writing where it is. */
export function countOne(
  table: usize,
  cells: usize,
  selection: usize,
  from: u32,
  count: u32,
  offset: u32,
): u32 {
  const directory = <usize>load<u32>(table)
  const mask = load<u32>(table, 4)
  let slots = <usize>load<u32>(directory) + 16
  let slotCount = load<u32>(directory, 4)
  for (let at = from; at < count; at++) {
    const key = load<u64>(cells + ((<usize>rowAt(selection, at)) << 3))
    const hash = <u32>mix(SEED ^ key)
    if (mask != 0) {
      const pointer = directory + ((<usize>(hash & mask)) << 3)
      slots = <usize>load<u32>(pointer) + 16
      slotCount = load<u32>(pointer, 4)
    }
    const entry = entryOf(table, slots, slotCount, hash, key)
    if (entry == 0) return at
    store<i64>(entry + offset, load<i64>(entry + offset) + 1)
  }
  return count
}

/** The same for any keys. */
export function upsertMany(
  table: usize,
  columns: usize,
  selection: usize,
  from: u32,
  count: u32,
  entries: usize,
): u32 {
  for (let at = from; at < count; at++) {
    const entry = upsertRow(table, columns, rowAt(selection, at))
    if (entry == 0) return at
    store<u32>(entries + ((<usize>at) << 2), <u32>entry)
  }
  return count
}

/** Entries of the selected rows, 0 where the key is absent. */
export function find(
  table: usize,
  columns: usize,
  selection: usize,
  count: u32,
  entries: usize,
): void {
  const layout = <usize>load<u32>(table, 44)
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const hash = hashRow(layout, columns, row)
    const entry = lookup(table, columns, row, hash, rowNulls)
    const live = entry != 0 && (load<u8>(entry, 4) & LIVE) != 0
    store<u32>(entries + ((<usize>at) << 2), live ? <u32>entry : 0)
  }
}

/** Where `scanEntries` stopped. */
export let scanAt: usize = 0

/** Writes the live entries among those in [from, end), `max` at most; how many. */
export function scanEntries(from: usize, end: usize, entryBytes: u32, out: usize, max: u32): u32 {
  let count: u32 = 0
  while (from < end && count < max) {
    if (load<u8>(from, 4) & LIVE) {
      store<u32>(out + ((<usize>count) << 2), <u32>from)
      count++
    }
    from += entryBytes
  }
  scanAt = from
  return count
}

/** Copies a cell of each entry, 8 bytes or with `wide` 16, to `out`. */
export function gatherCells(
  entries: usize,
  count: u32,
  offset: u32,
  wide: bool,
  out: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const held = <usize>load<u32>(entries + ((<usize>at) << 2)) + offset
    if (wide) {
      store<u64>(out + ((<usize>at) << 4), load<u64>(held))
      store<u64>(out + ((<usize>at) << 4), load<u64>(held, 8), 8)
    } else store<u64>(out + ((<usize>at) << 3), load<u64>(held))
  }
}

/** Writes the validity of key `key` to the cleared bitmap `out`; how many are NULL. */
export function gatherValidity(entries: usize, count: u32, key: u32, out: usize): u32 {
  let nulls: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const entry = <usize>load<u32>(entries + ((<usize>at) << 2))
    const isNull = (<u32>load<u16>(entry, 6) >> key) & 1
    nulls += isNull
    const byte = out + (at >> 3)
    store<u8>(byte, load<u8>(byte) | <u8>((1 - isNull) << (at & 7)))
  }
  return nulls
}

/** Touches positions [from, count) of live entries; where it stopped. */
export function markDirty(table: usize, entries: usize, from: u32, count: u32): u32 {
  for (let at = from; at < count; at++) {
    const entry = <usize>load<u32>(entries + ((<usize>at) << 2))
    if ((load<u8>(entry, 4) & 3) != 3 && !touch(table, entry)) return at
  }
  return count
}

/** Points a value cell to a copy of the bytes and frees what it pointed to. False if the slab has no room. */
export function setBytes(table: usize, cell: usize, address: usize, length: u32): bool {
  const slab = <usize>load<u32>(table, 40)
  const copy = slabPut(slab, address, length)
  if (copy == 0) {
    need(table, NEED_SLAB, slabNeed(length))
    return false
  }
  if (load<u64>(cell) != 0) slabFree(slab, load<u64>(cell))
  store<u64>(cell, copy)
  return true
}
