/**
 * Cells in records of a checkpoint, written and read at a cursor:
 *
 *   i64  zigzag varint     f64  8 bytes     i128  16 bytes     bytes  varint(length), bytes
 */
import { BYTES, F64, I128 } from '../group/hash.as'
import { slabNeed, slabPut } from '../group/slab.as'
import { need, NEED_SLAB } from '../group/table.as'

// @ts-nocheck: compiled by asc, not by tsc

export function putVarint(at: usize, value: u64): usize {
  while (value >= 128) {
    store<u8>(at++, <u8>value | 128)
    value >>>= 7
  }
  store<u8>(at, <u8>value)
  return at + 1
}

// @ts-ignore: decorator
@inline
export function zigzag(value: i64): u64 {
  return (<u64>(value << 1)) ^ (<u64>(value >> 63))
}

export function putBytes(at: usize, cell: u64, prefix: u64): usize {
  at = putVarint(at, prefix)
  memory.copy(at, <usize>(<u32>cell), <u32>(cell >>> 32))
  return at + <usize>(<u32>(cell >>> 32))
}

/** Writes the cell at `held`; returns the end. */
export function putCell(kind: u32, held: usize, at: usize): usize {
  const cell = load<u64>(held)
  if (kind == BYTES) return putBytes(at, cell, cell >>> 32)
  if (kind == F64 || kind == I128) {
    store<u64>(at, cell)
    if (kind == F64) return at + 8
    store<u64>(at, load<u64>(held, 8), 8)
    return at + 16
  }
  return putVarint(at, zigzag(<i64>cell))
}

/** Where records are read. */
export let cursor: usize = 0

export function setCursor(at: usize): void {
  cursor = at
}

export function takeVarint(end: usize): u64 {
  let value: u64 = 0
  let shift: u64 = 0
  while (cursor < end && shift < 70) {
    const byte = <u64>load<u8>(cursor++)
    value |= (byte & 127) << shift
    if (byte < 128) return value
    shift += 7
  }
  cursor = end + 1
  return 0
}

// @ts-ignore: decorator
@inline
export function unzigzag(value: u64): i64 {
  return <i64>(value >>> 1) ^ -(<i64>(value & 1))
}

/**
 * Reads one cell to `held` and moves on; false if it goes beyond `end`. 'bytes' point into the record. `bias` is what a written
 * length is too large by; 0 itself then stands for a cell that points nowhere.
 */
export function takeCell(kind: u32, held: usize, end: usize, bias: u64): bool {
  if (kind == BYTES) {
    const prefix = takeVarint(end)
    if (prefix < bias) store<u64>(held, 0)
    else {
      const length = prefix - bias
      if (cursor > end || length > <u64>(end - cursor)) return false
      store<u64>(held, (<u64>cursor) | (length << 32))
      cursor += <usize>length
    }
  } else if (kind == F64 || kind == I128) {
    store<u64>(held, load<u64>(cursor))
    if (kind == I128) store<u64>(held, load<u64>(cursor, 8), 8)
    cursor += kind == I128 ? 16 : 8
  } else store<i64>(held, unzigzag(takeVarint(end)))
  return cursor <= end
}

/** Copies the bytes that the cell at `held` has in a record to the table's slab; false, and a cell of nothing, if it has no room. */
export function ownBytes(table: usize, held: usize): bool {
  const inRecord = load<u64>(held)
  const length = <u32>(inRecord >>> 32)
  const cell = slabPut(<usize>load<u32>(table, 40), <usize>(<u32>inRecord), length)
  store<u64>(held, cell)
  if (cell == 0) need(table, NEED_SLAB, slabNeed(length))
  return cell != 0
}
