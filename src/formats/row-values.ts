/** Decoders that read one record at a time into values: records to rows, each bad one set aside. For formats without a kernel. */
import { cellWriterOf } from '../data/cells.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { CellValue } from '../data/nested-cells.ts'
import type { Schema } from '../data/types.ts'
import type { DeadRecord, DecodedRecords } from './format.ts'
import { selectGood } from './selection.ts'

/** Values of the columns, in order; a text: why the record is dead. */
export type RowOf = (record: Uint8Array, row: number) => readonly CellValue[] | string

/**
 * Rows that `dead` names already are passed over. NULL in a NOT NULL column makes a record dead.
 * @param skip the bytes in front of a row's record
 */
export function decodeRowByRow(
  memory: LinearMemory,
  columns: Schema,
  values: Pointer,
  count: number,
  rowOf: RowOf,
  dead: DeadRecord[] = [],
  skip: (row: number) => number = () => 0,
): DecodedRecords {
  const refused = new Set(dead.map(({ row }) => row))
  const writers = columns.map(({ type }) => cellWriterOf(memory, type, count, tooLong))
  for (let row = 0; row < count; row++) {
    if (refused.has(row)) continue
    const words = (values >>> 2) + 2 * row
    const address = memory.u32[words]!
    if (address === 0) {
      dead.push({ row, reason: 'the record has no value' })
      continue
    }
    const from = address + skip(row)
    const read = rowOf(memory.u8.slice(from, address + memory.u32[words + 1]!), row)
    const reason = typeof read === 'string' ? read : nullFault(columns, read)
    if (reason !== undefined) dead.push({ row, reason })
    else
      for (const [index, writer] of writers.entries())
        writer.set(row, (read as readonly CellValue[])[index]!)
  }
  dead.sort((left, right) => left.row - right.row)
  return {
    columns: writers.map(({ vector }) => vector),
    rowCount: count,
    selection: dead.length === 0 ? 0 : selectGood(memory, count, dead),
    count: count - dead.length,
    kinds: 0,
    records: 0,
    dead,
  }
}

function nullFault(columns: Schema, values: readonly CellValue[]): string | undefined {
  const at = columns.findIndex(({ type }, index) => !type.nullable && values[index] === null)
  return at < 0 ? undefined : `column ${columns[at]!.name}: null, but declared NOT NULL`
}

function tooLong(units: number): never {
  throw new RangeError(`a text of ${units} characters`)
}
