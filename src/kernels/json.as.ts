// Strict JSON rows to column cells, any key order and spelling: the generic path. Raw loads and stores only.
//
// A schema is a tree of nodes in linear memory, laid out by json-tree.ts:
//   0 kind  4 nullable  8 precision  12 scale  16 cells  20 validity  24 field count  28 fields  32 element
//   36 had a NULL  40 number of the node  44 separator of date and time  48 key literal  52 its length
// A field is 16 bytes: name address, name length, node, 0.

// Answers a number of many digits: exact, but called out.
// @ts-ignore
@external("env", "parseDouble")
declare function parseDouble(address: usize, bytes: usize): f64;

const BOOLEAN = 1, TINYINT = 2, SMALLINT = 3, INT = 4, BIGINT = 5, FLOAT = 6, DOUBLE = 7, DECIMAL = 8, DECIMAL_WIDE = 9, STRING = 10,
  BINARY = 11, DATE = 12, TIME = 13, TIMESTAMP = 14, TIMESTAMP_LTZ = 15, ROW = 16, ARRAY = 17, MAP = 18;

const E_OBJECT = 1, E_KEY = 2, E_COLON = 3, E_BRACE = 4, E_BRACKET = 5, E_VALUE = 6, E_LITERAL = 7, E_NUMBER = 8, E_CONTROL = 9, E_ESCAPE = 10,
  E_UNENDED = 11, E_UTF8 = 12, E_DEPTH = 13, E_AFTER = 14, E_ROOM = 15, E_NOTHING = 16;
// From here on the JSON is sound, a column is not.
const C_TYPE = 20, C_RANGE = 21, C_NULL = 22, C_FORMAT = 23;
const DEPTH_MAX: i32 = 128;

let end: usize = 0;
let heap: usize = 0;
let heapEnd: usize = 0;
let error: i32 = 0;
let errorAt: usize = 0;
let errorEnd: usize = 0;
let errorNode: usize = 0;
let isNull: i32 = 0;

export function errorCode(): i32 { return error; }
export function errorAddress(): usize { return errorAt; }
export function errorStop(): usize { return errorEnd; }
export function errorNodeNumber(): u32 { return errorNode ? load<u32>(errorNode, 40) : 0; }
/** Where unescaped strings and encoded arrays go: at least 64 bytes are kept free behind. */
export function setHeap(from: usize, to: usize): void { heap = from; heapEnd = to; }

// @ts-ignore
@inline function peek(p: usize): u32 { return p < end ? <u32>load<u8>(p) : 0; }
// @ts-ignore
@inline function digit(p: usize): u32 { return peek(p) - 48; }
function fail(code: i32, at: usize): usize { error = code; errorAt = at; errorNode = 0; return 0; }
function refuse(code: i32, node: usize, at: usize, stop: usize): usize { error = code; errorAt = at; errorEnd = stop; errorNode = node; return 0; }
// @ts-ignore
@inline function space(p: usize): usize {
  let c = peek(p);
  while (c == 32 || c == 10 || c == 13 || c == 9) { p++; c = peek(p); }
  return p;
}

// ---- strings ----
let escaped: i32 = 0;

function hex4(p: usize): i32 {
  let v: i32 = 0;
  for (let k: usize = 0; k < 4; k++) {
    let c = peek(p + k);
    let d = c - 48;
    if (d > 9) { c |= 32; d = c - 97 < 6 ? c - 87 : 255; }
    if (d > 15) return -1;
    v = (v << 4) | <i32>d;
  }
  return v;
}

// Length of the UTF-8 sequence at p, 0 if it is not one. Overlong forms, surrogates and values beyond U+10FFFF are not.
function sequence(p: usize): usize {
  const c = peek(p);
  if (c < 0xc2 || c > 0xf4) return 0;
  const d = peek(p + 1);
  if (c < 0xe0) return (d & 0xc0) == 0x80 ? 2 : 0;
  const third = peek(p + 2);
  if ((third & 0xc0) != 0x80) return 0;
  if (c < 0xf0) {
    const low: u32 = c == 0xe0 ? 0xa0 : 0x80, high: u32 = c == 0xed ? 0x9f : 0xbf;
    return d >= low && d <= high ? 3 : 0;
  }
  const low: u32 = c == 0xf0 ? 0x90 : 0x80, high: u32 = c == 0xf4 ? 0x8f : 0xbf;
  return d >= low && d <= high && (peek(p + 3) & 0xc0) == 0x80 ? 4 : 0;
}

