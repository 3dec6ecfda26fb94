/**
 * Accumulators in the value cells of entries. `entries` is u32 by position, `selection` u32 rows or 0, `offset` that of the cell.
 * Extremes are kept so that zero is the least of all: a value's bits, ordered as unsigned, with `flip` (see extreme-cells.ts).
 */
import { isValid, rowAt } from './group/hash.as'

// @ts-nocheck: compiled by asc, not by tsc

export { dense, narrow, pick } from './aggregate/positions.as'

// @ts-ignore: decorator
@inline
function cellAt(entries: usize, at: u32, offset: u32): usize {
  return (<usize>load<u32>(entries + ((<usize>at) << 2))) + offset
}

export function addCount(entries: usize, count: u32, offset: u32, delta: i64): void {
  let at: u32 = 0
  const unrolled = count & ~3
  while (at < unrolled) {
    const a = cellAt(entries, at, offset)
    const b = cellAt(entries, at + 1, offset)
    const c = cellAt(entries, at + 2, offset)
    const d = cellAt(entries, at + 3, offset)
    store<i64>(a, load<i64>(a) + delta)
    store<i64>(b, load<i64>(b) + delta)
    store<i64>(c, load<i64>(c) + delta)
    store<i64>(d, load<i64>(d) + delta)
    at += 4
  }
  while (at < count) {
    const a = cellAt(entries, at++, offset)
    store<i64>(a, load<i64>(a) + delta)
  }
}

/** Wraps at 64 bits; returns how often a sum of `bits` bits would have wrapped. `sign` is 1 or -1. */
export function addI64(
  entries: usize,
  cells: usize,
  selection: usize,
  count: u32,
  offset: u32,
  sign: i64,
  bits: u32,
): u32 {
  let wrapped: u64 = 0
  const top = <u64>(bits - 1)
  for (let at: u32 = 0; at < count; at++) {
    const cell = cellAt(entries, at, offset)
    const value = load<i64>(cells + ((<usize>rowAt(selection, at)) << 3)) * sign
    const before = load<i64>(cell)
    const after = before + value
    wrapped += ((<u64>((before ^ after) & (value ^ after))) >>> top) & 1
    store<i64>(cell, after)
  }
  return <u32>wrapped
}

export function addF64(
  entries: usize,
  cells: usize,
  selection: usize,
  count: u32,
  offset: u32,
  sign: f64,
  single: bool,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const cell = cellAt(entries, at, offset)
    const sum = load<f64>(cell) + load<f64>(cells + ((<usize>rowAt(selection, at)) << 3)) * sign
    store<f64>(cell, single ? <f64>(<f32>sum) : sum)
  }
}

// @ts-ignore: decorator
@inline
function addTo(cell: usize, low: u64, high: u64): void {
  const before = load<u64>(cell)
  const sum = before + low
  store<u64>(cell, sum)
  store<u64>(cell, load<u64>(cell, 8) + high + (sum < before ? 1 : 0), 8)
}

/** Into two cells, from i64 cells or i128 ones. */
export function addWide(
  entries: usize,
  cells: usize,
  selection: usize,
  count: u32,
  offset: u32,
  wide: bool,
  negative: bool,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = <usize>rowAt(selection, at)
    const held = cells + (wide ? row << 4 : row << 3)
    let low = load<u64>(held)
    let high = wide ? load<u64>(held, 8) : <u64>((<i64>low) >> 63)
    if (negative) {
      low = ~low + 1
      high = ~high + (low == 0 ? 1 : 0)
    }
    addTo(cellAt(entries, at, offset), low, high)
  }
}

// @ts-ignore: decorator
@inline
function ordered(bits: u64): u64 {
  const sign = <u64>((<i64>bits) >> 63)
  return bits ^ (sign | 0x8000000000000000)
}

