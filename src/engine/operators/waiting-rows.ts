/** Rows that wait for an input to end, with their kinds, by key: where rows are kept must hang on their keys alone. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { DataType } from '../../data/types.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { KeyedBatch } from './join-side.ts'

const RELEASED_ROWS = 4096
const SCAN_LISTS = 1024

export interface WaitingRows {
  readonly rows: RowLists
  add(rows: KeyedBatch): void
  /** All that wait, in the order of their coming; none is left. */
  release(take: (batch: Batch) => void): void
}

export function waitingRows(
  memory: LinearMemory,
  keys: readonly DataType[],
  row: readonly DataType[],
): WaitingRows {
  const rows = memoryRowLists(memory, { keys, row, extras: 1 })
  const kindOffset = rows.extraOffset(0)

  function all(): Pointer[] {
    const entries: Pointer[] = []
    const lists = memory.arena.allocate(4 * SCAN_LISTS)
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = rows.scan(cursor, lists, SCAN_LISTS)
      for (let at = 0; at < count; at++) {
        const list = memory.u32[lists / 4 + at]!
        for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry))
          entries.push(entry)
      }
      cursor = next
    }
    return entries.sort((a, b) => (rows.isOlder(a, b) ? -1 : 1))
  }

  return {
    rows,
    add({ batch, keys: columns }) {
      const { count, selection, kinds } = batch
      if (count === 0) return
      const lists = memory.arena.allocate(4 * count)
      const entries = memory.arena.allocate(4 * count)
      rows.lists({ count, selection, keys: columns }, lists)
      rows.append(batch, lists, entries)
      const { u32, u8 } = memory
      for (let at = 0; kinds !== 0 && at < count; at++) {
        const of = selection === 0 ? at : u32[selection / 4 + at]!
        u32[(u32[entries / 4 + at]! + kindOffset) / 4] = u8[kinds + of]!
      }
    },
    release(take) {
      const entries = all()
      for (let from = 0; from < entries.length; from += RELEASED_ROWS) {
        const some = entries.slice(from, from + RELEASED_ROWS)
        const mark = memory.arena.mark()
        const count = some.length
        const at = memory.arena.allocate(4 * count)
        const kinds = memory.arena.allocate(count)
        memory.u32.set(some, at / 4)
        for (const [index, entry] of some.entries())
          memory.u8[kinds + index] = memory.u32[(entry + kindOffset) / 4]!
        const columns = rows.columnsOf(at, count)
        const isAppended = some.every((_, index) => memory.u8[kinds + index] === 0)
        take({ rowCount: count, columns, kinds: isAppended ? 0 : kinds, selection: 0, count })
        for (const entry of some) rows.remove(entry)
        memory.arena.release(mark)
      }
    },
  }
}
