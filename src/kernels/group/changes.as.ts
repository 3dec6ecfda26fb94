/** What a batch did to the groups of a changelog: which it touched, which rows changed, and the rows before and after side by side. */
import { BYTES, equalBytes, I128, isValid } from './hash.as'

// @ts-nocheck: compiled by asc, not by tsc

/**
 * Entries that are met for the first time under `number`, which their cell at `touchOffset` remembers: written to `unique`, and to
 * `existed` (u8) whether the cell at `rowsOffset` was above 0. How many.
 */
export function touchGroups(
  entries: usize,
  count: u32,
  touchOffset: u32,
  rowsOffset: u32,
  number: i64,
  unique: usize,
  existed: usize,
): u32 {
  let found: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const entry = <usize>load<u32>(entries + ((<usize>at) << 2))
    // Written in any case: whether a group comes again is not to be foreseen.
    store<u32>(unique + ((<usize>found) << 2), <u32>entry)
    store<u8>(existed + found, <u8>(load<i64>(entry + rowsOffset) > 0))
    found += u32(load<i64>(entry + touchOffset) != number)
    store<i64>(entry + touchOffset, number)
  }
  return found
}

/** Sets the byte of each row of which the cells, or whether they are NULL, differ. */
export function markChanged(
  before: usize,
  beforeValidity: usize,
  after: usize,
  afterValidity: usize,
  count: u32,
  kind: u32,
  changed: usize,
): void {
  for (let row: u32 = 0; row < count; row++) {
    const held = isValid(beforeValidity, row)
    let differs = held != isValid(afterValidity, row)
    if (held && !differs) {
      if (kind == I128) {
        const a = before + ((<usize>row) << 4)
        const b = after + ((<usize>row) << 4)
        differs = load<u64>(a) != load<u64>(b) || load<u64>(a, 8) != load<u64>(b, 8)
      } else {
        const a = before + ((<usize>row) << 3)
        const b = after + ((<usize>row) << 3)
        if (kind == BYTES) {
          const length = load<u32>(a, 4)
          differs = length != load<u32>(b, 4) || !equalBytes(load<u32>(a), load<u32>(b), length)
        } else differs = load<u64>(a) != load<u64>(b)
      }
    }
    store<u8>(changed + row, load<u8>(changed + row) | <u8>differs)
  }
}

/**
 * The changes of groups whose rows before stand at 2i and after at 2i + 1: kinds by row, and the selection. How many rows; -1 - i if
 * group i has less than no row.
 */
export function changeRows(
  entries: usize,
  count: u32,
  rowsOffset: u32,
  existed: usize,
  changed: usize,
  kinds: usize,
  selection: usize,
): i32 {
  let to = selection
  for (let group: u32 = 0; group < count; group++) {
    const rows = load<i64>(<usize>load<u32>(entries + ((<usize>group) << 2)) + rowsOffset)
    if (rows < 0) return -1 - <i32>group
    const was = <u32>load<u8>(existed + group)
    const is = u32(rows > 0)
    const moved = was & is & load<u8>(changed + group)
    // +I 0, -U 1, +U 2, -D 3
    store<u8>(kinds + (group << 1), was & is ? 1 : 3)
    store<u8>(kinds + (group << 1) + 1, was & is ? 2 : 0)
    store<u32>(to, group << 1)
    to += (<usize>(moved | (was & (is ^ 1)))) << 2
    store<u32>(to, (group << 1) + 1)
    to += (<usize>(moved | ((was ^ 1) & is))) << 2
  }
  return <i32>((to - selection) >>> 2)
}

/** Cells of `before` at even places, of `after` at odd ones. */
export function interleave(before: usize, after: usize, count: u32, wide: bool, out: usize): void {
  for (let row: u32 = 0; row < count; row++) {
    if (wide) {
      v128.store(out + ((<usize>row) << 5), v128.load(before + ((<usize>row) << 4)))
      v128.store(out + ((<usize>row) << 5), v128.load(after + ((<usize>row) << 4)), 16)
    } else {
      store<u64>(out + ((<usize>row) << 4), load<u64>(before + ((<usize>row) << 3)))
      store<u64>(out + ((<usize>row) << 4), load<u64>(after + ((<usize>row) << 3)), 8)
    }
  }
}

/** The same of bitmaps (0: all set), into the cleared one at `out`. */
export function interleaveBits(before: usize, after: usize, count: u32, out: usize): void {
  for (let row: u32 = 0; row < count; row++) {
    const bits = u32(isValid(before, row)) | (u32(isValid(after, row)) << 1)
    const byte = out + (row >> 2)
    store<u8>(byte, load<u8>(byte) | <u8>(bits << ((row & 3) << 1)))
  }
}

/** Entries whose cell at `rowsOffset` is 0, to `out`; how many. */
export function emptyGroups(entries: usize, count: u32, rowsOffset: u32, out: usize): u32 {
  let found: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const entry = <usize>load<u32>(entries + ((<usize>at) << 2))
    store<u32>(out + ((<usize>found) << 2), <u32>entry)
    found += u32(load<i64>(entry + rowsOffset) == 0)
  }
  return found
}

/** The greatest of the cells at `offset`, or `start`. */
export function greatestCell(entries: usize, count: u32, offset: u32, start: i64): i64 {
  let greatest = start
  for (let at: u32 = 0; at < count; at++) {
    const held = load<i64>(<usize>load<u32>(entries + ((<usize>at) << 2)) + offset)
    if (held > greatest) greatest = held
  }
  return greatest
}
