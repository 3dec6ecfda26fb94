/** Decoded Parquet values into the cells of a vector. */
import type { DecodedArray } from 'hyparquet'
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, layoutOf } from '../../data/types.ts'
import { childNamed, type FileColumn, integerOf, microsPer, wrongType } from './file-column.ts'
import { nestedBlock } from './nested-cells.ts'

/** A vector of `rowCount` NULLs. */
export function emptyVector(memory: LinearMemory, type: DataType, rowCount: number): Vector {
  const validity = memory.arena.allocateCleared((rowCount + 7) >> 3)
  if (type.kind === 'row') {
    const children = type.fields.map((field) => emptyVector(memory, field.type, rowCount))
    return { type, cells: 0, validity, children }
  }
  return { type, cells: memory.arena.allocateCleared(cellBytes(type) * rowCount), validity }
}

/**
 * Values [start, end) as a vector in the arena. Absent values are null or undefined; a ROW's value is an object by field name.
 *
 * @throws PARQUET_INVALID if the file holds the column in a type that can't be read as `type`
 */
export function fillVector(
  memory: LinearMemory,
  type: DataType,
  values: DecodedArray,
  start: number,
  end: number,
  column: FileColumn,
): Vector {
  const rowCount = end - start
  const validity = fillValidity(memory, values, start, end)
  if (type.kind === 'row') {
    const children = type.fields.map((field) => {
      const members: unknown[] = []
      for (let at = start; at < end; at++) members.push(values[at]?.[field.name])
      return fillVector(memory, field.type, members, 0, rowCount, childNamed(column, field.name))
    })
    return { type, cells: 0, validity, children }
  }
  const cells = memory.arena.allocateCleared(cellBytes(type) * rowCount)
  switch (layoutOf(type)) {
    case 'bytes':
      if (type.kind === 'array' || type.kind === 'map') {
        const blocks = blocksOf(type, values, start, end, column)
        fillBytes(memory, cells, blocks, 0, rowCount, column)
      } else fillBytes(memory, cells, values, start, end, column)
      break
    case 'f64':
      for (let at = start; at < end; at++) memory.f64[cells / 8 + at - start] = values[at] ?? 0
      break
    case 'i128':
      fillWide(memory, cells, values, start, end, column)
      break
    default:
      fillIntegers(memory, type, cells, values, start, end, column)
  }
  return { type, cells, validity }
}

function blocksOf(
  type: DataType,
  values: DecodedArray,
  start: number,
  end: number,
  column: FileColumn,
): (Uint8Array | null)[] {
  const blocks: (Uint8Array | null)[] = []
  for (let at = start; at < end; at++) {
    const value: unknown = values[at]
    blocks.push(value === null || value === undefined ? null : nestedBlock(type, value, column))
  }
  return blocks
}

function fillValidity(
  memory: LinearMemory,
  values: DecodedArray,
  start: number,
  end: number,
): Pointer {
  if (!Array.isArray(values)) return 0
  let at = start
  while (at < end && values[at] !== null && values[at] !== undefined) at++
  if (at === end) return 0
  const validity = memory.arena.allocateCleared((end - start + 7) >> 3)
  for (let row = 0; row < end - start; row++) {
    const value = values[start + row]
    if (value !== null && value !== undefined) {
      memory.u8[validity + (row >> 3)]! |= 1 << (row & 7)
    }
  }
  return validity
}

function fillBytes(
  memory: LinearMemory,
  cells: Pointer,
  values: DecodedArray,
  start: number,
  end: number,
  column: FileColumn,
): void {
  let total = 0
  for (let at = start; at < end; at++) {
    const value: unknown = values[at]
    if (value === null || value === undefined) continue
    if (!(value instanceof Uint8Array)) throw wrongType(column, 'bytes')
    total += value.length
  }
  let address = memory.arena.allocate(total)
  const { u8, u32 } = memory
  for (let at = start; at < end; at++) {
    const value: Uint8Array | null | undefined = values[at]
    if (value === null || value === undefined) continue
    const cell = cells / 4 + (at - start) * 2
    u32[cell] = address
    u32[cell + 1] = value.length
    u8.set(value, address)
    address += value.length
  }
}

function fillWide(
  memory: LinearMemory,
  cells: Pointer,
  values: DecodedArray,
  start: number,
  end: number,
  column: FileColumn,
): void {
  for (let at = start; at < end; at++) {
    const value: unknown = values[at]
    if (value === null || value === undefined) continue
    const unscaled = integerOf(value, column)
    const cell = cells / 8 + (at - start) * 2
    memory.i64[cell] = BigInt.asIntN(64, unscaled)
    memory.i64[cell + 1] = unscaled >> 64n
  }
}

function fillIntegers(
  memory: LinearMemory,
  type: DataType,
  cells: Pointer,
  values: DecodedArray,
  start: number,
  end: number,
  column: FileColumn,
): void {
  const { i64 } = memory
  const to = cells / 8 - start
  const scale = microsPer(type, column)
  if (values instanceof BigInt64Array && scale === undefined) {
    i64.set(values.subarray(start, end), cells / 8)
    return
  }
  for (let at = start; at < end; at++) {
    const value: unknown = values[at]
    if (value === null || value === undefined) continue
    const cell = integerOf(value, column)
    i64[to + at] = scale === undefined ? cell : scale(cell)
  }
}
