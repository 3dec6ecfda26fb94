/**
 * Row lists that are kept in an order. Rows that tie stand in the order in which they came.
 *
 * Short lists are walked from their end, where most rows belong; long ones have an index beside them.
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { SortOrder } from './sort-order.ts'
import { type SortedEntries, sortedEntries } from './sorted-entries.ts'

/** Lists longer than this have an index. */
const WALKED_ENTRIES = 64
const SCAN_LISTS = 1024

export interface OrderedLists {
  /** Puts a detached entry to its place. */
  place(list: Pointer, entry: Pointer): void
  /** Puts a detached entry before one that it ties with. */
  placeBefore(list: Pointer, entry: Pointer, other: Pointer): void
  /** Takes an entry out of its list, and keeps it. */
  detach(list: Pointer, entry: Pointer): void
  /** The first entry that equals row `row` of the kept columns; 0 if none does. */
  find(list: Pointer, columns: readonly Vector[], row: number): Pointer
  /** Puts all lists in order, after a restore; calls `visit` for each. */
  sortAll(visit: (list: Pointer) => void): void
}

export function orderedLists(memory: LinearMemory, rows: RowLists, order: SortOrder): OrderedLists {
  const indexes = new Map<Pointer, SortedEntries>()
  const compare = order.compareEntries

  function entriesOf(list: Pointer): Pointer[] {
    const entries: Pointer[] = []
    for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry)) entries.push(entry)
    return entries
  }

  function indexOf(list: Pointer): SortedEntries {
    let index = indexes.get(list)
    if (index === undefined) {
      index = sortedEntries(entriesOf(list))
      indexes.set(list, index)
    }
    return index
  }

  return {
    place(list, entry) {
      if (rows.count(list) > WALKED_ENTRIES) {
        rows.place(list, entry, indexOf(list).insert(entry, compare))
        return
      }
      let before = 0
      for (let at = rows.last(list); at !== 0 && compare(at, entry) > 0; at = rows.previous(at))
        before = at
      rows.place(list, entry, before)
      indexes.get(list)?.insert(entry, compare)
    },
    placeBefore(list, entry, other) {
      rows.place(list, entry, other)
      // Made again when it is needed: an index knows no places among those that tie.
      indexes.delete(list)
    },
    detach(list, entry) {
      const index = indexes.get(list)
      if (index !== undefined) {
        index.remove(entry, compare)
        if (index.size < WALKED_ENTRIES / 2) indexes.delete(list)
      }
      rows.detach(entry)
    },
    find(list, columns, row) {
      if (rows.count(list) <= WALKED_ENTRIES) return rows.equal(list, columns, row)
      const from = indexOf(list).first((entry) => order.compareRow(columns, row, entry) > 0)
      return from === 0 ? 0 : rows.equal(list, columns, row, from)
    },
    sortAll(visit) {
      const mark = memory.arena.mark()
      const lists = memory.arena.allocate(4 * SCAN_LISTS)
      for (let cursor = 0; cursor >= 0; ) {
        const { next, count } = rows.scan(cursor, lists, SCAN_LISTS)
        for (let at = 0; at < count; at++) {
          const list = memory.u32[lists / 4 + at]!
          const entries = entriesOf(list)
          const sorted = entries.toSorted(compare)
          if (sorted.some((entry, place) => entry !== entries[place]))
            for (const entry of sorted) rows.place(list, entry, 0)
          visit(list)
        }
        cursor = next
      }
      memory.arena.release(mark)
    },
  }
}