// p stands behind the opening quote; returns the place of the closing one.
function scanString(p: usize): usize {
  escaped = 0;
  while (true) {
    const v = v128.load(p);
    const odd = i8x16.bitmask(v128.or(i8x16.lt_s(v128.xor(v, i8x16.splat(2)), i8x16.splat(33)), i8x16.eq(v, i8x16.splat(92))));
    if (!odd) { p += 16; if (p >= end) return fail(E_UNENDED, end); continue; }
    p += <usize>ctz(odd);
    if (p >= end) return fail(E_UNENDED, end);
    const c = <u32>load<u8>(p);
    if (c == 34) return p;
    if (c == 92) {
      escaped = 1;
      const e = peek(p + 1);
      if (e == 117) { if (hex4(p + 2) < 0) return fail(E_ESCAPE, p); p += 6; }
      else if (e == 34 || e == 92 || e == 47 || e == 98 || e == 102 || e == 110 || e == 114 || e == 116) p += 2;
      else return fail(E_ESCAPE, p);
    } else if (c < 32) return fail(E_CONTROL, p);
    else {
      const n = sequence(p);
      if (!n) return fail(E_UTF8, p);
      p += n;
    }
  }
  return 0;
}

function putCodePoint(o: usize, c: u32): usize {
  if (c < 0x80) { store<u8>(o, <u8>c); return o + 1; }
  if (c < 0x800) { store<u8>(o, <u8>(0xc0 | (c >> 6))); store<u8>(o, <u8>(0x80 | (c & 63)), 1); return o + 2; }
  if (c < 0x10000) {
    store<u8>(o, <u8>(0xe0 | (c >> 12))); store<u8>(o, <u8>(0x80 | ((c >> 6) & 63)), 1); store<u8>(o, <u8>(0x80 | (c & 63)), 2);
    return o + 3;
  }
  store<u8>(o, <u8>(0xf0 | (c >> 18))); store<u8>(o, <u8>(0x80 | ((c >> 12) & 63)), 1);
  store<u8>(o, <u8>(0x80 | ((c >> 6) & 63)), 2); store<u8>(o, <u8>(0x80 | (c & 63)), 3);
  return o + 4;
}

// [p, q) is a scanned string; never longer unescaped. A lone surrogate becomes U+FFFD.
function unescape(p: usize, q: usize, o: usize): usize {
  while (p < q) {
    const c = <u32>load<u8>(p);
    if (c != 92) { store<u8>(o, <u8>c); o++; p++; continue; }
    const e = <u32>load<u8>(p, 1);
    p += 2;
    if (e == 117) {
      let u = <u32>hex4(p);
      p += 4;
      if ((u & 0xfc00) == 0xd800) {
        const low = p + 6 <= q && load<u8>(p) == 92 && load<u8>(p, 1) == 117 ? <u32>hex4(p + 2) : 0;
        if ((low & 0xfc00) == 0xdc00) { u = 0x10000 + ((u & 0x3ff) << 10) + (low & 0x3ff); p += 6; } else u = 0xfffd;
      } else if ((u & 0xfc00) == 0xdc00) u = 0xfffd;
      o = putCodePoint(o, u);
    } else {
      store<u8>(o, <u8>(e == 98 ? 8 : e == 102 ? 12 : e == 110 ? 10 : e == 114 ? 13 : e == 116 ? 9 : e));
      o++;
    }
  }
  return o;
}

let textAt: usize = 0;
let textEnd: usize = 0;
// The string whose opening quote is at p, as text: in place, or unescaped onto the heap (`keep`s what it took there, or not).
function readText(p: usize, keep: bool): usize {
  const q = scanString(p + 1);
  if (!q) return 0;
  textAt = p + 1;
  textEnd = q;
  if (escaped) {
    if (heap + (q - p) + 64 > heapEnd) return fail(E_ROOM, p);
    textAt = heap;
    textEnd = unescape(p + 1, q, heap);
    if (keep) heap = textEnd;
  }
  return q + 1;
}

// ---- numbers ----
let negative: bool = false;
let intAt: usize = 0;
let intDigits: usize = 0;
let fracAt: usize = 0;
let fracDigits: usize = 0;
let exponent: i32 = 0;

// -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][-+]?[0-9]+)?
function scanNumber(p: usize): usize {
  const start = p;
  negative = peek(p) == 45;
  if (negative) p++;
  intAt = p;
  if (digit(p) > 9) return fail(E_NUMBER, start);
  if (digit(p) == 0) { p++; if (digit(p) <= 9) return fail(E_NUMBER, start); }
  else while (digit(p) <= 9) p++;
  intDigits = p - intAt;
  fracDigits = 0;
  exponent = 0;
  if (peek(p) == 46) {
    p++;
    fracAt = p;
    while (digit(p) <= 9) p++;
    fracDigits = p - fracAt;
    if (!fracDigits) return fail(E_NUMBER, start);
  }
  if ((peek(p) | 32) == 101) {
    p++;
    const minus = peek(p) == 45;
    if (minus || peek(p) == 43) p++;
    if (digit(p) > 9) return fail(E_NUMBER, start);
    while (digit(p) <= 9) { if (exponent < 100000) exponent = exponent * 10 + <i32>digit(p); p++; }
    if (minus) exponent = -exponent;
  }
  return p;
}

