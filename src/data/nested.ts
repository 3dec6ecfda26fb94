/**
 * The encoded form of ARRAY and MAP cells (and of ROWs inside them): one block of bytes that can be copied as it is.
 *
 *   ARRAY   count u32, 0 u32, validity, cells of the elements
 *   MAP     count u32, 0 u32, validity and cells of the keys, validity and cells of the values
 *   ROW     count u32, 0 u32, validity, one cell a field
 *   validity: one bit an entry, 1 = not NULL, in whole 8 bytes; a cell is as in a column (16 bytes for DECIMAL above 18 digits)
 *   A cell of bytes, and of a nested ARRAY, MAP or ROW, is offset | length << 32, the offset counted from the start of the block
 *   it stands in; the bytes follow the cells. All little-endian; nothing is aligned. Entries of a MAP are in order of
 *   appearance, and of equal keys the last counts.
 */
import { invariant } from '../errors.ts'
import { cellBytes, type DataType, layoutOf } from './types.ts'

export interface NestedEntries {
  readonly count: number
  isNull(index: number): boolean
  /** Byte offset of the entry's cell in the block. */
  cellAt(index: number): number
}

/** The elements of an encoded ARRAY. */
export function arrayEntries(element: DataType, block: DataView): NestedEntries {
  return entries(block, block.getUint32(0, true), 8, () => cellBytesOf(element))
}

/** Keys and values of an encoded MAP, side by side. */
export function mapEntries(
  key: DataType,
  value: DataType,
  block: DataView,
): { readonly keys: NestedEntries; readonly values: NestedEntries } {
  const count = block.getUint32(0, true)
  const keysBytes = validityBytes(count) + count * cellBytesOf(key)
  return {
    keys: entries(block, count, 8, () => cellBytesOf(key)),
    values: entries(block, count, 8 + keysBytes, () => cellBytesOf(value)),
  }
}

/** The fields of a ROW inside an encoded value. */
export function rowEntries(
  fields: readonly { readonly type: DataType }[],
  block: DataView,
): NestedEntries {
  const count = block.getUint32(0, true)
  invariant(
    count === fields.length,
    `an encoded ROW of ${count} fields is read as ${fields.length}`,
  )
  return entries(block, count, 8, (index) => cellBytesOf(fields[index]!.type))
}

/** What a cell of bytes, ARRAY, MAP or ROW points to. */
export function nestedBytes(block: DataView, cellAt: number): DataView {
  const offset = block.getUint32(cellAt, true)
  return new DataView(block.buffer, block.byteOffset + offset, block.getUint32(cellAt + 4, true))
}

function validityBytes(count: number): number {
  return 8 * Math.ceil(count / 64)
}

/** In an encoded value a ROW is a cell of bytes. */
function cellBytesOf(type: DataType): number {
  return layoutOf(type) === 'row' ? 8 : cellBytes(type)
}

function entries(
  block: DataView,
  count: number,
  start: number,
  bytesOf: (index: number) => number,
): NestedEntries {
  const offsets: number[] = []
  let at = start + validityBytes(count)
  for (let index = 0; index < count; index++) {
    offsets.push(at)
    at += bytesOf(index)
  }
  return {
    count,
    isNull: (index) => ((block.getUint8(start + (index >> 3)) >> (index & 7)) & 1) === 0,
    cellAt: (index) => offsets[index]!,
  }
}
