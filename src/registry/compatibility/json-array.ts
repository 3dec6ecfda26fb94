/** Items of arrays: of all of them, and one by one in tuples. */
import type { ArraySchema, JsonSchema } from '../json-schema/schema.ts'
import { below, type Change, type Compare, isAllowed, limitChange } from './json-comparison.ts'
import { additionalChanges, unevaluatedChanges } from './json-object.ts'

export function arrayChanges(
  old: ArraySchema,
  next: ArraySchema,
  compare: Compare,
): readonly Change[] {
  return [
    ...itemsChanges(old.items, next.items, compare),
    ...tupleChanges(old, next, compare),
    ...additionalChanges(
      'additionalItems',
      'ADDITIONAL_ITEMS',
      old.additional,
      next.additional,
      compare,
    ),
    ...unevaluatedChanges(
      'unevaluatedItems',
      'UNEVALUATED_ITEMS',
      old.unevaluated,
      next.unevaluated,
      compare,
    ),
    ...limitChange('maxItems', 'MAX_ITEMS', old.maxItems, next.maxItems),
    ...limitChange('minItems', 'MIN_ITEMS', old.minItems, next.minItems),
    ...uniqueChanges(old.uniqueItems, next.uniqueItems),
    ...limitChange('maxContains', 'MAX_CONTAINS', old.maxContains, next.maxContains),
    ...limitChange('minContains', 'MIN_CONTAINS', old.minContains, next.minContains),
  ]
}

function itemsChanges(
  old: JsonSchema | undefined,
  next: JsonSchema | undefined,
  compare: Compare,
): readonly Change[] {
  if (old === undefined) return next === undefined ? [] : [{ rule: 'SCHEMA_ADDED', path: 'items' }]
  if (next === undefined) return [{ rule: 'SCHEMA_REMOVED', path: 'items' }]
  return below('items', compare(old, next))
}

function uniqueChanges(old: boolean, next: boolean): readonly Change[] {
  if (old === next) return []
  return [{ rule: old ? 'UNIQUE_ITEMS_REMOVED' : 'UNIQUE_ITEMS_ADDED', path: 'uniqueItems' }]
}

function tupleChanges(old: ArraySchema, next: ArraySchema, compare: Compare): readonly Change[] {
  const count = Math.max(old.tuple.length, next.tuple.length)
  return Array.from({ length: count }, (_, index) => {
    const [from, to] = [old.tuple[index], next.tuple[index]]
    const found =
      from === undefined
        ? added(to!, old, compare)
        : to === undefined
          ? removed(from, next, compare)
          : compare(from, to)
    return below(`items/${index}`, found)
  }).flat()
}

function removed(schema: JsonSchema, next: ArraySchema, compare: Compare): readonly Change[] {
  if (isOpen(next)) return [{ rule: 'ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL', path: '' }]
  const cover = coverOf(next)
  if (cover !== undefined) {
    const found = compare(schema, cover)
    const how = isAllowed(found) ? 'IS_COVERED' : 'NOT_COVERED'
    return [...found, { rule: `ITEM_REMOVED_${how}_BY_PARTIALLY_OPEN_CONTENT_MODEL`, path: '' }]
  }
  const what = schema.kind === 'none' ? 'WITH_FALSE_REMOVED' : 'REMOVED'
  return [{ rule: `ITEM_${what}_FROM_CLOSED_CONTENT_MODEL`, path: '' }]
}

function added(schema: JsonSchema, old: ArraySchema, compare: Compare): readonly Change[] {
  if (isOpen(old)) {
    const what = schema.kind === 'any' ? 'ITEM_WITH_EMPTY_SCHEMA' : 'ITEM'
    return [{ rule: `${what}_ADDED_TO_OPEN_CONTENT_MODEL`, path: '' }]
  }
  const cover = coverOf(old)
  if (cover === undefined) return [{ rule: 'ITEM_ADDED_TO_CLOSED_CONTENT_MODEL', path: '' }]
  const found = compare(cover, schema)
  const how = isAllowed(found) ? 'IS_COVERED' : 'NOT_COVERED'
  return [...found, { rule: `ITEM_ADDED_${how}_BY_PARTIALLY_OPEN_CONTENT_MODEL`, path: '' }]
}

function isOpen({ additional, unevaluated }: ArraySchema): boolean {
  return additional === true && (unevaluated === undefined || unevaluated.kind === 'any')
}

function coverOf({ additional, unevaluated }: ArraySchema): JsonSchema | undefined {
  if (typeof additional !== 'boolean') return additional
  const isSaid =
    unevaluated !== undefined && unevaluated.kind !== 'none' && unevaluated.kind !== 'any'
  return additional && isSaid ? unevaluated : undefined
}
