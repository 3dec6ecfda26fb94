/** Records to rows and rows to records, one at a time by their values, each bad one set aside. For formats without a kernel. */
import { cellReaderOf, cellWriterOf } from '../data/cells.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { CellValue } from '../data/nested-cells.ts'
import type { Schema } from '../data/types.ts'
import { selectedRows } from '../data/values.ts'
import { type ByteSink, createByteSink, placeRecords } from './byte-sink.ts'
import type { DeadRecord, DecodedRecords, RecordEncoder } from './format.ts'
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

/** @param write adds one row's record to what is written already */
export function encodeRowByRow(
  memory: LinearMemory,
  write: (out: ByteSink, values: readonly CellValue[]) => void,
): RecordEncoder {
  const out = createByteSink()
  return {
    encode(batch) {
      const readers = batch.columns.map((column) => cellReaderOf(memory, column))
      const ends: number[] = []
      out.clear()
      for (const row of selectedRows(memory, batch)) {
        write(
          out,
          readers.map((read) => read(row)),
        )
        ends.push(out.length)
      }
      return placeRecords(memory, out.bytes(), ends)
    },
    dispose: () => undefined,
  }
}

function nullFault(columns: Schema, values: readonly CellValue[]): string | undefined {
  const at = columns.findIndex(({ type }, index) => !type.nullable && values[index] === null)
  return at < 0 ? undefined : `column ${columns[at]!.name}: null, but declared NOT NULL`
}

function tooLong(units: number): never {
  throw new RangeError(`a text of ${units} characters`)
}
