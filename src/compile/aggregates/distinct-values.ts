/**
 * Values that count once: a *side table* counts how often each value of a group came, and accumulators take those that come first or
 * go last. Where only rows are added, DISTINCT of the same values with a FILTER is counted in further cells of the same entries.
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { aggregateKernel } from '../../kernels/aggregate.ts'
import type { Frame } from '../compiled.ts'
import type { AddedRows } from './accumulator.ts'
import type { GroupState, GroupTable } from './aggregate-set.ts'
import type { FilteredValues, Slot, Stage } from './stage.ts'

/** Entries merged at a time. */
export const MERGE_ENTRIES = 4096
const NONE: ReadonlySet<number> = new Set()

/** How often an integer wrapped. `users`: slots of users' functions, which have taken theirs already. */
export function addToSlots(
  slots: readonly Slot[],
  rows: AddedRows,
  sign: 1 | -1,
  users: ReadonlySet<number> = NONE,
): number {
  let wrapped = 0
  for (const { accumulator, valueIndex } of slots) {
    if (users.has(valueIndex)) continue
    wrapped += accumulator.add(rows, rows.groups.valueOffset(valueIndex), valueIndex, sign)
  }
  return wrapped
}

/** Counts the values in the side table; the slots and the order take those that come first or go last. How often an integer wrapped. */
export function changeValues(
  memory: LinearMemory,
  stage: Stage,
  state: GroupState,
  frame: Frame,
  rows: AddedRows,
  keys: readonly Vector[],
  sign: 1 | -1,
): number {
  const { index, orders, filtered } = stage.side!
  const side = state.sides[index]!
  const { selection, count } = rows
  const entries = memory.arena.allocate(4 * count)
  side.upsert({ count, selection, keys: [...keys, ...rows.vectors] }, entries)
  const counted = { rows, entries }
  const { moved, positions, wrapped } = countIn(memory, side, 0, stage.slots, counted, sign)
  for (let i = 0; i < moved; i++) {
    const at = memory.u32[positions / 4 + i]!
    const sideEntry = memory.u32[entries / 4 + at]!
    const group = memory.u32[rows.entries / 4 + at]!
    if (sign > 0) orders?.insert(state, group, sideEntry)
    else {
      orders?.remove(state, group, sideEntry)
      side.remove(sideEntry)
    }
  }
  let all = wrapped
  filtered.forEach(({ input, slots }, at) => {
    const passing = passed(memory, input, frame, counted)
    if (passing !== undefined) all += countIn(memory, side, at + 1, slots, passing, sign).wrapped
  })
  return all
}

/** Rows with the entries of their groups, and those of their values. */
interface Counted {
  readonly rows: AddedRows
  readonly entries: Pointer
}

function countIn(
  memory: LinearMemory,
  side: GroupTable,
  cell: number,
  slots: readonly Slot[],
  { rows, entries }: Counted,
  sign: 1 | -1,
) {
  const positions = memory.arena.allocate(4 * rows.count)
  const offset = side.valueOffset(cell)
  const kernel = aggregateKernel(memory)
  const moved = kernel.countValues(entries, rows.count, offset, BigInt(sign), positions)
  return {
    moved,
    positions,
    wrapped: addToSlots(slots, picked(memory, rows, positions, moved), sign),
  }
}

/** Those that pass a filter. */
function passed(
  memory: LinearMemory,
  input: FilteredValues['input'],
  frame: Frame,
  { rows, entries }: Counted,
): Counted | undefined {
  const { selection, count } = rows
  const positions = memory.arena.allocate(4 * count)
  for (let at = 0; at < count; at++) memory.u32[positions / 4 + at] = at
  const found = input.rows({ ...frame, selection, count }, positions)
  if (found === undefined) return undefined
  const values = memory.arena.allocate(4 * found.count)
  const unused = memory.arena.allocate(4 * found.count)
  aggregateKernel(memory).pick(selection, entries, found.entries, found.count, unused, values)
  return { rows: picked(memory, rows, found.entries, found.count), entries: values }
}

function picked(
  memory: LinearMemory,
  rows: AddedRows,
  positions: Pointer,
  count: number,
): AddedRows {
  const selection = memory.arena.allocate(4 * count)
  const entries = memory.arena.allocate(4 * count)
  const kernel = aggregateKernel(memory)
  kernel.pick(rows.selection, rows.entries, positions, count, selection, entries)
  return { ...rows, selection, entries, count }
}

/** Adds the values of `from` to those of `into`. */
export function mergeValues(
  memory: LinearMemory,
  stage: Stage,
  into: GroupState,
  from: GroupState,
): void {
  const kernel = aggregateKernel(memory)
  const { index, orders, filtered } = stage.side!
  const [intoSide, fromSide] = [into.sides[index]!, from.sides[index]!]
  for (let cursor = 0; cursor >= 0; ) {
    const mark = memory.arena.mark()
    const held = memory.arena.allocate(4 * MERGE_ENTRIES)
    const { next, count } = fromSide.scan(cursor, held, MERGE_ENTRIES)
    const keys = fromSide.keysOf(held, count)
    const sideEntries = memory.arena.allocate(4 * count)
    intoSide.upsert({ count, selection: 0, keys }, sideEntries)
    const { groups } = into
    const entries = memory.arena.allocate(4 * count)
    groups.find({ count, selection: 0, keys: keys.slice(0, groups.keyCount) }, entries)
    const vectors = keys.slice(groups.keyCount)
    const rows = { groups, selection: 0, entries, count, vectors }
    const positions = memory.arena.allocate(4 * count)
    const mergeIn = (cell: number, slots: readonly Slot[]): number => {
      const offset = intoSide.valueOffset(cell)
      const moved = kernel.mergeValues(sideEntries, held, count, offset, positions)
      addToSlots(slots, picked(memory, rows, positions, moved), 1)
      return moved
    }
    const moved = mergeIn(0, stage.slots)
    for (let i = 0; i < moved && orders !== undefined; i++) {
      const at = memory.u32[positions / 4 + i]!
      orders.insert(into, memory.u32[entries / 4 + at]!, memory.u32[sideEntries / 4 + at]!)
    }
    for (const [at, { slots }] of filtered.entries()) mergeIn(at + 1, slots)
    memory.arena.release(mark)
    cursor = next
  }
}
