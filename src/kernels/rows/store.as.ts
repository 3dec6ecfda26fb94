/**
 * Rows in lists: entries of one size from chunks that the caller adds, linked both ways. Nothing here allocates or traps: what lacks
 * room says so, where tables do (group/table.as.ts).
 *
 * Layout (one for all stores alike)
 *   0 u32 leaves, 4 u32 extras, 8 u32 bytes of an entry, 12 u32 offset of the masks, 16 u32 words (8 bytes) of masks,
 *   20 u32 offset of a list's own cells in its head, 24 u32 layout of the heads (group/table.as.ts)
 *   32 a leaf: u32 kind, u32 offset in the entry. Leaves are the columns, a ROW followed by its fields: it has no cell, and instead of
 *   an offset the number of leaves beneath it.
 * Store: as a table, as far as it has the same things; 64 i64 the next number
 * Entry
 *   0 u32 head of its list, 4 u8 state (as in tables), 8 u32 next (of a free entry: the next free one), 12 u32 previous,
 *   16 i64 number, 24 extras, then masks (bit i: leaf i is NULL, its cell is 0), then cells
 * Head: an entry of a table whose value cells are u32 first, u32 last; u32 count, u32 tombstones; u32 1 if it waits to be swept,
 *   i32 what a batch would add to count, while it is looked at
 */
import { BYTES } from '../group/hash.as'
import { slabFree } from '../group/slab.as'
import { DIRTY, KNOWN, LIVE, need, NEED_DIRTY, NEED_ENTRIES, touch } from '../group/table.as'

// @ts-nocheck: compiled by asc, not by tsc

/** The kind of a leaf that has no cell: a ROW's own NULL bit. */
export const ROW: u32 = 4

// @ts-ignore: decorator
@inline
export function cellsOf(store: usize, head: usize): usize {
  return head + <usize>load<u32>(<usize>load<u32>(store, 44), 20)
}

/** A zeroed entry, live and dirty, in no list; 0 if something has no room. */
export function take(table: usize): usize {
  const dirtyAt = <usize>load<u32>(table, 32)
  if (dirtyAt == <usize>load<u32>(table, 36)) return need(table, NEED_DIRTY, 1)
  const bytes = load<u32>(<usize>load<u32>(table, 44), 8)
  let entry = <usize>load<u32>(table, 12)
  let listed = false
  if (entry != 0) {
    store<u32>(table, load<u32>(entry, 8), 12)
    listed = (load<u8>(entry, 4) & DIRTY) != 0
  } else {
    entry = load<u32>(table, 16)
    const end = entry + bytes
    if (end > <usize>load<u32>(table, 20)) return need(table, NEED_ENTRIES, 1)
    store<u32>(table, <u32>end, 16)
  }
  if (!listed) {
    store<u32>(dirtyAt, <u32>entry)
    store<u32>(table, <u32>(dirtyAt + 4), 32)
  }
  memory.fill(entry, 0, bytes)
  store<u32>(entry, LIVE | DIRTY, 4)
  store<u32>(table, load<u32>(table, 28) + 1, 28)
  return entry
}

export function linkLast(table: usize, head: usize, entry: usize): void {
  const list = cellsOf(table, head)
  const last = <usize>load<u32>(list, 4)
  store<u32>(entry, <u32>head)
  store<u32>(entry, <u32>last, 12)
  store<u32>(entry, 0, 8)
  if (last == 0) store<u32>(list, <u32>entry)
  else store<u32>(last, <u32>entry, 8)
  store<u32>(list, <u32>entry, 4)
  store<u32>(list, load<u32>(list, 8) + 1, 8)
}

function unlink(table: usize, entry: usize): void {
  const list = cellsOf(table, load<u32>(entry))
  const next = <usize>load<u32>(entry, 8)
  const previous = <usize>load<u32>(entry, 12)
  if (previous == 0) store<u32>(list, <u32>next)
  else store<u32>(previous, <u32>next, 8)
  if (next == 0) store<u32>(list, <u32>previous, 4)
  else store<u32>(next, <u32>previous, 12)
  store<u32>(list, load<u32>(list, 8) - 1, 8)
}

/** Gives back what the entry's cells point to. */
export function freeCells(table: usize, entry: usize): void {
  const layout = <usize>load<u32>(table, 44)
  const leaves = load<u32>(layout)
  for (let leaf: u32 = 0; leaf < leaves; leaf++) {
    const at = layout + 32 + ((<usize>leaf) << 3)
    if (load<u32>(at) != BYTES) continue
    const cell = entry + load<u32>(at, 4)
    if (load<u64>(cell) != 0) slabFree(load<u32>(table, 40), load<u64>(cell))
    store<u64>(cell, 0)
  }
}

/** Gives back an entry that is in no list. It stays in the dirty list if it is there. */
export function release(table: usize, entry: usize): void {
  if (load<u8>(entry, 4) & LIVE) {
    freeCells(table, entry)
    store<u32>(table, load<u32>(table, 28) - 1, 28)
  }
  store<u8>(entry, load<u8>(entry, 4) & <u8>DIRTY, 4)
  store<u32>(entry, load<u32>(table, 12), 8)
  store<u32>(table, <u32>entry, 12)
}

/**
 * Takes an entry out of its list; what a checkpoint knows stays as a tombstone until the next one. 0: the dirty list is full, nothing
 * is done. 1: done. 2: and the list became empty and is to be swept.
 */
export function removeRow(table: usize, entry: usize): u32 {
  const state = <u32>load<u8>(entry, 4)
  if ((state & KNOWN) != 0 && !touch(table, entry)) return 0
  const list = cellsOf(table, load<u32>(entry))
  unlink(table, entry)
  if (state & KNOWN) {
    freeCells(table, entry)
    store<u8>(entry, <u8>(KNOWN | DIRTY), 4)
    store<u32>(table, load<u32>(table, 28) - 1, 28)
    store<u32>(list, load<u32>(list, 12) + 1, 12)
  } else release(table, entry)
  return waitsForSweep(list) ? 2 : 1
}

/** True, once, if the list has neither entries nor tombstones. */
export function waitsForSweep(list: usize): bool {
  if (load<u64>(list, 8) != 0 || load<u32>(list, 16) != 0) return false
  store<u32>(list, 1, 16)
  return true
}