let high: u64 = 0;
let low: u64 = 0;
// @ts-ignore
@inline function timesTenPlus(d: u32): void {
  const a = (low & 0xffffffff) * 10 + <u64>d, b = (low >>> 32) * 10 + (a >>> 32);
  low = (a & 0xffffffff) | (b << 32);
  high = high * 10 + (b >>> 32);
}
// @ts-ignore
@inline function digitAt(k: usize): u32 { return <u32>load<u8>(k < intDigits ? intAt + k : fracAt + (k - intDigits)) - 48; }

// The scanned number times 10^scale into high:low, its sign apart. 0 done, 1 digits would be lost, 2 more than 38 digits.
function scaled(scale: i32): i32 {
  high = 0;
  low = 0;
  const total = intDigits + fracDigits;
  const e = exponent + scale - <i32>fracDigits;
  if (e >= 0 && <i32>total + e <= 19) {
    let v: u64 = 0;
    for (let p = intAt, stop = intAt + intDigits; p < stop; p++) v = v * 10 + (<u64>load<u8>(p) - 48);
    for (let p = fracAt, stop = fracAt + fracDigits; p < stop; p++) v = v * 10 + (<u64>load<u8>(p) - 48);
    for (let k = 0; k < e; k++) v *= 10;
    low = v;
    return 0;
  }
  let significant: i32 = 0;
  let lost = false;
  const kept: usize = e >= 0 ? total : <usize>max<i32>(<i32>total + e, 0);
  for (let k: usize = 0; k < kept; k++) {
    const d = digitAt(k);
    if (significant || d) significant++;
    if (significant > 38) return 2;
    timesTenPlus(d);
  }
  for (let k: usize = kept; k < total; k++) if (digitAt(k)) lost = true;
  if (lost) return 1;
  if (significant && e > 0) {
    if (significant + e > 38) return 2;
    for (let k: i32 = 0; k < e; k++) timesTenPlus(0);
  }
  return 0;
}

const TENS = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22]);

// Exact: 2^53 and powers of ten to 10^22 are doubles, so one operation rounds once; all else is called out.
function doubleOf(p: usize, q: usize): f64 {
  const total = intDigits + fracDigits, e = exponent - <i32>fracDigits;
  if (total <= 18 && e >= -22 && e <= 22) {
    let m: i64 = 0;
    for (let k: usize = 0; k < total; k++) m = m * 10 + <i64>digitAt(k);
    if (m <= 9007199254740992) {
      const v = e < 0 ? <f64>m / load<f64>(TENS + (<usize>-e << 3)) : <f64>m * load<f64>(TENS + (<usize>e << 3));
      return negative ? -v : v;
    }
  }
  return parseDouble(p, q - p);
}

// 10^k as 128 bits, k <= 38: whether high:low has more than k digits.
function beyondDigits(k: i32): bool {
  const h = high, l = low;
  high = 0; low = 1;
  for (let i = 0; i < k; i++) timesTenPlus(0);
  const beyond = h > high || (h == high && l >= low);
  high = h; low = l;
  return beyond;
}

// The number [p, q) has been scanned.
function numberCell(node: usize, kind: i32, p: usize, q: usize, cell: usize): usize {
  if (kind == FLOAT || kind == DOUBLE) {
    let v = doubleOf(p, q);
    if (kind == FLOAT) v = <f64><f32>v;
    if (abs<f64>(v) == Infinity) return refuse(C_RANGE, node, p, q);
    store<f64>(cell, v);
    return q;
  }
  if (kind == DECIMAL || kind == DECIMAL_WIDE) {
    if (scaled(load<i32>(node, 12)) || beyondDigits(load<i32>(node, 8))) return refuse(C_RANGE, node, p, q);
    if (kind == DECIMAL) { store<i64>(cell, negative ? -<i64>low : <i64>low); return q; }
    if (negative) { low = ~low + 1; high = ~high + u64(low == 0); }
    store<u64>(cell, low);
    store<u64>(cell, high, 8);
    return q;
  }
  if (kind >= TINYINT && kind <= BIGINT) {
    const limit: u64 = kind == TINYINT ? 127 : kind == SMALLINT ? 32767 : kind == INT ? 2147483647 : 9223372036854775807;
    if (scaled(0) || high || low > limit + u64(negative)) return refuse(C_RANGE, node, p, q);
    store<i64>(cell, negative ? -<i64>low : <i64>low);
    return q;
  }
  return refuse(C_TYPE, node, p, q);
}

// ---- dates and times ----
function two(p: usize): i32 { return digit(p) <= 9 && digit(p + 1) <= 9 ? <i32>(digit(p) * 10 + digit(p + 1)) : -1; }

