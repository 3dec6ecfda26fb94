/** What a registry refuses, with the numbers that Confluent's gives: clients and tools match on them. */
import { MillraceError } from '../errors.ts'

/** As Confluent's REST API documents them; the first three digits are the HTTP status. */
export const FAULTS = {
  subjectMissing: 40401,
  versionMissing: 40402,
  schemaMissing: 40403,
  subjectDeleted: 40404,
  subjectNotDeleted: 40405,
  versionDeleted: 40406,
  versionNotDeleted: 40407,
  levelNotSet: 40408,
  modeNotSet: 40409,
  incompatible: 409,
  schemaInvalid: 42201,
  versionInvalid: 42202,
  levelInvalid: 42203,
  modeInvalid: 42204,
  notPermitted: 42205,
  referenceExists: 42206,
  subjectInvalid: 42208,
} as const

export type FaultName = keyof typeof FAULTS

export function fault(
  name: FaultName,
  message: string,
  facts: Readonly<Record<string, string | number>> = {},
): MillraceError {
  return new MillraceError('REGISTRY_REFUSED', {
    message,
    hint:
      HINTS[name] ?? 'see the schema registry API: what is asked for does not fit what is there',
    facts: { ...facts, errorCode: FAULTS[name] },
  })
}

const HINTS: Readonly<Partial<Record<FaultName, string>>> = {
  subjectMissing: 'list subjects with GET /subjects; deleted ones with ?deleted=true',
  subjectDeleted: 'delete it for good with ?permanent=true',
  subjectNotDeleted: 'delete it without permanent=true first',
  versionDeleted: 'delete it for good with ?permanent=true',
  versionNotDeleted: 'delete it without permanent=true first',
  referenceExists:
    'delete what refers to it first: GET /subjects/SUBJECT/versions/VERSION/referencedby',
  notPermitted: 'see GET /mode and GET /mode/SUBJECT',
}

export const subjectMissing = (subject: string) =>
  fault('subjectMissing', `Subject '${subject}' not found.`, { subject })
export const versionMissing = (subject: string, version: number) =>
  fault('versionMissing', `Version ${version} not found.`, { subject, version })
export const schemaMissing = (id?: number) =>
  fault('schemaMissing', id === undefined ? 'Schema not found' : `Schema ${id} not found`)
