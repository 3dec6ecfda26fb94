/**
 * Protobuf messages to rows, by the names of fields. A scalar of proto3 without `optional` that is not on the wire has its default; whatever
 * has presence (optional, oneof, messages, proto2) is NULL. Enums are read as their names or numbers, google.protobuf.Timestamp as
 * TIMESTAMP, the wrappers as what they wrap, strings also as DECIMAL. Unknown fields are passed over, as is the rule.
 */
import type { CellValue } from '../../data/nested-cells.ts'
import type { DataType, Field } from '../../data/types.ts'
import { WireCursor, WireRefused } from './cursor.ts'
import type { NamedType, ProtoNames } from './names.ts'
import { type ScalarCodec, scalarCodec } from './scalars.ts'
import { type ProtoEnum, type ProtoField, type ProtoMessage, SCALARS } from './schema.ts'

/** @param before what parts of the message that came before it said */
export type ReadMessage = (bytes: Uint8Array, before?: readonly CellValue[]) => readonly CellValue[]

const WRAPPED: Readonly<Record<string, string>> = {
  DoubleValue: 'double',
  FloatValue: 'float',
  Int64Value: 'int64',
  UInt64Value: 'uint64',
  Int32Value: 'int32',
  UInt32Value: 'uint32',
  BoolValue: 'bool',
  StringValue: 'string',
  BytesValue: 'bytes',
}

/**
 * A reader of the columns' values; what it returns throws WireRefused for bytes that are no such message.
 * A text: why no record of the message can be read.
 */
export function messageReader(
  names: ProtoNames,
  message: NamedType,
  columns: readonly Field[],
): ReadMessage | string {
  try {
    return readerOf(names, message, columns, '')
  } catch (error) {
    if (error instanceof WireRefused) return error.message
    throw error
  }
}

/** One field of the message, as its column takes it. */
interface FieldReader {
  readonly at: number
  /** Adds what stands on the wire to `row`. */
  read(cursor: WireCursor, wireType: number, row: CellValue[]): void
}

function readerOf(
  names: ProtoNames,
  { name: scope, type }: NamedType,
  columns: readonly Field[],
  path: string,
): ReadMessage {
  const message = type as ProtoMessage
  const readers = new Map<number, FieldReader>()
  const blank: (() => CellValue)[] = columns.map(() => () => null)
  for (const field of message.fields) {
    const at = columns.findIndex(({ name }) => name === field.name)
    if (at < 0) continue
    const place = path === '' ? field.name : `${path}.${field.name}`
    const made = fieldReader({ names, scope, field, type: columns[at]!.type, at, path: place })
    readers.set(field.number, made.reader)
    blank[at] = made.blank
  }
  const lacking = columns.find(
    ({ name, type: declared }) =>
      !declared.nullable && !message.fields.some((field) => field.name === name),
  )
  if (lacking !== undefined)
    throw new WireRefused(
      `column ${lacking.name} is NOT NULL, and message ${scope} has no such field`,
    )
  const exclusive = exclusivePlaces(message, columns)
  return (bytes, before) => {
    const row = before === undefined ? blank.map((make) => make()) : [...before]
    const cursor = new WireCursor(bytes)
    while (cursor.at < cursor.end) {
      const tag = cursor.tag()
      if (exclusive.size > 0) for (const other of exclusive.get(tag >>> 3) ?? []) row[other] = null
      const reader = readers.get(tag >>> 3)
      if (reader === undefined) cursor.skip(tag)
      else reader.read(cursor, tag & 7, row)
    }
    return row
  }
}

/** By a field's number, columns of the oneof that it is in: of members on the wire the last counts, whether a column has it or not. */
function exclusivePlaces(
  { fields }: ProtoMessage,
  columns: readonly Field[],
): ReadonlyMap<number, readonly number[]> {
  const at = new Map(columns.map(({ name }, index) => [name, index]))
  const shown = Map.groupBy(
    fields.filter(({ oneof, name }) => oneof !== undefined && at.has(name)),
    ({ oneof }) => oneof,
  )
  const places = new Map<number, readonly number[]>()
  for (const { name, number, oneof } of fields) {
    const others = (shown.get(oneof) ?? []).filter((each) => each.name !== name)
    if (others.length > 0)
      places.set(
        number,
        others.map((other) => at.get(other.name)!),
      )
  }
  return places
}

interface FieldPlace {
  readonly names: ProtoNames
  readonly scope: string
  readonly field: ProtoField
  readonly type: DataType
  readonly at: number
  readonly path: string
}

function fieldReader(place: FieldPlace): { reader: FieldReader; blank: () => CellValue } {
  const { field, type, at } = place
  if (field.key !== undefined) return { reader: mapReader(place, field.key), blank: () => [] }
  if (field.label === 'repeated') return { reader: listReader(place), blank: () => [] }
  const one = valueCodec(place, field.type, type)
  const hasPresence =
    place.names.file.syntax !== 'proto3' ||
    field.label === 'optional' ||
    field.oneof !== undefined ||
    one.absent === null
  return {
    blank: () => (hasPresence ? null : one.absent),
    reader: {
      at,
      read(cursor, wireType, row) {
        requireWire(place, wireType, one.wireType)
        row[at] = one.read(cursor, row[at])
      },
    },
  }
}

