/**
 * How a schema lies in a Parquet file: the tree of schema elements, and one *leaf* for each column of values.
 *
 *   BOOLEAN BOOLEAN   TINYINT..INT INT32   BIGINT INT64   FLOAT FLOAT   DOUBLE DOUBLE
 *   DECIMAL(p <= 9) INT32, (p <= 18) INT64, wider: FIXED_LEN_BYTE_ARRAY big-endian, all DECIMAL(p, s)
 *   CHAR, VARCHAR BYTE_ARRAY UTF8   BINARY, VARBINARY BYTE_ARRAY   DATE INT32 DATE   TIME INT64 TIME(MICROS)
 *   TIMESTAMP INT64 TIMESTAMP(MICROS, local)   TIMESTAMP_LTZ INT64 TIMESTAMP(MICROS, UTC)   ROW a group
 *
 * @see Apache Parquet format, LogicalTypes.md; Delta protocol, "Delta Data Type to Parquet Type Mappings"
 */
import type { SchemaElement } from 'hyparquet'
import { type DataType, type Schema, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'

export type Physical =
  | 'BOOLEAN'
  | 'INT32'
  | 'INT64'
  | 'FLOAT'
  | 'DOUBLE'
  | 'BYTE_ARRAY'
  | 'FIXED_LEN_BYTE_ARRAY'

export interface Leaf {
  /** Names from the top column down. */
  readonly path: readonly string[]
  /** The top column's index in the schema, then indexes of fields of ROWs. */
  readonly indexes: readonly number[]
  readonly type: DataType
  readonly physical: Physical
  /** Bytes of a FIXED_LEN_BYTE_ARRAY, else 0. */
  readonly width: number
  /** Whether each step of `path` may be NULL; the number of true ones is the maximum definition level. */
  readonly optional: readonly boolean[]
  readonly definitionMax: number
  readonly element: SchemaElement
}

export interface Layout {
  readonly elements: SchemaElement[]
  readonly leaves: readonly Leaf[]
}

/** @throws PARQUET_TYPE_UNSUPPORTED naming the column, for INTERVAL, NULL, ARRAY and MAP */
export function parquetLayout(schema: Schema): Layout {
  const elements: SchemaElement[] = [{ name: 'schema', num_children: schema.length }]
  const leaves: Leaf[] = []
  schema.forEach((field, index) => {
    addField(field.name, field.type, { path: [], indexes: [index], optional: [] }, elements, leaves)
  })
  return { elements, leaves }
}

interface Parent {
  readonly path: readonly string[]
  readonly indexes: readonly number[]
  readonly optional: readonly boolean[]
}

function addField(
  name: string,
  type: DataType,
  parent: Parent,
  elements: SchemaElement[],
  leaves: Leaf[],
): void {
  const path = [...parent.path, name]
  const optional = [...parent.optional, type.nullable]
  const repetition = { repetition_type: type.nullable ? 'OPTIONAL' : 'REQUIRED' } as const
  if (type.kind === 'row') {
    elements.push({ name, ...repetition, num_children: type.fields.length })
    type.fields.forEach((field, index) => {
      const inside = { path, optional, indexes: [...parent.indexes, index] }
      addField(field.name, field.type, inside, elements, leaves)
    })
    return
  }
  const element: SchemaElement = { ...annotation(path, type), name, ...repetition }
  elements.push(element)
  leaves.push({
    path,
    indexes: parent.indexes,
    type,
    physical: element.type as Physical,
    width: element.type_length ?? 0,
    optional,
    definitionMax: optional.filter(Boolean).length,
    element,
  })
}

function annotation(path: readonly string[], type: DataType): Omit<SchemaElement, 'name'> {
  switch (type.kind) {
    case 'boolean':
      return { type: 'BOOLEAN' }
    case 'tinyint':
      return { type: 'INT32', converted_type: 'INT_8' }
    case 'smallint':
      return { type: 'INT32', converted_type: 'INT_16' }
    case 'int':
      return { type: 'INT32' }
    case 'bigint':
      return { type: 'INT64' }
    case 'float':
      return { type: 'FLOAT' }
    case 'double':
      return { type: 'DOUBLE' }
    case 'decimal':
      return decimalAnnotation(type.precision, type.scale)
    case 'char':
    case 'varchar':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } }
    case 'binary':
    case 'varbinary':
      return { type: 'BYTE_ARRAY' }
    case 'date':
      return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } }
    case 'time':
      return {
        type: 'INT64',
        converted_type: 'TIME_MICROS',
        logical_type: { type: 'TIME', isAdjustedToUTC: true, unit: 'MICROS' },
      }
    case 'timestamp':
      return {
        type: 'INT64',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' },
      }
    case 'timestamp_ltz':
      return {
        type: 'INT64',
        converted_type: 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
      }
    default:
      throw new MillraceError('PARQUET_TYPE_UNSUPPORTED', {
        message: `column '${path.join('.')}' is ${type.kind.toUpperCase()}, which is not written to Parquet`,
        hint: 'leave the column out, or CAST it to STRING in the query',
        facts: { column: path.join('.'), type: type.kind },
      })
  }
}

function decimalAnnotation(precision: number, scale: number): Omit<SchemaElement, 'name'> {
  const decimal = {
    converted_type: 'DECIMAL',
    precision,
    scale,
    logical_type: { type: 'DECIMAL', precision, scale },
  } as const
  if (precision <= 9) return { type: 'INT32', ...decimal }
  if (precision <= 18) return { type: 'INT64', ...decimal }
  return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: decimalBytes(precision), ...decimal }
}

/** The fewest bytes whose two's complement holds every decimal of `precision` digits. */
export function decimalBytes(precision: number): number {
  let bytes = 1
  while (2n ** BigInt(8 * bytes - 1) < 10n ** BigInt(precision)) bytes++
  return bytes
}

/** The same columns, every one nullable, ROWs' fields too: what a reader may meet in files of others. */
export function allNullable(schema: Schema): Schema {
  return schema.map(({ name, type }) => ({
    name,
    type:
      type.kind === 'row'
        ? { ...type, fields: allNullable(type.fields), nullable: true }
        : withNullability(type, true),
  }))
}
