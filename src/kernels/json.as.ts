// Strict JSON rows to column cells, any key order and spelling: the generic path. Raw loads and stores only.
//
// A schema is a tree of nodes in linear memory, laid out by json-tree.ts:
//   0 kind  4 nullable  8 precision  12 scale  16 cells  20 validity  24 field count  28 fields  32 element
//   36 had a NULL  40 number of the node  44 separator of date and time  48 key literal  52 its length
// A field is 16 bytes: name address, name length, node, 0.
import {
  C_NULL, C_TYPE, DEPTH_MAX, E_AFTER, E_BRACE, E_COLON, E_DEPTH, E_KEY, E_NOTHING, E_OBJECT,
  end, error, errorAt, errorEnd, errorNode, fail, peek, refuse, setEnd, space,
} from './json/input.as'
import { skip } from './json/skip.as'
import { escaped, readText, scanString } from './json/string.as'
import { days, scanDate } from './json/time.as'
import { ROW } from './json/tree.as'
import { cellBytesOf, fieldOf, isNull, valueCell } from './json/value.as'

// @ts-nocheck: compiled by asc, not by tsc

export { errorAddress, errorCode, errorNodeNumber, errorStop, setHeap } from './json/input.as'

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
  const isObject = load<i32>(node) == ROW && peek(p) == 123;
  const q = !isObject
    ? valueCell(node, p, load<usize>(node, 16) + row * cellBytesOf(node), 0, depth)
    : depth >= DEPTH_MAX
      ? fail(E_DEPTH, p)
      : object(node, p, row, depth + 1);
  if (q) setValid(node, row, isObject || !isNull);
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
        if (faulty && faulty != field) return refuse(heldError, heldNode, heldAt, heldEnd);
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
  if (faulty) return refuse(heldError, heldNode, heldAt, heldEnd);
  return closeFields(node, row, start, seen) ? p + 1 : 0;
}

// One record [p, p + bytes) into row `row` of the columns of `node`.
function decodeRow(node: usize, p: usize, bytes: usize, row: usize): bool {
  setEnd(p + bytes);
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
  setEnd(stop);
  const q = valueCell(node, p, cell, 0, 1);
  return isNull ? 0 : q;
}
export function skip_x(p: usize, stop: usize): usize { setEnd(stop); return skip(p, 1); }
/** p behind the opening quote; the place of the closing one. Not for escapes: they need room. */
export function string_x(p: usize, stop: usize): usize {
  setEnd(stop);
  const q = scanString(p);
  return escaped ? 0 : q;
}
/** Days of YYYY-MM-DD, or the least i64. */
export function day_x(p: usize): i64 { setEnd(p + 64); return scanDate(p) ? days : i64.MIN_VALUE; }

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
