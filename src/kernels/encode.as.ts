// Column cells to JSON records, one object a row. Raw loads and stores only. The tree of nodes is that of json.as.ts:
//   0 kind  8 precision  12 scale  16 cells  20 validity  24 field count  28 fields  32 element  44 separator  48 key literal  52 its length
//   56 what becomes of a NULL key: 0 the row is refused, 1 the entry is left out, 2 it is the text at 60 of length 64

// Writes the shortest text that reads back as the number; returns its length, at most 32.
// @ts-ignore
@external("env", "formatDouble")
declare function formatDouble(value: f64, single: i32, address: usize): i32;

const BOOLEAN = 1, BIGINT = 5, FLOAT = 6, DOUBLE = 7, DECIMAL = 8, DECIMAL_WIDE = 9, STRING = 10, BINARY = 11, DATE = 12, TIME = 13,
  TIMESTAMP = 14, TIMESTAMP_LTZ = 15, ROW = 16, ARRAY = 17, MAP = 18;

let limit: usize = 0;
let crowded: bool = false;

// @ts-ignore
@inline function byte(o: usize, b: u32): usize { store<u8>(o, <u8>b); return o + 1; }

// True if `bytes` more do not fit: what is written from here on is thrown away.
// @ts-ignore
@inline function lacks(o: usize, bytes: usize): bool {
  if (o + bytes <= limit) return false;
  crowded = true;
  return true;
}

// Copies 16 bytes at a time: both sides have room for the last round's excess.
// @ts-ignore
@inline function copyAhead(o: usize, p: usize, n: usize): usize {
  for (let at: usize = 0; at < n; at += 16) v128.store(o + at, v128.load(p + at));
  return o + n;
}

// Digits are written back to front behind `o`, then moved there; 32-bit divisions by 10 are multiplications, 64-bit ones are not.
function unsignedText(o: usize, v: u64): usize {
  const last = o + 32;
  let p = last;
  while (v > 0xffffffff) {
    const rest = v / 1000000000;
    let nine = <u32>(v - rest * 1000000000);
    for (let k = 0; k < 9; k++) { const q = nine / 10; p--; store<u8>(p, <u8>(48 + nine - q * 10)); nine = q; }
    v = rest;
  }
  let small = <u32>v;
  do { const q = small / 10; p--; store<u8>(p, <u8>(48 + small - q * 10)); small = q; } while (small);
  const n = last - p;
  const first = v128.load(p), second = v128.load(p, 16);
  v128.store(o, first);
  if (n > 16) v128.store(o, second, 16);
  return o + n;
}
function integerText(o: usize, v: i64): usize {
  if (v >= 0) return unsignedText(o, <u64>v);
  return unsignedText(byte(o, 45), <u64>0 - <u64>v);
}
// `digits` of them, at most 9, with leading zeros.
function padded(o: usize, value: u64, digits: u32): usize {
  let v = <u32>value;
  for (let k = digits; k; k--) { const q = v / 10; store<u8>(o + k - 1, <u8>(48 + v - q * 10)); v = q; }
  return o + digits;
}

// high:low / 10^9: the remainder returned, the quotient left.
let high: u64 = 0;
let low: u64 = 0;
function divideBillion(): u64 {
  const d: u64 = 1000000000;
  let r: u64 = 0;
  let a = (high >>> 32); const q3 = a / d; r = a % d;
  a = (r << 32) | (high & 0xffffffff); const q2 = a / d; r = a % d;
  a = (r << 32) | (low >>> 32); const q1 = a / d; r = a % d;
  a = (r << 32) | (low & 0xffffffff); const q0 = a / d; r = a % d;
  high = (q3 << 32) | q2;
  low = (q1 << 32) | q0;
  return r;
}

// The unscaled number in high:low with `scale` digits behind the dot.
function decimalText(o: usize, scale: u32): usize {
  if (<i64>high < 0) { o = byte(o, 45); low = ~low + 1; high = ~high + u64(low == 0); }
  // 45 digits behind o, then moved to where they belong.
  const work = o + 64;
  for (let k: usize = 5; k > 0; k--) padded(work + (k - 1) * 9, divideBillion(), 9);
  let first: usize = 0;
  const whole: usize = 45 - scale;
  while (first < whole - 1 && load<u8>(work + first) == 48) first++;
  memory.copy(o, work + first, whole - first);
  o += whole - first;
  if (scale) { o = byte(o, 46); memory.copy(o, work + whole, scale); o += scale; }
  return o;
}

