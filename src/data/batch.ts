/**
 * A batch of changes, in columns. It lives in the arena of the worker that makes it: who keeps a value copies it.
 */

import type { Pointer } from './memory.ts'
import type { DataType } from './types.ts'

/** +I 0, -U 1, +U 2, -D 3: Flink's RowKind, by its byte value. */
export type RowKind = 0 | 1 | 2 | 3
export const INSERT: RowKind = 0
export const UPDATE_BEFORE: RowKind = 1
export const UPDATE_AFTER: RowKind = 2
export const DELETE: RowKind = 3
export const ROW_KIND_TEXT = ['+I', '-U', '+U', '-D'] as const

/** The values of one column; `row` of a batch is cell `row` (never compacted by a selection). */
export interface Vector {
  readonly type: DataType
  /** rowCount cells of `cellBytes(type)` each, 16-byte aligned; 0 for a ROW. A NULL's cell is any bits. */
  readonly cells: Pointer
  /** Bitmap, bit row & 7 of byte row >> 3, 1 = not NULL; 0 = no row is NULL. */
  readonly validity: Pointer
  /** One a field, for a ROW. A child's value counts only where the ROW itself is valid. */
  readonly children?: readonly Vector[]
}

export interface Batch {
  /** Rows that the columns hold. */
  readonly rowCount: number
  readonly columns: readonly Vector[]
  /** u8 RowKind a row (by row, not by selection); 0 = all +I. */
  readonly kinds: Pointer
  /** u32 row numbers, ascending: the rows that are in the batch; 0 = all of them. */
  readonly selection: Pointer
  /** Rows that are in the batch: the selection's length, or rowCount. */
  readonly count: number
}
