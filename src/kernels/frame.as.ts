// Kafka records (message format v2) in linear memory: to cells and back. Raw loads and stores only.

const NOTHING: i64 = 0;
const TIME_MS_MAX: i64 = 9223372036854775;

// Where the decoder stopped, and why: read by the wrapper after a failure.
let failedAt: usize = 0;
let reason: i32 = 0;
export function failureAddress(): usize { return failedAt; }
export function failureReason(): i32 { return reason; }

let nullValues: u32 = 0;
let nullKeys: u32 = 0;
export function nullValueCount(): u32 { return nullValues; }
export function nullKeyCount(): u32 { return nullKeys; }

const UNENDED = 1, LENGTH_NEGATIVE = 2, BEYOND_RECORD = 3, LEFT_OVER = 4, BEYOND_AREA = 5, BYTES_AFTER = 6, TIME_RANGE = 7, OFFSET_RANGE = 8;

// The varint that was read last, zigzag undone.
let value: i64 = 0;

// Returns the position behind the varint, or 0 if it does not end before `end` or within `most` bytes.
function varint(p: usize, end: usize, most: usize): usize {
  const start = p;
  let v: u64 = 0, shift: u64 = 0;
  while (p < end && p - start < most) {
    const byte = <u64>load<u8>(p);
    p++;
    v |= (byte & 127) << shift;
    if (byte < 128) {
      // The last byte of the longest form must not hold bits beyond the type.
      if (p - start == most && byte > (most == 10 ? 1 : 15)) return 0;
      value = <i64>(v >>> 1) ^ -(<i64>(v & 1));
      return p;
    }
    shift += 7;
  }
  return 0;
}

// @ts-ignore
@inline function int32(p: usize, end: usize): usize {
  if (p < end) {
    const byte = <u32>load<u8>(p);
    if (byte < 128) { value = <i64>(<i32>(byte >>> 1) ^ -(<i32>(byte & 1))); return p + 1; }
    if (p + 1 < end) {
      const second = <u32>load<u8>(p, 1);
      if (second < 128) {
        const both = (byte & 127) | (second << 7);
        value = <i64>(<i32>(both >>> 1) ^ -(<i32>(both & 1)));
        return p + 2;
      }
    }
  }
  return varint(p, end, 5);
}

function fail(why: i32, at: usize): i32 { reason = why; failedAt = at; return 0; }

// The headers of one record, [p, end): count, then key length, key, value length (-1 = null), value of each.
function headersWrong(p: usize, end: usize): bool {
  let q = int32(p, end);
  if (!q) { fail(UNENDED, p); return true; }
  if (value < 0) { fail(LENGTH_NEGATIVE, p); return true; }
  let left = value;
  p = q;
  while (left > 0) {
    q = int32(p, end);
    if (!q) { fail(UNENDED, p); return true; }
    if (value < 0) { fail(LENGTH_NEGATIVE, p); return true; }
    if (value > <i64>(end - q)) { fail(BEYOND_RECORD, p); return true; }
    p = q + <usize>value;
    q = int32(p, end);
    if (!q) { fail(UNENDED, p); return true; }
    if (value < -1) { fail(LENGTH_NEGATIVE, p); return true; }
    if (value > <i64>(end - q)) { fail(BEYOND_RECORD, p); return true; }
    p = q + (value > 0 ? <usize>value : 0);
    left--;
  }
  if (p != end) { fail(LEFT_OVER, p); return true; }
  return false;
}

/**
 * Records [p, p + bytes) -> cells from row `row` on. A NULL's cell is 0. keys, headers, offsets, times may be 0: not wanted.
 * Times in microseconds; with `fixedTime` all of them are `baseTime` (log append time).
 * Returns 1, or 0 with failureReason and failureAddress.
 */
export function decode(
  p: usize, bytes: u32, count: u32, baseOffset: i64, baseTime: i64, fixedTime: i32,
  values: usize, keys: usize, headers: usize, offsets: usize, times: usize, row: u32,
): i32 {
  const end = p + <usize>bytes;
  nullValues = 0;
  nullKeys = 0;
  if (fixedTime && (baseTime > TIME_MS_MAX || baseTime < -TIME_MS_MAX)) return fail(TIME_RANGE, p);
  let at: usize = <usize>row << 3;
  for (let left = count; left; left--, at += 8) {
    const start = p;
    let q = int32(p, end);
    if (!q) return fail(UNENDED, p);
    if (value < 0) return fail(LENGTH_NEGATIVE, p);
    if (value > <i64>(end - q)) return fail(BEYOND_AREA, start);
    const stop = q + <usize>value;
    p = q + 1; // attributes: none are defined
    if (p > stop) return fail(BEYOND_RECORD, start);
    q = int32(p, stop);
    if (!q) { q = varint(p, stop, 10); if (!q) return fail(UNENDED, p); }
    if (times) {
      const ms = fixedTime ? baseTime : baseTime + value;
      if (ms > TIME_MS_MAX || ms < -TIME_MS_MAX) return fail(TIME_RANGE, p);
      store<i64>(times + at, ms * 1000);
    }
    p = q;
    q = int32(p, stop);
    if (!q) return fail(UNENDED, p);
    if (value < 0) return fail(OFFSET_RANGE, p);
    if (offsets) store<i64>(offsets + at, baseOffset + value);
    p = q;
    q = int32(p, stop);
    if (!q) return fail(UNENDED, p);
    if (value < -1) return fail(LENGTH_NEGATIVE, p);
    if (value > <i64>(stop - q)) return fail(BEYOND_RECORD, p);
    if (value < 0) { nullKeys++; if (keys) store<i64>(keys + at, NOTHING); p = q; }
    else { if (keys) store<i64>(keys + at, <i64>q | (value << 32)); p = q + <usize>value; }
    q = int32(p, stop);
    if (!q) return fail(UNENDED, p);
    if (value < -1) return fail(LENGTH_NEGATIVE, p);
    if (value > <i64>(stop - q)) return fail(BEYOND_RECORD, p);
    if (value < 0) { nullValues++; store<i64>(values + at, NOTHING); p = q; }
    else { store<i64>(values + at, <i64>q | (value << 32)); p = q + <usize>value; }
    if (p + 1 == stop && load<u8>(p) == 0) {
      if (headers) store<i64>(headers + at, NOTHING);
    } else {
      if (headersWrong(p, stop)) return 0;
      if (headers) store<i64>(headers + at, <i64>p | (<i64>(stop - p) << 32));
    }
    p = stop;
  }
  return p == end ? 1 : fail(BYTES_AFTER, p);
}

