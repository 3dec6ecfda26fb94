/**
 * Cells as JavaScript values and back, for what has no kernel: one value a row.
 *
 *   boolean               boolean
 *   i64, i128 cells       bigint (decimals unscaled, times in µs, dates in days)
 *   float, double         number
 *   char, varchar         string
 *   binary, varbinary     Uint8Array
 *   ARRAY                 array; MAP array of [key, value]; ROW array of its fields
 */
import type { Vector } from './batch.ts'
import type { LinearMemory, Pointer } from './memory.ts'
import { type CellValue, decodeNested, encodeNested } from './nested-cells.ts'
import { cellBytes, type DataType, layoutOf } from './types.ts'

export interface CellWriter {
  readonly vector: Vector
  set(row: number, value: CellValue): void
}

const TEXT_CHUNK_BYTES = 65536
/** Of a text that is computed, in UTF-16 units: a single value must not exhaust the worker's memory. */
const TEXT_UNITS_MAX = 1 << 26
/** Of one UTF-16 unit. */
const UTF8_BYTES_MAX = 3

/** A reader of `vector`'s values by row. */
export function cellReaderOf(memory: LinearMemory, vector: Vector): (row: number) => CellValue {
  const read = cellReader(memory, vector)
  const { validity } = vector
  if (vector.type.kind === 'null') return () => null
  if (validity === 0) return read
  return (row) => (((memory.u8[validity + (row >>> 3)]! >> (row & 7)) & 1) === 0 ? null : read(row))
}

function cellReader(memory: LinearMemory, vector: Vector): (row: number) => CellValue {
  const { type, cells } = vector
  switch (layoutOf(type)) {
    case 'f64':
      return (row) => memory.f64[cells / 8 + row]!
    case 'i128':
      return (row) => wide(memory, cells / 8 + 2 * row)
    case 'bytes':
      return bytesReader(memory, vector)
    case 'row': {
      const children = vector.children!.map((child) => cellReaderOf(memory, child))
      return (row) => children.map((child) => child(row))
    }
    default:
      if (type.kind === 'boolean') return (row) => memory.i64[cells / 8 + row] !== 0n
      return (row) => memory.i64[cells / 8 + row]!
  }
}

function wide(memory: LinearMemory, at: number): bigint {
  return (memory.i64[at + 1]! << 64n) | BigInt.asUintN(64, memory.i64[at]!)
}

function bytesReader(memory: LinearMemory, { type, cells }: Vector): (row: number) => CellValue {
  if (type.kind === 'char' || type.kind === 'varchar') {
    const buffer = bufferOf(memory)
    return (row) => {
      const at = cells / 4 + 2 * row
      const address = memory.u32[at]!
      return buffer().toString('utf8', address, address + memory.u32[at + 1]!)
    }
  }
  const bytes = (row: number): Uint8Array => {
    const at = cells / 4 + 2 * row
    const address = memory.u32[at]!
    // A copy: Node's hashes take no shared memory.
    return memory.u8.slice(address, address + memory.u32[at + 1]!)
  }
  if (type.kind !== 'array' && type.kind !== 'map') return bytes
  return (row) => {
    const block = bytes(row)
    return decodeNested(type, new DataView(block.buffer))
  }
}

/** Linear memory as a Buffer, which reads and writes text natively; made anew when the memory has grown. */
function bufferOf(memory: LinearMemory): () => Buffer {
  let view = memory.u8
  let buffer = Buffer.from(view.buffer, 0, view.byteLength)
  return () => {
    if (memory.u8 !== view) {
      view = memory.u8
      buffer = Buffer.from(view.buffer, 0, view.byteLength)
    }
    return buffer
  }
}

/**
 * Of a new vector of `rowCount` rows in the arena; rows that are never set are NULL.
 * @param tooLong throws: a text of so many UTF-16 units can't be
 */
export function cellWriterOf(
  memory: LinearMemory,
  type: DataType,
  rowCount: number,
  tooLong: (units: number) => never,
): CellWriter {
  const validity = memory.arena.allocateCleared(Math.ceil(rowCount / 64) * 8)
  if (type.kind === 'row') return rowWriter(memory, type, rowCount, validity, tooLong)
  const cells = memory.arena.allocateCleared(cellBytes(type) * rowCount)
  const put = cellWriter(memory, type, cells, tooLong)
  return {
    vector: { type, cells, validity },
    set(row, value) {
      const at = validity + (row >>> 3)
      if (value === null) {
        memory.u8[at]! &= ~(1 << (row & 7))
        return
      }
      memory.u8[at]! |= 1 << (row & 7)
      put(row, value)
    },
  }
}

function rowWriter(
  memory: LinearMemory,
  type: Extract<DataType, { kind: 'row' }>,
  rowCount: number,
  validity: Pointer,
  tooLong: (units: number) => never,
): CellWriter {
  const children = type.fields.map((field) => cellWriterOf(memory, field.type, rowCount, tooLong))
  return {
    vector: { type, cells: 0, validity, children: children.map(({ vector }) => vector) },
    set(row, value) {
      if (value === null) return
      memory.u8[validity + (row >>> 3)]! |= 1 << (row & 7)
      const fields = value as readonly CellValue[]
      for (const [index, child] of children.entries()) child.set(row, fields[index] ?? null)
    },
  }
}

function cellWriter(
  memory: LinearMemory,
  type: DataType,
  cells: Pointer,
  tooLong: (units: number) => never,
): (row: number, value: CellValue) => void {
  switch (layoutOf(type)) {
    case 'f64':
      return (row, value) => {
        memory.f64[cells / 8 + row] = value as number
      }
    case 'i128':
      return (row, value) => {
        memory.i64[cells / 8 + 2 * row] = BigInt.asIntN(64, value as bigint)
        memory.i64[cells / 8 + 2 * row + 1] = (value as bigint) >> 64n
      }
    case 'bytes':
      return bytesWriter(memory, type, cells, tooLong)
    default:
      return (row, value) => {
        memory.i64[cells / 8 + row] =
          typeof value === 'boolean' ? (value ? 1n : 0n) : (value as bigint)
      }
  }
}

function bytesWriter(
  memory: LinearMemory,
  type: DataType,
  cells: Pointer,
  tooLong: (units: number) => never,
): (row: number, value: CellValue) => void {
  const buffer = bufferOf(memory)
  let chunk = 0
  let left = 0
  // Neighbours often have one text: a day, a channel. It is written once.
  let before: CellValue = null
  let beforeLength = 0
  const reserve = (bytes: number): void => {
    if (bytes <= left) return
    left = Math.max(TEXT_CHUNK_BYTES, bytes)
    chunk = memory.arena.allocate(left)
  }
  return (row, value) => {
    const at = cells / 4 + 2 * row
    if (typeof value === 'string' && value === before) {
      memory.u32[at] = chunk - beforeLength
      memory.u32[at + 1] = beforeLength
      return
    }
    let length: number
    if (typeof value === 'string') {
      if (value.length > TEXT_UNITS_MAX) tooLong(value.length)
      reserve(value.length * UTF8_BYTES_MAX)
      length = buffer().write(value, chunk, 'utf8')
    } else {
      const bytes = value instanceof Uint8Array ? value : encodeNested(type, value)
      length = bytes.length
      reserve(length)
      memory.u8.set(bytes, chunk)
    }
    memory.u32[at] = chunk
    memory.u32[at + 1] = length
    chunk += length
    left -= length
    before = value
    beforeLength = length
  }
}
