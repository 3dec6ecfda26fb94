/**
 * The first N rows of each partition, in order: fixed blocks that rows are offered to.
 *
 *   code     what a row is ordered by, lower first: u64 a sort key (a text: its address and length, as in a column), then u32 ranks, 2 bits
 *            a key: 1 for a value, 0 or 2 for a NULL before or behind all values
 *   top      what a partition's entry holds: 0 u32 block, 4 u32 elements in it, 8 u64 first key and 16 u32 ranks of the last of N,
 *            20 u32 number of the batch that touched it
 *   element  the keys as in a code, then u32 what it is of (a row's entry; while it is new, its position in the batch), then u32 ranks, and
 *            NEW if it is new
 *
 * Elements that tie stand in the order in which they came.
 */

// @ts-nocheck: compiled by asc, not by tsc

const VALUE_RANK: u32 = 1
const NAN: u64 = 0x7ff8000000000000
const SIGN: u64 = 0x8000000000000000
/** Of an element's last word. */
const NEW: u32 = 0x80000000
const RANKS: u32 = 0xffff

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

/**
 * Key `key` of each position to `out`, `stride` bytes a position, its rank with those of the keys before it. `kind`: 0 i64, 1 f64, 2 bytes
 * (which are not turned around by `descending`). `nullRank`: 0 before all values, 2 behind.
 */
export function sortCodes(
  cells: usize,
  validity: usize,
  selection: usize,
  count: u32,
  kind: u32,
  descending: u32,
  nullRank: u32,
  key: u32,
  stride: u32,
  out: usize,
): void {
  const shift = key << 1
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const to = out + <usize>(at * stride)
    const ranks = to + <usize>(stride - 8)
    const before = key == 0 ? 0 : load<u32>(ranks)
    if (validity != 0 && ((load<u8>(validity + (row >> 3)) >> <u8>(row & 7)) & 1) == 0) {
      store<u64>(to + (<usize>key << 3), 0)
      store<u32>(ranks, before | (nullRank << shift))
      continue
    }
    const cell = cells + ((<usize>row) << 3)
    let code = load<u64>(cell)
    if (kind == 0) code ^= SIGN
    else if (kind == 1) code = orderedDouble(cell)
    store<u64>(to + (<usize>key << 3), descending != 0 && kind != 2 ? ~code : code)
    store<u32>(ranks, before | (VALUE_RANK << shift))
  }
}

function compareTexts(left: u64, right: u64): i32 {
  const leftBytes = <u32>(left >>> 32)
  const rightBytes = <u32>(right >>> 32)
  const least = min<u32>(leftBytes, rightBytes)
  const a = <usize>(<u32>left)
  const b = <usize>(<u32>right)
  for (let at: u32 = 0; at < least; at++) {
    const x = load<u8>(a + at)
    const y = load<u8>(b + at)
    if (x != y) return x < y ? -1 : 1
  }
  return leftBytes == rightBytes ? 0 : leftBytes < rightBytes ? -1 : 1
}

