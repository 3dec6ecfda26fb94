/** Versions of rows by key: each key's in the order of their times, of equal ones the later to come last. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { RowLists } from '../../state/row-lists.ts'
import { DueEntries } from '../../time/due-entries.ts'
import type { SomeRows } from './join-side.ts'

/** One extra: 1 where the row was taken away at that time. */
export const VERSION_EXTRAS = 1
const SCAN_LISTS = 1024
export const DUE_BUCKET_US = 100_000

export interface Versions {
  readonly rows: RowLists
  /** Keeps `some` rows of the batch as versions; `lists`: u32 by position. `isGone` by row. */
  add(batch: Batch, some: SomeRows, lists: Pointer, isGone: (row: number) => boolean): void
  /** The version of `list` that is valid at `timeUs`; 0 if there is none, or the row was gone. */
  validAt(list: Pointer, timeUs: bigint): Pointer
  /** A version of `list` is not older than `timeUs`, but no newer than `byUs`. */
  isSuperseded(list: Pointer, timeUs: bigint, byUs: bigint): boolean
  /** Lists of versions whose time has come. */
  reached(watermarkUs: bigint, visit: (list: Pointer) => void): void
  /** Takes what is older than the version that is valid at `timeUs`. */
  forget(list: Pointer, timeUs: bigint): void
  /** After a restore. */
  sort(): void
}

export function versionsOf(memory: LinearMemory, rows: RowLists, time: number): Versions {
  const timeOffset = rows.cellOffset(time)
  const goneOffset = rows.extraOffset(0)
  const timeOf = (entry: Pointer): bigint => memory.i64[(entry + timeOffset) / 8]!
  const due = new DueEntries(DUE_BUCKET_US, timeOf)

  /** The last of `list` whose time is not after `timeUs`. */
  function lastUntil(list: Pointer, timeUs: bigint): Pointer {
    let entry = rows.last(list)
    while (entry !== 0 && timeOf(entry) > timeUs) entry = rows.previous(entry)
    return entry
  }

  /** Moves an entry of `list` forward to where its time belongs. */
  function settle(list: Pointer, entry: Pointer): void {
    const timeUs = timeOf(entry)
    let before = 0
    let at = rows.previous(entry)
    while (at !== 0 && timeOf(at) > timeUs) {
      before = at
      at = rows.previous(at)
    }
    if (before !== 0) rows.place(list, entry, before)
  }

  return {
    rows,
    add(batch, { positions, rows: selection, count }, lists, isGone) {
      if (count === 0) return
      const entries = memory.arena.allocate(4 * count)
      const of = memory.arena.allocate(4 * count)
      for (let at = 0; at < count; at++)
        memory.u32[of / 4 + at] = memory.u32[lists / 4 + memory.u32[positions / 4 + at]!]!
      rows.append({ ...batch, selection, count }, of, entries)
      // In the order of their coming: what is before a row in its list is in order by then.
      for (let at = 0; at < count; at++) {
        const entry = memory.u32[entries / 4 + at]!
        if (isGone(memory.u32[selection / 4 + at]!)) memory.u32[(entry + goneOffset) / 4] = 1
        settle(memory.u32[of / 4 + at]!, entry)
        due.push(timeOf(entry), entry)
      }
    },
    validAt(list, timeUs) {
      const entry = lastUntil(list, timeUs)
      return entry === 0 || memory.u32[(entry + goneOffset) / 4] !== 0 ? 0 : entry
    },
    isSuperseded(list, timeUs, byUs) {
      const entry = lastUntil(list, byUs)
      return entry !== 0 && timeOf(entry) >= timeUs
    },
    reached(watermarkUs, visit) {
      due.takeDue(watermarkUs, (entry) => visit(rows.listOf(entry)))
    },
    forget(list, timeUs) {
      const kept = lastUntil(list, timeUs)
      if (kept === 0) return
      for (let entry = rows.previous(kept); entry !== 0; ) {
        const before = rows.previous(entry)
        rows.remove(entry)
        entry = before
      }
    },
    sort() {
      const mark = memory.arena.mark()
      const lists = memory.arena.allocate(4 * SCAN_LISTS)
      for (let cursor = 0; cursor >= 0; ) {
        const { next, count } = rows.scan(cursor, lists, SCAN_LISTS)
        for (let at = 0; at < count; at++) {
          const list = memory.u32[lists / 4 + at]!
          const entries: Pointer[] = []
          for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry))
            entries.push(entry)
          // Stable: entries of one time stay in the order of their coming.
          entries.sort((a, b) => Number(timeOf(a) - timeOf(b)))
          for (const entry of entries) {
            rows.place(list, entry, 0)
            due.push(timeOf(entry), entry)
          }
        }
        cursor = next
      }
      memory.arena.release(mark)
    },
  }
}
