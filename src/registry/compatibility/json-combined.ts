/** allOf, anyOf and oneOf: how the combination changed, and whether the branches of one find partners among the other's. */
import type { CombinedSchema, JsonSchema } from '../json-schema/schema.ts'
import { below, type Change, type Compare, isAllowed } from './json-comparison.ts'

export function combinedChanges(
  old: CombinedSchema,
  next: CombinedSchema,
  compare: Compare,
): readonly Change[] {
  const changes: Change[] = []
  if (old.criterion !== next.criterion) {
    if (!isCriterionExtended(old, next)) return [{ rule: 'COMBINED_TYPE_CHANGED', path: '' }]
    changes.push({ rule: 'COMBINED_TYPE_EXTENDED', path: '' })
  }
  const olds = distinct(old.branches)
  const nexts = distinct(next.branches)
  if (olds.length < nexts.length) {
    const rule = next.criterion === 'allOf' ? 'PRODUCT_TYPE_EXTENDED' : 'SUM_TYPE_EXTENDED'
    changes.push({ rule, path: '' })
  } else if (olds.length > nexts.length) {
    const rule = old.criterion === 'allOf' ? 'PRODUCT_TYPE_NARROWED' : 'SUM_TYPE_NARROWED'
    changes.push({ rule, path: '' })
  }
  const found = olds.map((each) => nexts.map((other) => compare(each, other)))
  const partners = matching(found.map((row) => row.map(isAllowed)))
  for (const [index, partner] of partners)
    changes.push(...below(`${old.criterion}/${index}`, found[index]![partner]!))
  if (partners.size < Math.min(olds.length, nexts.length))
    changes.push({ rule: 'COMBINED_TYPE_SUBSCHEMAS_CHANGED', path: '' })
  return changes
}

function isCriterionExtended(old: CombinedSchema, next: CombinedSchema): boolean {
  const isOldAlone = old.branches.length === 1
  const isNextAlone = next.branches.length === 1
  if (next.criterion === 'anyOf') return true
  if (isOldAlone && (isNextAlone || next.criterion === 'oneOf')) return true
  return isNextAlone && old.criterion === 'allOf'
}

function distinct(branches: readonly JsonSchema[]): readonly JsonSchema[] {
  const seen = new Map<string, JsonSchema>()
  for (const branch of branches) {
    const key = `${branch.kind} ${branch.kind === 'combined' ? branch.criterion : ''} ${branch.text}`
    if (!seen.has(key)) seen.set(key, branch)
  }
  return [...seen.values()]
}

/** A largest set of pairs (row, column) that may go together, each row and column once: by augmenting paths. */
function matching(mayPair: readonly (readonly boolean[])[]): ReadonlyMap<number, number> {
  const rowOf = new Map<number, number>()
  const place = (row: number, tried: Set<number>): boolean => {
    for (const [column, may] of mayPair[row]!.entries()) {
      if (!may || tried.has(column)) continue
      tried.add(column)
      const holder = rowOf.get(column)
      if (holder !== undefined && !place(holder, tried)) continue
      rowOf.set(column, row)
      return true
    }
    return false
  }
  for (const row of mayPair.keys()) place(row, new Set())
  return new Map([...rowOf].map(([column, row]) => [row, column]))
}
