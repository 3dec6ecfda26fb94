/**
 * Selection vectors: which rows of a batch fulfil a condition.
 *
 * Every kernel reads `count` rows, `selection` (u32 row numbers, ascending) or all rows 0 .. count - 1 where it is 0, writes the rows
 * that pass to `out` and returns how many. A stride of 0 makes an operand a constant. A NULL never passes.
 */

// @ts-nocheck: compiled by asc, not by tsc

const EQUALS: i32 = 0
const NOT_EQUALS: i32 = 1
const LESS: i32 = 2
const LESS_OR_EQUAL: i32 = 3

// @ts-ignore: decorator
@inline
function rowAt(selection: usize, at: u32): u32 {
  return selection == 0 ? at : load<u32>(selection + ((<usize>at) << 2))
}

// @ts-ignore: decorator
@inline
function valid(validity: usize, row: u32): u32 {
  return validity == 0 ? 1 : ((<u32>load<u8>(validity + (row >> 3))) >> (row & 7)) & 1
}

// @ts-ignore: decorator
@inline
function holds<T>(op: i32, a: T, b: T): u32 {
  if (op == EQUALS) return u32(a == b)
  if (op == NOT_EQUALS) return u32(a != b)
  if (op == LESS) return u32(a < b)
  return u32(a <= b)
}

/** Both operands constant in stride: the dense loop without NULLs is unrolled, since asc does not. */
// @ts-ignore: decorator
@inline
function compare<T>(
  op: i32, a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize,
  selection: usize, count: u32, out: usize,
): u32 {
  let to = out
  let at: u32 = 0
  if (aValidity == 0 && bValidity == 0 && selection == 0) {
    if (bStride == 0 && aStride == 8) {
      const constant = load<T>(b)
      const end = count & ~3
      while (at < end) {
        store<u32>(to, at)
        to += (<usize>holds<T>(op, load<T>(a), constant)) << 2
        store<u32>(to, at + 1)
        to += (<usize>holds<T>(op, load<T>(a, 8), constant)) << 2
        store<u32>(to, at + 2)
        to += (<usize>holds<T>(op, load<T>(a, 16), constant)) << 2
        store<u32>(to, at + 3)
        to += (<usize>holds<T>(op, load<T>(a, 24), constant)) << 2
        a += 32
        at += 4
      }
    }
    while (at < count) {
      store<u32>(to, at)
      to += (<usize>holds<T>(op, load<T>(a), load<T>(b))) << 2
      a += aStride
      b += bStride
      at++
    }
    return <u32>((to - out) >> 2)
  }
  for (; at < count; at++) {
    const row = rowAt(selection, at)
    const passes = holds<T>(op, load<T>(a + <usize>row * aStride), load<T>(b + <usize>row * bStride))
    store<u32>(to, row)
    to += (<usize>(passes & valid(aValidity, row) & valid(bValidity, row))) << 2
  }
  return <u32>((to - out) >> 2)
}

