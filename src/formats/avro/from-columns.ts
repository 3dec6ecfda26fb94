/**
 * The Avro schema of a table's columns, as Flink derives it: a record named 'record', NULLs as a union with null in front, ROWs as records
 * named for their place. TIMESTAMP and TIMESTAMP_LTZ are timestamp-millis up to 3 digits and timestamp-micros beyond; with
 * 'avro.timestamp_mapping.legacy' = 'false' TIMESTAMP is local-timestamp-*, as in newer Flink.
 */
import type { DataType, Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'

type Json = string | { readonly [key: string]: unknown } | readonly Json[]

/** @throws FORMAT_TYPE_UNSUPPORTED */
export function avroSchemaOf(schema: Schema, legacyTimestamps: boolean): string {
  return JSON.stringify(recordOf('record', schema, legacyTimestamps))
}

function recordOf(name: string, fields: Schema, legacy: boolean): Json {
  return {
    type: 'record',
    name,
    namespace: 'org.apache.flink.avro.generated',
    fields: fields.map((field) => {
      const type = typeOf(field.type, `${name}_${field.name}`, legacy)
      return field.type.nullable
        ? { name: field.name, type: ['null', type], default: null }
        : { name: field.name, type }
    }),
  }
}

function inside(type: DataType, name: string, legacy: boolean): Json {
  const found = typeOf(type, name, legacy)
  return type.nullable ? ['null', found] : found
}

function typeOf(type: DataType, name: string, legacy: boolean): Json {
  switch (type.kind) {
    case 'boolean':
    case 'float':
    case 'double':
      return type.kind
    case 'tinyint':
    case 'smallint':
    case 'int':
      return 'int'
    case 'bigint':
      return 'long'
    case 'char':
    case 'varchar':
      return 'string'
    case 'binary':
    case 'varbinary':
      return 'bytes'
    case 'decimal': {
      const { precision, scale } = type
      return { type: 'bytes', logicalType: 'decimal', precision, scale }
    }
    case 'date':
      return { type: 'int', logicalType: 'date' }
    case 'time':
      return type.precision <= 3
        ? { type: 'int', logicalType: 'time-millis' }
        : { type: 'long', logicalType: 'time-micros' }
    case 'timestamp':
    case 'timestamp_ltz': {
      const unit = type.precision <= 3 ? 'millis' : 'micros'
      const local = type.kind === 'timestamp' && !legacy ? 'local-' : ''
      return { type: 'long', logicalType: `${local}timestamp-${unit}` }
    }
    case 'array':
      return { type: 'array', items: inside(type.element, name, legacy) }
    case 'map':
      if (type.key.kind !== 'varchar' && type.key.kind !== 'char')
        throw unsupported(name, 'MAP with keys that are not strings')
      return { type: 'map', values: inside(type.value, name, legacy) }
    case 'row':
      return recordOf(name, type.fields, legacy)
    default:
      throw unsupported(name, type.kind.replaceAll('_', ' ').toUpperCase())
  }
}

function unsupported(name: string, what: string): MillraceError {
  const column = name.replace(/^record_/, '').replaceAll('_', '.')
  return new MillraceError('FORMAT_TYPE_UNSUPPORTED', {
    message: `column ${column}: Avro has no ${what}`,
    hint: 'CAST it to a type that Avro has: BIGINT or STRING',
    facts: { column },
  })
}
