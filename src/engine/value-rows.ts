/** Batches as rows of values and back, for what is bounded and small: sorting, listed values, results at the library's edge. */
import { readerOf, writerOf } from '../compile/cells.ts'
import type { Value } from '../compile/value.ts'
import type { Batch } from '../data/batch.ts'
import type { LinearMemory } from '../data/memory.ts'
import type { Schema } from '../data/types.ts'
import { selectedRows } from '../data/values.ts'

export type ValueRow = readonly Value[]

/** The selected rows, copied out. */
export function valueRows(memory: LinearMemory, batch: Batch): ValueRow[] {
  const readers = batch.columns.map((column) => readerOf(memory, column))
  return [...selectedRows(memory, batch)].map((row) => readers.map((read) => read(row)))
}

/** A batch of +I rows in the arena. */
export function batchOfRows(
  memory: LinearMemory,
  schema: Schema,
  rows: readonly ValueRow[],
): Batch {
  const columns = schema.map(({ type }, index) => {
    const writer = writerOf(memory, type, rows.length)
    for (const [at, row] of rows.entries()) writer.set(at, row[index]!)
    return writer.vector
  })
  return { rowCount: rows.length, columns, kinds: 0, selection: 0, count: rows.length }
}

/** Text that equal rows share: a key for multisets of rows. */
export function rowText(row: ValueRow): string {
  return JSON.stringify(row, (_, value: unknown) =>
    typeof value === 'bigint'
      ? `${value}n`
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('base64')
        : typeof value === 'number' && !Number.isFinite(value)
          ? `${value}`
          : value,
  )
}
