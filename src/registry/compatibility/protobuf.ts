/**
 * Whether a new Protobuf schema reads all that an old one wrote.
 *
 * Fields are matched by number. What may change is what Confluent documents for its registry: names, enum values, fields that come
 * and go unless `required`, scalars within a group that is written alike; what may not: the package, a message that is gone, a
 * field's kind, a field that must suddenly exclude others. Reserved numbers, services and options are not compared.
 *
 * @see Confluent documentation, "Protobuf compatibility rules"; Protocol Buffers, "Updating A Message Type"
 */
import type { NamedType, ProtoNames } from '../../formats/protobuf/names.ts'
import {
  type ProtoEnum,
  type ProtoField,
  type ProtoMessage,
  type ProtoType,
  SCALARS,
} from '../../formats/protobuf/schema.ts'
import type { Difference } from './difference.ts'
import { oneofDifferences } from './protobuf-oneofs.ts'

/** Empty: the new schema reads all that the old one wrote. */
export function protobufDifferences(next: ProtoNames, old: ProtoNames): readonly Difference[] {
  const compared = new Map<ProtoMessage, Set<ProtoMessage>>()
  const comparison: Comparison = { old, next, compared }
  const found: Difference[] = []
  if (old.file.package !== next.file.package) {
    const message = `the package was '${old.file.package}', and is '${next.file.package}'`
    found.push({ rule: 'PACKAGE_CHANGED', path: '#/', message })
  }
  const [from, to] = [old.file.package, next.file.package]
  found.push(
    ...typesDifferences(comparison, old.file.types, next.file.types, { from, to, path: '#' }),
  )
  return found
}

interface Comparison {
  readonly old: ProtoNames
  readonly next: ProtoNames
  /** Messages may hold themselves. */
  readonly compared: Map<ProtoMessage, Set<ProtoMessage>>
}

/** Where the comparison stands: full names on both sides, and the path. */
interface Scope {
  readonly from: string
  readonly to: string
  readonly path: string
}

function typesDifferences(
  comparison: Comparison,
  olds: readonly ProtoType[],
  nexts: readonly ProtoType[],
  scope: Scope,
): readonly Difference[] {
  const messages = new Map(nexts.filter(isMessage).map((each) => [each.name, each]))
  return olds.filter(isMessage).flatMap((old) => {
    const path = `${scope.path}/${old.name}`
    const next = messages.get(old.name)
    if (next === undefined)
      return [{ rule: 'MESSAGE_REMOVED', path, message: `message ${old.name} is gone` }]
    const inner = { from: joined(scope.from, old.name), to: joined(scope.to, next.name), path }
    return messageDifferences(comparison, old, next, inner)
  })
}

function messageDifferences(
  comparison: Comparison,
  old: ProtoMessage,
  next: ProtoMessage,
  scope: Scope,
): readonly Difference[] {
  const seen = comparison.compared.get(old) ?? new Set()
  comparison.compared.set(old, seen)
  if (seen.has(next)) return []
  seen.add(next)
  const found: Difference[] = [...oneofDifferences(old, next, scope.path)]
  const after = new Map(next.fields.map((field) => [field.number, field]))
  const before = new Map(old.fields.map((field) => [field.number, field]))
  for (const field of old.fields) {
    const other = after.get(field.number)
    const path = `${scope.path}/${field.number}`
    if (other !== undefined)
      found.push(...fieldDifferences(comparison, field, other, { ...scope, path }))
    else if (field.label === 'required') {
      const message = `the required field ${field.name} is gone`
      found.push({ rule: 'REQUIRED_FIELD_REMOVED', path, message })
    }
  }
  for (const field of next.fields) {
    if (field.label !== 'required' || before.has(field.number)) continue
    const message = `the required field ${field.name} is new`
    found.push({ rule: 'REQUIRED_FIELD_ADDED', path: `${scope.path}/${field.number}`, message })
  }
  return [...found, ...typesDifferences(comparison, old.types, next.types, scope)]
}

function fieldDifferences(
  comparison: Comparison,
  old: ProtoField,
  next: ProtoField,
  scope: Scope,
): readonly Difference[] {
  if ((old.key === undefined) !== (next.key === undefined)) return [kindChanged(old, next, scope)]
  if (old.key !== undefined && next.key !== undefined)
    return [
      ...typeDifferences(
        comparison,
        { name: old.name, number: 1, type: old.key },
        { name: next.name, number: 1, type: next.key },
        scope,
      ),
      ...typeDifferences(
        comparison,
        { ...old, label: undefined },
        { ...next, label: undefined },
        scope,
      ),
    ]
  return typeDifferences(comparison, old, next, scope)
}