let days: i64 = 0;
// YYYY-MM-DD, proleptic Gregorian, years 0000-9999; returns the place behind, or 0.
function scanDate(p: usize): usize {
  const century = two(p), y2 = two(p + 2), month = two(p + 5), day = two(p + 8);
  if (century < 0 || y2 < 0 || month < 1 || month > 12 || day < 1 || peek(p + 4) != 45 || peek(p + 7) != 45) return 0;
  const year = century * 100 + y2;
  const leap = (year & 3) == 0 && (year % 100 != 0 || year % 400 == 0);
  const last = month == 2 ? 28 + <i32>leap : 30 + ((month + (month >> 3)) & 1);
  if (day > last) return 0;
  // Days from civil, with March as the first month. @see Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"
  const y = year - <i32>(month <= 2), era = (y >= 0 ? y : y - 399) / 400, yearOfEra = y - era * 400;
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  days = <i64>era * 146097 + <i64>(yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear) - 719468;
  return p + 10;
}

let micros: i64 = 0;
// HH:MM[:SS[.fraction of 1 to 9 digits]]; what is below a microsecond is cut.
function scanTime(p: usize): usize {
  const hour = two(p), minute = two(p + 3);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || peek(p + 2) != 58) return 0;
  let second = 0, us: i64 = 0;
  p += 5;
  if (peek(p) == 58) {
    second = two(p + 1);
    if (second < 0 || second > 59) return 0;
    p += 3;
    if (peek(p) == 46) {
      p++;
      let n = 0;
      while (digit(p) <= 9 && n < 9) { if (n < 6) us = us * 10 + <i64>digit(p); n++; p++; }
      if (!n) return 0;
      for (; n < 6; n++) us *= 10;
    }
  }
  micros = (<i64>hour * 3600 + <i64>minute * 60 + <i64>second) * 1000000 + us;
  return p;
}

// Z, or an offset from UTC; subtracts it from micros.
function scanZone(p: usize): usize {
  const c = peek(p);
  if (c == 90) return p + 1;
  if (c != 43 && c != 45) return 0;
  const hour = two(p + 1), minute = two(p + 4);
  if (hour < 0 || hour > 18 || minute < 0 || minute > 59 || peek(p + 3) != 58) return 0;
  const us = (<i64>hour * 60 + <i64>minute) * 60000000;
  micros += c == 43 ? -us : us;
  return p + 6;
}

const DAY_US: i64 = 86400000000;
// The text [textAt, textEnd) as a date or time.
function timeCell(node: usize, kind: i32, cell: usize): bool {
  const whole = end;
  end = textEnd;
  let p = textAt, v: i64 = 0;
  if (kind == DATE) { p = scanDate(p); v = days; }
  else if (kind == TIME) { p = scanTime(p); v = micros; }
  else {
    p = scanDate(p);
    if (p && peek(p) == load<u32>(node, 44)) p = scanTime(p + 1); else p = 0;
    if (p && kind == TIMESTAMP_LTZ) p = scanZone(p);
    v = days * DAY_US + micros;
  }
  const good = p == textEnd;
  end = whole;
  if (good) store<i64>(cell, v);
  return good;
}

// ---- base64 ----
function sextet(c: u32): u32 {
  if (c - 65 < 26) return c - 65;
  if (c - 97 < 26) return c - 71;
  if (c - 48 < 10) return c + 4;
  return c == 43 ? 62 : c == 47 ? 63 : 255;
}
// RFC 4648, with padding. Decodes [textAt, textEnd) at `o`; returns its end, or 0.
function base64(o: usize): usize {
  const n = textEnd - textAt;
  if (n & 3) return 0;
  for (let p = textAt; p < textEnd; p += 4) {
    const last = p + 4 == textEnd;
    const a = sextet(load<u8>(p)), b = sextet(load<u8>(p, 1));
    let c = sextet(load<u8>(p, 2)), d = sextet(load<u8>(p, 3)), bytes: usize = 3;
    if (last && load<u8>(p, 3) == 61) {
      d = 0; bytes = 2;
      if (load<u8>(p, 2) == 61) { c = 0; bytes = 1; if (b < 64 && b & 15) return 0; }
      else if (c < 64 && c & 3) return 0;
    }
    if ((a | b | c | d) > 63) return 0;
    const v = (a << 18) | (b << 12) | (c << 6) | d;
    store<u8>(o, <u8>(v >> 16)); store<u8>(o, <u8>(v >> 8), 1); store<u8>(o, <u8>v, 2);
    o += bytes;
  }
  return o;
}

// ---- values ----
function literal(p: usize, first: u32): usize {
  if (first == 116) { if (end - p >= 4 && load<u32>(p) == 0x65757274) return p + 4; }
  else if (first == 102) { if (end - p >= 5 && load<u32>(p, 1) == 0x65736c61) return p + 5; }
  else if (end - p >= 4 && load<u32>(p) == 0x6c6c756e) return p + 4;
  return fail(E_LITERAL, p);
}