function stringText(o: usize, p: usize, n: usize): usize {
  if (lacks(o, 6 * n + 80)) return o;
  const stop = p + n;
  o = byte(o, 34);
  while (p < stop) {
    const v = v128.load(p);
    const odd = i8x16.bitmask(v128.or(v128.or(i8x16.eq(v, i8x16.splat(34)), i8x16.eq(v, i8x16.splat(92))), i8x16.lt_u(v, i8x16.splat(32))));
    const plain = min<usize>(odd ? <usize>ctz(odd) : 16, stop - p);
    v128.store(o, v);
    o += plain;
    p += plain;
    if (plain == 16 || p >= stop) continue;
    const c = <u32>load<u8>(p);
    p++;
    o = byte(o, 92);
    if (c == 34 || c == 92) o = byte(o, c);
    else if (c == 10) o = byte(o, 110);
    else if (c == 13) o = byte(o, 114);
    else if (c == 9) o = byte(o, 116);
    else if (c == 8) o = byte(o, 98);
    else if (c == 12) o = byte(o, 102);
    else {
      store<u32>(o, 0x30303075);
      const l = c & 15;
      store<u8>(o, <u8>(48 + (c >>> 4)), 3);
      store<u8>(o, <u8>(l < 10 ? 48 + l : 87 + l), 4);
      o += 5;
    }
  }
  return byte(o, 34);
}

function sextetText(v: u32): u32 {
  v &= 63;
  return v < 26 ? 65 + v : v < 52 ? 71 + v : v < 62 ? v - 4 : v == 62 ? 43 : 47;
}
function binaryText(o: usize, p: usize, n: usize): usize {
  if (lacks(o, 2 * n + 80)) return o;
  o = byte(o, 34);
  for (; n >= 3; n -= 3, p += 3) {
    const v = (<u32>load<u8>(p) << 16) | (<u32>load<u8>(p, 1) << 8) | <u32>load<u8>(p, 2);
    o = byte(byte(byte(byte(o, sextetText(v >> 18)), sextetText(v >> 12)), sextetText(v >> 6)), sextetText(v));
  }
  if (n == 1) {
    const v = <u32>load<u8>(p) << 16;
    o = byte(byte(byte(byte(o, sextetText(v >> 18)), sextetText(v >> 12)), 61), 61);
  } else if (n == 2) {
    const v = (<u32>load<u8>(p) << 16) | (<u32>load<u8>(p, 1) << 8);
    o = byte(byte(byte(byte(o, sextetText(v >> 18)), sextetText(v >> 12)), sextetText(v >> 6)), 61);
  }
  return byte(o, 34);
}

// YYYY-MM-DD. @see Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"
function dateText(o: usize, days: i64): usize {
  const z = <i32>days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
  const yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
  const year = yoe + era * 400 + i32(month <= 2);
  if (year < 0) o = padded(byte(o, 45), <u64>-year, 4);
  else if (year > 9999) o = unsignedText(byte(o, 43), <u64>year);
  else o = padded(o, <u64>year, 4);
  return padded(byte(padded(byte(o, 45), <u64>month, 2), 45), <u64>day, 2);
}
// HH:MM:SS and as many digits of the fraction as are not zero.
function timeText(o: usize, us: i64): usize {
  const seconds = <u32>(us / 1000000), minutes = seconds / 60;
  o = padded(byte(padded(byte(padded(o, <u64>(minutes / 60), 2), 58), <u64>(minutes % 60), 2), 58), <u64>(seconds % 60), 2);
  const fraction = <u64>(us - <i64>seconds * 1000000);
  if (!fraction) return o;
  o = padded(byte(o, 46), fraction, 6);
  while (load<u8>(o - 1) == 48) o--;
  return o;
}

// @ts-ignore
@inline function bitAt(bitmap: usize, row: usize): bool { return ((load<u8>(bitmap + (row >>> 3)) >> (<u8>row & 7)) & 1) != 0; }
// @ts-ignore
@inline function cellBytesOf(node: usize): usize { return load<i32>(node) == DECIMAL_WIDE ? 16 : 8; }
// @ts-ignore
@inline function bitmapBytes(count: usize): usize { return ((count + 63) >>> 6) << 3; }

// The value of one cell that is not NULL; base = the encoded block that it stands in, or 0.
function cellText(o: usize, node: usize, cell: usize, base: usize): usize {
  const kind = load<i32>(node);
  // Every scalar but strings fits; decimals work 64 bytes ahead.
  if (lacks(o, 192)) return o;
  if (kind > BOOLEAN && kind <= BIGINT) return integerText(o, load<i64>(cell));
  if (kind == STRING) return stringText(o, base + load<u32>(cell), load<u32>(cell, 4));
  if (kind >= DATE && kind <= TIMESTAMP_LTZ) {
    const v = load<i64>(cell);
    o = byte(o, 34);
    if (kind == DATE) o = dateText(o, v);
    else if (kind == TIME) o = timeText(o, v);
    else {
      let days = v / 86400000000, rest = v - days * 86400000000;
      if (rest < 0) { days--; rest += 86400000000; }
      o = timeText(byte(dateText(o, days), load<u32>(node, 44)), rest);
      if (kind == TIMESTAMP_LTZ) o = byte(o, 90);
    }
    return byte(o, 34);
  }
  if (kind == FLOAT || kind == DOUBLE) return o + formatDouble(load<f64>(cell), i32(kind == FLOAT), o);
  if (kind == BOOLEAN) {
    if (load<i64>(cell)) { store<u32>(o, 0x65757274); return o + 4; }
    store<u32>(o, 0x736c6166);
    return byte(o + 4, 101);
  }
  if (kind == DECIMAL) { low = load<u64>(cell); high = <u64>(<i64>low >> 63); return decimalText(o, load<u32>(node, 12)); }
  if (kind == DECIMAL_WIDE) { low = load<u64>(cell); high = load<u64>(cell, 8); return decimalText(o, load<u32>(node, 12)); }
  if (kind == BINARY) return binaryText(o, base + load<u32>(cell), load<u32>(cell, 4));
  const block = base + load<u32>(cell);
  return kind == ARRAY ? arrayText(o, node, block) : kind == MAP ? mapText(o, node, block) : blockRowText(o, node, block);
}

