/**
 * The JSON Schema of a table's columns, as the encoder writes them: closed, so that a column can be added; what may be NULL says so, what is
 * NOT NULL is required.
 */
import type { DataType, Schema } from '../../data/types.ts'
import { checkJsonType } from './check-type.ts'

type Json = { readonly [key: string]: unknown }

/** @throws JSON_TYPE_UNSUPPORTED */
export function jsonSchemaOf(schema: Schema): string {
  for (const field of schema) checkJsonType(field.type, field.name)
  const $schema = 'http://json-schema.org/draft-07/schema#'
  return JSON.stringify({ $schema, title: 'Record', ...objectOf(schema) })
}

function objectOf(fields: Schema): Json {
  return {
    type: 'object',
    additionalProperties: false,
    // Of entries, so that a column called __proto__ is one.
    properties: Object.fromEntries(fields.map((field) => [field.name, typeOf(field.type)])),
    required: fields.filter(({ type }) => !type.nullable).map(({ name }) => name),
  }
}

function typeOf(type: DataType): Json {
  const { type: name, ...rest } = plainType(type)
  return type.nullable ? { type: [name, 'null'], ...rest } : { type: name, ...rest }
}

function plainType(type: DataType): Json {
  switch (type.kind) {
    case 'boolean':
      return { type: 'boolean' }
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return { type: 'integer' }
    case 'decimal':
      return { type: 'number' }
    case 'float':
    case 'double':
      return { type: 'number' }
    case 'row':
      return objectOf(type.fields)
    case 'array':
      return { type: 'array', items: typeOf(type.element) }
    case 'map':
      return { type: 'object', additionalProperties: typeOf(type.value) }
    default:
      return { type: 'string' }
  }
}