/** A field, whose label may be said to be of no matter. */
type Typed = Omit<ProtoField, 'label'> & { readonly label?: ProtoField['label'] | undefined }

function typeDifferences(
  comparison: Comparison,
  old: Typed,
  next: Typed,
  scope: Scope,
): readonly Difference[] {
  const from = comparison.old.resolve(old.type, scope.from)
  const to = comparison.next.resolve(next.type, scope.to)
  const [oldGroup, nextGroup] = [groupOf(old.type, from), groupOf(next.type, to)]
  if ((oldGroup === undefined) !== (nextGroup === undefined)) return [kindChanged(old, next, scope)]
  if (oldGroup === undefined) return namedDifferences(comparison, { old, next, from, to }, scope)
  if (oldGroup !== nextGroup) {
    const message = `field ${next.name} was ${old.type}, and ${next.type} is written otherwise`
    return [{ rule: 'FIELD_SCALAR_KIND_CHANGED', path: scope.path, message }]
  }
  // What has no label, as most fields of proto3, is singular.
  const isRelabelled =
    old.label === undefined || next.label === undefined
      ? (old.label === 'repeated') !== (next.label === 'repeated')
      : old.label !== next.label
  if (!isRelabelled || oldGroup === 'string or bytes') return []
  const message = `the number ${next.name} was ${old.label ?? 'singular'}, and is ${next.label ?? 'singular'}`
  return [{ rule: 'FIELD_NUMERIC_LABEL_CHANGED', path: scope.path, message }]
}

function namedDifferences(
  comparison: Comparison,
  {
    old,
    next,
    from,
    to,
  }: { old: Typed; next: Typed; from: NamedType | undefined; to: NamedType | undefined },
  scope: Scope,
): readonly Difference[] {
  const changed: Difference = {
    rule: 'FIELD_NAMED_TYPE_CHANGED',
    path: scope.path,
    message: `field ${next.name} was of type ${old.type}, and is of ${next.type}`,
  }
  if (from === undefined || to === undefined)
    return bare(old.type) === bare(next.type) ? [] : [changed]
  if (localName(from) !== localName(to)) return [changed]
  // What stands in both texts is compared where it stands.
  if (from.isLocal && to.isLocal) return []
  if (!isMessage(from.type) || !isMessage(to.type)) return []
  const inner = { from: from.name, to: to.name, path: `#/${localName(to).replaceAll('.', '/')}` }
  const found = messageDifferences(comparison, from.type, to.type, inner)
  return found.length === 0 ? [] : [...found, changed]
}

/** What is written alike can be read as one another. */
function groupOf(type: string, named: NamedType | undefined): string | undefined {
  if (named !== undefined) return isEnum(named.type) ? 'varint' : undefined
  if (!SCALARS.has(type)) return undefined
  switch (type) {
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
    case 'bool':
      return 'varint'
    case 'sint32':
    case 'sint64':
      return 'zigzag'
    case 'string':
    case 'bytes':
      return 'string or bytes'
    case 'fixed32':
    case 'sfixed32':
      return 'four bytes'
    case 'fixed64':
    case 'sfixed64':
      return 'eight bytes'
    default:
      return type
  }
}

function kindChanged(old: Typed, next: Typed, { path }: Scope): Difference {
  const message = `field ${next.name} was ${typeText(old)}, and is ${typeText(next)}`
  return { rule: 'FIELD_KIND_CHANGED', path, message }
}

function typeText({ key, type }: Typed): string {
  return key === undefined ? type : `map<${key}, ${type}>`
}

/** Without its package. */
function localName({ name, package: packageName }: NamedType): string {
  return packageName !== '' && name.startsWith(`${packageName}.`)
    ? name.slice(packageName.length + 1)
    : name
}

function bare(type: string): string {
  return type.replace(/^\./, '')
}

function joined(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`
}

function isMessage(type: ProtoType): type is ProtoMessage {
  return type.kind === 'message'
}

function isEnum(type: ProtoType): type is ProtoEnum {
  return type.kind === 'enum'
}