/** Orders two codes. `texts` and `turned`: a bit a key, for texts and for those of them that are descending. */
function compareCodes(
  left: usize,
  leftRanks: u32,
  right: usize,
  rightRanks: u32,
  keys: u32,
  texts: u32,
  turned: u32,
): i32 {
  for (let key: u32 = 0; key < keys; key++) {
    const rank = (leftRanks >> (key << 1)) & 3
    const other = (rightRanks >> (key << 1)) & 3
    if (rank != other) return rank < other ? -1 : 1
    if (rank != VALUE_RANK) continue
    const x = load<u64>(left + (<usize>key << 3))
    const y = load<u64>(right + (<usize>key << 3))
    if (((texts >> key) & 1) != 0) {
      const order = compareTexts(x, y)
      if (order != 0) return ((turned >> key) & 1) != 0 ? -order : order
    } else if (x != y) return x < y ? -1 : 1
  }
  return 0
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
  keys: u32,
  texts: u32,
  turned: u32,
): u32 {
  if (from == 0) {
    touchedCount = 0
    evictedCount = 0
  }
  const ofAt: usize = <usize>keys << 3
  const stride: u32 = <u32>ofAt + 8
  for (let at = from; at < count; at++) {
    const top = <usize>load<u32>(tops + ((<usize>at) << 2))
    const head = top + offset
    let size = load<u32>(head, 4)
    const code = codes + <usize>(at * stride)
    const ranks = load<u32>(code + ofAt)
    const block = <usize>load<u32>(head)
    if (size == limit) {
      let isOpen = true
      if ((texts & 1) == 0) {
        const rank = ranks & 3
        const lastRank = load<u32>(head, 16) & 3
        const first = load<u64>(code)
        const lastFirst = load<u64>(head, 8)
        if (rank > lastRank || (rank == lastRank && first > lastFirst)) continue
        isOpen = rank == lastRank && first == lastFirst
      }
      if (isOpen) {
        if (keys == 1 && texts == 0) continue
        const last = block + <usize>((size - 1) * stride)
        const lastRanks = load<u32>(last + ofAt, 4) & RANKS
        if (compareCodes(code, ranks, last, lastRanks, keys, texts, turned) >= 0) continue
      }
    }
    if (block == 0) return at
    if (load<u32>(head, 20) != stamp) {
      store<u32>(head, stamp, 20)
      if (before != 0) {
        const copy = before + ((<usize>(touchedCount * limit)) << 2)
        for (let i: u32 = 0; i < size; i++)
          store<u32>(copy + ((<usize>i) << 2), load<u32>(block + <usize>(i * stride) + ofAt))
      }
      const note = touched + ((<usize>touchedCount) << 3)
      touchedCount++
      store<u32>(note, <u32>top)
      store<u32>(note, size, 4)
    }
    if (size == limit) {
      const last = block + <usize>((size - 1) * stride) + ofAt
      if ((load<u32>(last, 4) & NEW) == 0) {
        store<u32>(evicted + ((<usize>evictedCount) << 2), load<u32>(last))
        evictedCount++
      }
      size--
    }
    let place = block + <usize>(size * stride)
    while (place > block) {
      const other = place - <usize>stride
      const otherRanks = load<u32>(other + ofAt, 4) & RANKS
      let isDecided = false
      if ((texts & 1) == 0) {
        const first = load<u64>(code)
        const otherFirst = load<u64>(other)
        const rank = ranks & 3
        const otherRank = otherRanks & 3
        if (otherRank < rank || (otherRank == rank && otherFirst < first)) break
        isDecided = otherRank > rank || otherFirst > first
        if (!isDecided && keys == 1) break
      }
      if (!isDecided) {
        if (compareCodes(other, otherRanks, code, ranks, keys, texts, turned) <= 0) break
      }
      for (let at: usize = 0; at < <usize>stride; at += 8)
        store<u64>(place + at, load<u64>(other + at))
      place = other
    }
    for (let at: usize = 0; at < ofAt; at += 8) store<u64>(place + at, load<u64>(code + at))
    store<u32>(place + ofAt, at)
    store<u32>(place + ofAt, ranks | NEW, 4)
    size++
    store<u32>(head, size, 4)
    if (size == limit) {
      const last = block + <usize>((size - 1) * stride)
      store<u64>(head, load<u64>(last), 8)
      store<u32>(head, load<u32>(last + ofAt, 4) & RANKS, 16)
    }
  }
  return count
}

/** For each position that is still among the elements its element's address to the cleared `where` (u32 a position). */
export function survivors(
  touched: usize,
  count: u32,
  offset: usize,
  where: usize,
  keys: u32,
): void {
  const ofAt: usize = <usize>keys << 3
  for (let at: u32 = 0; at < count; at++) {
    const head = <usize>load<u32>(touched + ((<usize>at) << 3)) + offset
    const block = <usize>load<u32>(head)
    const stride = ofAt + 8
    const end = block + <usize>load<u32>(head, 4) * stride
    for (let element = block; element < end; element += stride) {
      if ((load<u32>(element + ofAt, 4) & NEW) != 0)
        store<u32>(where + ((<usize>load<u32>(element + ofAt)) << 2), <u32>element)
    }
  }
}

/**
 * New elements get the entries of their rows, and are new no more; their texts are where the rows are kept, at `cells` (u32 offsets in an
 * entry, one a key).
 */
export function settle(
  elements: usize,
  entries: usize,
  count: u32,
  keys: u32,
  texts: u32,
  cells: usize,
): void {
  const ofAt: usize = <usize>keys << 3
  for (let at: u32 = 0; at < count; at++) {
    const element = <usize>load<u32>(elements + ((<usize>at) << 2))
    const entry = load<u32>(entries + ((<usize>at) << 2))
    store<u32>(element + ofAt, entry)
    store<u32>(element + ofAt, load<u32>(element + ofAt, 4) & RANKS, 4)
    for (let key: u32 = 0; key < keys; key++) {
      if (((texts >> key) & 1) == 0) continue
      const cell = <usize>entry + <usize>load<u32>(cells + (<usize>key << 2))
      store<u64>(element + (<usize>key << 3), load<u64>(cell))
    }
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
  keys: u32,
): u32 {
  const ofAt: usize = <usize>keys << 3
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
      const now = load<u32>(block + <usize>i * (ofAt + 8) + ofAt)
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
