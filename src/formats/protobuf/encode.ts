/** Rows as Protobuf messages of a schema, in the order of the message's fields. */
import type { CellValue } from '../../data/nested-cells.ts'
import type { DataType, Field } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { ByteSink } from '../byte-sink.ts'
import { createByteSink } from '../byte-sink.ts'
import type { NamedType, ProtoNames } from './names.ts'
import { scalarText } from './scalars.ts'
import { type ProtoField, type ProtoMessage, SCALARS } from './schema.ts'

export type WriteMessage = (out: ByteSink, row: readonly CellValue[]) => void

interface OneWriter {
  readonly wireType: 0 | 1 | 2 | 5
  write(out: ByteSink, value: CellValue): void
}

/** Undefined if the message can't hold the columns. */
export function messageWriter(
  names: ProtoNames,
  { name: scope, type }: NamedType,
  columns: readonly Field[],
): WriteMessage | undefined {
  const message = type as ProtoMessage
  if (columns.some(({ name }) => !message.fields.some((field) => field.name === name)))
    return undefined
  const writers: {
    readonly at: number
    readonly write: (out: ByteSink, value: CellValue) => void
  }[] = []
  for (const field of message.fields) {
    const at = columns.findIndex(({ name }) => name === field.name)
    if (at < 0) continue
    const write = fieldWriter(names, scope, field, columns[at]!.type)
    if (write === undefined) return undefined
    writers.push({ at, write })
  }
  return (out, row) => {
    for (const { at, write } of writers) {
      const value = row[at]!
      if (value !== null) write(out, value)
    }
  }
}

function fieldWriter(
  names: ProtoNames,
  scope: string,
  field: ProtoField,
  type: DataType,
): ((out: ByteSink, value: CellValue) => void) | undefined {
  const { number } = field
  if (field.key !== undefined) return mapWriter(names, scope, field, field.key, type)
  if (field.label === 'repeated') {
    const one =
      type.kind === 'array' ? oneWriter(names, scope, field.type, type.element) : undefined
    if (one === undefined) return undefined
    return (out, value) => {
      for (const each of value as readonly CellValue[]) {
        tag(out, number, one.wireType)
        one.write(out, present(field, each))
      }
    }
  }
  const one = oneWriter(names, scope, field.type, type)
  if (one === undefined) return undefined
  return (out, value) => {
    tag(out, number, one.wireType)
    one.write(out, value)
  }
}

function mapWriter(
  names: ProtoNames,
  scope: string,
  field: ProtoField,
  keyType: string,
  type: DataType,
) {
  const key = type.kind === 'map' ? oneWriter(names, scope, keyType, type.key) : undefined
  const value = type.kind === 'map' ? oneWriter(names, scope, field.type, type.value) : undefined
  if (key === undefined || value === undefined) return undefined
  return (out: ByteSink, entries: CellValue): void => {
    for (const each of entries as readonly (readonly [CellValue, CellValue])[])
      nested(out, field.number, (inner) => {
        tag(inner, 1, key.wireType)
        key.write(inner, present(field, each[0]))
        tag(inner, 2, value.wireType)
        value.write(inner, present(field, each[1]))
      })
  }
}

/** @throws NULL_REFUSED: there is no NULL among the elements of a list or map */
function present({ name }: ProtoField, value: CellValue): CellValue {
  if (value !== null) return value
  throw new MillraceError('NULL_REFUSED', {
    message: `column ${name}: Protobuf has no NULL inside a list or a map`,
    hint: 'leave the NULLs out in the query, or write a value in their place',
    facts: { column: name },
  })
}

function oneWriter(
  names: ProtoNames,
  scope: string,
  written: string,
  type: DataType,
): OneWriter | undefined {
  if (/^\.?google\.protobuf\.Timestamp$/.test(written))
    return type.kind === 'timestamp' || type.kind === 'timestamp_ltz'
      ? {
          wireType: 2,
          write: (out, value) => lengthen(out, (inner) => writeTimestamp(inner, value as bigint)),
        }
      : undefined
  if (SCALARS.has(written)) return scalarWriter(written, type)
  const named = names.resolve(written, scope)
  if (named?.type.kind === 'enum') {
    const { values } = named.type
    return type.kind === 'char' || type.kind === 'varchar'
      ? {
          wireType: 0,
          write: (out, value) =>
            out.varint(BigInt(values.find(({ name }) => name === value)?.number ?? 0)),
        }
      : scalarWriter('int32', type)
  }
  if (named === undefined || type.kind !== 'row') return undefined
  const write = messageWriter(names, named, type.fields)
  if (write === undefined) return undefined
  return {
    wireType: 2,
    write: (out, value) => lengthen(out, (inner) => write(inner, value as readonly CellValue[])),
  }
}

const KINDS: Readonly<Record<string, readonly DataType['kind'][]>> = {
  int32: ['tinyint', 'smallint', 'int', 'date'],
  int64: ['tinyint', 'smallint', 'int', 'bigint', 'date', 'time'],
}

function scalarWriter(scalar: string, type: DataType): OneWriter | undefined {
  const { kind } = type
  switch (scalar) {
    case 'bool':
      return kind === 'boolean'
        ? { wireType: 0, write: (out, value) => out.byte(value === true ? 1 : 0) }
        : undefined
    case 'float':
      return kind === 'float'
        ? { wireType: 5, write: (out, value) => out.float(value as number) }
        : undefined
    case 'double':
      return kind === 'double' || kind === 'float'
        ? { wireType: 1, write: (out, value) => out.double(value as number) }
        : undefined
    case 'string':
      return kind === 'char' || kind === 'varchar' || kind === 'decimal'
        ? { wireType: 2, write: (out, value) => block(out, Buffer.from(scalarText(type, value))) }
        : undefined
    case 'bytes':
      return kind === 'binary' || kind === 'varbinary'
        ? { wireType: 2, write: (out, value) => block(out, value as Uint8Array) }
        : undefined
    case 'int32':
    case 'int64':
      return KINDS[scalar]!.includes(kind)
        ? { wireType: 0, write: (out, value) => out.varint(value as bigint) }
        : undefined
    case 'sint32':
    case 'sint64':
      return KINDS[scalar.slice(1)]!.includes(kind)
        ? { wireType: 0, write: (out, value) => out.long(value as bigint) }
        : undefined
    default:
      return undefined
  }
}

function tag(out: ByteSink, number: number, wireType: number): void {
  out.varint(BigInt(number) * 8n + BigInt(wireType))
}

function block(out: ByteSink, bytes: Uint8Array): void {
  out.varint(BigInt(bytes.length))
  out.raw(bytes)
}

function lengthen(out: ByteSink, write: (inner: ByteSink) => void): void {
  const inner = createByteSink(64)
  write(inner)
  block(out, inner.bytes())
}

function nested(out: ByteSink, number: number, write: (inner: ByteSink) => void): void {
  tag(out, number, 2)
  lengthen(out, write)
}

function writeTimestamp(out: ByteSink, micros: bigint): void {
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = (micros - rest) / 1_000_000n
  if (seconds !== 0n) {
    tag(out, 1, 0)
    out.varint(seconds)
  }
  if (rest !== 0n) {
    tag(out, 2, 0)
    out.varint(rest * 1000n)
  }
}