// Any value, checked as JSON only.
function skip(p: usize, depth: i32): usize {
  const c = peek(p);
  if (c == 34) { const q = scanString(p + 1); return q ? q + 1 : 0; }
  if (c == 116 || c == 102 || c == 110) return literal(p, c);
  if (c == 123 || c == 91) {
    if (depth >= DEPTH_MAX) return fail(E_DEPTH, p);
    const object = c == 123, close: u32 = object ? 125 : 93;
    p = space(p + 1);
    if (peek(p) == close) return p + 1;
    while (true) {
      if (object) {
        if (peek(p) != 34) return fail(E_KEY, p);
        p = scanString(p + 1);
        if (!p) return 0;
        p = space(p + 1);
        if (peek(p) != 58) return fail(E_COLON, p);
        p = space(p + 1);
      }
      p = skip(p, depth + 1);
      if (!p) return 0;
      p = space(p);
      const d = peek(p);
      if (d == close) return p + 1;
      if (d != 44) return fail(object ? E_BRACE : E_BRACKET, p);
      p = space(p + 1);
    }
  }
  if (c == 45 || c - 48 < 10) return scanNumber(p);
  return fail(E_VALUE, p);
}

// @ts-ignore
@inline function view(at: usize, stop: usize, base: usize): i64 { return <i64>(at - base) | (<i64>(stop - at) << 32); }

// Copies [at, stop) onto the heap if the value lives inside an encoded one (base != 0).
function keepBytes(at: usize, stop: usize, base: usize, cell: usize): bool {
  if (base && at != heap) {
    const n = stop - at;
    if (heap + n + 64 > heapEnd) { fail(E_ROOM, at); return false; }
    memory.copy(heap, at, n);
    at = heap;
    stop = heap + n;
  }
  if (at == heap) heap = stop;
  store<i64>(cell, view(at, stop, base));
  return true;
}

// A string for a column that is not one: numbers and truth in quotes, as Flink takes them.
function quotedCell(node: usize, kind: i32, cell: usize, p: usize, q: usize): usize {
  while (textAt < textEnd && load<u8>(textAt) == 32) textAt++;
  while (textAt < textEnd && load<u8>(textEnd - 1) == 32) textEnd--;
  const n = textEnd - textAt;
  if (kind == BOOLEAN) {
    const word = n >= 4 ? load<u32>(textAt) | 0x20202020 : 0;
    const yes = n == 4 && word == 0x65757274;
    if (!yes && !(n == 5 && word == 0x736c6166 && (load<u8>(textAt, 4) | 32) == 101)) return refuse(C_TYPE, node, p, q);
    store<i64>(cell, <i64>yes);
    return q;
  }
  if ((kind == FLOAT || kind == DOUBLE) && n > 0) {
    const minus = load<u8>(textAt) == 45, at = textAt + <usize>minus, rest = n - <usize>minus;
    if (rest == 8 && load<u64>(at) == 0x7974696e69666e49) { store<f64>(cell, minus ? -Infinity : Infinity); return q; }
    if (n == 3 && load<u16>(textAt) == 0x614e && load<u8>(textAt, 2) == 78) { store<f64>(cell, NaN); return q; }
  }
  const whole = end;
  end = textEnd;
  const stop = scanNumber(textAt);
  end = whole;
  if (stop != textEnd) return refuse(C_TYPE, node, p, q);
  if (!numberCell(node, kind, textAt, textEnd, cell)) { errorAt = p; errorEnd = q; return 0; }
  return q;
}

// A string token at p for a column of `kind`.
function stringValue(node: usize, kind: i32, p: usize, cell: usize, base: usize): usize {
  const before = heap;
  const q = readText(p, kind == STRING && !base);
  if (!q) return 0;
  if (kind == STRING) {
    if (base) return keepBytes(textAt, textEnd, base, cell) ? q : 0;
    store<i64>(cell, view(textAt, textEnd, 0));
    return q;
  }
  if (kind >= DATE && kind <= TIMESTAMP_LTZ) return timeCell(node, kind, cell) ? q : refuse(C_FORMAT, node, p, q);
  if (kind == BINARY) {
    // Unescaped text may stand at the heap itself: three bytes never overtake the four they come from.
    if (before + (textEnd - textAt) + 64 > heapEnd) return fail(E_ROOM, p);
    const stop = base64(before);
    if (!stop) return refuse(C_FORMAT, node, p, q);
    heap = before;
    return keepBytes(before, stop, base, cell) ? q : 0;
  }
  if (kind >= ROW) return refuse(C_TYPE, node, p, q);
  return quotedCell(node, kind, cell, p, q);
}

// One value into one cell; base = start of the encoded value that the cell is in, or 0 for a column. Sets isNull.
function valueCell(node: usize, p: usize, cell: usize, base: usize, depth: i32): usize {
  const c = peek(p), kind = load<i32>(node);
  isNull = 0;
  if (c == 110) { isNull = 1; return literal(p, c); }
  if (c == 34) return stringValue(node, kind, p, cell, base);
  if (kind == STRING) {
    // Whatever else it is, its text.
    const q = skip(p, depth);
    if (!q) return 0;
    if (base) return keepBytes(p, q, base, cell) ? q : 0;
    store<i64>(cell, view(p, q, 0));
    return q;
  }
  if (c == 45 || c - 48 < 10) {
    const q = scanNumber(p);
    if (!q) return 0;
    return numberCell(node, kind, p, q, cell);
  }
  if (c == 116 || c == 102) {
    const q = literal(p, c);
    if (!q) return 0;
    if (kind != BOOLEAN) return refuse(C_TYPE, node, p, q);
    store<i64>(cell, <i64>(c == 116));
    return q;
  }
  if (c == 91 && kind == ARRAY) return arrayCell(node, p, cell, base, depth);
  if (c == 123 && kind == MAP) return mapCell(node, p, cell, base, depth);
  if (c == 123 && kind == ROW && base) return rowCell(node, p, cell, base, depth);
  const q = skip(p, depth);
  return q ? refuse(C_TYPE, node, p, q) : 0;
}

