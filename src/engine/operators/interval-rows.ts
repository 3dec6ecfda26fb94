/**
 * The kept rows of one side of an interval join: each until time has passed all that it could meet. Beside a row stand its time and
 * whether it has met any.
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { RowLists } from '../../state/row-lists.ts'
import { DueEntries } from '../../time/due-entries.ts'
import type { SomeRows } from './join-side.ts'

export const INTERVAL_EXTRAS = 2
const TIME = 0
const MET = 1
const SCAN_LISTS = 1024
const BUCKETS = 64
const BUCKET_US_MIN = 1000

export interface IntervalRows {
  readonly rows: RowLists
  /** Of an entry's time, an i64. */
  readonly timeOffset: number
  /** Notes that an entry has met a row. */
  meet(entry: Pointer): void
  /** Keeps `some` rows of the batch; `lists` and `met` (0 or not) are u32 by position, `times` i64 by row. */
  keep(batch: Batch, some: SomeRows, lists: Pointer, met: Pointer, times: Pointer): void
  /** Takes the rows that can meet none any more at time `nowUs`; tells those that have met none to `lonely`, 4,096 at a time at most. */
  drop(nowUs: bigint, lonely: (entries: readonly Pointer[]) => void): void
  /** After a restore. */
  remember(): void
}

const LONELY_MAX = 4096

/** A row is kept for `keptUs` (may be less than 0) after its own time. */
export function intervalRows(memory: LinearMemory, rows: RowLists, keptUs: number): IntervalRows {
  const timeOffset = rows.extraOffset(TIME)
  const metOffset = rows.extraOffset(MET)
  const kept = BigInt(keptUs)
  const timeOf = (entry: Pointer): bigint => memory.i64[(entry + timeOffset) / 8]!
  // A row leaves when time has gone beyond what it could meet.
  const dueOf = (entry: Pointer): bigint => timeOf(entry) + kept + 1n
  const width = Math.max(BUCKET_US_MIN, Math.ceil(Math.abs(keptUs) / BUCKETS))
  const due = new DueEntries(width, dueOf)
  return {
    rows,
    timeOffset,
    meet(entry) {
      if (memory.u32[(entry + metOffset) / 4] !== 0) return
      memory.u32[(entry + metOffset) / 4] = 1
      rows.markDirty(entry)
    },
    keep(batch, { positions, rows: selection, count }, lists, met, times) {
      if (count === 0) return
      const entries = memory.arena.allocate(4 * count)
      const of = memory.arena.allocate(4 * count)
      for (let at = 0; at < count; at++)
        memory.u32[of / 4 + at] = memory.u32[lists / 4 + memory.u32[positions / 4 + at]!]!
      rows.append({ ...batch, selection, count }, of, entries)
      const { u32, i64 } = memory
      for (let at = 0; at < count; at++) {
        const entry = u32[entries / 4 + at]!
        i64[(entry + timeOffset) / 8] = i64[times / 8 + u32[selection / 4 + at]!]!
        if (u32[met / 4 + u32[positions / 4 + at]!] !== 0) u32[(entry + metOffset) / 4] = 1
        due.push(dueOf(entry), entry)
      }
    },
    drop(nowUs, lonely) {
      let alone: Pointer[] = []
      const gone: Pointer[] = []
      due.takeDue(nowUs, (entry) => {
        gone.push(entry)
        if (memory.u32[(entry + metOffset) / 4] !== 0) return
        alone.push(entry)
        if (alone.length < LONELY_MAX) return
        lonely(alone)
        alone = []
      })
      if (alone.length > 0) lonely(alone)
      for (const entry of gone) rows.remove(entry)
    },
    remember() {
      const mark = memory.arena.mark()
      const lists = memory.arena.allocate(4 * SCAN_LISTS)
      for (let cursor = 0; cursor >= 0; ) {
        const { next, count } = rows.scan(cursor, lists, SCAN_LISTS)
        for (let at = 0; at < count; at++) {
          const list = memory.u32[lists / 4 + at]!
          for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry))
            due.push(dueOf(entry), entry)
        }
        cursor = next
      }
      memory.arena.release(mark)
    },
  }
}
