/** Properties of objects: what was added and removed, and whether the other side was open to it. */
import type { Additional, JsonSchema, ObjectSchema } from '../json-schema/schema.ts'
import {
  below,
  type Change,
  type Compare,
  isAllowed,
  isSubset,
  limitChange,
} from './json-comparison.ts'

export function objectChanges(
  old: ObjectSchema,
  next: ObjectSchema,
  compare: Compare,
): readonly Change[] {
  return [
    ...requiredChanges(old, next),
    ...propertiesChanges(old, next, compare),
    ...dependencyChanges(old, next, compare),
    ...additionalChanges(
      'additionalProperties',
      'ADDITIONAL_PROPERTIES',
      old.additional,
      next.additional,
      compare,
    ),
    ...unevaluatedChanges(
      'unevaluatedProperties',
      'UNEVALUATED_PROPERTIES',
      old.unevaluated,
      next.unevaluated,
      compare,
    ),
    ...limitChange('maxProperties', 'MAX_PROPERTIES', old.maxProperties, next.maxProperties),
    ...limitChange('minProperties', 'MIN_PROPERTIES', old.minProperties, next.minProperties),
  ]
}

/** Of properties that both have. */
function requiredChanges(old: ObjectSchema, next: ObjectSchema): readonly Change[] {
  const changes: Change[] = []
  for (const name of old.properties.keys()) {
    const schema = next.properties.get(name)
    if (schema === undefined || old.required.has(name) === next.required.has(name)) continue
    const added = schema.hasDefault
      ? 'REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED'
      : 'REQUIRED_ATTRIBUTE_ADDED'
    const rule = old.required.has(name) ? 'REQUIRED_ATTRIBUTE_REMOVED' : added
    changes.push({ rule, path: `required/${name}` })
  }
  return changes
}

function propertiesChanges(
  old: ObjectSchema,
  next: ObjectSchema,
  compare: Compare,
): readonly Change[] {
  const changes: Change[] = []
  for (const [name, schema] of old.properties) {
    const other = next.properties.get(name)
    const found =
      other === undefined ? removed(name, schema, next, compare) : compare(schema, other)
    changes.push(...below(`properties/${name}`, found))
  }
  for (const [name, schema] of next.properties)
    if (!old.properties.has(name))
      changes.push(...below(`properties/${name}`, added(name, schema, old, next, compare)))
  return changes
}

/** Values of a property that is no longer listed are still read, if the new schema is open to them. */
function removed(
  name: string,
  schema: JsonSchema,
  next: ObjectSchema,
  compare: Compare,
): readonly Change[] {
  if (isOpen(next)) return [{ rule: 'PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL', path: '' }]
  const cover = coverOf(next, name)
  if (cover !== undefined) {
    const found = compare(schema, cover)
    const how = isAllowed(found) ? 'IS_COVERED' : 'NOT_COVERED'
    return [...found, { rule: `PROPERTY_REMOVED_${how}_BY_PARTIALLY_OPEN_CONTENT_MODEL`, path: '' }]
  }
  const what = schema.kind === 'none' ? 'WITH_FALSE_REMOVED' : 'REMOVED'
  return [{ rule: `PROPERTY_${what}_FROM_CLOSED_CONTENT_MODEL`, path: '' }]
}

/** Where the old schema was open, anything may have been written under the new name. */
function added(
  name: string,
  schema: JsonSchema,
  old: ObjectSchema,
  next: ObjectSchema,
  compare: Compare,
): readonly Change[] {
  const withDefault = schema.hasDefault ? '_WITH_DEFAULT' : ''
  const what = next.required.has(name) ? `REQUIRED_PROPERTY${withDefault}` : 'OPTIONAL_PROPERTY'
  if (isOpen(old)) {
    const rule = schema.kind === 'any' ? 'PROPERTY_WITH_EMPTY_SCHEMA' : what
    return [{ rule: `${rule}_ADDED_TO_OPEN_CONTENT_MODEL`, path: '' }]
  }
  const changes: Change[] = []
  const cover = coverOf(old, name)
  if (cover !== undefined) {
    const found = compare(cover, schema)
    const how = isAllowed(found) ? 'IS_COVERED' : 'NOT_COVERED'
    changes.push(...found, {
      rule: `PROPERTY_ADDED_${how}_BY_PARTIALLY_OPEN_CONTENT_MODEL`,
      path: '',
    })
  }
  return [...changes, { rule: `${what}_ADDED_TO_UNOPEN_CONTENT_MODEL`, path: '' }]
}

