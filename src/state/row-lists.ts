/**
 * Rows in linear memory, in a list for each key: what joins, ranks, OVER windows and patterns keep.
 *
 * A *list* is one key's; an *entry* is one row of it. Both are addresses that stay the same while the thing lives. An entry holds the
 * row's cells (8 bytes each, DECIMAL above 18 digits 16; texts point into the store's own slab), which of them are NULL, the
 * operator's own i64 *extras*, and its number: entries get ascending numbers as they come, for ever the same, and (key, number) is
 * what a checkpoint knows an entry by. Lists are rebuilt from entries when they are restored, in the order of their numbers; an
 * operator that keeps another order restores it from the rows.
 *
 * Ordered lists: `insert` puts an entry anywhere; `previous` and `next` walk both ways.
 */
import type { Batch, Vector } from '../data/batch.ts'
import type { Pointer } from '../data/memory.ts'
import type { DataType } from '../data/types.ts'
import type { KeyedRows } from './keyed-table.ts'
import type { EntrySink, TableSource } from './state-stream.ts'

export interface RowListsLayout {
  /** As in KeyedTableLayout; none: one list. */
  readonly keys: readonly DataType[]
  readonly row: readonly DataType[]
  /** i64 cells of the operator's own beside each row, zero at first: counts, times, flags. They are part of checkpoints. */
  readonly extras: number
}

/** Where `pairs` goes on, and how many it wrote. */
export interface Pairs {
  readonly position: number
  /** 0: with the first of the list. */
  readonly entry: Pointer
  readonly max: number
  readonly count: number
}

export const pairsOfAtMost = (max: number): Pairs => ({ position: 0, entry: 0, max, count: 0 })

export interface RowLists {
  readonly layout: RowListsLayout
  /** Entries. */
  readonly size: number
  readonly bytesUsed: number
  /**
   * Writes u32 list addresses, one a selected row; absent keys get an empty list, to which the caller appends: nothing else takes it
   * away. A list that has lost its last entry stays, empty, until this is called again: the addresses of one call hold until then.
   */
  lists(rows: KeyedRows, lists: Pointer): void
  /** Without making any: absent keys give 0, or an empty list. */
  find(rows: KeyedRows, lists: Pointer): void
  /**
   * Copies the rows of `batch` that are in it to the ends of their `lists` (by position in the selection). Writes u32 entry
   * addresses by position. A NULL ROW's fields become NULL.
   */
  append(batch: Batch, lists: Pointer, entries: Pointer): void
  /** Moves `entry` of `list`, or one detached from it, before `before`; 0 = to the end. */
  place(list: Pointer, entry: Pointer, before: Pointer): void
  /** Takes the entry out of its list and keeps it, to be placed again or removed before the next checkpoint. */
  detach(entry: Pointer): void
  first(list: Pointer): Pointer
  last(list: Pointer): Pointer
  /** 0 behind the last, before the first. */
  next(entry: Pointer): Pointer
  previous(entry: Pointer): Pointer
  count(list: Pointer): number
  /**
   * Writes u32 by position of the batch: how long the row's list is as the rows before it leave it, if they came and went. Nothing is
   * done. `lists`: by position, 0 = none.
   */
  lengthsBefore(batch: Batch, lists: Pointer, lengths: Pointer): void
  listOf(entry: Pointer): Pointer
  /** True if `entry` came before `than`. */
  isOlder(entry: Pointer, than: Pointer): boolean
  /**
   * The first entry of `list`, from entry `from` on if it is told, whose row equals row `row` of `columns` by SQL's IS NOT DISTINCT
   * FROM; 0 if none does.
   */
  equal(list: Pointer, columns: readonly Vector[], row: number, from?: Pointer): Pointer
  /** As `equal`, by the row's first columns alone: as many as `columns` are. */
  beginning(list: Pointer, columns: readonly Vector[], row: number): Pointer
  /** True if the row of `entry` equals row `row` of `columns`, as in `equal`. */
  equals(entry: Pointer, columns: readonly Vector[], row: number): boolean
  /**
   * For `count` lists (u32 addresses, 0 = none), each entry as a pair of u32 position and u32 entry, from where `from` stopped, at most
   * `from.max`: what joins probe with. All is done when `position` has come to `count`.
   */
  pairs(lists: Pointer, count: number, from: Pairs, positions: Pointer, entries: Pointer): Pairs
  /** Byte offset of extra `index` within an entry: an i64. Who writes one marks the entry dirty. */
  extraOffset(index: number): number
  /** Byte offset of column `index` within an entry; a ROW's fields follow one another. */
  cellOffset(index: number): number
  isNull(entry: Pointer, column: number): boolean
  markDirty(entry: Pointer): void
  /** Copies of the rows of `count` entries (u32 addresses) as vectors in the arena; 0 as address gives a row of NULLs. Texts stay in the slab while the entry lives. */
  columnsOf(entries: Pointer, count: number): readonly Vector[]
  columnOf(entries: Pointer, count: number, column: number): Vector
  /** Takes the entry out of its list and frees it; its texts with it. */
  remove(entry: Pointer): void
  /** All lists, in pieces, as KeyedTable.scan. */
  scan(
    cursor: number,
    lists: Pointer,
    max: number,
  ): { readonly next: number; readonly count: number }
  /** The keys of `count` lists, as vectors in the arena. */
  keysOf(lists: Pointer, count: number): readonly Vector[]
  /** As in KeyedTable. */
  writeChanges(sink: EntrySink): void
  restore(source: TableSource): void
  dispose(): void
}
