/** Rows before and after a batch, side by side: what a changelog is made of. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType, layoutOf } from '../../data/types.ts'

/** Columns whose strings are copied into the arena: what they point to in state may change or go. */
export function withOwnBytes(
  memory: LinearMemory,
  columns: readonly Vector[],
  count: number,
): readonly Vector[] {
  return columns.map((column) => {
    if (layoutOf(column.type) !== 'bytes') return column
    const cells = memory.arena.allocate(8 * count)
    for (let row = 0; row < count; row++) {
      const valid = isValid(memory, column, row)
      const from = memory.u32[column.cells / 4 + 2 * row]!
      const bytes = valid ? memory.u32[column.cells / 4 + 2 * row + 1]! : 0
      const address = memory.arena.allocate(bytes)
      memory.u8.copyWithin(address, from, from + bytes)
      memory.u32[cells / 4 + 2 * row] = address
      memory.u32[cells / 4 + 2 * row + 1] = bytes
    }
    return { ...column, cells }
  })
}

/** Row 2i is `before`'s row i, row 2i + 1 `after`'s. */
export function interleaved(
  memory: LinearMemory,
  before: readonly Vector[],
  after: readonly Vector[],
  count: number,
): readonly Vector[] {
  return after.map((column, index) => {
    const sides = [before[index]!, column] as const
    const cells = interleavedCells(memory, column.type, sides, count)
    return { type: column.type, cells, validity: interleavedValidity(memory, sides, count) }
  })
}

function interleavedCells(
  memory: LinearMemory,
  type: DataType,
  sides: readonly [Vector, Vector],
  count: number,
): Pointer {
  const width = cellBytes(type) / 8
  const cells = memory.arena.allocate(16 * width * count)
  const { i64 } = memory
  sides.forEach((side, which) => {
    for (let row = 0; row < count; row++) {
      for (let part = 0; part < width; part++) {
        i64[cells / 8 + (2 * row + which) * width + part] =
          i64[side.cells / 8 + row * width + part]!
      }
    }
  })
  return cells
}

function interleavedValidity(
  memory: LinearMemory,
  sides: readonly [Vector, Vector],
  count: number,
): Pointer {
  if (sides[0].validity === 0 && sides[1].validity === 0) return 0
  const validity = memory.arena.allocateCleared((2 * count + 7) >> 3)
  sides.forEach((side, which) => {
    for (let row = 0; row < count; row++) {
      const bit = 2 * row + which
      if (isValid(memory, side, row)) memory.u8[validity + (bit >> 3)]! |= 1 << (bit & 7)
    }
  })
  return validity
}

/** True if all columns of `row` are equal before and after, NULL to NULL, bytes by content. */
export function sameRow(
  memory: LinearMemory,
  before: readonly Vector[],
  after: readonly Vector[],
  row: number,
): boolean {
  return before.every((column, index) => sameCell(memory, column, after[index]!, row))
}

function sameCell(memory: LinearMemory, left: Vector, right: Vector, row: number): boolean {
  const valid = isValid(memory, left, row)
  if (valid !== isValid(memory, right, row)) return false
  if (!valid) return true
  const { i64, u32, u8 } = memory
  switch (layoutOf(left.type)) {
    case 'bytes': {
      const bytes = u32[left.cells / 4 + 2 * row + 1]!
      if (bytes !== u32[right.cells / 4 + 2 * row + 1]!) return false
      const from = u32[left.cells / 4 + 2 * row]!
      const to = u32[right.cells / 4 + 2 * row]!
      for (let at = 0; at < bytes; at++) if (u8[from + at] !== u8[to + at]) return false
      return true
    }
    case 'i128':
      return (
        i64[left.cells / 8 + 2 * row] === i64[right.cells / 8 + 2 * row] &&
        i64[left.cells / 8 + 2 * row + 1] === i64[right.cells / 8 + 2 * row + 1]
      )
    default:
      return i64[left.cells / 8 + row] === i64[right.cells / 8 + row]
  }
}

function isValid(memory: LinearMemory, { validity }: Vector, row: number): boolean {
  return validity === 0 || ((memory.u8[validity + (row >> 3)]! >> (row & 7)) & 1) === 1
}