// ---- encoded values: see data/nested.ts ----
// @ts-ignore
@inline function cellBytesOf(node: usize): usize { return load<i32>(node) == DECIMAL_WIDE ? 16 : 8; }
// @ts-ignore
@inline function bitmapBytes(count: usize): usize { return ((count + 63) >>> 6) << 3; }

// Members of the array or object at p, which is checked to be JSON on the way; -1 if it is not.
function members(p: usize, depth: i32): i32 {
  if (!skip(p, depth)) return -1;
  const object = peek(p) == 123;
  let count = 0;
  p = space(p + 1);
  if (peek(p) == (object ? 125 : 93)) return 0;
  while (true) {
    if (object) { p = space(scanString(p + 1) + 1); p = space(p + 1); }
    p = space(skip(p, depth + 1));
    count++;
    if (peek(p) != 44) return count;
    p = space(p + 1);
  }
  return 0;
}

// 8-byte aligned, cleared room of `bytes` at the heap for an encoded value; 0 if there is none.
function open(bytes: usize, base: usize, at: usize): usize {
  const start = base ? heap : (heap + 7) & ~7;
  if (start + bytes + 64 > heapEnd) return fail(E_ROOM, at);
  memory.fill(start, 0, bytes);
  heap = start + bytes;
  return start;
}

function putMember(node: usize, p: usize, bits: usize, cells: usize, index: usize, base: usize, depth: i32): usize {
  const q = valueCell(node, p, cells + index * cellBytesOf(node), base, depth);
  if (!q) return 0;
  if (isNull) { if (!load<u32>(node, 4)) return refuse(C_NULL, node, p, q); }
  else { const at = bits + (index >>> 3); store<u8>(at, load<u8>(at) | <u8>(<i32>1 << (<i32>index & 7))); }
  return q;
}

function arrayCell(node: usize, p: usize, cell: usize, base: usize, depth: i32): usize {
  const count = members(p, depth);
  if (count < 0) return 0;
  const element = load<usize>(node, 32), n = <usize>count;
  const start = open(8 + bitmapBytes(n) + n * cellBytesOf(element), base, p);
  if (!start) return 0;
  store<u32>(start, count);
  const bits = start + 8, cells = bits + bitmapBytes(n);
  p = space(p + 1);
  for (let k: usize = 0; k < n; k++) {
    p = putMember(element, p, bits, cells, k, start, depth + 1);
    if (!p) return 0;
    p = space(p);
    if (k + 1 < n) p = space(p + 1);
  }
  isNull = 0;
  store<i64>(cell, view(start, heap, base));
  return p + 1;
}

function mapCell(node: usize, p: usize, cell: usize, base: usize, depth: i32): usize {
  const count = members(p, depth);
  if (count < 0) return 0;
  const value = load<usize>(node, 32), n = <usize>count;
  const start = open(8 + 2 * bitmapBytes(n) + 8 * n + n * cellBytesOf(value), base, p);
  if (!start) return 0;
  store<u32>(start, count);
  const keyBits = start + 8, keys = keyBits + bitmapBytes(n), bits = keys + 8 * n, cells = bits + bitmapBytes(n);
  p = space(p + 1);
  for (let k: usize = 0; k < n; k++) {
    p = readText(p, false);
    if (!p) return 0;
    if (!keepBytes(textAt, textEnd, start, keys + (k << 3))) return 0;
    const at = keyBits + (k >>> 3);
    store<u8>(at, load<u8>(at) | <u8>(<i32>1 << (<i32>k & 7)));
    p = space(space(p) + 1);
    p = putMember(value, p, bits, cells, k, start, depth + 1);
    if (!p) return 0;
    p = space(p);
    if (k + 1 < n) p = space(p + 1);
  }
  isNull = 0;
  store<i64>(cell, view(start, heap, base));
  return p + 1;
}

// The field that the key text names, or 0.
function fieldOf(node: usize): i32 {
  const count = load<i32>(node, 24), n = textEnd - textAt;
  let entry = load<usize>(node, 28);
  for (let k = 0; k < count; k++, entry += 16) {
    if (load<u32>(entry, 4) != <u32>n) continue;
    const name = load<usize>(entry);
    let j: usize = 0;
    while (j < n && load<u8>(name + j) == load<u8>(textAt + j)) j++;
    if (j == n) return k;
  }
  return -1;
}

