/**
 * Keyed rows in linear memory: what every keyed operator keeps (aggregates, window panes, distinct values, timers by key).
 *
 * An *entry* is one key's fixed-size row: key cells, then value cells, at an address that never changes while the key lives.
 * Kernels get entry addresses in bulk and update value cells in place. Entries have a dirty mark for checkpoints.
 * Tables grow piecewise: no single step takes more than 5 ms however large the table.
 */
import type { Vector } from '../data/batch.ts'
import type { Pointer } from '../data/memory.ts'
import type { DataType } from '../data/types.ts'

export const KEY_GROUPS = 128

/** What a value cell holds, for checkpoints: 'bytes' cells point into the table's own slab and are copied by content. */
export type ValueCell = 'i64' | 'f64' | 'bytes'

export interface KeyedTableLayout {
  /** Compared by SQL equality: NULLs are one key, -0 is 0, NaN is NaN. No ROWs (their fields are keys). */
  readonly keys: readonly DataType[]
  readonly values: readonly ValueCell[]
}

export interface KeyedRows {
  readonly count: number
  readonly selection: Pointer
  readonly keys: readonly Vector[]
}

export interface KeyedTable {
  readonly layout: KeyedTableLayout
  /** Live entries. */
  readonly size: number
  readonly bytesUsed: number
  /** Byte offset of key or value cell `index` within an entry. */
  keyOffset(index: number): number
  valueOffset(index: number): number
  /** Writes u32 entry addresses, one a selected row, in the selection's order; absent keys are inserted with zeroed values. Marks all dirty. Returns how many are new. */
  upsert(rows: KeyedRows, entries: Pointer): number
  /** As upsert, but absent keys give 0 and nothing is marked. */
  find(rows: KeyedRows, entries: Pointer): void
  /** Up to `max` live entries from `cursor` (start with 0); returns the next cursor, or -1 at the end. */
  scan(
    cursor: number,
    entries: Pointer,
    max: number,
  ): { readonly next: number; readonly count: number }
  /** Key columns of `count` entries as vectors in the arena. */
  keysOf(entries: Pointer, count: number): readonly Vector[]
  /** Copies bytes into the slab and points the value cell there; frees what it pointed to. */
  setBytes(entry: Pointer, valueIndex: number, address: Pointer, bytes: number): void
  markDirty(entries: Pointer, count: number): void
  /** Deletes and leaves a tombstone for the next checkpoint. */
  remove(entry: Pointer): void
  /** Drops everything at once (a closed pane): memory goes back whole. */
  dispose(): void
}
