/** A column with one value in every row: what a partition column is within a file. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { type DataType, layoutOf } from '../../data/types.ts'
import { emptyVector } from '../../formats/parquet/fill.ts'
import type { CellValue } from '../../lakehouse/delta/partition-values.ts'

export function constantVector(
  memory: LinearMemory,
  type: DataType,
  value: CellValue,
  rowCount: number,
): Vector {
  if (value === null) return emptyVector(memory, type, rowCount)
  switch (layoutOf(type)) {
    case 'i128': {
      const cells = memory.arena.allocate(16 * rowCount)
      const [low, high] = [BigInt.asIntN(64, BigInt(value)), BigInt(value) >> 64n]
      for (let row = 0; row < rowCount; row++) {
        memory.i64[cells / 8 + 2 * row] = low
        memory.i64[cells / 8 + 2 * row + 1] = high
      }
      return { type, cells, validity: 0 }
    }
    case 'f64': {
      const cells = memory.arena.allocate(8 * rowCount)
      memory.f64.fill(Number(value), cells / 8, cells / 8 + rowCount)
      return { type, cells, validity: 0 }
    }
    case 'bytes': {
      const bytes = new TextEncoder().encode(String(value))
      const address = memory.arena.allocate(bytes.length)
      memory.u8.set(bytes, address)
      const view = BigInt(address) | (BigInt(bytes.length) << 32n)
      return { type, cells: filled(memory, view, rowCount), validity: 0 }
    }
    default:
      return { type, cells: filled(memory, BigInt(value), rowCount), validity: 0 }
  }
}

function filled(memory: LinearMemory, cell: bigint, rowCount: number): number {
  const cells = memory.arena.allocate(8 * rowCount)
  memory.i64.fill(BigInt.asIntN(64, cell), cells / 8, cells / 8 + rowCount)
  return cells
}
