/** Columns of results that are filled round by round, by position. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes, type DataType } from '../../data/types.ts'
import { withOwnBytes } from './change-rows.ts'

export interface ResultColumns {
  readonly columns: readonly Vector[]
  /** `results[i]` is of position `positions[i]` (u32s). Texts are copied. */
  fill(positions: Pointer, count: number, results: readonly Vector[]): void
}

export function resultColumns(
  memory: LinearMemory,
  types: readonly DataType[],
  count: number,
): ResultColumns {
  const columns = types.map(
    (type): Vector => ({
      type,
      cells: memory.arena.allocate(cellBytes(type) * count),
      validity: memory.arena.allocateCleared((count + 7) >> 3),
    }),
  )
  return {
    columns,
    fill(positions, filled, results) {
      withOwnBytes(memory, results, filled).forEach((result, index) => {
        scatter(memory, positions, filled, result, columns[index]!)
      })
    },
  }
}

function scatter(
  { u32, u8, i64 }: LinearMemory,
  positions: Pointer,
  count: number,
  from: Vector,
  into: Vector,
): void {
  const words = cellBytes(into.type) / 8
  for (let at = 0; at < count; at++) {
    const position = u32[positions / 4 + at]!
    for (let word = 0; word < words; word++)
      i64[into.cells / 8 + words * position + word] = i64[from.cells / 8 + words * at + word]!
    const isValid = from.validity === 0 || ((u8[from.validity + (at >> 3)]! >> (at & 7)) & 1) === 1
    if (isValid) u8[into.validity + (position >> 3)]! |= 1 << (position & 7)
  }
}
