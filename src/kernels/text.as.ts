/**
 * Texts by their bytes: nothing is decoded, and what is cut out of a text, or left as it is, stays where it is.
 *
 * `cells` are (address, length) pairs of u32; `selection` u32 row numbers or 0; `validity` a bitmap or 0. NULL rows get no result.
 */

// @ts-nocheck: compiled by asc, not by tsc

// @ts-ignore: decorator
@inline
function rowAt(selection: usize, at: u32): u32 {
  return selection == 0 ? at : load<u32>(selection + ((<usize>at) << 2))
}

// @ts-ignore: decorator
@inline
function isValid(validity: usize, row: u32): bool {
  return validity == 0 || ((load<u8>(validity + (row >> 3)) >> <u8>(row & 7)) & 1) != 0
}

// @ts-ignore: decorator
@inline
function put(cell: usize, address: usize, length: usize): void {
  store<u32>(cell, <u32>address)
  store<u32>(cell, <u32>length, 4)
}

/** Bytes of the selected texts together. */
export function bytesOf(cells: usize, validity: usize, selection: usize, count: u32): f64 {
  let bytes: u64 = 0
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    if (isValid(validity, row)) bytes += load<u32>(cells + (<usize>row << 3), 4)
  }
  return <f64>bytes
}

/** Copies the selected texts to `space`, one behind the other; true if all of it is ASCII. */
export function gather(cells: usize, validity: usize, selection: usize, count: u32, space: usize): bool {
  let to = space
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    if (!isValid(validity, row)) continue
    const cell = cells + (<usize>row << 3)
    const length = <usize>load<u32>(cell, 4)
    memory.copy(to, load<u32>(cell), length)
    to += length
  }
  let from = space
  for (; from + 16 <= to; from += 16) if (i8x16.bitmask(v128.load(from)) != 0) return false
  for (; from < to; from++) if (load<u8>(from) >= 0x80) return false
  return true
}

/** Code points: bytes that do not go on with one. */
export function lengths(cells: usize, validity: usize, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    if (!isValid(validity, row)) continue
    const cell = cells + (<usize>row << 3)
    let from: usize = load<u32>(cell)
    const end = from + <usize>load<u32>(cell, 4)
    let points: u64 = 0
    for (; from + 8 <= end; from += 8) {
      const word = load<u64>(from)
      // A continuation is 10xxxxxx: the top bit without the one below.
      points += 8 - popcnt(word & (~word << 1) & 0x8080808080808080)
    }
    for (; from < end; from++) points += u64((load<u8>(from) & 0xc0) != 0x80)
    store<u64>(out + (<usize>row << 3), points)
  }
}

/** The part numbered `index` between bytes `by`; no result (its bit stays 0) where there is none, or in an empty text. */
export function parts(
  cells: usize, validity: usize, selection: usize, count: u32, by: u32, index: u32, out: usize, outValidity: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    if (!isValid(validity, row)) continue
    const cell = cells + (<usize>row << 3)
    let from: usize = load<u32>(cell)
    const end = from + <usize>load<u32>(cell, 4)
    if (from == end) continue
    let left = index
    while (left > 0) {
      while (from < end && load<u8>(from) != <u8>by) from++
      if (from == end) break
      from++
      left--
    }
    if (left > 0) continue
    let stop = from
    while (stop < end && load<u8>(stop) != <u8>by) stop++
    put(out + (<usize>row << 3), from, stop - from)
    const bits = outValidity + (row >> 3)
    store<u8>(bits, load<u8>(bits) | (<u8>1 << <u8>(row & 7)))
  }
}

/**
 * ASCII letters from `first` to `first` + 25 with bit 5 turned; `space` has room for all the texts. Rows with other than ASCII are
 * written to `rest`, without a result.
 * @returns how many those are
 */
