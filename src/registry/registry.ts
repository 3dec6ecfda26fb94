/**
 * The embedded registry: subjects, versions and the rules between them, with the answers and refusals of Confluent's.
 *
 * A schema has one id, whatever subjects it stands under. Versions of a subject count up and are not used again while one is
 * only soft-deleted; a soft-deleted version can still be read by its id.
 */
import { type MillraceError, MillraceError as RegistryError } from '../errors.ts'
import type { SchemaReference, SchemaType } from '../formats/schema-source.ts'
import { type Incompatibility, incompatibilities, parseNewSchema } from './compatibility/check.ts'
import { type CompatibilityLevel, isLevel } from './compatibility/level.ts'
import { MODES, type Mode, type SchemaEntry } from './entries.ts'
import { fault, schemaMissing, subjectMissing, versionMissing } from './faults.ts'
import { identityOf } from './identity.ts'
import type { RegistryState } from './state.ts'

/** A schema as a client gives it. */
export interface GivenSchema {
  readonly type: SchemaType
  readonly text: string
  readonly references: readonly SchemaReference[]
  readonly metadata?: unknown
  readonly ruleSet?: unknown
  /** Wanted ones: in mode IMPORT only. */
  readonly id?: number
  readonly version?: number
}

export const DEFAULT_LEVEL: CompatibilityLevel = 'BACKWARD'

/** That of the subject, or of all. */
export function levelOf(state: RegistryState, subject: string): CompatibilityLevel {
  return state.level(subject) ?? state.level(null) ?? DEFAULT_LEVEL
}

export function modeOf(state: RegistryState, subject: string | null): Mode {
  return state.mode(subject) ?? state.mode(null) ?? 'READWRITE'
}

/** 'latest', '-1' or a number. @throws 42202, 40401, 40402 */
export function findVersion(
  state: RegistryState,
  subject: string,
  version: string,
  deleted: boolean,
): SchemaEntry {
  const versions = requireVersions(state, subject, deleted)
  const wanted = readVersion(version)
  const found =
    wanted === 'latest' ? versions.at(-1) : versions.find((each) => each.version === wanted)
  if (found === undefined) throw versionMissing(subject, Number(wanted))
  return found
}

/** @throws 42202 */
export function readVersion(text: string): number | 'latest' {
  if (text === 'latest' || text === '-1') return 'latest'
  const version = Number(text)
  if (/^\d+$/.test(text) && version >= 1 && version <= 2 ** 31 - 1) return version
  throw fault(
    'versionInvalid',
    `The specified version '${text}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`,
    { version: text },
  )
}

/** Never empty. @throws 40401 */
export function requireVersions(
  state: RegistryState,
  subject: string,
  deleted: boolean,
): readonly SchemaEntry[] {
  const versions = state.versions(subject, deleted)
  if (versions.length === 0) throw subjectMissing(subject)
  return versions
}

/** The version of `subject` that is `given`. @throws 40401, 40403, 42201 */
export function lookUp(
  state: RegistryState,
  subject: string,
  given: GivenSchema,
  deleted: boolean,
): SchemaEntry {
  const versions = requireVersions(state, subject, deleted)
  checkSchema(state, given)
  const found = sameAmong(versions, given)
  if (found === undefined) throw schemaMissing()
  return found
}

export function sameAmong(
  versions: readonly SchemaEntry[],
  given: GivenSchema,
): SchemaEntry | undefined {
  const identity = identityOf(given)
  return versions.findLast((each) => identityOf(each) === identity)
}

/** Why `given` may not follow `olds`. @throws 42201 */
export function refusals(
  state: RegistryState,
  level: CompatibilityLevel,
  given: GivenSchema,
  olds: readonly SchemaEntry[],
): readonly Incompatibility[] {
  const next = checkSchema(state, given)
  const resolved = olds.map((old) => {
    const schema = state.resolve(old)
    if (schema !== undefined) return schema
    throw invalidSchema(`version ${old.version} refers to a schema that is gone`)
  })
  return incompatibilities(level, next, resolved)
}

/** With all it refers to. @throws 42201 if it can't be read, or refers to what is not there */
export function checkSchema(state: RegistryState, given: GivenSchema) {
  const resolved = state.resolve(given)
  if (resolved === undefined) {
    const names = given.references.map((each) => `${each.subject} version ${each.version}`)
    throw invalidSchema(`it refers to a schema that is not there, among ${names.join(', ')}`)
  }
  try {
    parseNewSchema(resolved)
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'SCHEMA_INVALID')
      throw invalidSchema(error.message)
    throw error
  }
  return resolved
}

function invalidSchema(what: string): MillraceError {
  return fault('schemaInvalid', `Invalid schema: ${what}`)
}

/** @throws 42208 */
export function checkSubject(subject: string): void {
  const hasControl = [...subject].some((each) => each.codePointAt(0)! < 32 || each === '\u007f')
  const isTaken = subject === '__GLOBAL' || subject === '__EMPTY'
  if (subject.length > 0 && subject.length <= 4096 && !hasControl && !isTaken) return
  throw fault('subjectInvalid', `The specified subject '${subject}' is not a valid.`, { subject })
}

/** @throws 42203 */
export function checkLevel(level: unknown): CompatibilityLevel {
  if (typeof level === 'string' && isLevel(level)) return level
  throw fault(
    'levelInvalid',
    `Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive`,
  )
}

/** @throws 42204 */
export function checkMode(mode: unknown): Mode {
  if (typeof mode === 'string' && MODES.includes(mode)) return mode as Mode
  throw fault('modeInvalid', `Invalid mode. Valid values are ${MODES.join(', ')}`)
}
