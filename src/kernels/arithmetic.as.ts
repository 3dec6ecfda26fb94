/**
 * Arithmetic over columns of cells, row by row: out[row] = a[row] op b[row].
 *
 * `selection` is u32 row numbers, or 0 for rows 0 .. count - 1. A stride of 0 makes an operand a constant. NULL rows are computed, too: their
 * cells are any bits. What can overflow returns a flag that is 0 if no row did; a flag may be raised by a NULL row, so it is checked by rows.
 */

// @ts-nocheck: compiled by asc, not by tsc

const ADD: i32 = 0
const SUBTRACT: i32 = 1
const MULTIPLY: i32 = 2
const DIVIDE: i32 = 3

// @ts-ignore: decorator
@inline
function rowAt(selection: usize, at: u32): usize {
  return selection == 0 ? <usize>at : <usize>load<u32>(selection + ((<usize>at) << 2))
}

// @ts-ignore: decorator
@inline
function apply<T>(op: i32, a: T, b: T): T {
  if (op == ADD) return <T>(a + b)
  if (op == SUBTRACT) return <T>(a - b)
  if (op == MULTIPLY) return <T>(a * b)
  return <T>(a / b)
}

/** Negative if a op b left 64 bits. */
// @ts-ignore: decorator
@inline
function overflowed(op: i32, a: i64, b: i64, result: i64): i64 {
  if (op == ADD) return (a ^ result) & (b ^ result)
  if (op == SUBTRACT) return (a ^ b) & (a ^ result)
  return abs<f64>(<f64>a * <f64>b) >= 9223372036854774784.0 ? -1 : 0
}

// @ts-ignore: decorator
@inline
function integers(op: i32, a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): i64 {
  let flag: i64 = 0
  let at: u32 = 0
  if (selection == 0) {
    const end = count & ~3
    while (at < end) {
      const a0 = load<i64>(a)
      const b0 = load<i64>(b)
      const r0 = apply<i64>(op, a0, b0)
      a += aStride
      b += bStride
      const a1 = load<i64>(a)
      const b1 = load<i64>(b)
      const r1 = apply<i64>(op, a1, b1)
      a += aStride
      b += bStride
      const a2 = load<i64>(a)
      const b2 = load<i64>(b)
      const r2 = apply<i64>(op, a2, b2)
      a += aStride
      b += bStride
      const a3 = load<i64>(a)
      const b3 = load<i64>(b)
      const r3 = apply<i64>(op, a3, b3)
      a += aStride
      b += bStride
      store<i64>(out, r0)
      store<i64>(out, r1, 8)
      store<i64>(out, r2, 16)
      store<i64>(out, r3, 24)
      flag |= overflowed(op, a0, b0, r0) | overflowed(op, a1, b1, r1)
      flag |= overflowed(op, a2, b2, r2) | overflowed(op, a3, b3, r3)
      out += 32
      at += 4
    }
    while (at < count) {
      const x = load<i64>(a)
      const y = load<i64>(b)
      const result = apply<i64>(op, x, y)
      flag |= overflowed(op, x, y, result)
      store<i64>(out, result)
      a += aStride
      b += bStride
      out += 8
      at++
    }
    return flag < 0 ? 1 : 0
  }
  for (; at < count; at++) {
    const row = rowAt(selection, at)
    const x = load<i64>(a + row * aStride)
    const y = load<i64>(b + row * bStride)
    const result = apply<i64>(op, x, y)
    flag |= overflowed(op, x, y, result)
    store<i64>(out + (row << 3), result)
  }
  return flag < 0 ? 1 : 0
}

export function addI64(a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): i64 {
  return integers(ADD, a, aStride, b, bStride, selection, count, out)
}
export function subtractI64(a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): i64 {
  return integers(SUBTRACT, a, aStride, b, bStride, selection, count, out)
}
export function multiplyI64(a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): i64 {
  return integers(MULTIPLY, a, aStride, b, bStride, selection, count, out)
}

/** Quotients toward zero, as Java; the flag says that a divisor is 0 (its row gets 0). */
export function divideI64(a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): i64 {
  let flag: i64 = 0
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const x = load<i64>(a + row * aStride)
    const y = load<i64>(b + row * bStride)
    let result: i64 = 0
    // The hardware traps on the least integer by -1, where Java wraps.
    if (y == -1) result = 0 - x
    else if (y != 0) result = x / y
    else flag = 1
    store<i64>(out + (row << 3), result)
  }
  return flag
}

/** Remainders with the dividend's sign; the flag as of divideI64. */
export function remainderI64(a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): i64 {
  let flag: i64 = 0
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const x = load<i64>(a + row * aStride)
    const y = load<i64>(b + row * bStride)
    let result: i64 = 0
    if (y > 0 && ((x | y) >>> 32) == 0) result = <i64>(<u32>x % <u32>y)
    else if (y == 0) flag = 1
    else if (y != -1) result = x % y
    store<i64>(out + (row << 3), result)
  }
  return flag
}

