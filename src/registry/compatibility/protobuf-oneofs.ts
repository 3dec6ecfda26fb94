/** Fields that go into oneofs and out of them: what was independent must not exclude one another, what was written must not be lost. */
import type { ProtoMessage } from '../../formats/protobuf/schema.ts'
import type { Difference } from './difference.ts'

export function oneofDifferences(
  old: ProtoMessage,
  next: ProtoMessage,
  path: string,
): readonly Difference[] {
  return [...excluding(old, next, path), ...lostMembers(old, next, path)]
}

/** Members of a oneof that could be set side by side before. */
function excluding(old: ProtoMessage, next: ProtoMessage, path: string): readonly Difference[] {
  const before = new Map(old.fields.map((field) => [field.number, field]))
  const members = Map.groupBy(next.fields, ({ oneof }) => oneof)
  return next.oneofs.flatMap((name) => {
    const origins = new Set<string>()
    let alone = 0
    for (const { number } of members.get(name) ?? []) {
      const field = before.get(number)
      if (field === undefined) continue
      origins.add(field.oneof === undefined ? `field ${number}` : `oneof ${field.oneof}`)
      if (field.oneof === undefined) alone++
    }
    if (origins.size < 2) return []
    const rule = alone > 1 ? 'MULTIPLE_FIELDS_MOVED_TO_ONEOF' : 'FIELD_MOVED_TO_EXISTING_ONEOF'
    const message = `of oneof ${name} only one can be set: ${[...origins].join(' and ')} could both be`
    return [{ rule, path: `${path}/${name}`, message }]
  })
}

/** A member that is gone, unless its oneof went with all its members. */
function lostMembers(old: ProtoMessage, next: ProtoMessage, path: string): readonly Difference[] {
  const after = new Set(next.fields.map(({ number }) => number))
  const oneofs = new Set(next.oneofs)
  const byOneof = Map.groupBy(old.fields, ({ oneof }) => oneof)
  return old.oneofs.flatMap((name) => {
    const members = byOneof.get(name) ?? []
    const lost = members.filter(({ number }) => !after.has(number))
    const isWhole = lost.length === members.length && !oneofs.has(name)
    if (isWhole) return []
    return lost.map((field) => ({
      rule: 'ONEOF_FIELD_REMOVED',
      path: `${path}/${name}/${field.number}`,
      message: `field ${field.name} of oneof ${name} is gone`,
    }))
  })
}
