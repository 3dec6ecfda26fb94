/** All that the registry holds, in memory: changes go in, in the order of the topic; questions are answered from maps. */
import type { ResolvedSchema, SchemaReference } from '../formats/schema-source.ts'
import type { CompatibilityLevel } from './compatibility/level.ts'
import { isLevel } from './compatibility/level.ts'
import type { Mode, RegistryChange, SchemaEntry } from './entries.ts'
import { MODES } from './entries.ts'
import { identityOf } from './identity.ts'

export interface RegistryState {
  apply(change: RegistryChange): void
  /** By name; those of which all versions are soft-deleted only if `deleted`. */
  subjects(deleted: boolean): readonly string[]
  /** By version. */
  versions(subject: string, deleted: boolean): readonly SchemaEntry[]
  version(subject: string, version: number): SchemaEntry | undefined
  /** All that have the id, soft-deleted too, the oldest first. */
  byId(id: number): readonly SchemaEntry[]
  /** The id of an equal schema, whatever its subject. */
  idOf(schema: Pick<SchemaEntry, 'type' | 'text' | 'references'>): number | undefined
  /** What refers to a version and is not soft-deleted. */
  referringTo(subject: string, version: number): readonly SchemaEntry[]
  /** Undefined if it is not set for the subject itself. */
  level(subject: string | null): CompatibilityLevel | undefined
  mode(subject: string | null): Mode | undefined
  readonly lastId: number
  /** With all that is referred to. Undefined if something of it is not there. */
  resolve(schema: Pick<SchemaEntry, 'type' | 'text' | 'references'>): ResolvedSchema | undefined
}

export function createRegistryState(): RegistryState {
  const subjects = new Map<string, Map<number, SchemaEntry>>()
  const levels = new Map<string | null, CompatibilityLevel>()
  const modes = new Map<string | null, Mode>()
  const ids = new Map<string, number>()
  let lastId = 0
  const all = (): SchemaEntry[] =>
    [...subjects.values()].flatMap((versions) => [...versions.values()])
  const version = (subject: string, number: number): SchemaEntry | undefined =>
    subjects.get(subject)?.get(number)

  const put = (subject: string, number: number, value: SchemaEntry | undefined): void => {
    const versions = subjects.get(subject) ?? new Map<number, SchemaEntry>()
    const before = versions.get(number)
    if (value === undefined) versions.delete(number)
    else versions.set(number, value)
    if (versions.size > 0) subjects.set(subject, versions)
    else subjects.delete(subject)
    if (value !== undefined) {
      lastId = Math.max(lastId, value.id)
      ids.set(identityOf(value), value.id)
    } else if (before !== undefined && !all().some(({ id }) => id === before.id))
      ids.delete(identityOf(before))
  }

  return {
    apply(change) {
      switch (change.kind) {
        case 'schema':
          return put(change.subject, change.version, change.value)
        case 'level':
          if (change.value !== undefined && isLevel(change.value))
            levels.set(change.subject, change.value)
          else levels.delete(change.subject)
          return
        case 'mode':
          if (change.value !== undefined && isMode(change.value))
            modes.set(change.subject, change.value)
          else modes.delete(change.subject)
          return
        case 'ids':
          lastId = Math.max(lastId, change.value)
      }
    },
    subjects: (deleted) =>
      [...subjects]
        .filter(([, versions]) => deleted || [...versions.values()].some((each) => !each.isDeleted))
        .map(([subject]) => subject)
        .sort(),
    versions: (subject, deleted) =>
      [...(subjects.get(subject)?.values() ?? [])]
        .filter((each) => deleted || !each.isDeleted)
        .sort((left, right) => left.version - right.version),
    version,
    byId: (id) => all().filter((each) => each.id === id),
    idOf: (schema) => ids.get(identityOf(schema)),
    referringTo: (subject, number) =>
      all().filter(
        (each) =>
          !each.isDeleted &&
          each.references.some((to) => to.subject === subject && to.version === number),
      ),
    level: (subject) => levels.get(subject),
    mode: (subject) => modes.get(subject),
    get lastId() {
      return lastId
    },
    resolve({ type, text, references }) {
      const found = new Map<string, { readonly name: string; readonly text: string }>()
      const isWhole = collect(references, version, found, new Set())
      return isWhole ? { type, text, references: [...found.values()] } : undefined
    },
  }
}

function isMode(text: string): text is Mode {
  return MODES.includes(text)
}

/** What is needed comes before what needs it. False if something is missing. */
function collect(
  references: readonly SchemaReference[],
  version: (subject: string, version: number) => SchemaEntry | undefined,
  found: Map<string, { readonly name: string; readonly text: string }>,
  entered: Set<string>,
): boolean {
  return references.every(({ name, subject, version: number }) => {
    const key = `${subject} ${number} ${name}`
    if (entered.has(key)) return true
    entered.add(key)
    const entry = version(subject, number)
    if (entry === undefined || !collect(entry.references, version, found, entered)) return false
    found.set(key, { name, text: entry.text })
    return true
  })
}
