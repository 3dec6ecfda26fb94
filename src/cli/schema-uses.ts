/** Where a table's records stand under subjects of a registry: by its formats, of keys and of values, and with which of its columns. */
import type { Field } from '../data/types.ts'
import type { SchemaType } from '../formats/schema-source.ts'
import type { TableDefinition } from '../plan/tables.ts'

export interface SchemaUse {
  readonly subject: string
  /** 'avro-confluent' and the like; 'json' for lines that `produce` holds to a JSON Schema. */
  readonly format: string
  readonly type: SchemaType
  /** Its options, without what stands in front of their names. */
  option(name: string): string | undefined
  /** Of `columns`, those that stand in such records, by the names they have there. */
  fields(columns: readonly Field[]): readonly Field[]
}

export function schemaUses(table: TableDefinition): readonly SchemaUse[] {
  const { options } = table
  const value = options['value.format'] ?? options.format
  const prefix = options['value.format'] === undefined ? '' : 'value.'
  return [
    ...useOf(table, 'value', value, prefix),
    ...useOf(table, 'key', options['key.format'], 'key.'),
  ]
}

function useOf(
  table: TableDefinition,
  role: 'key' | 'value',
  format: string | undefined,
  prefix: string,
): readonly SchemaUse[] {
  const { options } = table
  const isGoverned = format?.endsWith('-confluent') || (format === 'json' && role === 'value')
  if (format === undefined || isGoverned !== true) return []
  const option = (name: string): string | undefined => options[`${prefix}${format}.${name}`]
  return [
    {
      format,
      type: format.includes('avro') ? 'AVRO' : format.includes('json') ? 'JSON' : 'PROTOBUF',
      option,
      subject: option('subject') ?? `${options.topic ?? ''}-${role}`,
      fields: (columns) =>
        role === 'key' ? keyFields(table, columns) : valueFields(table, columns),
    },
  ]
}

function keyNames({ options, primaryKey }: TableDefinition): readonly string[] {
  const written = options['key.fields']?.split(';').filter((name) => name !== '')
  return written ?? primaryKey ?? []
}

function keyFields(table: TableDefinition, columns: readonly Field[]): readonly Field[] {
  const names = keyNames(table)
  const cut = (table.options['key.fields-prefix'] ?? '').length
  return columns
    .filter(({ name }) => names.includes(name))
    .map((field) => ({ ...field, name: field.name.slice(cut) }))
}

function valueFields(table: TableDefinition, columns: readonly Field[]): readonly Field[] {
  if (table.options['value.fields-include'] !== 'EXCEPT_KEY') return columns
  const names = keyNames(table)
  return columns.filter(({ name }) => !names.includes(name))
}
