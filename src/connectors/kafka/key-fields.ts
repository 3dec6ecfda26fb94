/** Which of a table's columns are in the record's key and which in its value: 'key.fields', 'key.fields-prefix', 'value.fields-include'. */
import type { Schema } from '../../data/types.ts'
import { optionInvalid } from './properties.ts'
import type { ColumnPlace, ColumnPlaces } from './record-columns.ts'

export interface FieldsRequest {
  readonly table: string
  readonly options: Readonly<Record<string, string>>
  /** For `upsert-kafka`: its key is the primary key. */
  readonly primaryKey?: readonly string[]
}

export interface KeyFields {
  /** Names of the key's columns in the table. */
  readonly names: readonly string[]
  readonly prefix: string
  readonly isInValue: boolean
}

/** @throws KAFKA_OPTION_INVALID */
export function keyFieldsOf(request: FieldsRequest, declared: Schema): KeyFields {
  const { options, table } = request
  const written = (options['key.fields'] ?? '').split(';').filter((name) => name !== '')
  const names = request.primaryKey ?? written
  const prefix = options['key.fields-prefix'] ?? ''
  const isInValue = options['value.fields-include'] !== 'EXCEPT_KEY'
  const hasFormat = options['key.format'] !== undefined
  if (hasFormat !== names.length > 0)
    throw optionInvalid(
      table,
      hasFormat ? 'key.fields' : 'key.format',
      "'key.format' and 'key.fields' are given together",
    )
  if (prefix !== '' && isInValue)
    throw optionInvalid(
      table,
      'key.fields-prefix',
      "a prefix needs 'value.fields-include' = 'EXCEPT_KEY': else the value's fields have it too",
    )
  for (const name of names) {
    if (!declared.some((field) => field.name === name))
      throw optionInvalid(table, 'key.fields', `${name} is no column of the table`)
    if (!name.startsWith(prefix))
      throw optionInvalid(table, 'key.fields-prefix', `the name of ${name} does not begin with it`)
  }
  return { names, prefix, isInValue }
}

/** The key's fields as they stand in the key, of columns in the order of `key.fields`. */
export function keySchemaOf({ names, prefix }: KeyFields, schema: Schema): Schema {
  return names.flatMap((name) => {
    const field = schema.find((each) => each.name === name)
    return field === undefined ? [] : [{ ...field, name: name.slice(prefix.length) }]
  })
}

/** What stands in the value, of `schema`'s columns. */
export function valueSchemaOf({ names, isInValue }: KeyFields, schema: Schema): Schema {
  return isInValue ? schema : schema.filter(({ name }) => !names.includes(name))
}

/** Where each column of a scan comes from. What is in both is taken from the value, as in Flink, unless the key always counts. */
export function columnPlaces(
  fields: KeyFields,
  schema: Schema,
  metadataKeys: readonly (string | undefined)[],
  isUpsert: boolean,
): ColumnPlaces {
  const valueSchema: Schema[number][] = []
  const keySchema: Schema[number][] = []
  const places = schema.map((field, column): ColumnPlace => {
    const key = metadataKeys[column]
    if (key !== undefined) return { kind: 'metadata', key }
    if ((isUpsert || !fields.isInValue) && fields.names.includes(field.name)) {
      keySchema.push({ ...field, name: field.name.slice(fields.prefix.length) })
      return { kind: 'key', index: keySchema.length - 1 }
    }
    valueSchema.push(field)
    return { kind: 'value', index: valueSchema.length - 1 }
  })
  return { places, valueSchema, keySchema }
}
