/** TypeScript types of rows, from the types of their columns: the same table as in `data/values.ts`, written out. */
import type { DataType, Schema } from '../data/types.ts'

export interface NamedSchema {
  readonly name: string
  /** A line for the reader: where it stands. */
  readonly about: string
  readonly schema: Schema
}

/** A `.d.ts` of all schemas: an interface a row, and one that maps the names to them. */
export function rowTypesText(schemas: readonly NamedSchema[]): string {
  const rows = schemas.map(
    ({ name, about, schema }) =>
      `/** ${about.replaceAll('*/', '* /')} */\nexport interface ${interfaceName(name)} {\n${membersText(schema, '  ')}}\n`,
  )
  const map = schemas.map(
    ({ name }) => `  readonly ${propertyName(name)}: ${interfaceName(name)}\n`,
  )
  return [
    '// Made by `millrace gen` from tables/ and pipelines/: do not edit.\n',
    ...rows,
    `/** Every table and query of the project, by name. */\nexport interface Rows {\n${map.join('')}}\n`,
  ].join('\n')
}

function membersText(schema: Schema, indent: string): string {
  return schema
    .map(({ name, type }) => `${indent}readonly ${propertyName(name)}: ${typeOf(type, indent)}\n`)
    .join('')
}

function typeOf(type: DataType, indent: string): string {
  const text = valueType(type, indent)
  return type.nullable && type.kind !== 'null' ? `${text} | null` : text
}

function valueType(type: DataType, indent: string): string {
  switch (type.kind) {
    case 'boolean':
      return 'boolean'
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'float':
    case 'double':
      return 'number'
    case 'bigint':
    case 'interval_day_second':
    case 'interval_year_month':
      return 'bigint'
    case 'decimal':
    case 'char':
    case 'varchar':
    case 'date':
    case 'time':
    case 'timestamp':
      return 'string'
    case 'timestamp_ltz':
      return type.precision <= 3 ? 'Date' : 'string'
    case 'binary':
    case 'varbinary':
      return 'Uint8Array'
    case 'row':
      return `{\n${membersText(type.fields, `${indent}  `)}${indent}}`
    case 'array':
      return `readonly (${typeOf(type.element, indent)})[]`
    case 'map':
      return `readonly (readonly [${typeOf(type.key, indent)}, ${typeOf(type.value, indent)}])[]`
    case 'null':
      return 'null'
  }
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
}

/** 'shop_orders' is ShopOrdersRow. */
export function interfaceName(name: string): string {
  const words = name.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  const joined = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
  return `${/^[A-Z]/.test(joined) ? '' : '_'}${joined}Row`
}