/** i64 cells with `flip`; f64 cells with `double`, where flip is 0 for MAX and all ones for MIN. */
export function extreme(
  entries: usize,
  cells: usize,
  selection: usize,
  count: u32,
  offset: u32,
  flip: u64,
  double: bool,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const cell = cellAt(entries, at, offset)
    const bits = load<u64>(cells + ((<usize>rowAt(selection, at)) << 3))
    const value = (double ? ordered(bits) : bits) ^ flip
    const before = load<u64>(cell)
    store<u64>(cell, value > before ? value : before)
  }
}

export function extremeWide(
  entries: usize,
  cells: usize,
  selection: usize,
  count: u32,
  offset: u32,
  flipLow: u64,
  flipHigh: u64,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const cell = cellAt(entries, at, offset)
    const held = cells + ((<usize>rowAt(selection, at)) << 4)
    greater(cell, load<u64>(held) ^ flipLow, load<u64>(held, 8) ^ flipHigh)
  }
}

function greater(cell: usize, low: u64, high: u64): void {
  const before = load<u64>(cell, 8)
  if (high < before || (high == before && low <= load<u64>(cell))) return
  store<u64>(cell, low)
  store<u64>(cell, high, 8)
}

/** Less than 0, 0 or more: unsigned bytes, the shorter first where one begins the other. */
export function compareBytes(left: usize, leftLength: u32, right: usize, rightLength: u32): i32 {
  const length = leftLength < rightLength ? leftLength : rightLength
  let at: u32 = 0
  while (at + 8 <= length && load<u64>(left + at) == load<u64>(right + at)) at += 8
  while (at < length) {
    const difference = <i32>load<u8>(left + at) - <i32>load<u8>(right + at)
    if (difference != 0) return difference
    at++
  }
  return leftLength < rightLength ? -1 : leftLength > rightLength ? 1 : 0
}

/** The first position from `from` on whose bytes are beyond those in the cell (or the cell has none); `count` if none is. `sign` 1: MAX, -1: MIN. */
export function nextBeyond(
  entries: usize,
  cells: usize,
  selection: usize,
  from: u32,
  count: u32,
  offset: u32,
  sign: i32,
): u32 {
  for (let at = from; at < count; at++) {
    const best = load<u64>(cellAt(entries, at, offset))
    if (best == 0) return at
    const cell = load<u64>(cells + ((<usize>rowAt(selection, at)) << 3))
    const order = compareBytes(
      <usize>(<u32>cell),
      <u32>(cell >>> 32),
      <usize>(<u32>best),
      <u32>(best >>> 32),
    )
    if (order * sign > 0) return at
  }
  return count
}

/** Adds `delta` to the counts; writes the positions where a value came (0 to 1) or, with -1, went (1 to 0); how many. */
export function countValues(
  entries: usize,
  count: u32,
  offset: u32,
  delta: i64,
  positions: usize,
): u32 {
  let moved: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const cell = cellAt(entries, at, offset)
    const before = load<i64>(cell)
    const after = before + delta
    store<i64>(cell, after)
    store<u32>(positions + ((<usize>moved) << 2), at)
    moved += <u32>(delta > 0 ? before == 0 : after == 0)
  }
  return moved
}

/** Adds the counts of `from` to those of `into`; positions that were 0 before and no longer are; how many. */
export function mergeValues(
  into: usize,
  from: usize,
  count: u32,
  offset: u32,
  positions: usize,
): u32 {
  let moved: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const cell = cellAt(into, at, offset)
    const before = load<i64>(cell)
    const after = before + load<i64>(cellAt(from, at, offset))
    store<i64>(cell, after)
    store<u32>(positions + ((<usize>moved) << 2), at)
    moved += <u32>(before == 0 && after != 0)
  }
  return moved
}

export function mergeI64(into: usize, from: usize, count: u32, offset: u32): void {
  for (let at: u32 = 0; at < count; at++) {
    const cell = cellAt(into, at, offset)
    store<i64>(cell, load<i64>(cell) + load<i64>(cellAt(from, at, offset)))
  }
}

