/**
 * The first N rows of each partition, in order: fixed blocks that rows are offered to.
 *
 *   code     what a sort key is ordered by, lower first: u64 code, u32 rank (NULLs before or behind all values)
 *   top      what a partition's entry holds: 0 u32 block, 4 u32 elements in it, 8 u64 code and 16 u32 rank of the last of N,
 *            20 u32 number of the batch that touched it
 *   element  0 u64 code, 8 u32 what it is of (a row's entry; while it is new, its position in the batch), 12 u32 rank, doubled, + 1 if new
 *
 * Elements that tie stand in the order in which they came.
 */

// @ts-nocheck: compiled by asc, not by tsc

const VALUE_RANK: u32 = 1
const NAN: u64 = 0x7ff8000000000000
const SIGN: u64 = 0x8000000000000000

// @ts-ignore: decorator
@inline
function rowAt(selection: usize, at: u32): u32 {
  return selection == 0 ? at : load<u32>(selection + ((<usize>at) << 2))
}

// @ts-ignore: decorator
@inline
function orderedDouble(cells: usize): u64 {
  const value = load<f64>(cells)
  if (value != value) return NAN | SIGN
  const bits = value == 0 ? 0 : load<u64>(cells)
  return (bits & SIGN) != 0 ? ~bits : bits | SIGN
}

/** 16 bytes a position to `out`: u64 code, u32 rank. `nullRank`: 0 before all values, 2 behind. */
export function sortCodes(
  cells: usize,
  validity: usize,
  selection: usize,
  count: u32,
  isDouble: u32,
  descending: u32,
  nullRank: u32,
  out: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const to = out + ((<usize>at) << 4)
    if (validity != 0 && ((load<u8>(validity + (row >> 3)) >> <u8>(row & 7)) & 1) == 0) {
      store<u64>(to, 0)
      store<u32>(to, nullRank, 8)
      continue
    }
    const cell = cells + ((<usize>row) << 3)
    const code = isDouble != 0 ? orderedDouble(cell) : load<u64>(cell) ^ SIGN
    store<u64>(to, descending != 0 ? ~code : code)
    store<u32>(to, VALUE_RANK, 8)
  }
}

/** Of the current batch: pairs (u32 top, u32 elements before) written, and evicted entries. */
export let touchedCount: u32 = 0
export let evictedCount: u32 = 0

/**
 * Offers positions [from, count) with their `codes` to their `tops` (u32 addresses; `offset`: of what a top is of an entry). Who does
 * not come before the last of `limit` is passed over. Notes each top that changes once, with its elements as they were in `before`
 * (u32s, `limit` a top; 0: not wanted), and the entries that fall out. Returns where a block is needed, or `count`.
 */