export function turnLetters(
  cells: usize, validity: usize, selection: usize, count: u32, first: u32, out: usize, space: usize, rest: usize,
): u32 {
  let others: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    if (!isValid(validity, row)) continue
    const cell = cells + (<usize>row << 3)
    const from: usize = load<u32>(cell)
    const length: usize = load<u32>(cell, 4)
    let high: u32 = 0
    let turned: u32 = 0
    for (let i: usize = 0; i < length; i++) {
      const byte = <u32>load<u8>(from + i)
      const turns = u32(byte - first < 26)
      high |= byte
      turned |= turns
      store<u8>(space + i, <u8>(byte ^ (turns << 5)))
    }
    if (high >= 0x80) {
      store<u32>(rest + (<usize>others << 2), row)
      others++
    } else if (turned == 0) {
      put(out + (<usize>row << 3), from, length)
    } else {
      put(out + (<usize>row << 3), space, length)
      space += length
    }
  }
  return others
}

// @ts-ignore: decorator
@inline
function same(a: usize, b: usize, length: usize): bool {
  for (let i: usize = 0; i < length; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false
  return true
}

/** Where the `length` > 0 bytes at `needle` are next in [from, end); `end` where they are not. */
function find(from: usize, end: usize, needle: usize, length: usize): usize {
  if (end - from < length) return end
  const first = load<u8>(needle)
  const last = end - length
  const firsts = i8x16.splat(<i8>first)
  // Sixteen at once, as long as they are the text's.
  for (; from + 16 <= end; from += 16) {
    let hits = i8x16.bitmask(i8x16.eq(v128.load(from), firsts))
    while (hits != 0) {
      const at = from + <usize>ctz(hits)
      if (at > last) return end
      if (same(at, needle, length)) return at
      hits &= hits - 1
    }
  }
  for (; from <= last; from++) {
    if (load<u8>(from) == first && same(from, needle, length)) return from
  }
  return end
}

/** Each `searchBytes` > 0 bytes as those at `by`, which are no more; `space` has room for all the texts. */
export function replace(
  cells: usize, validity: usize, selection: usize, count: u32,
  search: usize, searchBytes: u32, by: usize, byBytes: u32, out: usize, space: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    if (!isValid(validity, row)) continue
    const cell = cells + (<usize>row << 3)
    let from: usize = load<u32>(cell)
    const end = from + <usize>load<u32>(cell, 4)
    let next = find(from, end, search, searchBytes)
    if (next == end) {
      put(out + (<usize>row << 3), from, end - from)
      continue
    }
    const start = space
    while (next < end) {
      memory.copy(space, from, next - from)
      space += next - from
      memory.copy(space, by, byBytes)
      space += byBytes
      from = next + searchBytes
      next = find(from, end, search, searchBytes)
    }
    memory.copy(space, from, end - from)
    space += end - from
    put(out + (<usize>row << 3), start, space - start)
  }
}

const ANYWHERE: u32 = 0
const AT_START: u32 = 1
const AT_END: u32 = 2

/** Writes to `out` the rows whose text has the bytes at `needle`: anywhere (`place` 0), at its start (1), at its end (2), as a whole (3). */
export function having(
  cells: usize, validity: usize, selection: usize, count: u32, needle: usize, bytes: u32, place: u32, out: usize,
): u32 {
  let to = out
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    if (!isValid(validity, row)) continue
    const cell = cells + (<usize>row << 3)
    const from: usize = load<u32>(cell)
    const length: usize = load<u32>(cell, 4)
    if (length < <usize>bytes) continue
    let has: bool
    if (bytes == 0) has = place < 3 || length == 0
    else if (place == ANYWHERE) has = find(from, from + length, needle, bytes) != from + length
    else if (place == AT_START) has = same(from, needle, bytes)
    else if (place == AT_END) has = same(from + length - bytes, needle, bytes)
    else has = length == <usize>bytes && same(from, needle, bytes)
    store<u32>(to, row)
    to += (<usize>has) << 2
  }
  return <u32>((to - out) >> 2)
}
