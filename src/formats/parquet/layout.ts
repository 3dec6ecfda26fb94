/**
 * How a schema lies in a Parquet file: the tree of schema elements, and one *leaf* for each column of values.
 *
 *   BOOLEAN BOOLEAN   TINYINT..INT INT32   BIGINT INT64   FLOAT FLOAT   DOUBLE DOUBLE
 *   DECIMAL(p <= 9) INT32, (p <= 18) INT64, wider: FIXED_LEN_BYTE_ARRAY big-endian, all DECIMAL(p, s)
 *   CHAR, VARCHAR BYTE_ARRAY UTF8   BINARY, VARBINARY BYTE_ARRAY   DATE INT32 DATE   TIME INT64 TIME(MICROS)
 *   TIMESTAMP INT64 TIMESTAMP(MICROS, local)   TIMESTAMP_LTZ INT64 TIMESTAMP(MICROS, UTC)   ROW a group
 *   ARRAY LIST of three levels (list, element)   MAP MAP of three levels (key_value, key and value)
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

/** From a column's type down to a leaf's: a field of a ROW, the elements of an ARRAY, the keys or values of a MAP. */
export type LeafStep =
  | { readonly kind: 'field'; readonly index: number }
  | { readonly kind: 'element' | 'key' | 'value' }

export interface Leaf {
  /** Names from the top column down. */
  readonly path: readonly string[]
  /** The top column's index in the schema, then indexes of fields of ROWs. */
  readonly indexes: readonly number[]
  readonly type: DataType
  readonly physical: Physical
  /** Bytes of a FIXED_LEN_BYTE_ARRAY, else 0. */
  readonly width: number
  /** Whether each step of `path` may be NULL, for a leaf without repetition. */
  readonly optional: readonly boolean[]
  readonly definitionMax: number
  /** Steps below the top column. */
  readonly steps: readonly LeafStep[]
  /** ARRAYs and MAPs on the way; 0: the leaf has one value a row at most. */
  readonly repetitionMax: number
  readonly element: SchemaElement
}

export interface Layout {
  readonly elements: SchemaElement[]
  readonly leaves: readonly Leaf[]
}

/** @throws PARQUET_TYPE_UNSUPPORTED naming the column, for INTERVAL and NULL */
export function parquetLayout(schema: Schema): Layout {
  const elements: SchemaElement[] = [{ name: 'schema', num_children: schema.length }]
  const leaves: Leaf[] = []
  schema.forEach((field, index) => {
    addField(field.name, field.type, { ...TOP, indexes: [index] }, elements, leaves)
  })
  return { elements, leaves }
}

interface Parent extends Pick<Leaf, 'path' | 'indexes' | 'optional' | 'steps'> {
  readonly definition: number
  readonly repetition: number
}

const TOP: Parent = { path: [], indexes: [], optional: [], steps: [], definition: 0, repetition: 0 }

function addField(
  name: string,
  type: DataType,
  parent: Parent,
  elements: SchemaElement[],
  leaves: Leaf[],
): void {
  const own: Parent = {
    ...parent,
    path: [...parent.path, name],
    optional: [...parent.optional, type.nullable],
    definition: parent.definition + (type.nullable ? 1 : 0),
  }
  const repetition = { repetition_type: type.nullable ? 'OPTIONAL' : 'REQUIRED' } as const
  switch (type.kind) {
    case 'row':
      elements.push({ name, ...repetition, num_children: type.fields.length })
      type.fields.forEach((field, index) => {
        const indexes = [...own.indexes, index]
        const inside = { ...own, indexes, steps: [...own.steps, { kind: 'field', index } as const] }
        addField(field.name, field.type, inside, elements, leaves)
      })
      return
    case 'array':
      elements.push({ name, ...repetition, num_children: 1, ...LIST }, repeated('list', 1))
      addField('element', type.element, within(own, 'list', 'element'), elements, leaves)
      return
    case 'map': {
      elements.push({ name, ...repetition, num_children: 1, ...MAP }, repeated('key_value', 2))
      const key = withNullability(type.key, false)
      addField('key', key, within(own, 'key_value', 'key'), elements, leaves)
      addField('value', type.value, within(own, 'key_value', 'value'), elements, leaves)
      return
    }
    default: {
      const element: SchemaElement = { ...annotation(own.path, type), name, ...repetition }
      elements.push(element)
      leaves.push(leafOf(type, own, element))
    }
  }
}

const LIST = { converted_type: 'LIST', logical_type: { type: 'LIST' } } as const
const MAP = { converted_type: 'MAP', logical_type: { type: 'MAP' } } as const

function repeated(name: string, children: number): SchemaElement {
  return { name, repetition_type: 'REPEATED', num_children: children }
}

/** Inside the repeated group of an ARRAY or MAP, which counts one level of both kinds. */
function within(own: Parent, group: string, kind: 'element' | 'key' | 'value'): Parent {
  return {
    ...own,
    path: [...own.path, group],
    steps: [...own.steps, { kind }],
    definition: own.definition + 1,
    repetition: own.repetition + 1,
  }
}

function leafOf(type: DataType, own: Parent, element: SchemaElement): Leaf {
  return {
    path: own.path,
    indexes: own.indexes,
    type,
    physical: element.type as Physical,
    width: element.type_length ?? 0,
    optional: own.optional,
    definitionMax: own.definition,
    steps: own.steps,
    repetitionMax: own.repetition,
    element,
  }
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
