/** A MAP<STRING, BYTES> column as the headers of records: from the encoded form of data/nested.ts to the wire's. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { isNull, selectedRows } from '../../data/values.ts'
import { varintBytes, writeVarint } from '../../log/varint.ts'

const HEAD_BYTES = 8
const CELL_BYTES = 8

/** One cell for each selected row: count varint, then of each key and value with their lengths; 0 where there are none. */
export function headerCells(memory: LinearMemory, batch: Batch, column: number): Pointer {
  const vector = batch.columns[column]!
  const cells = memory.arena.allocate(CELL_BYTES * batch.count)
  let at = cells >>> 2
  for (const row of selectedRows(memory, batch)) {
    const block = isNull(memory, vector, row) ? 0 : memory.u32[(vector.cells >>> 2) + 2 * row]!
    const [address, bytes] = block === 0 ? [0, 0] : headersOf(memory, block)
    memory.u32[at] = address
    memory.u32[at + 1] = bytes
    at += 2
  }
  return cells
}

function headersOf(memory: LinearMemory, block: Pointer): readonly [Pointer, number] {
  // An encoded value is aligned to nothing.
  const view = new DataView(memory.memory.buffer)
  const count = view.getUint32(block, true)
  if (count === 0) return [0, 0]
  const bitmapBytes = Math.ceil(count / 64) * 8
  const keys = block + HEAD_BYTES
  const values = keys + bitmapBytes + CELL_BYTES * count
  const place = (area: Pointer, index: number): readonly [Pointer, number] => {
    const isThere = (memory.u8[area + (index >> 3)]! >> (index & 7)) & 1
    const cell = area + bitmapBytes + CELL_BYTES * index
    return isThere ? [block + view.getUint32(cell, true), view.getUint32(cell + 4, true)] : [0, -1]
  }
  const fields = Array.from({ length: count }, (_, index) => [
    place(keys, index),
    place(values, index),
  ]).flat()
  const bytes = fields.reduce(
    (sum, [, length]) => sum + varintBytes(length) + Math.max(length, 0),
    varintBytes(count),
  )
  const address = memory.arena.allocate(bytes)
  let at = writeVarint(memory.u8, address, count)
  for (const [from, length] of fields) {
    at = writeVarint(memory.u8, at, length)
    if (length > 0) memory.u8.copyWithin(at, from, from + length)
    at += Math.max(length, 0)
  }
  return [address, bytes]
}
