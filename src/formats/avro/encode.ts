/** Rows as Avro records of a schema. */
import type { Batch } from '../../data/batch.ts'
import { cellReaderOf } from '../../data/cells.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { selectedRows } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import { createByteSink, placeRecords } from '../byte-sink.ts'
import type { RecordEncoder } from '../format.ts'
import type { AvroSchema } from './types.ts'
import { recordWriter } from './write-value.ts'

/**
 * @param head stands in front of each record
 * @throws SCHEMA_INVALID if the schema can't hold the columns
 */
export function createAvroEncoder(
  memory: LinearMemory,
  table: string,
  columns: Schema,
  schema: AvroSchema,
  head: Uint8Array,
): RecordEncoder {
  const write = checkedWriter(table, columns, schema)
  const out = createByteSink()
  return {
    encode(batch: Batch): Pointer {
      const readers = batch.columns.map((column) => cellReaderOf(memory, column))
      const ends: number[] = []
      out.clear()
      for (const row of selectedRows(memory, batch)) {
        out.raw(head)
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

/** @throws SCHEMA_INVALID */
export function checkedWriter(table: string, columns: Schema, schema: AvroSchema) {
  const write = schema.kind === 'record' ? recordWriter(schema, columns) : undefined
  if (write !== undefined) return write
  throw new MillraceError('SCHEMA_INVALID', {
    message: `table ${table}: its Avro schema can't hold its columns`,
    hint: 'it is a record with a field for each column, of a type that holds it; NULLs need a union with null',
    facts: { table },
  })
}
