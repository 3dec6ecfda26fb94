/**
 * The one hash of keys. Checkpoints and exchanges depend on it: it must never change (group.test.ts holds fixed vectors).
 *
 *   mix(x)      x ^= x >>> 32; x *= A; x ^= x >>> 29; x *= B; x ^= x >>> 32       (u64)
 *   key         h = SEED; per key cell: h = mix(h ^ c); the hash is the low 32 bits of h; without key cells those of mix(SEED)
 *   c           i64: the cell. f64: its bits, -0 as 0 and every NaN as the quiet one. NULL: NULL_CELL.
 *               i128: the low half, and where the value does not fit 64 bits, h = mix(h ^ low) first, then the high half.
 *               bytes: f = length * B; per whole 8 bytes (little endian): f = (f ^ word) * A, f ^= f >>> 32; the same with the
 *               remaining bytes, zero-extended, if there are any.
 */

// @ts-nocheck: compiled by asc, not by tsc

export const SEED: u64 = 0x6d696c6c72616365
export const NULL_CELL: u64 = 0x9c3a5f1e7d2b4860
const A: u64 = 0xd6e8feb86659fd93
const B: u64 = 0xa0761d6478bd642f

export const I64: u32 = 0
export const F64: u32 = 1
export const BYTES: u32 = 2
export const I128: u32 = 3

// @ts-ignore: decorator
@inline
export function mix(value: u64): u64 {
  let x = value ^ (value >>> 32)
  x *= A
  x ^= x >>> 29
  x *= B
  return x ^ (x >>> 32)
}

// @ts-ignore: decorator
@inline
export function rowAt(selection: usize, at: u32): u32 {
  return selection == 0 ? at : load<u32>(selection + ((<usize>at) << 2))
}

// @ts-ignore: decorator
@inline
export function isValid(validity: usize, row: u32): bool {
  return validity == 0 || ((load<u8>(validity + (row >> 3)) >> <u8>(row & 7)) & 1) != 0
}

/** The bits of an f64 cell as a key: one zero, one NaN. */
// @ts-ignore: decorator
@inline
export function normalised(bits: u64): u64 {
  if (bits << 1 == 0) return 0
  return (bits & 0x7fffffffffffffff) > 0x7ff0000000000000 ? 0x7ff8000000000000 : bits
}

export function hashBytes(address: usize, length: u32): u64 {
  let f: u64 = (<u64>length) * B
  let at = address
  const whole = address + (length & ~7)
  while (at < whole) {
    f = (f ^ load<u64>(at)) * A
    f ^= f >>> 32
    at += 8
  }
  const rest = length & 7
  if (rest != 0) {
    f = (f ^ (load<u64>(at) & (((<u64>1) << (<u64>rest << 3)) - 1))) * A
    f ^= f >>> 32
  }
  return f
}

/** `left` and `right` hold the same `length` bytes. */
export function equalBytes(left: usize, right: usize, length: u32): bool {
  let at: u32 = 0
  const whole = length & ~7
  while (at < whole) {
    if (load<u64>(left + at) != load<u64>(right + at)) return false
    at += 8
  }
  const rest = length & 7
  if (rest == 0) return true
  const difference = load<u64>(left + at) ^ load<u64>(right + at)
  return (difference & (((<u64>1) << (<u64>rest << 3)) - 1)) == 0
}

/** Bit i: key i is NULL, as `hashRow` found them. */
export let rowNulls: u32 = 0

/**
 * The hash of one row's key, and `rowNulls`. `layout` as in table.as.ts; `columns` is (u32 cells, u32 validity) a key.
 */
export function hashRow(layout: usize, columns: usize, row: u32): u32 {
  return hashFirst(layout, columns, row, load<u32>(layout))
}

/** The same of the first `count` key cells alone. */
export function hashFirst(layout: usize, columns: usize, row: u32, count: u32): u32 {
  let h: u64 = SEED
  let nulls: u32 = 0
  if (count == 0) h = mix(h)
  for (let key: u32 = 0; key < count; key++) {
    const cells = <usize>load<u32>(columns + (key << 3))
    const validity = <usize>load<u32>(columns + (key << 3), 4)
    const kind = load<u32>(layout + 16 + (key << 3))
    if (!isValid(validity, row)) {
      nulls |= 1 << key
      h = mix(h ^ NULL_CELL)
      continue
    }
    const at = cells + ((<usize>row) << 3)
    if (kind == I64) h = mix(h ^ load<u64>(at))
    else if (kind == F64) h = mix(h ^ normalised(load<u64>(at)))
    else if (kind == BYTES) h = mix(h ^ hashBytes(load<u32>(at), load<u32>(at, 4)))
    else {
      const wide = cells + ((<usize>row) << 4)
      const low = load<u64>(wide)
      const high = load<u64>(wide, 8)
      h = mix(h ^ low)
      if (high != <u64>((<i64>low) >> 63)) h = mix(h ^ high)
    }
  }
  rowNulls = nulls
  return <u32>h
}
