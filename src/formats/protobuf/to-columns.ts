/** The columns that hold a Protobuf message: for those who have a schema and no table. */
import { type DataType, type Field, types, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { NamedType, ProtoNames } from './names.ts'
import type { ProtoField, ProtoMessage } from './schema.ts'

const SCALAR_TYPES: Readonly<Record<string, DataType>> = {
  double: types.double,
  float: types.float,
  int32: types.int,
  sint32: types.int,
  sfixed32: types.int,
  uint32: types.bigint,
  fixed32: types.bigint,
  int64: types.bigint,
  sint64: types.bigint,
  sfixed64: types.bigint,
  uint64: types.decimal(20, 0),
  fixed64: types.decimal(20, 0),
  bool: types.boolean,
  string: types.string,
  bytes: types.bytes,
}

/** A schema of few lines may have very many: a message in two fields of another, which is in two fields of another. */
const FIELDS_MAX = 10_000

interface Walk {
  /** The messages that are around. */
  readonly entered: ReadonlySet<NamedType['type']>
  readonly met: { fields: number }
}

/** @throws FORMAT_TYPE_UNSUPPORTED for messages that hold themselves, types that are not there, and very many fields */
export function columnsOfProto(
  names: ProtoNames,
  message: NamedType,
  { entered, met }: Walk = { entered: new Set(), met: { fields: 0 } },
): readonly Field[] {
  if (entered.has(message.type))
    throw unsupported(message.name, `message ${message.name} inside itself`)
  const { fields } = message.type as ProtoMessage
  met.fields += fields.length
  if (met.fields > FIELDS_MAX) throw unsupported(message.name, `more than ${FIELDS_MAX} fields`)
  const inside = { entered: new Set([...entered, message.type]), met }
  return fields.map((field) => ({
    name: field.name,
    type: fieldType(names, message, field, inside),
  }))
}

function fieldType(names: ProtoNames, message: NamedType, field: ProtoField, walk: Walk): DataType {
  const one = oneType(names, message, field.type, walk)
  const notNull = (type: DataType): DataType => withNullability(type, false)
  if (field.key !== undefined) {
    const key = oneType(names, message, field.key, walk)
    return { kind: 'map', key: notNull(key), value: notNull(one), nullable: true }
  }
  if (field.label === 'repeated') return { kind: 'array', element: notNull(one), nullable: true }
  return withNullability(one, true)
}

function oneType(
  names: ProtoNames,
  { name: scope }: NamedType,
  written: string,
  walk: Walk,
): DataType {
  const scalar = SCALAR_TYPES[written]
  if (scalar !== undefined) return scalar
  if (/^\.?google\.protobuf\.Timestamp$/.test(written)) return types.timestampLtz(6)
  const named = names.resolve(written, scope)
  if (named === undefined)
    throw unsupported(scope, `a type ${written} that the schema does not define`)
  if (named.type.kind === 'enum') return types.string
  return { kind: 'row', fields: columnsOfProto(names, named, walk), nullable: true }
}

function unsupported(path: string, what: string): MillraceError {
  return new MillraceError('FORMAT_TYPE_UNSUPPORTED', {
    message: `message ${path}: no column holds ${what}`,
    hint: 'declare a table with the columns that you need, and leave the others out',
    facts: { path },
  })
}
