/** STATE_TTL of a GROUP BY: groups that were not written for so long are as if they had never been. */
import type { AggregateSet } from '../../compile/aggregates/aggregate-set.ts'
import { type Batch, DELETE, UPDATE_BEFORE, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { rowsWithout } from '../evaluation.ts'
import type { GroupTables, GroupTablesMaker } from './group-state.ts'

const SCAN_ROWS = 1024

export interface GroupExpiry {
  /** Forgets the groups of `rows` that have expired; gives the rows without those that take away what is not there any more. */
  before(state: GroupTables, rows: Batch, keys: readonly Vector[]): Batch
  /** These have been written now. */
  written(entries: Pointer, count: number): void
  /** Forgets all that have expired. */
  sweep(state: GroupTables): void
}

/** `timeOffset`: of the cell that says when an entry was last written. */
export function groupExpiry(
  memory: LinearMemory,
  aggregates: AggregateSet,
  tables: GroupTablesMaker,
  timeOffset: number,
  ttlUs: bigint,
  nowUs: () => bigint,
): GroupExpiry {
  const isExpired = (entry: Pointer): boolean =>
    memory.i64[(entry + timeOffset) / 8]! + ttlUs <= nowUs()

  function forget(state: GroupTables, entries: readonly Pointer[]): void {
    if (entries.length === 0) return
    const mark = memory.arena.mark()
    const one = memory.arena.allocate(4 * entries.length)
    memory.u32.set(entries, one / 4)
    aggregates.forget(state, one, entries.length)
    for (const entry of entries) state.groups.remove(entry)
    tables.sweep(state)
    memory.arena.release(mark)
  }

  return {
    before(state, rows, keys) {
      const found = memory.arena.allocate(4 * rows.count)
      const find = (): void => state.groups.find({ ...rows, keys }, found)
      find()
      const expired = new Set<Pointer>()
      for (let at = 0; at < rows.count; at++) {
        const entry = memory.u32[found / 4 + at]!
        if (entry !== 0 && isExpired(entry)) expired.add(entry)
      }
      forget(state, [...expired])
      if (rows.kinds === 0) return rows
      find()
      let at = 0
      // Rows come one by one where some are taken back: what an earlier one of the batch brought would not be found here.
      const kept = rowsWithout(memory, rows, (row) => {
        const kind = memory.u8[rows.kinds + row]
        return memory.u32[found / 4 + at++] === 0 && (kind === UPDATE_BEFORE || kind === DELETE)
      })
      return { ...rows, ...kept }
    },
    written(entries, count) {
      const now = nowUs()
      for (let at = 0; at < count; at++)
        memory.i64[(memory.u32[entries / 4 + at]! + timeOffset) / 8] = now
    },
    sweep(state) {
      const mark = memory.arena.mark()
      const entries = memory.arena.allocate(4 * SCAN_ROWS)
      const expired: Pointer[] = []
      for (let cursor = 0; cursor >= 0; ) {
        const { next, count } = state.groups.scan(cursor, entries, SCAN_ROWS)
        for (let at = 0; at < count; at++) {
          const entry = memory.u32[entries / 4 + at]!
          if (isExpired(entry)) expired.push(entry)
        }
        cursor = next
      }
      memory.arena.release(mark)
      forget(state, expired)
    },
  }
}
