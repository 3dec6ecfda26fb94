/** Rows kept in lists by key: copied in, found, paired and copied out in bulk. Layouts: rows/store.as.ts. */
import { BYTES, equalBytes, F64, I128, isValid, normalised, rowAt } from './group/hash.as'
import { slabNeed, slabPut } from './group/slab.as'
import { need, NEED_SLAB, touch } from './group/table.as'
import { isNullLeaf } from './rows/codec.as'
import { cellsOf, linkLast, release, ROW, take } from './rows/store.as'

// @ts-nocheck: compiled by asc, not by tsc

export {
  applyValues,
  decodeKeys,
  encodeLive,
  encodeRows,
  listAt,
  recordCount,
  sortPairs,
  sweepEnd,
} from './rows/codec.as'
export { settleDirty } from './group/codec.as'
export { removeRow } from './rows/store.as'

// @ts-ignore: decorator
@inline
function setNull(masks: usize, leaf: u32): void {
  const word = masks + ((leaf >> 6) << 3)
  store<u64>(word, load<u64>(word) | ((<u64>1) << (<u64>leaf & 63)))
}

/** Copies the row's leaves into a zeroed entry; false if the slab has no room. `columns`: (u32 cells, u32 validity) a leaf. */
function writeRow(table: usize, columns: usize, row: u32, entry: usize): bool {
  const layout = <usize>load<u32>(table, 44)
  const leaves = load<u32>(layout)
  const masks = entry + load<u32>(layout, 12)
  for (let leaf: u32 = 0; leaf < leaves; leaf++) {
    const column = columns + (leaf << 3)
    const kind = load<u32>(layout + 32 + (leaf << 3))
    if (!isValid(load<u32>(column, 4), row)) {
      // A NULL ROW's fields are NULL with it.
      const last = leaf + (kind == ROW ? load<u32>(layout + 32 + (leaf << 3), 4) : 0)
      setNull(masks, leaf)
      while (leaf < last) setNull(masks, ++leaf)
      continue
    }
    if (kind == ROW) continue
    const held = entry + load<u32>(layout + 32 + (leaf << 3), 4)
    const cells = <usize>load<u32>(column)
    if (kind == BYTES) {
      const cell = load<u64>(cells + ((<usize>row) << 3))
      const length = <u32>(cell >>> 32)
      const copy = slabPut(load<u32>(table, 40), <usize>(<u32>cell), length)
      if (copy == 0) {
        need(table, NEED_SLAB, slabNeed(length))
        return false
      }
      store<u64>(held, copy)
    } else if (kind == I128) {
      store<u64>(held, load<u64>(cells + ((<usize>row) << 4)))
      store<u64>(held, load<u64>(cells + ((<usize>row) << 4), 8), 8)
    } else store<u64>(held, load<u64>(cells + ((<usize>row) << 3)))
  }
  return true
}

/** Appends positions [from, count) to their lists; where it stopped. */
export function appendRows(
  table: usize,
  columns: usize,
  selection: usize,
  from: u32,
  count: u32,
  lists: usize,
  entries: usize,
): u32 {
  let number = load<i64>(table, 64)
  for (let at = from; at < count; at++) {
    const entry = take(table)
    if (entry == 0 || !writeRow(table, columns, rowAt(selection, at), entry)) {
      if (entry != 0) release(table, entry)
      store<i64>(table, number, 64)
      return at
    }
    store<i64>(entry, number++, 16)
    linkLast(table, load<u32>(lists + ((<usize>at) << 2)), entry)
    store<u32>(entries + ((<usize>at) << 2), <u32>entry)
  }
  store<i64>(table, number, 64)
  return count
}

/** 0 if the dirty list is full. */
export function touchRow(table: usize, entry: usize): bool {
  return touch(table, entry)
}

/** Links restored entries, pairs (u64 number, u64 address) by number, to the ends of their lists. */
export function linkPairs(table: usize, pairs: usize, count: u32): void {
  const end = pairs + ((<usize>count) << 4)
  for (let at = pairs; at < end; at += 16) {
    const entry = <usize>load<u32>(at, 8)
    linkLast(table, load<u32>(entry), entry)
    store<i64>(table, load<i64>(at) + 1, 64)
  }
}

/**
 * Cells of leaf `leaf` of each entry to `cells`, bits of those that are not NULL to the cleared bitmap `validity`; how many are NULL.
 * Address 0 is a row of NULLs.
 */
