/**
 * A schema that was registered as text, as a serialized FileDescriptorProto in base64. Names of types are resolved where the
 * text itself defines them; those of imports are written in full as they stand. Options are left out, but for packed and json_name.
 */
import { TYPE_NAMES } from './descriptor.ts'
import { type ProtoNames, readProto } from './names.ts'
import type { ProtoEnum, ProtoField, ProtoMessage, ProtoType } from './schema.ts'
import { createWireWriter, type WireWriter } from './wire-write.ts'

const LABELS = { optional: 1, required: 2, repeated: 3 } as const
const MESSAGE = 11
const ENUM = 14

/** @throws SCHEMA_INVALID */
export function descriptorBase64(text: string): string {
  const names = readProto({ text, references: [] })
  const { file } = names
  const out = createWireWriter()
  out.text(1, 'default')
  if (file.package !== '') out.text(2, file.package)
  for (const path of file.imports) out.text(3, path)
  writeTypes(
    out,
    file.types,
    { names, scope: file.package, isProto3: file.syntax === 'proto3' },
    4,
    5,
  )
  if (file.syntax !== 'proto2') out.text(12, file.syntax)
  return Buffer.from(out.bytes()).toString('base64')
}

interface Context {
  readonly names: ProtoNames
  readonly scope: string
  readonly isProto3: boolean
}

function writeTypes(
  out: WireWriter,
  types: readonly ProtoType[],
  context: Context,
  messages: number,
  enums: number,
): void {
  for (const type of types) {
    if (type.kind === 'enum') out.message(enums, (inner) => writeEnum(inner, type))
    else out.message(messages, (inner) => writeMessage(inner, type, context))
  }
}

function writeMessage(out: WireWriter, message: ProtoMessage, outer: Context): void {
  const scope = outer.scope === '' ? message.name : `${outer.scope}.${message.name}`
  const context = { ...outer, scope }
  out.text(1, message.name)
  // Each `optional` of proto3 has a oneof of its own, behind those that are written.
  const optionals = outer.isProto3
    ? message.fields.filter(({ label, oneof }) => label === 'optional' && oneof === undefined)
    : []
  for (const field of message.fields) {
    const made = optionals.indexOf(field)
    const oneof =
      made >= 0 ? message.oneofs.length + made : message.oneofs.indexOf(field.oneof ?? '')
    out.message(2, (inner) => writeField(inner, field, context, oneof, made >= 0))
  }
  for (const field of message.fields)
    if (field.key !== undefined) out.message(3, (inner) => writeEntry(inner, field, context))
  writeTypes(out, message.types, context, 3, 4)
  for (const oneof of message.oneofs) out.message(8, (inner) => inner.text(1, oneof))
  for (const field of optionals) out.message(8, (inner) => inner.text(1, `_${field.name}`))
  for (const [first, last] of message.reserved)
    out.message(9, (inner) => {
      inner.integer(1, first)
      inner.integer(2, last + 1)
    })
  for (const name of message.reservedNames) out.text(10, name)
}

function writeField(
  out: WireWriter,
  field: ProtoField,
  context: Context,
  oneof: number,
  isOptional: boolean,
): void {
  out.text(1, field.name)
  out.integer(3, field.number)
  out.integer(4, field.key === undefined ? LABELS[field.label ?? 'optional'] : LABELS.repeated)
  if (field.key !== undefined) {
    out.integer(5, MESSAGE)
    out.text(6, `.${context.scope}.${entryName(field)}`)
  } else writeType(out, field.type, context)
  if (oneof >= 0) out.integer(9, oneof)
  if (field.jsonName !== undefined) out.text(10, field.jsonName)
  if (field.isPacked !== undefined)
    out.message(8, (inner) => inner.integer(2, Number(field.isPacked)))
  if (isOptional) out.integer(17, 1)
}

function writeType(out: WireWriter, type: string, { names, scope }: Context): void {
  const scalar = TYPE_NAMES.indexOf(type)
  if (scalar > 0) {
    out.integer(5, scalar)
    return
  }
  const found = names.resolve(type, scope)
  out.integer(5, found?.type.kind === 'enum' ? ENUM : MESSAGE)
  out.text(6, `.${found?.name ?? type.replace(/^\./, '')}`)
}

/** 'line_items' has the entries LineItemsEntry. */
function entryName({ name }: ProtoField): string {
  const words = name.split('_').filter((word) => word !== '')
  return `${words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')}Entry`
}

function writeEntry(out: WireWriter, field: ProtoField, context: Context): void {
  out.text(1, entryName(field))
  const parts = [
    ['key', field.key ?? ''],
    ['value', field.type],
  ] as const
  for (const [index, [name, type]] of parts.entries())
    out.message(2, (inner) => {
      inner.text(1, name)
      inner.integer(3, index + 1)
      inner.integer(4, LABELS.optional)
      writeType(inner, type, context)
    })
  out.message(7, (inner) => inner.integer(7, 1))
}

function writeEnum(out: WireWriter, { name, values, allowsAlias }: ProtoEnum): void {
  out.text(1, name)
  for (const value of values)
    out.message(2, (inner) => {
      inner.text(1, value.name)
      inner.integer(2, value.number)
    })
  if (allowsAlias === true) out.message(3, (inner) => inner.integer(2, 1))
}
