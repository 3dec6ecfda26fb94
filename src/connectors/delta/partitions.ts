/** Sorts the rows of a batch by their partition: each gets the selection of its rows. */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { layoutOf, type Schema } from '../../data/types.ts'
import { invariant } from '../../errors.ts'
import { type CellValue, partitionText } from '../../lakehouse/delta/partition-values.ts'

export interface PartitionRows {
  /** Text by column, as the log has it. */
  readonly values: Readonly<Record<string, string | null>>
  /** One string for all of them: which partition this is. */
  readonly id: string
  readonly rows: readonly number[]
}

/** The batch's selected rows by partition, in order within each. `columns` are the partition columns' places in the batch. */
export function partitionRows(
  memory: LinearMemory,
  batch: Batch,
  schema: Schema,
  columns: readonly number[],
): readonly PartitionRows[] {
  const found = new Map<
    string,
    { values: Record<string, string | null>; id: string; rows: number[] }
  >()
  // Rows of one partition often follow each other: their cells are compared before any text is made.
  let last: { row: number; rows: number[] } | undefined
  for (let at = 0; at < batch.count; at++) {
    const row = batch.selection === 0 ? at : memory.u32[(batch.selection >>> 2) + at]!
    if (last !== undefined && sameCells(memory, batch.columns, columns, last.row, row)) {
      last.rows.push(row)
      continue
    }
    const values: Record<string, string | null> = Object.create(null)
    for (const column of columns) {
      const { name, type } = schema[column]!
      values[name] = partitionText(type, cellValue(memory, batch.columns[column]!, row))
    }
    const id = JSON.stringify(Object.values(values))
    const partition = found.get(id) ?? { values, id, rows: [] }
    found.set(id, partition)
    partition.rows.push(row)
    last = { row, rows: partition.rows }
  }
  return [...found.values()]
}

function sameCells(
  memory: LinearMemory,
  vectors: readonly Vector[],
  columns: readonly number[],
  a: number,
  b: number,
): boolean {
  for (const column of columns) {
    const { cells, validity, type } = vectors[column]!
    // A bytes cell that is the same view has the same bytes; another view is looked into by its text.
    if (validity !== 0 || layoutOf(type) === 'i128') return false
    const at = cells >>> 2
    const same =
      memory.u32[at + 2 * a] === memory.u32[at + 2 * b] &&
      memory.u32[at + 2 * a + 1] === memory.u32[at + 2 * b + 1]
    if (!same) return false
  }
  return true
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** A cell of a type that may partition. */
export function cellValue(memory: LinearMemory, vector: Vector, row: number): CellValue {
  const { validity, cells, type } = vector
  if (validity !== 0 && ((memory.u8[validity + (row >>> 3)]! >> (row & 7)) & 1) === 0) return null
  switch (layoutOf(type)) {
    case 'i64':
      return memory.i64[cells / 8 + row]!
    case 'f64':
      return memory.f64[cells / 8 + row]!
    case 'i128': {
      const at = cells / 8 + 2 * row
      return (memory.i64[at + 1]! << 64n) | BigInt.asUintN(64, memory.i64[at]!)
    }
    case 'bytes': {
      const at = cells / 4 + 2 * row
      const address = memory.u32[at]!
      return utf8.decode(memory.u8.slice(address, address + memory.u32[at + 1]!))
    }
    default:
      invariant(false, `a ${type.kind} has no single cell`)
  }
}
