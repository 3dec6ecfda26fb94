/** Rows as Avro records of a schema. */
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { RecordEncoder } from '../format.ts'
import { encodeRowByRow } from '../row-values.ts'
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
  return encodeRowByRow(memory, (out, values) => {
    out.raw(head)
    write(out, values)
  })
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
