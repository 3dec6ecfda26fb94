/** Which of a Kafka table's columns are in the key: those of 'key.fields', or the primary key of an upsert table. */
import type { Schema } from '../../data/types.ts'
import { type KeyFields, keyFieldsOf } from '../records/key-fields.ts'
import { optionInvalid } from './properties.ts'

interface KeyedTable {
  readonly table: string
  readonly options: Readonly<Record<string, string>>
  readonly primaryKey?: readonly string[]
}

/** @throws KAFKA_OPTION_INVALID */
export function kafkaKeyFields(
  { table, options, primaryKey = [] }: KeyedTable,
  isUpsert: boolean,
  declared: Schema,
): KeyFields {
  const invalid = (option: string, wanted: string) => optionInvalid(table, option, wanted)
  return keyFieldsOf(isUpsert ? { options, invalid, primaryKey } : { options, invalid }, declared)
}
