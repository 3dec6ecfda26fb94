/**
 * Rows from the records of a checkpoint: while they are read a table of (key, number) says which entry a later record is of; then the
 * entries that stay are linked into their lists in the order of their numbers.
 */
import type { Vector } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { cellBytes, type DataType, types } from '../data/types.ts'
import { invariant } from '../errors.ts'
import { writeColumns } from '../kernels/group.ts'
import type { RowsKernel } from '../kernels/rows.ts'
import type { KeyedTable } from './keyed-table.ts'
import { ALL_KEYS, type TableSource } from './state-stream.ts'

const PIECE = 4096

export interface RestoredStore {
  readonly memory: LinearMemory
  readonly kernel: RowsKernel
  readonly keys: readonly DataType[]
  readonly store: Pointer
  /** Keyed by `keys` and the number, with one value cell. */
  readonly index: KeyedTable
  readonly heads: KeyedTable
  readonly cellsOffset: number
  /** @throws CHECKPOINT_CORRUPT if it is not room that the store needs */
  makeRoom(): void
}

export function restoreRows(source: TableSource, into: RestoredStore): void {
  const { memory, index } = into
  source.read((records) => {
    const mark = memory.arena.mark()
    const start = memory.arena.allocate(records.length)
    memory.u8.set(records, start)
    readRecords(source, into, start, start + records.length)
    memory.arena.release(mark)
  })
  linkRows(into)
  index.dispose()
}

function readRecords(source: TableSource, into: RestoredStore, start: Pointer, end: Pointer): void {
  const { memory, kernel, store, index } = into
  const { arena } = memory
  const keys: Vector[] = [...into.keys, types.bigint].map((type) => ({
    type,
    cells: arena.allocate(cellBytes(type) * PIECE),
    validity: arena.allocateCleared(PIECE / 8),
  }))
  const numbers = keys.at(-1)!
  memory.u8.fill(255, numbers.validity, numbers.validity + PIECE / 8)
  const columns = arena.allocate(8 * keys.length)
  writeColumns(memory, columns, keys)
  const values = arena.allocate(8 * PIECE)
  const places = arena.allocate(4 * PIECE)
  const { groupStart, groupEnd, slice: { mask, value } = ALL_KEYS } = source
  const room = [columns, values, PIECE] as const
  for (let at = start; at < end; ) {
    at = kernel.decodeKeys(store, at, end, groupStart, groupEnd, ...room, mask, value)
    if (at === 0) into.makeRoom()
    const count = kernel.recordCount.value
    index.upsert({ count, selection: 0, keys }, places)
    const offset = index.valueOffset(0)
    for (let position = 0; position < count; position++)
      memory.u32[places / 4 + position]! += offset
    for (let done = 0; done < count; ) {
      done = kernel.applyValues(store, places, numbers.cells, values, done, count)
      if (done < count) into.makeRoom()
    }
  }
}

function linkRows({ memory, kernel, store, index, heads }: RestoredStore): void {
  const bytes = 16 * index.size
  if (bytes === 0) return
  const pairs = memory.allocate(bytes)
  const other = memory.allocate(bytes)
  let count = 0
  for (let cursor = 0; cursor >= 0; ) {
    const mark = memory.arena.mark()
    const places = memory.arena.allocate(4 * PIECE)
    const scanned = index.scan(cursor, places, PIECE)
    cursor = scanned.next
    const live = keepLive(memory, places, scanned.count, index.valueOffset(0))
    const keys = index.keysOf(places, live)
    const lists = memory.arena.allocate(4 * PIECE)
    heads.upsert({ count: live, selection: 0, keys: keys.slice(0, -1) }, lists)
    const { u32, i64 } = memory
    const numbers = keys.at(-1)!.cells / 8
    for (let at = 0; at < live; at++) {
      const entry = u32[(u32[places / 4 + at]! + index.valueOffset(0)) / 4]!
      u32[entry / 4] = u32[lists / 4 + at]!
      i64[pairs / 8 + 2 * count] = i64[numbers + at]!
      u32[pairs / 4 + 4 * count + 2] = entry
      u32[pairs / 4 + 4 * count + 3] = 0
      count++
    }
    memory.arena.release(mark)
  }
  invariant(16 * count <= bytes, 'a table has no more entries than it says')
  const counts = memory.allocate(1024)
  kernel.linkPairs(store, kernel.sortPairs(pairs, other, count, counts), count)
  memory.free(counts, 1024)
  memory.free(pairs, bytes)
  memory.free(other, bytes)
}

/** Moves the index entries whose row was not removed to the front; how many. */
function keepLive({ u32 }: LinearMemory, places: Pointer, count: number, offset: number): number {
  let live = 0
  for (let at = 0; at < count; at++) {
    const place = u32[places / 4 + at]!
    if (u32[(place + offset) / 4] !== 0) u32[places / 4 + live++] = place
  }
  return live
}