export function gatherLeaf(
  layout: usize,
  entries: usize,
  count: u32,
  leaf: u32,
  cells: usize,
  validity: usize,
): u32 {
  const kind = load<u32>(layout + 32 + (leaf << 3))
  const offset = load<u32>(layout + 32 + (leaf << 3), 4)
  const word = load<u32>(layout, 12) + ((leaf >> 6) << 3)
  const bit: u64 = <u64>leaf & 63
  let nulls: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const entry = <usize>load<u32>(entries + ((<usize>at) << 2))
    if (entry == 0) {
      nulls++
      if (kind == I128) {
        store<u64>(cells + ((<usize>at) << 4), 0)
        store<u64>(cells + ((<usize>at) << 4), 0, 8)
      } else if (kind != ROW) store<u64>(cells + ((<usize>at) << 3), 0)
      continue
    }
    const isNull = <u32>((load<u64>(entry + word) >> bit) & 1)
    nulls += isNull
    const byte = validity + (at >> 3)
    store<u8>(byte, load<u8>(byte) | <u8>((1 - isNull) << (at & 7)))
    if (kind == I128) {
      store<u64>(cells + ((<usize>at) << 4), load<u64>(entry + offset))
      store<u64>(cells + ((<usize>at) << 4), load<u64>(entry + offset, 8), 8)
    } else if (kind != ROW) store<u64>(cells + ((<usize>at) << 3), load<u64>(entry + offset))
  }
  return nulls
}

// @ts-ignore: decorator
@inline
function equalRow(layout: usize, columns: usize, row: u32, entry: usize): bool {
  return equalLeaves(layout, columns, row, entry, load<u32>(layout))
}

/** The first `leaves` leaves are the row's. */
function equalLeaves(
  layout: usize,
  columns: usize,
  row: u32,
  entry: usize,
  leaves: u32,
): bool {
  for (let leaf: u32 = 0; leaf < leaves; leaf++) {
    const column = columns + (leaf << 3)
    const isNull = isNullLeaf(layout, entry, leaf)
    if (isNull == isValid(load<u32>(column, 4), row)) return false
    const kind = load<u32>(layout + 32 + (leaf << 3))
    if (isNull && kind == ROW) leaf += load<u32>(layout + 32 + (leaf << 3), 4)
    if (isNull || kind == ROW) continue
    const held = entry + load<u32>(layout + 32 + (leaf << 3), 4)
    const at = <usize>load<u32>(column) + ((<usize>row) << (kind == I128 ? 4 : 3))
    if (kind == BYTES) {
      const length = load<u32>(at, 4)
      if (length != load<u32>(held, 4)) return false
      if (!equalBytes(load<u32>(at), load<u32>(held), length)) return false
    } else if (kind == F64) {
      if (normalised(load<u64>(at)) != normalised(load<u64>(held))) return false
    } else if (load<u64>(at) != load<u64>(held)) return false
    if (kind == I128 && load<u64>(at, 8) != load<u64>(held, 8)) return false
  }
  return true
}

/** As `findEqual`, by the first `leaves` leaves. */
export function findBeginning(
  table: usize,
  entry: usize,
  columns: usize,
  row: u32,
  leaves: u32,
): usize {
  const layout = <usize>load<u32>(table, 44)
  while (entry != 0 && !equalLeaves(layout, columns, row, entry, leaves))
    entry = <usize>load<u32>(entry, 8)
  return entry
}

export function equalEntry(layout: usize, columns: usize, row: u32, entry: usize): bool {
  return equalRow(layout, columns, row, entry)
}

/** `entry`, or the next behind it in its list, that equals the row, NULL like NULL; 0 if none does. */
export function findEqual(table: usize, entry: usize, columns: usize, row: u32): usize {
  const layout = <usize>load<u32>(table, 44)
  while (entry != 0 && !equalRow(layout, columns, row, entry)) entry = <usize>load<u32>(entry, 8)
  return entry
}

/** Where `pairUp` goes on: the position, and the entry of its list, or 0 to begin with the list. */
export let pairPosition: u32 = 0
export let pairEntry: usize = 0

/**
 * Writes, for positions from `position` on, each entry of its list (0 = no list) as a pair: u32 position, u32 entry. `max` pairs at
 * most; how many. Goes on at (position, entry).
 */