// A ROW inside an encoded value: count, bitmap, then one cell a field.
function rowCell(node: usize, p: usize, cell: usize, base: usize, depth: i32): usize {
  if (!skip(p, depth)) return 0;
  const fields = load<usize>(node, 28), n = load<usize>(node, 24);
  let bytes: usize = 0;
  for (let k: usize = 0; k < n; k++) bytes += cellBytesOf(load<usize>(fields + (k << 4), 8));
  const start = open(8 + bitmapBytes(n) + bytes, base, p);
  if (!start) return 0;
  store<u32>(start, <u32>n);
  const bits = start + 8;
  p = space(p + 1);
  while (peek(p) != 125) {
    const q = readText(p, false);
    if (!q) return 0;
    const k = fieldOf(node);
    p = space(space(q) + 1);
    if (k < 0) p = skip(p, depth + 1);
    else {
      let at = bits + bitmapBytes(n);
      for (let j: i32 = 0; j < k; j++) at += cellBytesOf(load<usize>(fields + (<usize>j << 4), 8));
      p = valueCell(load<usize>(fields + (<usize>k << 4), 8), p, at, start, depth + 1);
      const bit = bits + (<usize>k >>> 3), mask = <u8>(<i32>1 << (k & 7));
      store<u8>(bit, isNull ? load<u8>(bit) & ~mask : load<u8>(bit) | mask);
    }
    if (!p) return 0;
    p = space(p);
    if (peek(p) == 44) p = space(p + 1);
  }
  for (let k: usize = 0; k < n; k++) {
    const field = load<usize>(fields + (k << 4), 8);
    if (!load<u32>(field, 4) && !((load<u8>(bits + (k >>> 3)) >> (<u8>k & 7)) & 1)) return refuse(C_NULL, field, p, p);
  }
  isNull = 0;
  store<i64>(cell, view(start, heap, base));
  return p + 1;
}

// ---- columns ----
// @ts-ignore
@inline function setValid(node: usize, row: usize, valid: bool): void {
  const at = load<usize>(node, 20) + (row >>> 3), mask = <u8>(<i32>1 << (<i32>row & 7));
  if (valid) store<u8>(at, load<u8>(at) | mask);
  else { store<u8>(at, load<u8>(at) & ~mask); store<u32>(node, 1, 36); }
}

// Beyond so many fields none is noted as seen in the mask: their validity bits tell instead.
const MASKED_FIELDS: i32 = 64;

function clearFields(node: usize, row: usize): void {
  const n = load<u32>(node, 24);
  let entry = load<usize>(node, 28);
  for (let k: u32 = 0; k < n; k++, entry += 16) {
    const field = load<usize>(entry, 8), at = load<usize>(field, 20) + (row >>> 3);
    store<u8>(at, load<u8>(at) & ~<u8>(<i32>1 << (<i32>row & 7)));
  }
}

// @ts-ignore
@inline function isValid(node: usize, row: usize): bool {
  return ((load<u8>(load<usize>(node, 20) + (row >>> 3)) >> (<u8>row & 7)) & 1) != 0;
}

// Fields that no key named: NULL, or the row is refused.
function closeFields(node: usize, row: usize, p: usize, seen: u64): bool {
  const n = load<i32>(node, 24);
  let entry = load<usize>(node, 28);
  for (let k: i32 = 0; k < n; k++, entry += 16) {
    const field = load<usize>(entry, 8), nullable = load<u32>(field, 4);
    const noted = k < MASKED_FIELDS && n <= MASKED_FIELDS && ((seen >>> <u64>k) & 1) != 0;
    if (noted && nullable) continue;
    if ((noted || n > MASKED_FIELDS) && isValid(field, row)) continue;
    if (!nullable) { refuse(C_NULL, field, p, p); return false; }
    setValid(field, row, false);
  }
  return true;
}

// One value into a column at `row`.
function columnValue(node: usize, p: usize, row: usize, depth: i32): usize {
  let q: usize;
  if (load<i32>(node) == ROW && peek(p) == 123) {
    q = depth >= DEPTH_MAX ? fail(E_DEPTH, p) : object(node, p, row, depth + 1);
    isNull = 0;
  } else q = valueCell(node, p, load<usize>(node, 16) + row * cellBytesOf(node), 0, depth);
  if (q) setValid(node, row, !isNull);
  return q;
}

// Whether the bytes at p are the key of `field` and its colon, spelled plainly.
// @ts-ignore
@inline function isPlainKey(field: usize, p: usize): bool {
  const n = load<usize>(field, 52), literal = load<usize>(field, 48);
  if (p + n > end) return false;
  let at: usize = 0;
  for (; at + 8 <= n; at += 8) if (load<u64>(literal + at) != load<u64>(p + at)) return false;
  for (; at < n; at++) if (load<u8>(literal + at) != load<u8>(p + at)) return false;
  return true;
}

