// Numbers into cells: exact, or refused.
import { C_RANGE, C_TYPE, digit, E_NUMBER, fail, peek, refuse } from './input.as'
import { BIGINT, DECIMAL, DECIMAL_WIDE, DOUBLE, FLOAT, INT, SMALLINT, TINYINT } from './tree.as'

// @ts-nocheck: compiled by asc, not by tsc

// Answers a number of many digits: exact, but called out.
// @ts-ignore
@external("env", "parseDouble")
declare function parseDouble(address: usize, bytes: usize): f64;

let negative: bool = false;
let intAt: usize = 0;
let intDigits: usize = 0;
let fracAt: usize = 0;
let fracDigits: usize = 0;
let exponent: i32 = 0;

// -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][-+]?[0-9]+)?
export function scanNumber(p: usize): usize {
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
export function numberCell(node: usize, kind: i32, p: usize, q: usize, cell: usize): usize {
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