function entryText(o: usize, node: usize, bits: usize, index: usize, cell: usize, base: usize): usize {
  if (bitAt(bits, index)) return cellText(o, node, cell, base);
  if (lacks(o, 64)) return o;
  store<u32>(o, 0x6c6c756e);
  return o + 4;
}

function arrayText(o: usize, node: usize, block: usize): usize {
  const count = <usize>load<u32>(block), element = load<usize>(node, 32), bits = block + 8, cells = bits + bitmapBytes(count);
  o = byte(o, 91);
  for (let k: usize = 0; k < count; k++) {
    if (k) o = byte(o, 44);
    o = entryText(o, element, bits, k, cells + k * cellBytesOf(element), block);
    if (crowded) return o;
  }
  return byte(o, 93);
}

// Of a key that is NULL.
const FAIL = 0, LITERAL = 2;
let refused = false;
export function nullKeyMet(): bool { return refused; }

function mapText(o: usize, node: usize, block: usize): usize {
  const count = <usize>load<u32>(block), value = load<usize>(node, 32), keyBits = block + 8, keys = keyBits + bitmapBytes(count);
  const bits = keys + 8 * count, cells = bits + bitmapBytes(count), nullKey = load<u32>(node, 56);
  let first = true;
  o = byte(o, 123);
  for (let k: usize = 0; k < count; k++) {
    const key = keys + (k << 3), isThere = bitAt(keyBits, k);
    if (!isThere && nullKey != LITERAL) {
      if (nullKey != FAIL) continue;
      refused = true;
      crowded = true;
      return o;
    }
    if (!first) o = byte(o, 44);
    first = false;
    o = isThere ? stringText(o, block + load<u32>(key), load<u32>(key, 4)) : stringText(o, load<u32>(node, 60), load<u32>(node, 64));
    if (crowded) return o;
    o = entryText(byte(o, 58), value, bits, k, cells + k * cellBytesOf(value), block);
    if (crowded) return o;
  }
  return byte(o, 125);
}

function keyText(o: usize, field: usize, first: bool): usize {
  const n = load<usize>(field, 52);
  if (lacks(o, n + 64)) return o;
  if (!first) o = byte(o, 44);
  return copyAhead(o, load<usize>(field, 48), n);
}

// A ROW inside an encoded value.
function blockRowText(o: usize, node: usize, block: usize): usize {
  const n = load<usize>(node, 24), fields = load<usize>(node, 28), bits = block + 8;
  let cell = bits + bitmapBytes(n);
  o = byte(o, 123);
  for (let k: usize = 0; k < n; k++) {
    const field = load<usize>(fields + (k << 4), 8);
    o = keyText(o, field, k == 0);
    if (crowded) return o;
    o = entryText(o, field, bits, k, cell, block);
    if (crowded) return o;
    cell += cellBytesOf(field);
  }
  return byte(o, 125);
}

function rowText(o: usize, node: usize, row: usize): usize {
  const n = load<usize>(node, 24), fields = load<usize>(node, 28);
  if (lacks(o, 64)) return o;
  o = byte(o, 123);
  for (let k: usize = 0; k < n; k++) {
    const field = load<usize>(fields + (k << 4), 8), validity = load<usize>(field, 20);
    o = keyText(o, field, k == 0);
    if (crowded) return o;
    if (validity && !bitAt(validity, row)) { store<u32>(o, 0x6c6c756e); o += 4; }
    else if (load<i32>(field) == ROW) o = rowText(o, field, row);
    else o = cellText(o, field, load<usize>(field, 16) + row * cellBytesOf(field), 0);
    if (crowded) return o;
  }
  return byte(o, 125);
}

let next: usize = 0;
export function outputAt(): usize { return next; }

/**
 * Positions `from`.. of the selected rows as objects at `o`, with their cells (by position) in `cells`. Stops at the first that does
 * not fit before `stop`, and returns its position, or `count`.
 */
export function encodeRows(node: usize, selection: usize, from: u32, count: u32, cells: usize, o: usize, stop: usize): u32 {
  limit = stop;
  crowded = false;
  refused = false;
  for (let k = from; k < count; k++) {
    const row = <usize>(selection ? load<u32>(selection + (<usize>k << 2)) : k);
    next = o;
    const behind = rowText(o, node, row);
    if (crowded || behind > limit) return k;
    store<u32>(cells + (<usize>k << 3), <u32>o);
    store<u32>(cells + (<usize>k << 3), <u32>(behind - o), 4);
    o = behind;
  }
  next = o;
  return count;
}
