/**
 * Whether a new JSON Schema takes all that an old one took.
 *
 * Rules and their names are those that Confluent documents for its registry, with its strict policy: a property may only be
 * added where the old schema was closed to it (or open to nothing else than it is), and only be removed where the new one is open.
 * Keywords that constrain nothing (title, description, default, examples), `format`, `propertyNames`, `contains` and `if` are not compared.
 *
 * @see Confluent documentation, "JSON Schema compatibility rules"
 */
import type { JsonSchema, NumberSchema, StringSchema } from '../json-schema/schema.ts'
import type { Difference } from './difference.ts'
import { arrayChanges } from './json-array.ts'
import { combinedChanges } from './json-combined.ts'
import {
  below,
  type Change,
  type Compare,
  isAllowed,
  isSubset,
  limitChange,
  refusedChanges,
} from './json-comparison.ts'
import { objectChanges } from './json-object.ts'

/** Empty: the new schema takes all that the old one took. */
export function jsonDifferences(next: JsonSchema, old: JsonSchema): readonly Difference[] {
  return refusedChanges(old, next, pairChanges)
}

function pairChanges(old: JsonSchema, next: JsonSchema, compare: Compare): readonly Change[] {
  const through = throughCombination(old, next, compare)
  if (through !== undefined) return through
  if (old.kind !== next.kind) {
    if (old.kind === 'none' || next.kind === 'any') return []
    // Connect writes decimals as text or as number, told by this alone.
    if (old.connectType === 'bytes' && next.connectType === 'bytes') return []
    return [{ rule: 'TYPE_CHANGED', path: '' }]
  }
  switch (old.kind) {
    case 'string':
      return next.kind === 'string' ? stringChanges(old, next) : []
    case 'number':
      return next.kind === 'number' ? numberChanges(old, next) : []
    case 'const':
      return next.kind === 'const' && next.value !== old.value
        ? [{ rule: 'ENUM_ARRAY_CHANGED', path: 'const' }]
        : []
    case 'enum':
      return next.kind === 'enum' ? enumChanges(old.values, next.values) : []
    case 'not':
      return next.kind === 'not' ? notChanges(old.schema, next.schema, compare) : []
    case 'combined':
      return next.kind === 'combined' ? combinedChanges(old, next, compare) : []
    case 'object':
      return next.kind === 'object' ? objectChanges(old, next, compare) : []
    case 'array':
      return next.kind === 'array' ? arrayChanges(old, next, compare) : []
    default:
      return []
  }
}

/** One schema that became one of several, or was one of several: undefined if that does not explain the change. */
function throughCombination(
  old: JsonSchema,
  next: JsonSchema,
  compare: Compare,
): readonly Change[] | undefined {
  if (next.kind === 'combined' && old.kind !== 'combined') {
    const isAlone = next.branches.length === 1
    if (!isAlone && next.criterion === 'allOf') return undefined
    for (const branch of next.branches) {
      const found = compare(old, branch)
      if (isAllowed(found))
        return isAlone ? found : [...found, { rule: 'SUM_TYPE_EXTENDED', path: '' }]
    }
  }
  if (old.kind === 'combined' && next.kind !== 'combined') {
    const isAlone = old.branches.length === 1
    if (!isAlone && old.criterion !== 'allOf') return undefined
    for (const branch of old.branches) {
      const found = compare(branch, next)
      if (isAllowed(found))
        return isAlone ? found : [...found, { rule: 'PRODUCT_TYPE_NARROWED', path: '' }]
    }
  }
  return undefined
}

function stringChanges(old: StringSchema, next: StringSchema): readonly Change[] {
  const changes = [
    ...limitChange('maxLength', 'MAX_LENGTH', old.maxLength, next.maxLength),
    ...limitChange('minLength', 'MIN_LENGTH', old.minLength, next.minLength),
  ]
  if (old.pattern === next.pattern) return changes
  const how =
    old.pattern === undefined ? 'ADDED' : next.pattern === undefined ? 'REMOVED' : 'CHANGED'
  return [...changes, { rule: `PATTERN_${how}`, path: 'pattern' }]
}

function numberChanges(old: NumberSchema, next: NumberSchema): readonly Change[] {
  const changes = [
    ...limitChange('maximum', 'MAXIMUM', old.maximum, next.maximum),
    ...limitChange('minimum', 'MINIMUM', old.minimum, next.minimum),
    ...limitChange(
      'exclusiveMaximum',
      'EXCLUSIVE_MAXIMUM',
      old.exclusiveMaximum,
      next.exclusiveMaximum,
    ),
    ...limitChange(
      'exclusiveMinimum',
      'EXCLUSIVE_MINIMUM',
      old.exclusiveMinimum,
      next.exclusiveMinimum,
    ),
    ...multipleChanges(old.multipleOf, next.multipleOf),
  ]
  if (old.isInteger === next.isInteger) return changes
  return [...changes, { rule: old.isInteger ? 'TYPE_EXTENDED' : 'TYPE_NARROWED', path: '' }]
}

function multipleChanges(old: number | undefined, next: number | undefined): readonly Change[] {
  const path = 'multipleOf'
  if (old === next) return []
  if (old === undefined) return [{ rule: 'MULTIPLE_OF_ADDED', path }]
  if (next === undefined) return [{ rule: 'MULTIPLE_OF_REMOVED', path }]
  if (isMultiple(next, old)) return [{ rule: 'MULTIPLE_OF_EXPANDED', path }]
  return [{ rule: isMultiple(old, next) ? 'MULTIPLE_OF_REDUCED' : 'MULTIPLE_OF_CHANGED', path }]
}

/** Exact for decimal fractions: 0.3 is a multiple of 0.1. */
function isMultiple(value: number, of: number): boolean {
  if (of === 0) return false
  const digits = Math.max(fractionDigits(value), fractionDigits(of))
  const scale = 10 ** Math.min(digits, 15)
  return Math.round(value * scale) % Math.round(of * scale) === 0
}

function fractionDigits(value: number): number {
  const [mantissa = '', exponent = '0'] = String(value).split('e')
  return Math.max(0, (mantissa.split('.')[1]?.length ?? 0) - Number(exponent))
}

function enumChanges(old: ReadonlySet<string>, next: ReadonlySet<string>): readonly Change[] {
  const isExtended = isSubset(old, next)
  const isNarrowed = isSubset(next, old)
  if (isExtended && isNarrowed) return []
  const how = isExtended ? 'EXTENDED' : isNarrowed ? 'NARROWED' : 'CHANGED'
  return [{ rule: `ENUM_ARRAY_${how}`, path: 'enum' }]
}

/** What must not match: the other way round. */
function notChanges(old: JsonSchema, next: JsonSchema, compare: Compare): readonly Change[] {
  const isNarrowed = isAllowed(compare(next, old))
  return below('not', [{ rule: isNarrowed ? 'NOT_TYPE_NARROWED' : 'NOT_TYPE_EXTENDED', path: '' }])
}
