/** The kept rows of one side of a join: added and taken away a batch at a time, with what is noted beside each row. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { RowLists } from '../../state/row-lists.ts'
import { type EqualRows, equalRows } from './equal-rows.ts'
import { type Expiry, expiryOf } from './join-expiry.ts'
import { isAdded, positionsWhere, rowAt, type SomeRows } from './join-side.ts'

export interface SideNotes {
  /** Rows know how many rows of the other side they meet. */
  readonly isCounted: boolean
  /** µs that a row is kept after it was last written. */
  readonly ttlUs?: number
}

/** How many extras such a side's rows have. */
export function extrasOf({ isCounted, ttlUs }: SideNotes): number {
  return (isCounted ? 1 : 0) + (ttlUs === undefined ? 0 : 1)
}

/** Rows that others are joined with. */
export interface MetSide {
  readonly rows: RowLists
  readonly isCounted: boolean
  /** Rows that `entry` meets; counted sides only. */
  count(entry: Pointer): bigint
  setCount(entry: Pointer, count: bigint): void
}

export interface StoredSide extends MetSide {
  readonly expiry: Expiry | undefined
  /**
   * Keeps rows that come, takes away those that go. `lists`: u32 by position, 0 = not kept. `met`: u32 by position, how many rows of the
   * other side each meets; 0 where rows are not counted.
   */
  store(batch: Batch, lists: Pointer, met: Pointer): void
}

/** A side whose rows are not counted. `rows` is asked for anew each time. */
export function uncountedSide(rows: () => RowLists): MetSide {
  return {
    get rows() {
      return rows()
    },
    isCounted: false,
    count: () => 0n,
    setCount() {},
  }
}

export function storedSide(
  memory: LinearMemory,
  rows: RowLists,
  notes: SideNotes,
  nowUs: () => bigint,
): StoredSide {
  const { isCounted, ttlUs } = notes
  const countOffset = rows.extraOffset(0)
  const timeOffset = rows.extraOffset(isCounted ? 1 : 0)
  const equal = equalRows(memory, rows)
  const remove = (entry: Pointer): void => {
    equal.removed(entry)
    rows.remove(entry)
  }
  const expiry =
    ttlUs === undefined
      ? undefined
      : expiryOf({ memory, rows, remove, timeOffset, ttlUs: BigInt(ttlUs), nowUs })

  function note(entry: Pointer, met: number): void {
    if (isCounted) memory.i64[(entry + countOffset) / 8] = BigInt(met)
    expiry?.stamp(entry)
  }
  return {
    rows,
    isCounted,
    expiry,
    count: (entry) => memory.i64[(entry + countOffset) / 8]!,
    setCount(entry, count) {
      memory.i64[(entry + countOffset) / 8] = count
      expiry?.stamp(entry)
      rows.markDirty(entry)
    },
    store(batch, lists, met) {
      const some = keptRows(memory, batch, lists)
      const entries = appendRows(memory, rows, batch, lists, some)
      const isNoted = isCounted || expiry !== undefined
      for (let at = 0; isNoted && at < some.count; at++) {
        const position = memory.u32[some.positions / 4 + at]!
        note(memory.u32[entries / 4 + at]!, isCounted ? memory.u32[met / 4 + position]! : 0)
      }
      equal.added(entries, some.count)
      if (batch.kinds !== 0)
        takeAway(memory, rows, equal, batch, lists, { entries, count: some.count })
    },
  }
}

/** Rows that come and have a list. */
function keptRows(memory: LinearMemory, batch: Batch, lists: Pointer): SomeRows {
  const { u32 } = memory
  return positionsWhere(
    memory,
    batch,
    (row, position) => u32[lists / 4 + position] !== 0 && isAdded(memory, batch, row),
  )
}

/** Their entries. */
function appendRows(
  memory: LinearMemory,
  rows: RowLists,
  batch: Batch,
  lists: Pointer,
  { positions, rows: selection, count }: SomeRows,
): Pointer {
  const entries = memory.arena.allocate(4 * count)
  if (count === batch.count) rows.append(batch, lists, entries)
  else if (count > 0) {
    const of = memory.arena.allocate(4 * count)
    const { u32 } = memory
    for (let at = 0; at < count; at++) u32[of / 4 + at] = u32[lists / 4 + u32[positions / 4 + at]!]!
    rows.append({ ...batch, selection, count }, of, entries)
  }
  return entries
}

/** Takes the rows that go from their lists; one that came behind such a row of the batch stays. */
function takeAway(
  memory: LinearMemory,
  rows: RowLists,
  equal: EqualRows,
  batch: Batch,
  lists: Pointer,
  fresh: { readonly entries: Pointer; readonly count: number },
): void {
  let passed = 0
  for (let position = 0; position < batch.count; position++) {
    const list = memory.u32[lists / 4 + position]!
    if (list === 0) continue
    const row = rowAt(memory, batch, position)
    if (isAdded(memory, batch, row)) {
      passed++
      continue
    }
    const entry = equal.find(list, batch.columns, row)
    if (entry === 0) continue
    const next = passed === fresh.count ? 0 : memory.u32[fresh.entries / 4 + passed]!
    if (next !== 0 && !rows.isOlder(entry, next)) continue
    equal.removed(entry)
    rows.remove(entry)
  }
}