// The object at p into the fields of `node`. Of equal keys the last counts: a column's fault is held until no key can mend it.
function object(node: usize, p: usize, row: usize, depth: i32): usize {
  const start = p;
  let faulty: usize = 0, heldError = 0, heldAt: usize = 0, heldEnd: usize = 0, heldNode: usize = 0;
  const fields = load<usize>(node, 28), count = load<i32>(node, 24);
  let seen: u64 = 0;
  if (count > MASKED_FIELDS) clearFields(node, row);
  p = space(p + 1);
  if (peek(p) == 125) return closeFields(node, row, p, seen) ? p + 1 : 0;
  // The field that comes next if keys stand in the schema's order.
  let next: i32 = 0;
  while (true) {
    if (peek(p) != 34) return fail(E_KEY, p);
    let k = next;
    const expected = next < count ? load<usize>(fields + (<usize>next << 4), 8) : 0;
    if (expected && isPlainKey(expected, p)) p = space(p + load<usize>(expected, 52));
    else {
      p = readText(p, false);
      if (!p) return 0;
      k = fieldOf(node);
      p = space(p);
      if (peek(p) != 58) return fail(E_COLON, p);
      p = space(p + 1);
    }
    if (k >= 0) next = k + 1;
    if (k < 0) { p = skip(p, depth); if (!p) return 0; }
    else {
      const field = load<usize>(fields + (<usize>k << 4), 8);
      seen |= <u64>1 << <u64>k;
      const q = columnValue(field, p, row, depth);
      if (q) { p = q; if (faulty == field) faulty = 0; }
      else {
        if (error < C_TYPE) return 0;
        if (faulty && faulty != field) { error = heldError; errorAt = heldAt; errorEnd = heldEnd; errorNode = heldNode; return 0; }
        faulty = field; heldError = error; heldAt = errorAt; heldEnd = errorEnd; heldNode = errorNode;
        setValid(field, row, true);
        p = skip(p, depth);
        if (!p) return 0;
      }
    }
    p = space(p);
    const c = peek(p);
    if (c == 125) break;
    if (c != 44) return fail(E_BRACE, p);
    p = space(p + 1);
  }
  if (faulty) { error = heldError; errorAt = heldAt; errorEnd = heldEnd; errorNode = heldNode; return 0; }
  return closeFields(node, row, start, seen) ? p + 1 : 0;
}

// One record [p, p + bytes) into row `row` of the columns of `node`.
function decodeRow(node: usize, p: usize, bytes: usize, row: usize): bool {
  end = p + bytes;
  p = space(p);
  if (peek(p) != 123) { fail(E_OBJECT, p); return false; }
  p = object(node, p, row, 1);
  if (!p) return false;
  p = space(p);
  if (p != end) { fail(E_AFTER, p); return false; }
  return true;
}

/**
 * The rows listed at `rows`, from place `from` on, whose records' cells are `values`, into the columns of `node`. Returns the place
 * of the first that is refused, with an error, or `count`.
 */
export function decodeRows(node: usize, values: usize, rows: usize, from: u32, count: u32): u32 {
  for (; from < count; from++) {
    const row = <usize>load<u32>(rows + (<usize>from << 2)), cell = values + (row << 3);
    if (!load<u32>(cell)) { fail(E_NOTHING, 0); return from; }
    if (!decodeRow(node, <usize>load<u32>(cell), <usize>load<u32>(cell, 4), row)) return from;
  }
  return count;
}

// ---- cold parts of emitted projections: the place behind the value, or 0 = take the generic path ----
export function value_x(node: usize, p: usize, cell: usize, stop: usize): usize {
  end = stop;
  const q = valueCell(node, p, cell, 0, 1);
  return isNull ? 0 : q;
}
export function skip_x(p: usize, stop: usize): usize { end = stop; return skip(p, 1); }
/** p behind the opening quote; the place of the closing one. Not for escapes: they need room. */
export function string_x(p: usize, stop: usize): usize {
  end = stop;
  const q = scanString(p);
  return escaped ? 0 : q;
}
/** Days of YYYY-MM-DD, or the least i64. */
export function day_x(p: usize): i64 { end = p + 64; return scanDate(p) ? days : i64.MIN_VALUE; }

/** The greatest end of `count` cells of bytes. */
export function valuesEnd(values: usize, count: u32): usize {
  let most = i32x4.splat(0);
  const fours = values + (<usize>(count & ~3) << 3), stop = values + (<usize>count << 3);
  for (; values < fours; values += 32) {
    const v = v128.load(values), w = v128.load(values, 16);
    most = i32x4.max_u(most, i32x4.add(v128.shuffle<i32>(v, w, 0, 2, 4, 6), v128.shuffle<i32>(v, w, 1, 3, 5, 7)));
  }
  let end = max<u32>(
    max<u32>(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max<u32>(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
  );
  for (; values < stop; values += 8) end = max<u32>(end, load<u32>(values) + load<u32>(values, 4));
  return <usize>end;
}