export function mergeF64(into: usize, from: usize, count: u32, offset: u32, single: bool): void {
  for (let at: u32 = 0; at < count; at++) {
    const cell = cellAt(into, at, offset)
    const sum = load<f64>(cell) + load<f64>(cellAt(from, at, offset))
    store<f64>(cell, single ? <f64>(<f32>sum) : sum)
  }
}

export function mergeWide(into: usize, from: usize, count: u32, offset: u32): void {
  for (let at: u32 = 0; at < count; at++) {
    const held = cellAt(from, at, offset)
    addTo(cellAt(into, at, offset), load<u64>(held), load<u64>(held, 8))
  }
}

export function mergeExtreme(
  into: usize,
  from: usize,
  count: u32,
  offset: u32,
  wide: bool,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const cell = cellAt(into, at, offset)
    const held = cellAt(from, at, offset)
    if (wide) greater(cell, load<u64>(held), load<u64>(held, 8))
    else if (load<u64>(held) > load<u64>(cell)) store<u64>(cell, load<u64>(held))
  }
}

/** Integers of `bits` bits, wrapped. */
export function readI64(entries: usize, count: u32, offset: u32, bits: u32, out: usize): void {
  const shift: i64 = 64 - <i64>bits
  for (let at: u32 = 0; at < count; at++) {
    store<i64>(
      out + ((<usize>at) << 3),
      (load<i64>(cellAt(entries, at, offset)) << shift) >> shift,
    )
  }
}

export function readWide(
  entries: usize,
  count: u32,
  offset: u32,
  flipLow: u64,
  flipHigh: u64,
  out: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const held = cellAt(entries, at, offset)
    store<u64>(out + ((<usize>at) << 4), load<u64>(held) ^ flipLow)
    store<u64>(out + ((<usize>at) << 4), load<u64>(held, 8) ^ flipHigh, 8)
  }
}

export function readExtreme(
  entries: usize,
  count: u32,
  offset: u32,
  flip: u64,
  double: bool,
  out: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const value = load<u64>(cellAt(entries, at, offset)) ^ flip
    // The reverse of `ordered`: positive numbers have the top bit set.
    const bits = (<i64>value) < 0 ? value ^ 0x8000000000000000 : ~value
    store<u64>(out + ((<usize>at) << 3), double ? bits : value)
  }
}

/** sum / count, toward zero, wrapped to `bits`; where count is 0 anything. */
export function readAverage(
  entries: usize,
  count: u32,
  sumOffset: u32,
  countOffset: u32,
  bits: u32,
  out: usize,
): void {
  const shift: i64 = 64 - <i64>bits
  for (let at: u32 = 0; at < count; at++) {
    const divisor = load<i64>(cellAt(entries, at, countOffset))
    const sum = load<i64>(cellAt(entries, at, sumOffset))
    const quotient = divisor == 0 ? 0 : divisor == -1 ? 0 - sum : sum / divisor
    store<i64>(out + ((<usize>at) << 3), (quotient << shift) >> shift)
  }
}

export function readAverageF64(
  entries: usize,
  count: u32,
  sumOffset: u32,
  countOffset: u32,
  single: bool,
  out: usize,
): void {
  for (let at: u32 = 0; at < count; at++) {
    const divisor = <f64>load<i64>(cellAt(entries, at, countOffset))
    const average = load<f64>(cellAt(entries, at, sumOffset)) / divisor
    store<f64>(out + ((<usize>at) << 3), single ? <f64>(<f32>average) : average)
  }
}

/** Sets the bits of the cleared bitmap where the count is not 0; how many are. */
export function readValidity(entries: usize, count: u32, countOffset: u32, out: usize): u32 {
  let valid: u32 = 0
  for (let at: u32 = 0; at < count; at++) {
    const isValid = <u32>(load<i64>(cellAt(entries, at, countOffset)) != 0)
    const byte = out + (at >> 3)
    store<u8>(byte, load<u8>(byte) | <u8>(isValid << (at & 7)))
    valid += isValid
  }
  return valid
}
