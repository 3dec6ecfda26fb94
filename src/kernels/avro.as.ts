// Avro records to column cells, by a tree of nodes that says how the writer's schema is read. Raw loads and stores only.
//
// A node, 64 bytes, laid out by avro.ts:
//   0 kind  4 cells (0: the value is passed over)  8 validity (0: NULL is a fault)  12 child count  16 children, a u32 each
//   20 size of a fixed; number of symbols  24 cells of the symbols  28 had a NULL  32 least value i64  40 greatest value i64
//   48 factor i64 that an integer is multiplied by  56 number of the node  60 1 if bytes must be UTF-8

// @ts-nocheck: compiled by asc, not by tsc

const NULL = 0, BOOLEAN = 1, INTEGER = 2, INTEGER_AS_DOUBLE = 3, FLOAT = 4, DOUBLE = 5, BYTES = 6, FIXED = 7, ENUM = 8, RECORD = 9, UNION = 10,
  ARRAY = 11, MAP = 12, DECIMAL = 13, DECIMAL_WIDE = 14, DECIMAL_FIXED = 15, DECIMAL_FIXED_WIDE = 16;

const E_END = 1, E_VARINT = 2, E_BRANCH = 3, E_SYMBOL = 4, E_LENGTH = 5, E_UTF8 = 6, E_RANGE = 7, E_AFTER = 8, E_DEPTH = 9, E_NULL = 10, E_BOOLEAN = 11,
  E_NOTHING = 12, E_COUNT = 13;
const DEPTH_MAX: i32 = 128;
/** Items of one array, if there are more than bytes: those of no bytes would otherwise cost nothing to claim. */
const ITEMS_MAX: i64 = 1 << 16;

let end: usize = 0;
let error: i32 = 0;
let errorNode: usize = 0;
let depth: i32 = 0;
/** Items, records and their fields that a record may still hold, so that what has no bytes is bounded too: each byte may stand in DEPTH_MAX of them. */
let allowed: i64 = 0;
/** What varint and the like have read. */
let number: i64 = 0;

export function errorCode(): i32 { return error; }
export function errorNodeNumber(): u32 { return errorNode ? load<u32>(errorNode, 56) : 0; }

// 0 is a fault: no record begins at address 0.
function fail(code: i32, node: usize): usize { error = code; errorNode = node; return 0; }

function varintSlow(p: usize, node: usize): usize {
  let value: u64 = 0;
  for (let shift: u64 = 0; shift < 70; shift += 7) {
    if (p >= end) return fail(E_END, node);
    const b = load<u8>(p);
    p++;
    if (shift == 63 && b > 1) return fail(E_VARINT, node);
    value |= <u64>(b & 0x7f) << shift;
    if (b < 0x80) {
      number = <i64>(value >> 1) ^ -<i64>(value & 1);
      return p;
    }
  }
  return fail(E_VARINT, node);
}

// @ts-ignore
@inline function varint(p: usize, node: usize): usize {
  if (p < end) {
    const b = <u32>load<u8>(p);
    if (b < 0x80) {
      number = <i64><i32>((b >> 1) ^ -(b & 1));
      return p + 1;
    }
  }
  return varintSlow(p, node);
}

// Length of the UTF-8 sequence at p, 0 if it is not one; bytes behind the end are 0 for it.
function sequence(p: usize, stop: usize): usize {
  const c = <u32>load<u8>(p);
  if (c < 0x80) return 1;
  if (c < 0xc2 || c > 0xf4) return 0;
  const d: u32 = p + 1 < stop ? <u32>load<u8>(p, 1) : 0;
  if (c < 0xe0) return (d & 0xc0) == 0x80 ? 2 : 0;
  const third: u32 = p + 2 < stop ? <u32>load<u8>(p, 2) : 0;
  if ((third & 0xc0) != 0x80) return 0;
  if (c < 0xf0) {
    const low: u32 = c == 0xe0 ? 0xa0 : 0x80, high: u32 = c == 0xed ? 0x9f : 0xbf;
    return d >= low && d <= high ? 3 : 0;
  }
  const low: u32 = c == 0xf0 ? 0x90 : 0x80, high: u32 = c == 0xf4 ? 0x8f : 0xbf;
  const fourth: u32 = p + 3 < stop ? <u32>load<u8>(p, 3) : 0;
  return d >= low && d <= high && (fourth & 0xc0) == 0x80 ? 4 : 0;
}

