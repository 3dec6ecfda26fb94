/** Rows as JSON records, one cell of bytes a row, in the arena: what a topic's values and keys are made of. */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { jsonText, selectedRows, type Value, valueAt } from '../../data/values.ts'

export interface JsonRowsOptions {
  readonly memory: LinearMemory
  /** What the object's fields are called. */
  readonly schema: Schema
  /** Per field, the column of the batch that it is taken from. */
  readonly columns: readonly number[]
  readonly timestampFormat: 'SQL' | 'ISO-8601'
}

/** Writes the selected rows of a batch; cells of other rows hold anything. */
export function jsonRows(options: JsonRowsOptions): (batch: Batch) => Pointer {
  const { memory, schema, columns } = options
  const encoder = new TextEncoder()
  const names = schema.map((field) => JSON.stringify(field.name))
  return (batch) => {
    const cells = memory.arena.allocate(8 * batch.rowCount)
    for (const row of selectedRows(memory, batch)) {
      const members = columns.map((column, field) => {
        const vector = batch.columns[column]!
        return `${names[field]}:${fieldText(memory, vector, row, options.timestampFormat)}`
      })
      const bytes = encoder.encode(`{${members.join(',')}}`)
      const address = memory.arena.allocate(bytes.length)
      memory.u8.set(bytes, address)
      memory.u32[(cells >> 2) + 2 * row] = address
      memory.u32[(cells >> 2) + 2 * row + 1] = bytes.length
    }
    return cells
  }
}

function fieldText(
  memory: LinearMemory,
  vector: Vector,
  row: number,
  format: 'SQL' | 'ISO-8601',
): string {
  const value: Value = valueAt(memory, vector, row)
  const { kind } = vector.type
  if (value === null || (kind !== 'timestamp' && kind !== 'timestamp_ltz')) return jsonText(value)
  const text = value instanceof Date ? value.toISOString() : String(value)
  return JSON.stringify(text.replace(/[T ]/, format === 'SQL' ? ' ' : 'T'))
}
