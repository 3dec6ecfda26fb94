/** What is known of the values of a column: for skipping row groups and files. */

/** A column's own order: bigint and number by value, bytes unsigned and lexicographic (for UTF-8: by code point). */
export type Bound = bigint | number | Uint8Array

export interface ColumnStatistics {
  readonly nullCount: number
  /** Absent if no value is known to bound all others: all NULL, or some NaN. Both are there or neither. */
  readonly bounds?: { readonly min: Bound; readonly max: Bound }
  /** NaN has no place in the order: with one, there are no bounds. */
  readonly hasNaN: boolean
}

export const NO_VALUES: ColumnStatistics = { nullCount: 0, hasNaN: false }

export function mergeStatistics(a: ColumnStatistics, b: ColumnStatistics): ColumnStatistics {
  const hasNaN = a.hasNaN || b.hasNaN
  const nullCount = a.nullCount + b.nullCount
  if (hasNaN) return { nullCount, hasNaN }
  if (a.bounds === undefined || b.bounds === undefined) {
    const bounds = a.bounds ?? b.bounds
    return bounds === undefined ? { nullCount, hasNaN } : { nullCount, hasNaN, bounds }
  }
  const min = compareBounds(a.bounds.min, b.bounds.min) <= 0 ? a.bounds.min : b.bounds.min
  const max = compareBounds(a.bounds.max, b.bounds.max) >= 0 ? a.bounds.max : b.bounds.max
  return { nullCount, hasNaN, bounds: { min, max } }
}

export function compareBounds(a: Bound, b: Bound): number {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}
