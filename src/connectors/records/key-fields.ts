/** Which of a table's columns are in the record's key and which in its value: 'key.fields', 'key.fields-prefix', 'value.fields-include'. */
import type { Schema } from '../../data/types.ts'
import type { MillraceError } from '../../errors.ts'
import { formatMetadataKey } from '../formats.ts'

export interface FieldsRequest {
  readonly options: Readonly<Record<string, string>>
  /** Of an upsert table: its key is the primary key. */
  readonly primaryKey?: readonly string[]
  /** What is thrown of an option that is not as it must be. */
  invalid(option: string, wanted: string): MillraceError
}

export interface KeyFields {
  /** Names of the key's columns in the table. */
  readonly names: readonly string[]
  readonly prefix: string
  readonly isInValue: boolean
}

/** Which column of a table is which: names of the key's fields without their prefix. */
export interface ColumnPlaces {
  /** For each column of the schema: in the value, in the key, or metadata. */
  readonly places: readonly ColumnPlace[]
  readonly valueSchema: Schema
  /** By column of `valueSchema`: the metadata of its format that it is. */
  readonly valueMetadata: readonly (string | undefined)[]
  readonly keySchema: Schema
}

export type ColumnPlace =
  | { readonly kind: 'value' | 'key'; readonly index: number }
  | { readonly kind: 'metadata'; readonly key: string }

/** @throws what `request.invalid` makes */
export function keyFieldsOf(request: FieldsRequest, declared: Schema): KeyFields {
  const { options } = request
  const written = (options['key.fields'] ?? '').split(';').filter((name) => name !== '')
  const names = request.primaryKey ?? written
  const prefix = options['key.fields-prefix'] ?? ''
  const isInValue = options['value.fields-include'] !== 'EXCEPT_KEY'
  const hasFormat = options['key.format'] !== undefined
  if (hasFormat !== names.length > 0)
    throw request.invalid(
      hasFormat ? 'key.fields' : 'key.format',
      "'key.format' and 'key.fields' are given together",
    )
  if (prefix !== '' && isInValue)
    throw request.invalid(
      'key.fields-prefix',
      "a prefix needs 'value.fields-include' = 'EXCEPT_KEY': else the value's fields have it too",
    )
  for (const name of names) {
    if (!declared.some((field) => field.name === name))
      throw request.invalid('key.fields', `${name} is no column of the table`)
    if (!name.startsWith(prefix))
      throw request.invalid('key.fields-prefix', `the name of ${name} does not begin with it`)
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
  const valueMetadata: (string | undefined)[] = []
  const keySchema: Schema[number][] = []
  const places = schema.map((field, column): ColumnPlace => {
    const key = metadataKeys[column]
    const ofFormat = formatMetadataKey(key)
    if (key !== undefined && ofFormat === undefined) return { kind: 'metadata', key }
    if (
      ofFormat === undefined &&
      (isUpsert || !fields.isInValue) &&
      fields.names.includes(field.name)
    ) {
      keySchema.push({ ...field, name: field.name.slice(fields.prefix.length) })
      return { kind: 'key', index: keySchema.length - 1 }
    }
    valueSchema.push(field)
    valueMetadata.push(ofFormat)
    return { kind: 'value', index: valueSchema.length - 1 }
  })
  return { places, valueSchema, valueMetadata, keySchema }
}
