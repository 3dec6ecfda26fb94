/**
 * Keyed rows in linear memory: what every keyed operator keeps (aggregates, window panes, distinct values, timers by key).
 *
 * An *entry* is one key's fixed-size row, at an address that never changes while the key lives; kernels get entry addresses in
 * bulk and update value cells in place:
 *
 *   0   u32   hash of the key (hash & 127 is the key group)
 *   4   u8    state: 1 live, 2 dirty (changed since the last snapshot), 4 known (the last snapshot holds it)
 *   6   u16   bit i: key cell i is NULL (then its cell is 0)
 *   8   key cells, 8 bytes each (DECIMAL above 18 digits 16), then value cells, 8 bytes each
 *
 * 'bytes' cells (address | length << 32) point into the table's own slab. Tables grow piecewise: a directory over sub-tables of
 * open-addressed slots, which double up to a bound and then split, so that no single step takes more than 5 ms.
 */
import type { Vector } from '../data/batch.ts'
import type { Pointer } from '../data/memory.ts'
import type { DataType } from '../data/types.ts'
import type { EntrySink, TableSource } from './state-stream.ts'

/** The key group of a key is `hash & 127`, the hash being that of kernels/group.as.ts: for ever the same. */
export const KEY_GROUPS = 128
export const KEYS_MAX = 16

/** What a value cell holds, for checkpoints: 'bytes' cells point into the table's own slab and are copied by content. */
export type ValueCell = 'i64' | 'f64' | 'bytes'

export interface KeyedTableLayout {
  /** Compared by SQL equality: NULLs are one key, -0 is 0, NaN is NaN. At most KEYS_MAX, a ROW's fields and the ROW counted. None: one entry. */
  readonly keys: readonly DataType[]
  readonly values: readonly ValueCell[]
}

export interface KeyedRows {
  readonly count: number
  /** u32 row numbers; 0 = rows 0 .. count - 1. */
  readonly selection: Pointer
  readonly keys: readonly Vector[]
}

export interface KeyedTable {
  readonly layout: KeyedTableLayout
  readonly keyCount: number
  /** Live entries. */
  readonly size: number
  /** Bytes in the heap blocks that the table holds. */
  readonly bytesUsed: number
  /** Byte offset of key or value cell `index` within an entry. */
  keyOffset(index: number): number
  valueOffset(index: number): number
  /**
   * Writes u32 entry addresses, one a selected row, in the selection's order; absent keys are inserted with zeroed values.
   * Marks all dirty. Returns how many are new. May grow the memory: views read before are stale.
   */
  upsert(rows: KeyedRows, entries: Pointer): number
  /** As upsert, and adds 1 to value cell `valueIndex` for each row; returns how many keys are new. */
  count(rows: KeyedRows, valueIndex: number): number
  /** As upsert, but absent keys give 0 and nothing is marked. */
  find(rows: KeyedRows, entries: Pointer): void
  /**
   * Up to `max` live entries from `cursor` (start with 0); returns the next cursor, or -1 at the end. Entries may be removed
   * between calls; ones inserted meanwhile may be missed.
   */
  scan(
    cursor: number,
    entries: Pointer,
    max: number,
  ): { readonly next: number; readonly count: number }
  /** Key columns of `count` entries as vectors in the arena; 'bytes' cells point into the slab, and live as long as the entry. */
  keysOf(entries: Pointer, count: number): readonly Vector[]
  /** Copies bytes into the slab and points the value cell there; frees what it pointed to. */
  setBytes(entry: Pointer, valueIndex: number, address: Pointer, bytes: number): void
  markDirty(entries: Pointer, count: number): void
  /** Deletes and leaves a tombstone for the next checkpoint. */
  remove(entry: Pointer): void
  /** Writes what changed since the last call (all of it the first time) and takes the dirty marks away. */
  writeChanges(sink: EntrySink): void
  /** Fills an empty table from what `writeChanges` once wrote. */
  restore(source: TableSource): void
  /** Drops everything at once (a closed pane): memory goes back whole. */
  dispose(): void
}
