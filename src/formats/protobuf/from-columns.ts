/**
 * The Protobuf schema of a table's columns: numbers in their order, `optional` where NULL may be, DECIMAL as string, DATE as days, TIME as
 * microseconds of the day, times as google.protobuf.Timestamp, ROWs as nested messages.
 */
import type { DataType, Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'

export const DERIVED_MESSAGE = 'Record'

/** @throws FORMAT_TYPE_UNSUPPORTED */
export function protoSchemaOf(schema: Schema): string {
  const body = messageLines(DERIVED_MESSAGE, schema, '')
  const timestamp = body.some((line) => line.includes('google.protobuf.Timestamp'))
  return `${[
    'syntax = "proto3";',
    ...(timestamp ? ['import "google/protobuf/timestamp.proto";'] : []),
    ...body,
  ].join('\n')}\n`
}

function messageLines(name: string, fields: Schema, path: string): string[] {
  const inner: string[] = []
  const lines = fields.map((field, index) => {
    const place = path === '' ? field.name : `${path}.${field.name}`
    if (!/^[A-Za-z_]\w*$/.test(field.name))
      throw unsupported(place, `field named ${JSON.stringify(field.name)}`)
    return `  ${fieldText(field.type, field.name, place, inner)} ${field.name} = ${index + 1};`
  })
  return [`message ${name} {`, ...lines, ...inner.map((line) => `  ${line}`), '}']
}

function fieldText(type: DataType, name: string, path: string, inner: string[]): string {
  if (type.kind === 'array') return `repeated ${oneText(type.element, name, path, inner)}`
  if (type.kind === 'map') {
    const key = oneText(type.key, name, path, inner)
    if (!/^(string|bool|u?int\d+)$/.test(key))
      throw unsupported(path, `MAP with keys of ${type.key.kind.toUpperCase()}`)
    return `map<${key}, ${oneText(type.value, name, path, inner)}>`
  }
  const one = oneText(type, name, path, inner)
  const isMessage = type.kind === 'row' || one.startsWith('google.')
  return type.nullable && !isMessage ? `optional ${one}` : one
}

function oneText(type: DataType, name: string, path: string, inner: string[]): string {
  switch (type.kind) {
    case 'boolean':
      return 'bool'
    case 'float':
    case 'double':
      return type.kind
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'date':
      return 'int32'
    case 'bigint':
    case 'time':
      return 'int64'
    case 'char':
    case 'varchar':
    case 'decimal':
      return 'string'
    case 'binary':
    case 'varbinary':
      return 'bytes'
    case 'timestamp':
    case 'timestamp_ltz':
      return 'google.protobuf.Timestamp'
    case 'row': {
      const message = `${name[0]!.toUpperCase()}${name.slice(1)}Row`
      inner.push(...messageLines(message, type.fields, path))
      return message
    }
    default:
      throw unsupported(path, type.kind.replaceAll('_', ' ').toUpperCase())
  }
}

function unsupported(path: string, what: string): MillraceError {
  return new MillraceError('FORMAT_TYPE_UNSUPPORTED', {
    message: `column ${path}: Protobuf has no ${what} there`,
    hint: 'put it into a ROW, or CAST it to a type that Protobuf has',
    facts: { column: path },
  })
}