export function offer(
  tops: usize,
  offset: usize,
  codes: usize,
  from: u32,
  count: u32,
  limit: u32,
  stamp: u32,
  touched: usize,
  before: usize,
  evicted: usize,
): u32 {
  if (from == 0) {
    touchedCount = 0
    evictedCount = 0
  }
  for (let at = from; at < count; at++) {
    const top = <usize>load<u32>(tops + ((<usize>at) << 2))
    const head = top + offset
    let size = load<u32>(head, 4)
    const code = load<u64>(codes + ((<usize>at) << 4))
    const rank = load<u32>(codes + ((<usize>at) << 4), 8)
    if (size == limit) {
      const lastRank = load<u32>(head, 16)
      if (rank > lastRank || (rank == lastRank && code >= load<u64>(head, 8))) continue
    }
    const block = <usize>load<u32>(head)
    if (block == 0) return at
    if (load<u32>(head, 20) != stamp) {
      store<u32>(head, stamp, 20)
      if (before != 0) {
        const copy = before + ((<usize>(touchedCount * limit)) << 2)
        for (let i: u32 = 0; i < size; i++)
          store<u32>(copy + ((<usize>i) << 2), load<u32>(block + ((<usize>i) << 4), 8))
      }
      const note = touched + ((<usize>touchedCount) << 3)
      touchedCount++
      store<u32>(note, <u32>top)
      store<u32>(note, size, 4)
    }
    if (size == limit) {
      const last = block + ((<usize>(size - 1)) << 4)
      if ((load<u32>(last, 12) & 1) == 0) {
        store<u32>(evicted + ((<usize>evictedCount) << 2), load<u32>(last, 8))
        evictedCount++
      }
      size--
    }
    let place = block + ((<usize>size) << 4)
    while (place > block) {
      const other = place - 16
      const otherRank = load<u32>(other, 12) >> 1
      if (otherRank < rank || (otherRank == rank && load<u64>(other) <= code)) break
      store<u64>(place, load<u64>(other))
      store<u64>(place, load<u64>(other, 8), 8)
      place = other
    }
    store<u64>(place, code)
    store<u32>(place, at, 8)
    store<u32>(place, (rank << 1) | 1, 12)
    size++
    store<u32>(head, size, 4)
    if (size == limit) {
      const last = block + ((<usize>(size - 1)) << 4)
      store<u64>(head, load<u64>(last), 8)
      store<u32>(head, load<u32>(last, 12) >> 1, 16)
    }
  }
  return count
}

/** For each position that is still among the elements its element's address to the cleared `where` (u32 a position). */
export function survivors(touched: usize, count: u32, offset: usize, where: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const head = <usize>load<u32>(touched + ((<usize>at) << 3)) + offset
    const block = <usize>load<u32>(head)
    const end = block + ((<usize>load<u32>(head, 4)) << 4)
    for (let element = block; element < end; element += 16) {
      if ((load<u32>(element, 12) & 1) != 0)
        store<u32>(where + ((<usize>load<u32>(element, 8)) << 2), <u32>element)
    }
  }
}

/** New elements get the entries of their rows, and are new no more. */
export function settle(elements: usize, entries: usize, count: u32): void {
  for (let at: u32 = 0; at < count; at++) {
    const element = <usize>load<u32>(elements + ((<usize>at) << 2))
    store<u32>(element, load<u32>(entries + ((<usize>at) << 2)), 8)
    store<u32>(element, load<u32>(element, 12) & ~1, 12)
  }
}

/**
 * What changed place, of the touched tops (after `settle`): for each number from `first` on that has another entry than `before`,
 * the old one (-U, or -D where none is now) and the new one (+U, or +I where none was). Writes u32 entries, u8 kinds, i64 numbers;
 * how many.
 */
export function placeChanges(
  touched: usize,
  count: u32,
  offset: usize,
  before: usize,
  limit: u32,
  first: u32,
  entries: usize,
  kinds: usize,
  numbers: usize,
): u32 {
  let written: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const note = touched + ((<usize>at) << 3)
    const head = <usize>load<u32>(note) + offset
    const block = <usize>load<u32>(head)
    const size = load<u32>(head, 4)
    const sizeBefore = load<u32>(note, 4)
    const old = before + ((<usize>(at * limit)) << 2)
    // Nothing leaves but by what comes: there are never fewer than before.
    for (let i = first - 1; i < size; i++) {
      const now = load<u32>(block + ((<usize>i) << 4), 8)
      let kind: u8 = 0
      if (i < sizeBefore) {
        const was = load<u32>(old + ((<usize>i) << 2))
        if (was == now) continue
        store<u32>(entries + ((<usize>written) << 2), was)
        store<u8>(kinds + written, 1)
        store<i64>(numbers + ((<usize>written) << 3), i + 1)
        written++
        kind = 2
      }
      store<u32>(entries + ((<usize>written) << 2), now)
      store<u8>(kinds + written, kind)
      store<i64>(numbers + ((<usize>written) << 3), i + 1)
      written++
    }
  }
  return written
}