function isText(p: usize, stop: usize): bool {
  while (p < stop) {
    const odd = i8x16.bitmask(v128.load(p));
    if (!odd) { p += 16; continue; }
    p += <usize>ctz(odd);
    if (p >= stop) return true;
    const n = sequence(p, stop);
    if (!n) return false;
    p += n;
  }
  return true;
}

// @ts-ignore
@inline function setNull(node: usize, row: usize): bool {
  const validity = <usize>load<u32>(node, 8);
  if (!validity) return false;
  const at = validity + (row >> 3);
  store<u8>(at, load<u8>(at) & ~(<u8>1 << <u8>(row & 7)));
  store<u32>(node, 1, 28);
  return true;
}

// Big-endian two's complement of n bytes into one cell, or two.
function decimal(node: usize, p: usize, n: usize, row: usize, wide: bool): bool {
  const cells = <usize>load<u32>(node, 4);
  if (!cells) return true;
  let high: u64 = 0;
  let low: u64 = 0;
  const negative = n > 0 && load<i8>(p) < 0;
  if (negative) { high = ~high; low = ~low; }
  const fill: u8 = negative ? 0xff : 0;
  // Bytes in front of the last sixteen only repeat the sign.
  while (n > 16) {
    if (load<u8>(p) != fill) return false;
    p++;
    n--;
    if (n == 16 && (load<i8>(p) < 0) != negative) return false;
  }
  for (let k: usize = 0; k < n; k++) {
    high = (high << 8) | (low >>> 56);
    low = (low << 8) | <u64>load<u8>(p + k);
  }
  if (wide) {
    store<u64>(cells + row * 16, low);
    store<u64>(cells + row * 16, high, 8);
    return true;
  }
  if (<i64>high != (<i64>low >> 63)) return false;
  const value = <i64>low;
  if (value < load<i64>(node, 32) || value > load<i64>(node, 40)) return false;
  store<i64>(cells + row * 8, value);
  return true;
}

// The items of an array or map, passed over; what they were read from is left as a cell.
function blocks(node: usize, p: usize, row: usize, isMap: bool): usize {
  const start = p;
  const child = <usize>load<u32>(<usize>load<u32>(node, 16));
  let items: i64 = 0;
  while (true) {
    p = varint(p, node);
    if (!p) return 0;
    let count = number;
    if (count == 0) break;
    if (count < 0) {
      count = -count;
      p = varint(p, node);
      if (!p) return 0;
    }
    items += count;
    if (count < 0 || (items > ITEMS_MAX && items > <i64>(end - start))) return fail(E_COUNT, node);
    allowed -= count;
    if (allowed < 0) return fail(E_COUNT, node);
    for (let k: i64 = 0; k < count; k++) {
      if (isMap) {
        p = varint(p, node);
        if (!p) return 0;
        if (number < 0 || <u64>number > <u64>(end - p)) return fail(E_LENGTH, node);
        p += <usize>number;
      }
      p = value(child, p, row);
      if (!p) return 0;
    }
  }
  const cells = <usize>load<u32>(node, 4);
  if (cells) store<u64>(cells + row * 8, <u64>start | (<u64>(p - start) << 32));
  return p;
}

