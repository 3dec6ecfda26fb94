/** What a request changes: pure decisions over the registry's state, made while nobody else changes it. */
import { incompatibilityText } from './compatibility/check.ts'
import type { CompatibilityLevel } from './compatibility/level.ts'
import type { Mode, RegistryChange, SchemaEntry } from './entries.ts'
import { fault, subjectMissing } from './faults.ts'
import { identityOf } from './identity.ts'
import {
  checkSubject,
  findVersion,
  type GivenSchema,
  levelOf,
  modeOf,
  refusals,
  requireVersions,
  sameAmong,
} from './registry.ts'
import type { RegistryState } from './state.ts'
import type { Decision } from './store.ts'

/** Registers, or finds what is registered. @throws 409, 42201, 42205, 42208 */
export function decideRegister(
  state: RegistryState,
  subject: string,
  given: GivenSchema,
): Decision<SchemaEntry> {
  checkSubject(subject)
  const mode = modeOf(state, subject)
  if (mode === 'READONLY')
    throw fault('notPermitted', `Subject ${subject} is in read-only mode`, { subject })
  const versions = state.versions(subject, false)
  const known = sameAmong(versions, given)
  if (known !== undefined && (given.id === undefined || given.id === known.id))
    return { changes: [], result: known }
  const isImport = mode === 'IMPORT'
  if (!isImport && given.id !== undefined && given.id > 0)
    throw fault('notPermitted', `Subject ${subject} is not in import mode`, { subject })
  const level = isImport ? 'NONE' : levelOf(state, subject)
  const refused = refusals(state, level, given, versions)
  if (refused.length > 0) {
    const told = refused.map(incompatibilityText).join('; ')
    throw fault(
      'incompatible',
      `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: [${told}], compatibility: '${level}'`,
      { subject },
    )
  }
  const result = entryFor(state, subject, given, isImport)
  return { changes: [{ kind: 'schema', subject, version: result.version, value: result }], result }
}

function entryFor(
  state: RegistryState,
  subject: string,
  given: GivenSchema,
  isImport: boolean,
): SchemaEntry {
  const { type, text, references, metadata, ruleSet } = given
  const wanted = isImport && given.id !== undefined && given.id > 0 ? given.id : undefined
  const [other] = wanted === undefined ? [] : state.byId(wanted)
  if (other !== undefined && identityOf(other) !== identityOf(given))
    throw fault('notPermitted', `Overwrite new schema with id ${wanted} is not permitted.`)
  const last = state.versions(subject, true).at(-1)?.version ?? 0
  return {
    subject,
    version:
      isImport && given.version !== undefined && given.version > 0 ? given.version : last + 1,
    id: wanted ?? state.idOf(given) ?? state.lastId + 1,
    type,
    text,
    references,
    ...(metadata === undefined ? {} : { metadata }),
    ...(ruleSet === undefined ? {} : { ruleSet }),
    isDeleted: false,
  }
}

/** Soft, or for good once it is soft-deleted. @throws 40401, 40402, 40406, 40407, 42205, 42206 */
export function decideDeleteVersion(
  state: RegistryState,
  subject: string,
  version: string,
  permanent: boolean,
): Decision<number> {
  requireWritable(state, subject)
  const entry = findVersion(state, subject, version, true)
  refuseReferred(state, [entry])
  const told = { subject, version: entry.version }
  if (permanent && !entry.isDeleted)
    throw fault(
      'versionNotDeleted',
      `Subject '${subject}' Version ${entry.version} was not deleted first before being permanently deleted`,
      told,
    )
  if (!permanent && entry.isDeleted)
    throw fault(
      'versionDeleted',
      `Subject '${subject}' Version ${entry.version} was soft deleted. Set permanent=true to delete permanently`,
      told,
    )
  return { changes: removal(state, [entry], permanent), result: entry.version }
}

/** @throws 40401, 40404, 40405, 42205, 42206 */
export function decideDeleteSubject(
  state: RegistryState,
  subject: string,
  permanent: boolean,
): Decision<readonly number[]> {
  requireWritable(state, subject)
  const all = requireVersions(state, subject, true)
  const live = all.filter((each) => !each.isDeleted)
  if (permanent && live.length > 0)
    throw fault(
      'subjectNotDeleted',
      `Subject '${subject}' was not deleted first before being permanently deleted`,
      { subject },
    )
  if (!permanent && live.length === 0)
    throw fault(
      'subjectDeleted',
      `Subject '${subject}' was soft deleted. Set permanent=true to delete permanently`,
      { subject },
    )
  const gone = permanent ? all : live
  refuseReferred(state, gone)
  const settings: RegistryChange[] = [
    { kind: 'level', subject, value: undefined },
    { kind: 'mode', subject, value: undefined },
  ]
  return {
    changes: [...removal(state, gone, permanent), ...(permanent ? settings : [])],
    result: gone.map((each) => each.version),
  }
}

function removal(
  state: RegistryState,
  entries: readonly SchemaEntry[],
  permanent: boolean,
): RegistryChange[] {
  const changes: RegistryChange[] = entries.map((entry) => ({
    kind: 'schema',
    subject: entry.subject,
    version: entry.version,
    value: permanent ? undefined : { ...entry, isDeleted: true },
  }))
  return permanent ? [{ kind: 'ids', value: state.lastId }, ...changes] : changes
}

function refuseReferred(state: RegistryState, entries: readonly SchemaEntry[]): void {
  for (const { subject, version } of entries) {
    const [by] = state.referringTo(subject, version)
    if (by !== undefined)
      throw fault(
        'referenceExists',
        `One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=${subject},version=${version}}: ${by.subject} version ${by.version}`,
        { subject, version },
      )
  }
}

function requireWritable(state: RegistryState, subject: string): void {
  if (modeOf(state, subject) === 'READONLY')
    throw fault('notPermitted', `Subject ${subject} is in read-only mode`, { subject })
}

/** `subject` null is all. */
export function decideLevel(
  subject: string | null,
  value: CompatibilityLevel | undefined,
): Decision<undefined> {
  if (subject !== null) checkSubject(subject)
  return { changes: [{ kind: 'level', subject, value }], result: undefined }
}

/** @throws 40401 if a subject without one of its own is to lose it */
export function decideUnsetLevel(
  state: RegistryState,
  subject: string,
): Decision<CompatibilityLevel> {
  const before = state.level(subject)
  if (before === undefined) throw subjectMissing(subject)
  return { ...decideLevel(subject, undefined), result: before }
}

/** IMPORT, where there are schemas, would let ids change their meaning. @throws 42205 unless `force` */
export function decideMode(
  state: RegistryState,
  subject: string | null,
  value: Mode | undefined,
  force: boolean,
): Decision<undefined> {
  if (subject !== null) checkSubject(subject)
  const isUsed =
    subject === null ? state.subjects(true).length > 0 : state.versions(subject, true).length > 0
  if (value === 'IMPORT' && isUsed && !force && state.mode(subject) !== 'IMPORT')
    throw fault('notPermitted', 'Cannot import since found existing subjects')
  return { changes: [{ kind: 'mode', subject, value }], result: undefined }
}