export function pairUp(
  table: usize,
  lists: usize,
  count: u32,
  position: u32,
  entry: usize,
  positions: usize,
  entries: usize,
  max: u32,
): u32 {
  let written: u32 = 0
  while (position < count) {
    if (entry == 0) {
      const head = <usize>load<u32>(lists + ((<usize>position) << 2))
      if (head != 0) entry = <usize>load<u32>(cellsOf(table, head))
    }
    while (entry != 0) {
      if (written == max) {
        pairPosition = position
        pairEntry = entry
        return written
      }
      store<u32>(positions + ((<usize>written) << 2), position)
      store<u32>(entries + ((<usize>written) << 2), <u32>entry)
      written++
      entry = <usize>load<u32>(entry, 8)
    }
    position++
  }
  pairPosition = position
  pairEntry = 0
  return written
}

/**
 * Cells of `words` (0, 1 or 2) times 8 bytes of the rows in `rows` to `out`, and bits of those that are not NULL to the cleared bitmap
 * `outValidity`; how many are NULL. Row 0xffffffff is NULL.
 */
export function gatherRows(
  cells: usize,
  validity: usize,
  rows: usize,
  count: u32,
  words: u32,
  out: usize,
  outValidity: usize,
): u32 {
  let nulls: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const row = load<u32>(rows + ((<usize>at) << 2))
    const isHere = row != 0xffffffff
    const from = isHere ? row : 0
    if (words == 1) store<u64>(out + ((<usize>at) << 3), load<u64>(cells + ((<usize>from) << 3)))
    else if (words == 2) {
      store<u64>(out + ((<usize>at) << 4), load<u64>(cells + ((<usize>from) << 4)))
      store<u64>(out + ((<usize>at) << 4), load<u64>(cells + ((<usize>from) << 4), 8), 8)
    }
    if (isHere && isValid(validity, row)) {
      const byte = outValidity + (at >> 3)
      store<u8>(byte, load<u8>(byte) | (<u8>1 << <u8>(at & 7)))
    } else nulls++
  }
  return nulls
}

/**
 * Moves the pairs to the front whose times are apart by [lower, upper]: `times` i64 by row, the other's at `timeOffset` of its entry;
 * `isLeft`: apart is the row's time less the entry's, else the other way. How many.
 */
export function keepWithin(
  positions: usize,
  rows: usize,
  entries: usize,
  count: u32,
  times: usize,
  timeOffset: u32,
  lower: i64,
  upper: i64,
  isLeft: bool,
): u32 {
  let kept: usize = 0
  for (let at: u32 = 0; at < count; at++) {
    const row = load<u32>(rows + ((<usize>at) << 2))
    const entry = load<u32>(entries + ((<usize>at) << 2))
    const own = load<i64>(times + ((<usize>row) << 3))
    const theirs = load<i64>(<usize>entry + timeOffset)
    const apart = isLeft ? own - theirs : theirs - own
    if (apart < lower || apart > upper) continue
    store<u32>(positions + (kept << 2), load<u32>(positions + ((<usize>at) << 2)))
    store<u32>(rows + (kept << 2), row)
    store<u32>(entries + (kept << 2), entry)
    kept++
  }
  return <u32>kept
}

/**
 * u32 by position: how long the row's list is as the rows before it leave it, if +I and +U add one and others take one. `lists` by
 * position, 0 = none.
 */
export function lengthsBefore(
  table: usize,
  lists: usize,
  kinds: usize,
  selection: usize,
  count: u32,
  out: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const head = <usize>load<u32>(lists + ((<usize>at) << 2))
    let length: i32 = 0
    if (head != 0) {
      const cells = cellsOf(table, head)
      const delta = load<i32>(cells, 20)
      length = load<i32>(cells, 8) + delta
      const kind: u32 = kinds == 0 ? 0 : <u32>load<u8>(kinds + rowAt(selection, at))
      const by: i32 = (kind & 1) == 0 ? 1 : length > 0 ? -1 : 0
      store<i32>(cells, delta + by, 20)
    }
    store<i32>(out + ((<usize>at) << 2), length)
  }
  for (let at: u32 = 0; at < count; at++) {
    const head = <usize>load<u32>(lists + ((<usize>at) << 2))
    if (head != 0) store<i32>(cellsOf(table, head), 0, 20)
  }
}