/** Open to any property that is not listed. */
function isOpen({ additional, patterns, unevaluated }: ObjectSchema): boolean {
  if (additional !== true || patterns.length > 0) return false
  return unevaluated === undefined || unevaluated.kind === 'any'
}

/** What a property that is not listed must fit, where the schema is open to some. */
function coverOf(
  { additional, patterns, unevaluated }: ObjectSchema,
  name: string,
): JsonSchema | undefined {
  const pattern = patterns.find(([expression]) => expression.find(name, 0) !== undefined)
  if (pattern !== undefined) return pattern[1]
  if (typeof additional !== 'boolean') return additional
  const isSaid =
    unevaluated !== undefined && unevaluated.kind !== 'none' && unevaluated.kind !== 'any'
  return additional && isSaid ? unevaluated : undefined
}

function dependencyChanges(
  old: ObjectSchema,
  next: ObjectSchema,
  compare: Compare,
): readonly Change[] {
  const changes: Change[] = []
  for (const name of new Set([...old.dependentNames.keys(), ...next.dependentNames.keys()])) {
    const how = setChange(old.dependentNames.get(name), next.dependentNames.get(name))
    if (how !== undefined)
      changes.push({ rule: `DEPENDENCY_ARRAY_${how}`, path: `dependencies/${name}` })
  }
  for (const name of new Set([...old.dependentSchemas.keys(), ...next.dependentSchemas.keys()])) {
    const [from, to] = [old.dependentSchemas.get(name), next.dependentSchemas.get(name)]
    const path = `dependencies/${name}`
    if (to === undefined) changes.push({ rule: 'DEPENDENCY_SCHEMA_REMOVED', path })
    else if (from === undefined) changes.push({ rule: 'DEPENDENCY_SCHEMA_ADDED', path })
    else changes.push(...below(path, compare(from, to)))
  }
  return changes
}

function setChange(
  old: ReadonlySet<string> | undefined,
  next: ReadonlySet<string> | undefined,
): string | undefined {
  if (next === undefined) return 'REMOVED'
  if (old === undefined) return 'ADDED'
  if (isSubset(old, next)) return isSubset(next, old) ? undefined : 'EXTENDED'
  return isSubset(next, old) ? 'NARROWED' : 'CHANGED'
}

/** `additionalProperties` and `additionalItems`. */
export function additionalChanges(
  path: string,
  name: string,
  old: Additional,
  next: Additional,
  compare: Compare,
): readonly Change[] {
  if ((old === false) !== (next === false))
    return [{ rule: `${name}_${next === false ? 'REMOVED' : 'ADDED'}`, path }]
  if (typeof old === 'boolean' && typeof next === 'boolean') return []
  if (typeof old === 'boolean') return [{ rule: `${name}_NARROWED`, path }]
  if (typeof next === 'boolean') return [{ rule: `${name}_EXTENDED`, path }]
  return below(path, compare(old, next))
}

/** `unevaluatedProperties` and `unevaluatedItems`. */
export function unevaluatedChanges(
  path: string,
  name: string,
  old: JsonSchema | undefined,
  next: JsonSchema | undefined,
  compare: Compare,
): readonly Change[] {
  const [from, to] = [old?.kind ?? 'any', next?.kind ?? 'any']
  if (old === undefined && next === undefined) return []
  if (from === 'none' && to === 'none') return []
  if (from === 'none') return [{ rule: `${name}_ADDED`, path }]
  if (to === 'none') return [{ rule: `${name}_REMOVED`, path }]
  if (old === undefined) return [{ rule: `${name}_NARROWED`, path }]
  if (next === undefined || (to === 'any' && from !== 'any'))
    return [{ rule: `${name}_EXTENDED`, path }]
  if (from === 'any' && to !== 'any') return [{ rule: `${name}_NARROWED`, path }]
  return below(path, compare(old, next))
}