function value(node: usize, p: usize, row: usize): usize {
  const cells = <usize>load<u32>(node, 4);
  switch (load<u32>(node)) {
    case INTEGER: {
      p = varint(p, node);
      if (!p) return 0;
      if (number < load<i64>(node, 32) || number > load<i64>(node, 40)) return fail(E_RANGE, node);
      if (cells) store<i64>(cells + row * 8, number * load<i64>(node, 48));
      return p;
    }
    case BYTES: {
      p = varint(p, node);
      if (!p) return 0;
      if (number < 0 || <u64>number > <u64>(end - p)) return fail(E_LENGTH, node);
      const n = <usize>number;
      if (cells) {
        if (load<u32>(node, 60) && !isText(p, p + n)) return fail(E_UTF8, node);
        store<u64>(cells + row * 8, <u64>p | (<u64>n << 32));
      }
      return p + n;
    }
    case UNION: {
      p = varint(p, node);
      if (!p) return 0;
      if (<u64>number >= <u64>load<u32>(node, 12)) return fail(E_BRANCH, node);
      return value(<usize>load<u32>(<usize>load<u32>(node, 16) + (<usize>number << 2)), p, row);
    }
    case NULL:
      // A node that nothing is kept of may be null whatever the column says.
      if (load<u32>(node, 20) && !setNull(node, row)) return fail(E_NULL, node);
      return p;
    case RECORD: {
      if (++depth > DEPTH_MAX) return fail(E_DEPTH, node);
      const count = load<u32>(node, 12);
      allowed -= 1 + <i64>count;
      if (allowed < 0) return fail(E_COUNT, node);
      const children = <usize>load<u32>(node, 16);
      for (let k: u32 = 0; k < count; k++) {
        p = value(<usize>load<u32>(children + (<usize>k << 2)), p, row);
        if (!p) return 0;
      }
      depth--;
      return p;
    }
    case DOUBLE:
      if (end - p < 8 || p > end) return fail(E_END, node);
      if (cells) store<f64>(cells + row * 8, load<f64>(p));
      return p + 8;
    case FLOAT:
      if (end - p < 4 || p > end) return fail(E_END, node);
      if (cells) store<f64>(cells + row * 8, <f64>load<f32>(p));
      return p + 4;
    case BOOLEAN: {
      if (p >= end) return fail(E_END, node);
      const b = load<u8>(p);
      if (b > 1) return fail(E_BOOLEAN, node);
      if (cells) store<i64>(cells + row * 8, <i64>b);
      return p + 1;
    }
    case INTEGER_AS_DOUBLE:
      p = varint(p, node);
      if (!p) return 0;
      if (cells) store<f64>(cells + row * 8, <f64>number);
      return p;
    case ENUM: {
      p = varint(p, node);
      if (!p) return 0;
      if (<u64>number >= <u64>load<u32>(node, 20)) return fail(E_SYMBOL, node);
      if (cells) store<u64>(cells + row * 8, load<u64>(<usize>load<u32>(node, 24) + (<usize>number << 3)));
      return p;
    }
    case FIXED: {
      const n = <usize>load<u32>(node, 20);
      if (end - p < n || p > end) return fail(E_END, node);
      if (cells) store<u64>(cells + row * 8, <u64>p | (<u64>n << 32));
      return p + n;
    }
    case DECIMAL_FIXED:
    case DECIMAL_FIXED_WIDE: {
      const n = <usize>load<u32>(node, 20);
      if (end - p < n || p > end) return fail(E_END, node);
      if (!decimal(node, p, n, row, load<u32>(node) == DECIMAL_FIXED_WIDE)) return fail(E_RANGE, node);
      return p + n;
    }
    case DECIMAL:
    case DECIMAL_WIDE: {
      p = varint(p, node);
      if (!p) return 0;
      if (number < 0 || <u64>number > <u64>(end - p)) return fail(E_LENGTH, node);
      const n = <usize>number;
      if (!decimal(node, p, n, row, load<u32>(node) == DECIMAL_WIDE)) return fail(E_RANGE, node);
      return p + n;
    }
    case ARRAY:
    case MAP: {
      if (++depth > DEPTH_MAX) return fail(E_DEPTH, node);
      p = blocks(node, p, row, load<u32>(node) == MAP);
      depth--;
      return p;
    }
  }
  return fail(E_BRANCH, node);
}

/**
 * The rows [from, to) of the records that the cells of bytes at `values` point to, each read with `root` and nothing left behind it. Returns the
 * first row that is refused, or `to`. With `skip`, so many bytes stand in front of each record.
 */
export function decodeRows(root: usize, values: usize, from: u32, to: u32, skip: u32): u32 {
  for (let row = from; row < to; row++) {
    const cell = load<u64>(values + (<usize>row << 3));
    const length = <usize>(cell >>> 32);
    if (!cell || length < skip) { fail(E_NOTHING, 0); return row; }
    const address = <usize>(cell & 0xffffffff);
    end = address + length;
    depth = 0;
    allowed = ITEMS_MAX + (<i64>length << 7);
    const p = value(root, address + skip, row);
    if (!p) return row;
    if (p != end) { fail(E_AFTER, 0); return row; }
  }
  return to;
}