function listReader(place: FieldPlace): FieldReader {
  const { field, type, at } = place
  if (type.kind !== 'array') throw mismatch(place)
  const one = valueCodec(place, field.type, type.element)
  return {
    at,
    read(cursor, wireType, row) {
      const list = row[at] as CellValue[]
      if (wireType === one.wireType) {
        list.push(one.read(cursor))
        return
      }
      // Numbers may stand packed, whatever the schema says of it.
      requireWire(place, wireType, 2)
      const packed = cursor.block()
      const inner = new WireCursor(packed)
      while (inner.at < inner.end) list.push(one.read(inner))
    },
  }
}

/** Entries are messages of a key and a value; of equal keys the last counts. */
function mapReader(place: FieldPlace, keyType: string): FieldReader {
  const { field, type, at } = place
  if (type.kind !== 'map') throw mismatch(place)
  const key = valueCodec(place, keyType, type.key)
  const value = valueCodec(place, field.type, type.value)
  return {
    at,
    read(cursor, wireType, row) {
      requireWire(place, wireType, 2)
      const inner = new WireCursor(cursor.block())
      let entry: [CellValue, CellValue] = [key.absent, value.absent]
      while (inner.at < inner.end) {
        const tag = inner.tag()
        if (tag >>> 3 === 1) {
          requireWire(place, tag & 7, key.wireType)
          entry = [key.read(inner), entry[1]]
        } else if (tag >>> 3 === 2) {
          requireWire(place, tag & 7, value.wireType)
          entry = [entry[0], value.read(inner)]
        } else inner.skip(tag)
      }
      ;(row[at] as CellValue[]).push(entry)
    },
  }
}

function valueCodec(place: FieldPlace, written: string, type: DataType): ScalarCodec {
  const { names, scope, path } = place
  const wellKnown = /^\.?google\.protobuf\.(\w+)$/.exec(written)?.[1]
  const found = wellKnown === undefined ? undefined : wellKnownCodec(wellKnown, type)
  if (found !== undefined) return found
  const named = SCALARS.has(written) ? undefined : names.resolve(written, scope)
  if (named?.type.kind === 'enum') return enumCodec(named.type, type) ?? refuse(place)
  if (named !== undefined) {
    if (type.kind !== 'row') throw mismatch(place)
    let read: ReadMessage | undefined
    return {
      wireType: 2,
      absent: null,
      read(cursor, before) {
        read ??= readerOf(names, named, type.fields, path)
        return read(cursor.block(), Array.isArray(before) ? before : undefined)
      },
    }
  }
  return scalarCodec(written, type) ?? refuse(place)
}

function refuse(place: FieldPlace): never {
  throw mismatch(place)
}

function wellKnownCodec(name: string, type: DataType): ScalarCodec | undefined {
  if (name === 'Timestamp' && (type.kind === 'timestamp' || type.kind === 'timestamp_ltz'))
    return { wireType: 2, absent: null, read: (cursor) => timestampOf(cursor.block()) }
  const scalar = WRAPPED[name]
  const one = scalar === undefined ? undefined : scalarCodec(scalar, type)
  if (one === undefined) return undefined
  return {
    wireType: 2,
    absent: null,
    read(cursor) {
      const inner = new WireCursor(cursor.block())
      let value = one.absent
      while (inner.at < inner.end) {
        const tag = inner.tag()
        if (tag === ((1 << 3) | one.wireType)) value = one.read(inner)
        else inner.skip(tag)
      }
      return value
    },
  }
}

function timestampOf(bytes: Uint8Array): bigint {
  const cursor = new WireCursor(bytes)
  let micros = 0n
  while (cursor.at < cursor.end) {
    const tag = cursor.tag()
    if (tag === 8) micros += BigInt.asIntN(64, cursor.varint()) * 1_000_000n
    else if (tag === 16) micros += BigInt.asIntN(64, cursor.varint()) / 1000n
    else cursor.skip(tag)
  }
  if (BigInt.asIntN(64, micros) !== micros) throw new WireRefused('a time out of range')
  return micros
}

function enumCodec({ values }: ProtoEnum, type: DataType): ScalarCodec | undefined {
  if (type.kind !== 'char' && type.kind !== 'varchar') return scalarCodec('int32', type)
  const byNumber = new Map(values.map((each) => [each.number, each.name]))
  const nameOf = (number: number): string => byNumber.get(number) ?? String(number)
  return {
    wireType: 0,
    absent: nameOf(0),
    read: (cursor) => nameOf(Number(BigInt.asIntN(32, cursor.varint()))),
  }
}

function requireWire({ path }: FieldPlace, found: number, wanted: number): void {
  if (found !== wanted)
    throw new WireRefused(`column ${path}: wire type ${found} stands where ${wanted} was expected`)
}

function mismatch({ path, field, type }: FieldPlace): WireRefused {
  const what = field.key === undefined ? field.type : `map<${field.key}, ${field.type}>`
  const repeated = field.label === 'repeated' ? 'repeated ' : ''
  return new WireRefused(
    `column ${path} is ${type.kind.toUpperCase()}, and the message's field is ${repeated}${what}`,
  )
}
