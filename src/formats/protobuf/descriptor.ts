/**
 * Reads a serialized FileDescriptorProto: how clients that have compiled classes register their schemas.
 * Field numbers are those of google/protobuf/descriptor.proto.
 */
import { MillraceError } from '../../errors.ts'
import { checkMessage } from './check.ts'
import type { ProtoEnum, ProtoField, ProtoFile, ProtoMessage, ProtoType } from './schema.ts'
import { readWire, type WireFields } from './wire.ts'

const DEPTH_MAX = 64
const LABELS = [undefined, 'optional', 'required', 'repeated'] as const
/** FieldDescriptorProto.Type; 10, 11 and 14 (group, message, enum) are named by type_name. */
export const TYPE_NAMES = [
  '',
  'double',
  'float',
  'int64',
  'uint64',
  'int32',
  'fixed64',
  'fixed32',
  'bool',
  'string',
  '',
  '',
  'bytes',
  'uint32',
  '',
  'sfixed32',
  'sfixed64',
  'sint32',
  'sint64',
]

/** @throws SCHEMA_INVALID */
export function readDescriptor(bytes: Uint8Array): ProtoFile {
  try {
    const file = readWire(bytes)
    const syntax = file.text(12) ?? 'proto2'
    return {
      syntax: syntax === 'proto3' ? 'proto3' : syntax === 'editions' ? 'editions' : 'proto2',
      package: file.text(2) ?? '',
      imports: file.texts(3),
      types: typesOf(file.messages(4), file.messages(5), syntax, 0),
    }
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'SCHEMA_INVALID') throw error
    throw new MillraceError('SCHEMA_INVALID', {
      message: `the PROTOBUF schema can't be read: ${error instanceof Error ? error.message : error}`,
      hint: 'it is neither the text of a .proto file nor a FileDescriptorProto in base64',
      cause: error,
    })
  }
}

function typesOf(
  messages: readonly WireFields[],
  enums: readonly WireFields[],
  syntax: string,
  depth: number,
): ProtoType[] {
  return [
    ...messages.map((each) => messageOf(each, syntax, depth)),
    ...enums.map((each) => enumOf(each)),
  ]
}

function messageOf(wire: WireFields, syntax: string, depth: number): ProtoMessage {
  if (depth > DEPTH_MAX) throw new RangeError(`messages nested deeper than ${DEPTH_MAX} levels`)
  const nested = wire.messages(3)
  // A map is a repeated field of a message that the compiler made.
  const maps = new Map<string, WireFields>()
  for (const each of nested)
    if (each.message(7)?.integer(7) === 1) maps.set(each.text(1) ?? '', each)
  const kept = nested.filter((each) => !maps.has(each.text(1) ?? ''))
  const fields = wire.messages(2)
  // `optional` of proto3 is a oneof of its own.
  const made = new Set(
    fields.filter((each) => each.integer(17) === 1).map((each) => each.integer(9)),
  )
  const oneofs = wire.messages(8).map((each) => each.text(1) ?? '')
  const message: ProtoMessage = {
    kind: 'message',
    name: wire.text(1) ?? '',
    fields: fields.map((each) => fieldOf(each, oneofs, maps, syntax)),
    oneofs: oneofs.filter((_, index) => !made.has(index)),
    types: typesOf(kept, wire.messages(4), syntax, depth + 1),
    reserved: wire.messages(9).map((each) => [each.integer(1) ?? 0, (each.integer(2) ?? 1) - 1]),
    reservedNames: wire.texts(10),
  }
  checkMessage(message)
  return message
}

function fieldOf(
  wire: WireFields,
  oneofs: readonly string[],
  maps: ReadonlyMap<string, WireFields>,
  syntax: string,
): ProtoField {
  const typeName = wire.text(6) ?? ''
  const base = { name: wire.text(1) ?? '', number: wire.integer(3) ?? 0 }
  const entry = maps.get(typeName.slice(typeName.lastIndexOf('.') + 1))
  if (entry !== undefined) {
    const [key, value] = [1, 2].map((wanted) =>
      entry.messages(2).find((each) => each.integer(3) === wanted),
    )
    return { ...base, key: typeOf(key), type: typeOf(value) }
  }
  const oneof = wire.integer(9)
  const isOptional = wire.integer(17) === 1
  const label = LABELS[wire.integer(4) ?? 0]
  const isWritten = label !== 'optional' || syntax === 'proto2' || isOptional
  const isMember = oneof !== undefined && !isOptional
  const packed = wire.message(8)?.integer(2)
  return {
    ...base,
    type: typeOf(wire),
    ...(label !== undefined && isWritten && !isMember ? { label } : {}),
    ...(isMember ? { oneof: oneofs[oneof] ?? '' } : {}),
    ...(packed === undefined ? {} : { isPacked: packed === 1 }),
  }
}

function typeOf(wire: WireFields | undefined): string {
  return wire?.text(6) ?? TYPE_NAMES[wire?.integer(5) ?? 0] ?? ''
}

function enumOf(wire: WireFields): ProtoEnum {
  return {
    kind: 'enum',
    name: wire.text(1) ?? '',
    values: wire.messages(2).map((each) => ({
      name: each.text(1) ?? '',
      number: (each.integer(2) ?? 0) | 0,
    })),
    allowsAlias: wire.message(3)?.integer(2) === 1,
  }
}
