// Strings: UTF-8 that is checked, escapes, and base64.
import { E_CONTROL, E_ESCAPE, E_ROOM, E_UNENDED, E_UTF8, end, fail, heap, heapEnd, peek, setHeapAt } from './input.as'

// @ts-nocheck: compiled by asc, not by tsc

export let escaped: i32 = 0;

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
export function scanString(p: usize): usize {
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

export let textAt: usize = 0;
export let textEnd: usize = 0;
// The string whose opening quote is at p, as text: in place, or unescaped onto the heap (`keep`s what it took there, or not).
export function readText(p: usize, keep: bool): usize {
  const q = scanString(p + 1);
  if (!q) return 0;
  textAt = p + 1;
  textEnd = q;
  if (escaped) {
    if (heap + (q - p) + 64 > heapEnd) return fail(E_ROOM, p);
    textAt = heap;
    textEnd = unescape(p + 1, q, heap);
    if (keep) setHeapAt(textEnd);
  }
  return q + 1;
}

// Spaces around the text that was read.
export function trimText(): void {
  while (textAt < textEnd && load<u8>(textAt) == 32) textAt++;
  while (textAt < textEnd && load<u8>(textEnd - 1) == 32) textEnd--;
}

function sextet(c: u32): u32 {
  if (c - 65 < 26) return c - 65;
  if (c - 97 < 26) return c - 71;
  if (c - 48 < 10) return c + 4;
  return c == 43 ? 62 : c == 47 ? 63 : 255;
}
// RFC 4648, with padding. Decodes [textAt, textEnd) at `o`; returns its end, or 0.
export function base64(o: usize): usize {
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