export function equalI64(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compare<i64>(EQUALS, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}
export function notEqualI64(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compare<i64>(NOT_EQUALS, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}
export function lessI64(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compare<i64>(LESS, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}
export function lessOrEqualI64(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compare<i64>(LESS_OR_EQUAL, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}
export function equalF64(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compare<f64>(EQUALS, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}
export function notEqualF64(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compare<f64>(NOT_EQUALS, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}
export function lessF64(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compare<f64>(LESS, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}
export function lessOrEqualF64(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compare<f64>(LESS_OR_EQUAL, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}

/** Cells of 16 bytes, two's complement, the low half first. */
// @ts-ignore: decorator
@inline
function compareWide(
  op: i32, a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize,
  selection: usize, count: u32, out: usize,
): u32 {
  let to = out
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const x = a + <usize>row * aStride
    const y = b + <usize>row * bStride
    const high = load<i64>(x, 8)
    const otherHigh = load<i64>(y, 8)
    const passes = high == otherHigh ? holds<u64>(op, load<u64>(x), load<u64>(y)) : holds<i64>(op, high, otherHigh)
    store<u32>(to, row)
    to += (<usize>(passes & valid(aValidity, row) & valid(bValidity, row))) << 2
  }
  return <u32>((to - out) >> 2)
}

export function equalI128(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compareWide(EQUALS, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}
export function notEqualI128(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compareWide(NOT_EQUALS, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}
export function lessI128(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compareWide(LESS, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}
export function lessOrEqualI128(a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, out: usize): u32 {
  return compareWide(LESS_OR_EQUAL, a, aStride, aValidity, b, bStride, bValidity, selection, count, out)
}

/**
 * cell % (odd << shift) == 0 (or != 0 if `wanted` is 0) without dividing: multiplied by the inverse of `odd` modulo 2^64, multiples fall
 * into [-limit, limit] in steps of 1 << shift. `limit` = floor((2^63 - 1) / odd) with its low `shift` bits cleared.
 * See Warren, "Hacker's Delight", 2nd edition, section 10-17.
 */
export function divisible(
  cells: usize, validity: usize, selection: usize, count: u32, inverse: i64, limit: i64, shift: i64, wanted: u32, out: usize,
): u32 {
  let to = out
  const bound = <u64>(limit << 1) >> <u64>shift
  let at: u32 = 0
  if (validity == 0 && selection == 0) {
    const end = count & ~3
    let from = cells
    while (at < end) {
      store<u32>(to, at)
      to += (<usize>u32(u32(<u64>rotr<i64>(load<i64>(from) * inverse + limit, shift) <= bound) == wanted)) << 2
      store<u32>(to, at + 1)
      to += (<usize>u32(u32(<u64>rotr<i64>(load<i64>(from, 8) * inverse + limit, shift) <= bound) == wanted)) << 2
      store<u32>(to, at + 2)
      to += (<usize>u32(u32(<u64>rotr<i64>(load<i64>(from, 16) * inverse + limit, shift) <= bound) == wanted)) << 2
      store<u32>(to, at + 3)
      to += (<usize>u32(u32(<u64>rotr<i64>(load<i64>(from, 24) * inverse + limit, shift) <= bound) == wanted)) << 2
      from += 32
      at += 4
    }
  }
  for (; at < count; at++) {
    const row = rowAt(selection, at)
    const product = load<i64>(cells + ((<usize>row) << 3)) * inverse + limit
    store<u32>(to, row)
    to += (<usize>(u32(u32(<u64>rotr<i64>(product, shift) <= bound) == wanted) & valid(validity, row))) << 2
  }
  return <u32>((to - out) >> 2)
}

/** Boolean cells equal to `wanted` (0 or 1). */
export function truth(cells: usize, validity: usize, selection: usize, count: u32, wanted: i64, out: usize): u32 {
  let to = out
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    store<u32>(to, row)
    to += (<usize>(u32(load<i64>(cells + ((<usize>row) << 3)) == wanted) & valid(validity, row))) << 2
  }
  return <u32>((to - out) >> 2)
}

/** Rows that are valid (`wanted` 1) or NULL (0). `validity` is not 0. */
export function validRows(validity: usize, selection: usize, count: u32, wanted: u32, out: usize): u32 {
  let to = out
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    store<u32>(to, row)
    to += (<usize>u32(valid(validity, row) == wanted)) << 2
  }
  return <u32>((to - out) >> 2)
}

// @ts-ignore: decorator
@inline
function sameBytes(a: usize, b: usize, length: u32): u32 {
  let left = length
  while (left >= 8) {
    if (load<u64>(a) != load<u64>(b)) return 0
    a += 8
    b += 8
    left -= 8
  }
  if (left == 0) return 1
  return u32(((load<u64>(a) ^ load<u64>(b)) << <u64>(64 - (left << 3))) == 0)
}

/** Views equal (`wanted` 1) or unequal (0), byte for byte. */
export function bytesEqual(
  a: usize, aStride: usize, aValidity: usize, b: usize, bStride: usize, bValidity: usize, selection: usize, count: u32, wanted: u32, out: usize,
): u32 {
  let to = out
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const x = a + <usize>row * aStride
    const y = b + <usize>row * bStride
    let same: u32 = 0
    if (valid(aValidity, row) & valid(bValidity, row)) {
      const length = load<u32>(x, 4)
      same = u32((length == load<u32>(y, 4) ? sameBytes(load<u32>(x), load<u32>(y), length) : 0) == wanted)
    }
    store<u32>(to, row)
    to += (<usize>same) << 2
  }
  return <u32>((to - out) >> 2)
}

/** The rows of `selection` (or 0 .. count - 1) that are not among `without`, a part of them. */
export function complement(selection: usize, count: u32, without: usize, withoutCount: u32, out: usize): u32 {
  let to = out
  let next = without
  const end = without + ((<usize>withoutCount) << 2)
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const gone = u32(next < end && load<u32>(next) == row)
    store<u32>(to, row)
    to += (<usize>(gone ^ 1)) << 2
    next += (<usize>gone) << 2
  }
  return <u32>((to - out) >> 2)
}

/** Two ascending selections without a row in common, as one. */
export function union(a: usize, aCount: u32, b: usize, bCount: u32, out: usize): void {
  let i: u32 = 0
  let j: u32 = 0
  let to = out
  while (i < aCount && j < bCount) {
    const x = load<u32>(a + ((<usize>i) << 2))
    const y = load<u32>(b + ((<usize>j) << 2))
    const first = u32(x < y)
    store<u32>(to, first ? x : y)
    i += first
    j += first ^ 1
    to += 4
  }
  while (i < aCount) {
    store<u32>(to, load<u32>(a + ((<usize>i) << 2)))
    i++
    to += 4
  }
  while (j < bCount) {
    store<u32>(to, load<u32>(b + ((<usize>j) << 2)))
    j++
    to += 4
  }
}

/** Writes 1 to the selected cells (`count` rows of `selection`, or all). */
export function mark(cells: usize, selection: usize, count: u32): void {
  for (let at: u32 = 0; at < count; at++) {
    store<i64>(cells + ((<usize>rowAt(selection, at)) << 3), 1)
  }
}

/** Copies the selected rows' cells of `bytes` (8 or 16) each. */
export function copyCells(from: usize, to: usize, bytes: u32, selection: usize, count: u32): void {
  if (bytes == 8) {
    for (let at: u32 = 0; at < count; at++) {
      const offset = (<usize>rowAt(selection, at)) << 3
      store<i64>(to + offset, load<i64>(from + offset))
    }
    return
  }
  for (let at: u32 = 0; at < count; at++) {
    const offset = (<usize>rowAt(selection, at)) << 4
    store<i64>(to + offset, load<i64>(from + offset))
    store<i64>(to + offset, load<i64>(from + offset, 8), 8)
  }
}

/** Copies the selected rows' bits; 0 for `from` sets them. */
export function copyValidity(from: usize, to: usize, selection: usize, count: u32): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const byte = to + (row >> 3)
    const bit: u32 = 1 << (row & 7)
    const now = <u32>load<u8>(byte)
    store<u8>(byte, valid(from, row) ? now | bit : now & ~bit)
  }
}

/** Bitmap of rows valid in both, `bytes` long. */
export function bothValid(a: usize, b: usize, bytes: u32, out: usize): void {
  for (let at: u32 = 0; at < bytes; at += 8) {
    store<u64>(out + at, load<u64>(a + at) & load<u64>(b + at))
  }
}
