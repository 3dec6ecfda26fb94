// A value into a cell, of a column or inside an encoded value.
import {
  C_FORMAT, C_NULL, C_TYPE, E_ROOM,
  end, error, errorNode, fail, heap, heapEnd, peek, refuse, setEnd, setHeapAt, space,
} from './input.as'
import { numberCell, scanNumber } from './number.as'
import { literal, members, skip } from './skip.as'
import { base64, readText, textAt, textEnd, trimText } from './string.as'
import { timeCell } from './time.as'
import { ARRAY, BINARY, BOOLEAN, DATE, DECIMAL_WIDE, DOUBLE, FLOAT, MAP, ROW, STRING, TIMESTAMP_LTZ } from './tree.as'

// @ts-nocheck: compiled by asc, not by tsc

export let isNull: i32 = 0;

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
  if (at == heap) setHeapAt(stop);
  store<i64>(cell, view(at, stop, base));
  return true;
}

// A string for a column that is not one: numbers and truth in quotes, as Flink takes them.
function quotedCell(node: usize, kind: i32, cell: usize, p: usize, q: usize): usize {
  trimText();
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
  setEnd(textEnd);
  const stop = scanNumber(textAt);
  setEnd(whole);
  if (stop != textEnd) return refuse(C_TYPE, node, p, q);
  return numberCell(node, kind, textAt, textEnd, cell) ? q : refuse(error, errorNode, p, q);
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
    setHeapAt(before);
    return keepBytes(before, stop, base, cell) ? q : 0;
  }
  if (kind >= ROW) return refuse(C_TYPE, node, p, q);
  return quotedCell(node, kind, cell, p, q);
}

// One value into one cell; base = start of the encoded value that the cell is in, or 0 for a column. Sets isNull.
export function valueCell(node: usize, p: usize, cell: usize, base: usize, depth: i32): usize {
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
@inline export function cellBytesOf(node: usize): usize { return load<i32>(node) == DECIMAL_WIDE ? 16 : 8; }
// @ts-ignore
@inline function bitmapBytes(count: usize): usize { return ((count + 63) >>> 6) << 3; }

// 8-byte aligned, cleared room of `bytes` at the heap for an encoded value; 0 if there is none.
function open(bytes: usize, base: usize, at: usize): usize {
  const start = base ? heap : (heap + 7) & ~7;
  if (start + bytes + 64 > heapEnd) return fail(E_ROOM, at);
  memory.fill(start, 0, bytes);
  setHeapAt(start + bytes);
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
export function fieldOf(node: usize): i32 {
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
