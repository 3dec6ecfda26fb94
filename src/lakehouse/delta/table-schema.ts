/**
 * SQL types and Delta's, both ways.
 *
 *   BOOLEAN boolean   TINYINT byte   SMALLINT short   INT integer   BIGINT long   FLOAT float   DOUBLE double
 *   DECIMAL(p, s) decimal(p,s)   CHAR, VARCHAR, STRING string   BINARY, VARBINARY, BYTES binary   DATE date
 *   TIMESTAMP timestamp_ntz   TIMESTAMP_LTZ timestamp   ROW struct   ARRAY array   MAP map
 *
 * TIME and INTERVAL have no Delta type. Lengths and precisions of times are not kept by Delta.
 *
 * @see Delta protocol, "Schema Serialization Format"
 */
import { z } from 'zod'
import { type DataType, type Schema, types, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { logCorrupt } from './actions.ts'

type DeltaType =
  | string
  | { readonly type: 'struct'; readonly fields: readonly DeltaField[] }
  | { readonly type: 'array'; readonly elementType: DeltaType; readonly containsNull: boolean }
  | {
      readonly type: 'map'
      readonly keyType: DeltaType
      readonly valueType: DeltaType
      readonly valueContainsNull: boolean
    }

interface DeltaField {
  readonly name: string
  readonly type: DeltaType
  readonly nullable: boolean
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
}

const deltaType: z.ZodType<DeltaType> = z.lazy(() =>
  z.union([
    z.string(),
    z.object({ type: z.literal('struct'), fields: z.array(deltaField) }),
    z.object({ type: z.literal('array'), elementType: deltaType, containsNull: z.boolean() }),
    z.object({
      type: z.literal('map'),
      keyType: deltaType,
      valueType: deltaType,
      valueContainsNull: z.boolean(),
    }),
  ]),
)
const deltaField: z.ZodType<DeltaField> = z.object({
  name: z.string(),
  type: deltaType,
  nullable: z.boolean(),
  metadata: z.record(z.string(), z.unknown()).optional(),
})
const deltaStruct = z.object({ type: z.literal('struct'), fields: z.array(deltaField) })

/** @throws DELTA_TYPE_UNSUPPORTED naming the column */
export function schemaText(schema: Schema): string {
  return JSON.stringify({ type: 'struct', fields: schema.map((field) => fieldOf(field, [])) })
}

/** `existing` (a table's schemaString) with `added` columns at its end, all else as it was. */
export function schemaTextWith(existing: string, added: Schema): string {
  const struct = deltaStruct.parse(JSON.parse(existing))
  const fields = [...struct.fields, ...added.map((field) => fieldOf(field, []))]
  return JSON.stringify({ type: 'struct', fields })
}

/**
 * @throws DELTA_LOG_CORRUPT if the text is no schema
 * @throws DELTA_TYPE_UNSUPPORTED for types Millrace has not (variant, interval, ...)
 */
export function parseSchemaText(text: string): Schema {
  let struct: z.output<typeof deltaStruct>
  try {
    struct = deltaStruct.parse(JSON.parse(text))
  } catch (cause) {
    throw logCorrupt('_delta_log', 'metaData.schemaString is not a schema', cause)
  }
  return struct.fields.map((field) => ({
    name: field.name,
    type: withNullability(dataTypeOf(field.type, [field.name]), field.nullable),
  }))
}

export function hasTimestampNtz(schema: Schema): boolean {
  return schema.some(({ type }) => holdsTimestampNtz(type))
}

function holdsTimestampNtz(type: DataType): boolean {
  switch (type.kind) {
    case 'timestamp':
      return true
    case 'row':
      return hasTimestampNtz(type.fields)
    case 'array':
      return holdsTimestampNtz(type.element)
    case 'map':
      return holdsTimestampNtz(type.key) || holdsTimestampNtz(type.value)
    default:
      return false
  }
}

function fieldOf(field: Schema[number], parents: readonly string[]): DeltaField {
  const type = deltaTypeOf(field.type, [...parents, field.name])
  return { name: field.name, type, nullable: field.type.nullable, metadata: {} }
}

/** Delta's type of a SQL type; `path` is for messages. */
export function deltaTypeOf(type: DataType, path: readonly string[]): DeltaType {
  switch (type.kind) {
    case 'row':
      return { type: 'struct', fields: type.fields.map((field) => fieldOf(field, path)) }
    case 'array': {
      const elementType = deltaTypeOf(type.element, [...path, 'element'])
      return { type: 'array', elementType, containsNull: type.element.nullable }
    }
    case 'map':
      return {
        type: 'map',
        keyType: deltaTypeOf(type.key, [...path, 'key']),
        valueType: deltaTypeOf(type.value, [...path, 'value']),
        valueContainsNull: type.value.nullable,
      }
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    default: {
      const name = SCALARS[type.kind]
      if (name === undefined) throw unsupportedType(path, type.kind.toUpperCase(), 'Delta')
      return name
    }
  }
}

const SCALARS: Readonly<Partial<Record<DataType['kind'], string>>> = {
  boolean: 'boolean',
  tinyint: 'byte',
  smallint: 'short',
  int: 'integer',
  bigint: 'long',
  float: 'float',
  double: 'double',
  char: 'string',
  varchar: 'string',
  binary: 'binary',
  varbinary: 'binary',
  date: 'date',
  timestamp: 'timestamp_ntz',
  timestamp_ltz: 'timestamp',
}

const FROM_SCALARS: Readonly<Record<string, DataType>> = {
  boolean: types.boolean,
  byte: types.tinyint,
  short: types.smallint,
  integer: types.int,
  long: types.bigint,
  float: types.float,
  double: types.double,
  string: types.string,
  binary: types.bytes,
  date: types.date,
  timestamp_ntz: types.timestamp(6),
  timestamp: types.timestampLtz(6),
}

function dataTypeOf(type: DeltaType, path: readonly string[]): DataType {
  if (typeof type === 'string') return scalarOf(type, path)
  switch (type.type) {
    case 'struct': {
      const fields = type.fields.map((field) => ({
        name: field.name,
        type: withNullability(dataTypeOf(field.type, [...path, field.name]), field.nullable),
      }))
      return { kind: 'row', fields, nullable: true }
    }
    case 'array': {
      const element = dataTypeOf(type.elementType, [...path, 'element'])
      return { kind: 'array', element: withNullability(element, type.containsNull), nullable: true }
    }
    case 'map': {
      const key = withNullability(dataTypeOf(type.keyType, [...path, 'key']), false)
      const value = dataTypeOf(type.valueType, [...path, 'value'])
      const values = withNullability(value, type.valueContainsNull)
      return { kind: 'map', key, value: values, nullable: true }
    }
  }
}

function scalarOf(name: string, path: readonly string[]): DataType {
  const decimal = /^decimal\((\d+),\s*(\d+)\)$/.exec(name)
  if (decimal !== null) return types.decimal(Number(decimal[1]), Number(decimal[2]))
  const type = Object.hasOwn(FROM_SCALARS, name) ? FROM_SCALARS[name] : undefined
  if (type === undefined) throw unsupportedType(path, name, 'Millrace')
  return type
}

function unsupportedType(path: readonly string[], type: string, system: string): MillraceError {
  const column = path.join('.')
  return new MillraceError('DELTA_TYPE_UNSUPPORTED', {
    message: `column '${column}' is of type ${type}, which ${system} does not have`,
    hint: 'leave the column out, or CAST it to a type that both have (STRING, BIGINT, TIMESTAMP)',
    facts: { column, type },
  })
}