/** Bit of each row whose cell is not 0, for `count` cells; writes whole bytes. */
export function validityOf(cells: usize, count: u32, bitmap: usize): void {
  for (let row: u32 = 0; row < count; row += 8) {
    let byte: u32 = 0;
    const stop = min<u32>(8, count - row);
    for (let bit: u32 = 0; bit < stop; bit++) byte |= u32(load<i64>(cells + (<usize>(row + bit) << 3)) != 0) << bit;
    store<u8>(bitmap + (row >>> 3), <u8>byte);
  }
}

// @ts-ignore
@inline function zigzag(v: i64): u64 { return <u64>((v << 1) ^ (v >> 63)); }
// @ts-ignore
@inline function varintBytes(v: u64): u32 { return (70 - <u32>clz<u64>(v | 1)) / 7; }
// @ts-ignore
@inline function put(p: usize, v: u64): usize {
  while (v > 127) { store<u8>(p, <u8>(v | 128)); p++; v >>>= 7; }
  store<u8>(p, <u8>v);
  return p + 1;
}
// @ts-ignore
@inline function floorMs(us: i64): i64 { const ms = us / 1000; return us - ms * 1000 < 0 ? ms - 1 : ms; }
// @ts-ignore
@inline function cellAt(cells: usize, row: usize): i64 { return cells ? load<i64>(cells + (row << 3)) : 0; }

// Of one record, without its own length.
function contentBytes(key: i64, val: i64, headers: i64, time: i64, offset: i64): u64 {
  const k = <u64>key >>> 32, v = <u64>val >>> 32, h = <u64>headers >>> 32;
  return 1 + varintBytes(zigzag(time)) + varintBytes(zigzag(offset))
    + (key == 0 ? 1 : varintBytes(k << 1) + k) + (val == 0 ? 1 : varintBytes(v << 1) + v) + (headers == 0 ? 1 : h);
}

/** Bytes that `encode` will write with the same arguments. */
export function encodedBytes(values: usize, keys: usize, headers: usize, times: usize, selection: usize, count: u32, baseTime: i64, firstDelta: i64): u64 {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = <usize>(selection ? load<u32>(selection + (<usize>i << 2)) : i);
    const time = times ? floorMs(load<i64>(times + (row << 3))) - baseTime : 0;
    const size = contentBytes(cellAt(keys, row), cellAt(values, row), cellAt(headers, row), time, firstDelta + <i64>i);
    sum += size + varintBytes(size << 1);
  }
  return sum;
}

/** Writes the records at `p`; returns the end. A cell of 0 is NULL. */
export function encode(p: usize, values: usize, keys: usize, headers: usize, times: usize, selection: usize, count: u32, baseTime: i64, firstDelta: i64): usize {
  for (let i: u32 = 0; i < count; i++) {
    const row = <usize>(selection ? load<u32>(selection + (<usize>i << 2)) : i);
    const time = times ? floorMs(load<i64>(times + (row << 3))) - baseTime : 0;
    const key = cellAt(keys, row), val = cellAt(values, row), head = cellAt(headers, row), offset = firstDelta + <i64>i;
    p = put(p, contentBytes(key, val, head, time, offset) << 1);
    store<u8>(p, 0);
    p = put(p + 1, zigzag(time));
    p = put(p, zigzag(offset));
    p = bytesOf(p, key);
    p = bytesOf(p, val);
    if (head == 0) { store<u8>(p, 0); p++; }
    else { const n = <usize>(<u64>head >>> 32); memory.copy(p, <usize>(<u32>head), n); p += n; }
  }
  return p;
}

function bytesOf(p: usize, cell: i64): usize {
  if (cell == 0) { store<u8>(p, 1); return p + 1; }
  const n = <u64>cell >>> 32;
  p = put(p, n << 1);
  memory.copy(p, <usize>(<u32>cell), <usize>n);
  return p + <usize>n;
}
