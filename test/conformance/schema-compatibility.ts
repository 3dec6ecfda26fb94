/**
 * Whether a schema may follow others: `npm run conformance -- schema-compatibility FILE`, JSON lines
 * `{id, format: AVRO|JSON|PROTOBUF, level, old, new, references?, compatible, reason}`. `old` is one earlier version or a list of them, oldest first;
 * `references` are `{name, schema}`, for both sides, or `{old: [...], new: [...]}`. A schema that can't be read is not compatible.
 */
import { readFileSync } from 'node:fs'
import { MillraceError } from '../../src/errors.ts'
import type { ResolvedSchema, SchemaType } from '../../src/formats/schema-source.ts'
import { incompatibilities, incompatibilityText } from '../../src/registry/compatibility/check.ts'
import { readLevel } from '../../src/registry/compatibility/level.ts'

export interface CompatibilityCase {
  readonly id: string | number
  readonly format: SchemaType
  readonly level: string
  readonly old: unknown
  readonly new: unknown
  readonly references?: unknown
  readonly compatible: boolean
  readonly reason?: string
}

/** Runs the cases of a file; returns how many passed, failed and were skipped. */
export function runSchemaCompatibility(file: string, print: (line: string) => void) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const given of readCases(file)) {
    const found = verdictOf(given)
    if ((found.length === 0) === given.compatible) {
      counts.passed++
      continue
    }
    counts.failed++
    const wanted = given.compatible ? 'compatible' : `refused (${given.reason ?? ''})`
    print(`failed ${given.id}: is to be ${wanted}, but ${found.join('; ') || 'is compatible'}`)
  }
  print(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  return counts
}

export function readCases(file: string): CompatibilityCase[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line))
}

/** Why it is refused; empty if it is not. */
export function verdictOf(given: CompatibilityCase): readonly string[] {
  const { format, level, references } = given
  const ofSide = (side: 'old' | 'new') => referencesOf(references, side)
  const schema = (text: unknown, side: 'old' | 'new'): ResolvedSchema => ({
    type: format,
    text: textOf(text),
    references: ofSide(side),
  })
  const olds = Array.isArray(given.old) ? given.old : [given.old]
  try {
    return incompatibilities(
      readLevel(level),
      schema(given.new, 'new'),
      olds.map((old) => schema(old, 'old')),
    ).map(incompatibilityText)
  } catch (error) {
    if (error instanceof MillraceError) return [error.message]
    throw error
  }
}

function textOf(schema: unknown): string {
  return typeof schema === 'string' ? schema : JSON.stringify(schema)
}

function referencesOf(given: unknown, side: 'old' | 'new'): ResolvedSchema['references'] {
  if (given === undefined || given === null) return []
  if (Array.isArray(given))
    return given.map((each) => ({
      name: String(each.name ?? each.subject),
      text: textOf(each.schema ?? each.text ?? each.content),
    }))
  const named = given as Readonly<Record<string, unknown>>
  if (Array.isArray(named[side]) || Array.isArray(named.old) || Array.isArray(named.new))
    return referencesOf(named[side], side)
  return Object.entries(named).map(([name, schema]) => ({ name, text: textOf(schema) }))
}
