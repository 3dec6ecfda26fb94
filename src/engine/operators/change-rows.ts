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
    if (column.children !== undefined)
      return { ...column, children: withOwnBytes(memory, column.children, count) }
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
  const validityOf = (old: Pointer, now: Pointer): Pointer => {
    if (old === 0 && now === 0) return 0
    const validity = memory.arena.allocateCleared((2 * count + 7) >> 3)
    kernel.interleaveBits(old, now, count, validity)
    return validity
  }
  return after.map((column, index) => {
    const { type } = column
    const old = before[index]!
    const validity = validityOf(old.validity, column.validity)
    if (column.children !== undefined) {
      const children = interleaved(memory, old.children!, column.children, count)
      return { type, cells: 0, validity, children }
    }
    const width = cellBytes(type)
    const cells = memory.arena.allocate(2 * width * count)
    kernel.interleave(old.cells, column.cells, count, width === 16 ? 1 : 0, cells)
    return { type, cells, validity }
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
  const mark = (old: Vector, { type, cells, validity, children }: Vector): void => {
    const kind = KEY_KIND[layoutOf(type)]
    // A ROW has no cells: there is one before and after, or there is not.
    const none = children === undefined ? 0 : memory.arena.allocateCleared(8 * count)
    const [from, to] = children === undefined ? [old.cells, cells] : [none, none]
    kernel.markChanged(from, old.validity, to, validity, count, kind, changed)
    for (const [index, child] of (children ?? []).entries()) mark(old.children![index]!, child)
  }
  for (const [index, column] of after.entries()) mark(before[index]!, column)
  return changed
}

function isValid(memory: LinearMemory, { validity }: Vector, row: number): boolean {
  return validity === 0 || ((memory.u8[validity + (row >> 3)]! >> (row & 7)) & 1) === 1
}
