/** The columns that hold what an Avro schema writes: for those who have a schema and no table. */
import { type DataType, type Field, types, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { AvroSchema, LogicalType } from './types.ts'

/** A schema of few lines may have very many: a record in two fields of another, which is in two fields of another. */
const FIELDS_MAX = 10_000

interface Walk {
  /** The records that are around. */
  readonly entered: ReadonlySet<AvroSchema>
  readonly met: { fields: number }
}

/** @throws FORMAT_TYPE_UNSUPPORTED for unions of several types, types that hold themselves, and very many fields */
export function columnsOfAvro(schema: AvroSchema): readonly Field[] {
  if (schema.kind === 'record')
    return fieldsOf(schema, '', { entered: new Set(), met: { fields: 0 } })
  throw unsupported('', `${schema.kind} in place of a record`)
}

function fieldsOf(
  record: Extract<AvroSchema, { kind: 'record' }>,
  path: string,
  { entered, met }: Walk,
): readonly Field[] {
  if (entered.has(record)) throw unsupported(path, `record ${record.name} inside itself`)
  met.fields += record.fields.length
  if (met.fields > FIELDS_MAX) throw unsupported(path, `more than ${FIELDS_MAX} fields`)
  const inside = { entered: new Set([...entered, record]), met }
  return record.fields.map(({ name, type }) => ({
    name,
    type: typeOf(type, path === '' ? name : `${path}.${name}`, inside),
  }))
}

function typeOf(schema: AvroSchema, path: string, walk: Walk): DataType {
  const notNull = (type: DataType): DataType => withNullability(type, false)
  switch (schema.kind) {
    case 'union': {
      const others = schema.branches.filter(({ kind }) => kind !== 'null')
      const [only] = others
      if (others.length !== 1 || only === undefined)
        throw unsupported(path, 'a union of several types')
      const isNullable = others.length < schema.branches.length
      return withNullability(typeOf(only, path, walk), isNullable)
    }
    case 'record':
      return { kind: 'row', fields: fieldsOf(schema, path, walk), nullable: false }
    case 'array':
      return { kind: 'array', element: typeOf(schema.items, path, walk), nullable: false }
    case 'map':
      return {
        kind: 'map',
        key: notNull(types.string),
        value: typeOf(schema.values, path, walk),
        nullable: false,
      }
    case 'null':
      throw unsupported(path, 'null alone')
    case 'enum':
      return notNull(types.string)
    case 'fixed':
      return notNull(decimalOf(schema.logical) ?? types.bytes)
    default:
      return notNull(primitiveOf(schema.kind, schema.logical))
  }
}

function primitiveOf(kind: string, logical: LogicalType | undefined): DataType {
  const isInt = kind === 'int'
  switch (logical?.name) {
    case 'decimal':
      return decimalOf(logical) ?? types.bytes
    case 'date':
      return types.date
    case 'time-millis':
      return types.time(3)
    case 'time-micros':
      return types.time(6)
    case 'timestamp-millis':
      return types.timestampLtz(3)
    case 'timestamp-micros':
      return types.timestampLtz(6)
    case 'local-timestamp-millis':
      return types.timestamp(3)
    case 'local-timestamp-micros':
      return types.timestamp(6)
  }
  if (kind === 'string') return types.string
  if (kind === 'bytes') return types.bytes
  if (kind === 'boolean') return types.boolean
  if (kind === 'float') return types.float
  if (kind === 'double') return types.double
  return isInt ? types.int : types.bigint
}

function decimalOf(logical: LogicalType | undefined): DataType | undefined {
  const { precision = 0, scale = 0 } = logical?.name === 'decimal' ? logical : {}
  const isHeld = precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision
  return isHeld ? types.decimal(precision, scale) : undefined
}

function unsupported(path: string, what: string): MillraceError {
  return new MillraceError('FORMAT_TYPE_UNSUPPORTED', {
    message: `${path === '' ? 'the Avro schema' : `field ${path}`}: no column holds ${what}`,
    hint: 'declare a table with the columns that you need, and leave the others out',
    facts: { path },
  })
}
