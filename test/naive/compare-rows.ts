/** The order of rows by sort keys, for the oracles. */
import type { SortKey } from '../../src/plan/nodes.ts'
import type { Plain } from '../builders/batch.ts'
import { compare, evaluate, type NaiveRow } from './expression.ts'

export function compareRows(keys: readonly SortKey[], a: NaiveRow, b: NaiveRow): number {
  for (const key of keys) {
    const order = compareBy(key, evaluate(key.expression, a), evaluate(key.expression, b))
    if (order !== 0) return order
  }
  return 0
}

function compareBy({ expression, descending, nullsFirst }: SortKey, a: Plain, b: Plain): number {
  if (a === null || b === null) {
    if (a === b) return 0
    return (a === null) === nullsFirst ? -1 : 1
  }
  const order =
    isNoNumber(a) || isNoNumber(b)
      ? Number(isNoNumber(a)) - Number(isNoNumber(b))
      : compare(a, b, expression.type)
  return descending ? -order : order
}

/** NaN is greater than every number. */
function isNoNumber(value: Plain): boolean {
  return typeof value === 'number' && Number.isNaN(value)
}
