/** Rows before and after a batch, side by side: what a changelog is made of. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, layoutOf } from '../../data/types.ts'
import { groupKernel, KEY_KIND } from '../../kernels/group.ts'

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
  const kernel = groupKernel(memory)
  return after.map((column, index) => {
    const old = before[index]!
    const width = cellBytes(column.type)
    const cells = memory.arena.allocate(2 * width * count)
    kernel.interleave(old.cells, column.cells, count, width === 16 ? 1 : 0, cells)
    if (old.validity === 0 && column.validity === 0)
      return { type: column.type, cells, validity: 0 }
    const validity = memory.arena.allocateCleared((2 * count + 7) >> 3)
    kernel.interleaveBits(old.validity, column.validity, count, validity)
    return { type: column.type, cells, validity }
  })
}

/** A byte a row: 1 where any column differs before and after. NULL is equal to NULL, bytes are compared by content. */
export function changedRows(
  memory: LinearMemory,
  before: readonly Vector[],
  after: readonly Vector[],
  count: number,
): Pointer {
  const kernel = groupKernel(memory)
  const changed = memory.arena.allocateCleared(count)
  for (const [index, { type, cells, validity }] of after.entries()) {
    const old = before[index]!
    const kind = KEY_KIND[layoutOf(type)]
    kernel.markChanged(old.cells, old.validity, cells, validity, count, kind, changed)
  }
  return changed
}

function isValid(memory: LinearMemory, { validity }: Vector, row: number): boolean {
  return validity === 0 || ((memory.u8[validity + (row >> 3)]! >> (row & 7)) & 1) === 1
}
