// Values of which only this is asked: that they are JSON.
import {
  DEPTH_MAX, E_BRACE, E_BRACKET, E_COLON, E_DEPTH, E_KEY, E_LITERAL, E_VALUE,
  end, fail, peek, space,
} from './input.as'
import { scanNumber } from './number.as'
import { scanString } from './string.as'

// @ts-nocheck: compiled by asc, not by tsc

export function literal(p: usize, first: u32): usize {
  if (first == 116) { if (end - p >= 4 && load<u32>(p) == 0x65757274) return p + 4; }
  else if (first == 102) { if (end - p >= 5 && load<u32>(p, 1) == 0x65736c61) return p + 5; }
  else if (end - p >= 4 && load<u32>(p) == 0x6c6c756e) return p + 4;
  return fail(E_LITERAL, p);
}

// Any value, checked as JSON only.
export function skip(p: usize, depth: i32): usize {
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

// Members of the array or object at p, which is checked to be JSON on the way; -1 if it is not.
export function members(p: usize, depth: i32): i32 {
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