// @ts-ignore: decorator
@inline
function floats(op: i32, a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): void {
  let at: u32 = 0
  if (selection == 0) {
    const end = count & ~3
    while (at < end) {
      const r0 = apply<f64>(op, load<f64>(a), load<f64>(b))
      a += aStride
      b += bStride
      const r1 = apply<f64>(op, load<f64>(a), load<f64>(b))
      a += aStride
      b += bStride
      const r2 = apply<f64>(op, load<f64>(a), load<f64>(b))
      a += aStride
      b += bStride
      const r3 = apply<f64>(op, load<f64>(a), load<f64>(b))
      a += aStride
      b += bStride
      store<f64>(out, r0)
      store<f64>(out, r1, 8)
      store<f64>(out, r2, 16)
      store<f64>(out, r3, 24)
      out += 32
      at += 4
    }
    while (at < count) {
      store<f64>(out, apply<f64>(op, load<f64>(a), load<f64>(b)))
      a += aStride
      b += bStride
      out += 8
      at++
    }
    return
  }
  for (; at < count; at++) {
    const row = rowAt(selection, at)
    store<f64>(out + (row << 3), apply<f64>(op, load<f64>(a + row * aStride), load<f64>(b + row * bStride)))
  }
}

export function addF64(a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): void {
  floats(ADD, a, aStride, b, bStride, selection, count, out)
}
export function subtractF64(a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): void {
  floats(SUBTRACT, a, aStride, b, bStride, selection, count, out)
}
export function multiplyF64(a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): void {
  floats(MULTIPLY, a, aStride, b, bStride, selection, count, out)
}
export function divideF64(a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): void {
  floats(DIVIDE, a, aStride, b, bStride, selection, count, out)
}

// @ts-ignore: decorator
@inline
function storeProduct(x: i64, y: i64, to: usize): void {
  const low = x * y
  if (x >= -2147483648 && x <= 2147483647 && y >= -2147483648 && y <= 2147483647) {
    store<i64>(to, low)
    store<i64>(to, low >> 63, 8)
    return
  }
  const xLow = x & 0xffffffff
  const xHigh = x >> 32
  const yLow = y & 0xffffffff
  const yHigh = y >> 32
  const first = xHigh * yLow + <i64>(<u64>(xLow * yLow) >> 32)
  const second = xLow * yHigh + (first & 0xffffffff)
  store<i64>(to, low)
  store<i64>(to, xHigh * yHigh + (first >> 32) + (second >> 32), 8)
}

/** Exact 128-bit products of 64-bit cells: out has 16 bytes a row, the low half first. */
export function multiplyWide(a: usize, aStride: usize, b: usize, bStride: usize, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    storeProduct(load<i64>(a + row * aStride), load<i64>(b + row * bStride), out + (row << 4))
  }
}

/** 64-bit cells as 128-bit ones. */
export function widen(cells: usize, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const value = load<i64>(cells + (row << 3))
    store<i64>(out + (row << 4), value)
    store<i64>(out + (row << 4), value >> 63, 8)
  }
}

/** Keeps the low 64 - `shift` bits, with their sign; the flag says that some row lost others. */
export function narrow(cells: usize, shift: i64, selection: usize, count: u32, out: usize): i64 {
  let lost: i64 = 0
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const value = load<i64>(cells + (row << 3))
    const kept = (value << shift) >> shift
    lost |= value ^ kept
    store<i64>(out + (row << 3), kept)
  }
  return lost == 0 ? 0 : 1
}

export function toF64(cells: usize, divisor: f64, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    store<f64>(out + (row << 3), <f64>load<i64>(cells + (row << 3)) / divisor)
  }
}

/** Toward zero and into [least, most]; NaN is 0: Java's casts. */
export function toI64(cells: usize, least: f64, most: f64, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const value = load<f64>(cells + (row << 3))
    store<i64>(out + (row << 3), <i64>(min<f64>(max<f64>(value, least), most)))
  }
}

/** Rounded to single precision. */
export function toSingle(cells: usize, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    store<f64>(out + (row << 3), <f64>(<f32>load<f64>(cells + (row << 3))))
  }
}

/** out[i] = value for i < count. */
export function fill(out: usize, value: i64, count: u32): void {
  for (let at: u32 = 0; at < count; at++) store<i64>(out + ((<usize>at) << 3), value)
}

// @ts-ignore: decorator
@inline
function floorRemainder(value: i64, size: i64): i64 {
  const rest = value % size
  return rest < 0 ? rest + size : rest
}

/** The multiple of `size` at or before each cell, shifted by `offset`. */
export function floorTo(cells: usize, size: i64, offset: i64, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    const value = load<i64>(cells + (row << 3))
    store<i64>(out + (row << 3), value - floorRemainder(value - offset, size))
  }
}

/** How many whole `part`s of each `size` have passed: the minute of the hour, the second of the minute. */
export function partOf(cells: usize, size: i64, part: i64, selection: usize, count: u32, out: usize): void {
  for (let at: u32 = 0; at < count; at++) {
    const row = rowAt(selection, at)
    store<i64>(out + (row << 3), floorRemainder(load<i64>(cells + (row << 3)), size) / part)
  }
}
