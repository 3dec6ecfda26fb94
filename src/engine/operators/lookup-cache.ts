/** Rows that were looked up, by key, as long as they may be told again. Bounded: what was used least lately goes. */
import type { LookupCacheSettings } from '../../connectors/contract/lookup.ts'
import type { Row } from '../../data/values.ts'

export interface LookupCache {
  /** Undefined if the key has to be asked for. */
  get(key: string, nowMs: number): readonly Row[] | undefined
  put(key: string, rows: readonly Row[], nowMs: number): void
}

interface Entry {
  readonly rows: readonly Row[]
  readonly writtenMs: number
  usedMs: number
}

/** Times are those of a clock that never goes back. */
export function lookupCache({
  rowsMax,
  expireAfterWriteMs = Infinity,
  expireAfterAccessMs = Infinity,
  keepsMissing,
}: LookupCacheSettings): LookupCache {
  /** In the order of last use. */
  const entries = new Map<string, Entry>()
  let weight = 0
  const forget = (key: string, { rows }: Entry): void => {
    entries.delete(key)
    weight -= weightOf(rows)
  }
  return {
    get(key, nowMs) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      if (
        nowMs - entry.writtenMs >= expireAfterWriteMs ||
        nowMs - entry.usedMs >= expireAfterAccessMs
      ) {
        forget(key, entry)
        return undefined
      }
      entries.delete(key)
      entries.set(key, entry)
      entry.usedMs = nowMs
      return entry.rows
    },
    put(key, rows, nowMs) {
      if (rows.length === 0 && !keepsMissing) return
      const before = entries.get(key)
      if (before !== undefined) forget(key, before)
      entries.set(key, { rows, writtenMs: nowMs, usedMs: nowMs })
      weight += weightOf(rows)
      for (const [oldest, entry] of entries) {
        if (weight <= rowsMax) break
        forget(oldest, entry)
      }
    },
  }
}

/** A key without rows takes room too. */
function weightOf(rows: readonly Row[]): number {
  return Math.max(1, rows.length)
}
