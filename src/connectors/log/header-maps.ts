/** The headers of records as MAP<STRING, BYTES> cells: from the wire's form to the encoded form of data/nested.ts. */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type Cursor, readVarint } from '../../log/varint.ts'

interface HeaderPlace {
  readonly keyAt: Pointer
  readonly keyBytes: number
  readonly valueAt: Pointer
  /** -1: the value is NULL. */
  readonly valueBytes: number
}

const HEAD_BYTES = 8
const CELL_BYTES = 8

/**
 * `headers` are cells as the log's reader gives them: count varint, then of each key and value with their lengths, checked before;
 * 0 where a record has none. The maps' cells are in the arena, 0 for records without headers.
 */
export function headerMaps(memory: LinearMemory, headers: Pointer, count: number): Pointer {
  const cells = memory.arena.allocate(count * CELL_BYTES)
  for (let row = 0; row < count; row++) {
    const words = (headers >> 2) + 2 * row
    const address = memory.u32[words]!
    const places = address === 0 ? [] : placesOf(memory, address, memory.u32[words + 1]!)
    const [block, bytes] = places.length === 0 ? [0, 0] : encodeMap(memory, places)
    memory.u32[(cells >> 2) + 2 * row] = block
    memory.u32[(cells >> 2) + 2 * row + 1] = bytes
  }
  return cells
}

function placesOf(memory: LinearMemory, address: Pointer, bytes: number): HeaderPlace[] {
  const cursor: Cursor = { bytes: memory.u8, at: address, end: address + bytes }
  const count = readVarint(cursor)
  return Array.from({ length: count }, () => {
    const keyBytes = readVarint(cursor)
    const keyAt = cursor.at
    cursor.at += keyBytes
    const valueBytes = readVarint(cursor)
    const valueAt = cursor.at
    cursor.at += Math.max(valueBytes, 0)
    return { keyAt, keyBytes, valueAt, valueBytes }
  })
}

function encodeMap(
  memory: LinearMemory,
  places: readonly HeaderPlace[],
): readonly [block: Pointer, bytes: number] {
  const validityBytes = Math.ceil(places.length / 64) * 8
  const columnBytes = validityBytes + places.length * CELL_BYTES
  let end = HEAD_BYTES + 2 * columnBytes
  const bytes = places.reduce(
    (sum, place) => sum + place.keyBytes + Math.max(place.valueBytes, 0),
    end,
  )
  const block = memory.arena.allocateCleared(bytes)
  const view = new DataView(memory.memory.buffer, block, bytes)
  view.setUint32(0, places.length, true)
  const put = (column: number, index: number, at: Pointer, length: number): void => {
    const start = HEAD_BYTES + column * columnBytes
    if (length < 0) return
    memory.u8[block + start + (index >> 3)]! |= 1 << (index & 7)
    const cell = start + validityBytes + index * CELL_BYTES
    view.setUint32(cell, end, true)
    view.setUint32(cell + 4, length, true)
    memory.u8.copyWithin(block + end, at, at + length)
    end += length
  }
  for (const [index, place] of places.entries()) {
    put(0, index, place.keyAt, place.keyBytes)
    put(1, index, place.valueAt, place.valueBytes)
  }
  return [block, bytes]
}
