/** The bulk loops of an AggregateSet: rows through stages into slots, tables into tables, entries into results. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { aggregateKernel } from '../../kernels/aggregate.ts'
import type { AggregateCall } from '../../plan/expressions.ts'
import type { Frame } from '../compiled.ts'
import type { AddedRows } from './accumulator.ts'
import type { AggregateEnvironment, AggregateSet, GroupState } from './aggregate-set.ts'
import type { Outcome, Stage } from './stage.ts'
import { addToUsers, type UserSlot } from './user-aggregate.ts'

const MERGE_ENTRIES = 4096
const NONE: ReadonlySet<number> = new Set()

export function runAggregates(
  { memory, retracts, setsAside }: AggregateEnvironment,
  stages: readonly Stage[],
  users: readonly UserSlot[],
  outcomes: readonly Outcome[],
  calls: readonly AggregateCall[],
): Pick<AggregateSet, 'update' | 'retract' | 'merge' | 'results' | 'forget'> {
  const userIndexes = new Set(users.map(({ valueIndex }) => valueIndex))
  const change =
    (sign: 1 | -1): AggregateSet['update'] =>
    (state, given, keys, all) => {
      if (given.count === 0) return undefined
      const mayLeave = setsAside === true && !retracts
      const taken = addToUsers(users, state.groups, given, all, sign, mayLeave)
      const frame = taken === undefined ? given : { ...given, ...taken }
      const entries = taken?.entries ?? all
      if (frame.count === 0) return taken
      for (const stage of stages) {
        const mark = memory.arena.mark()
        const rows = stage.input.rows(frame, entries)
        if (rows !== undefined) {
          const added = { ...rows, groups: state.groups }
          const wrapped =
            stage.side === undefined
              ? addToSlots(stage, added, sign, userIndexes)
              : changeValues(memory, stage, state, added, keys, sign)
          if (wrapped > 0) overflowed(frame, wrapped)
        }
        memory.arena.release(mark)
      }
      return taken
    }
  return {
    update: change(1),
    retract: change(-1),
    merge(into, from) {
      mergeSlots(memory, stages, into, from)
      for (const stage of stages) {
        if (stage.side !== undefined) mergeValues(memory, stage, into, from)
      }
    },
    results(state, entries, count) {
      return outcomes.map((outcome, index) => {
        if (outcome.kind === 'order')
          return orderResult(memory, outcome, state, entries, count, calls[index]!)
        return outcome.read(entries, count, {
          value: state.groups.valueOffset(outcome.value.valueIndex),
          count: state.groups.valueOffset(outcome.count.valueIndex),
        })
      })
    },
    forget(state, entries, count) {
      for (const { side } of stages) {
        if (side?.orders === undefined) continue
        for (let at = 0; at < count; at++) side.orders.forget(state, memory.u32[entries / 4 + at]!)
      }
    },
  }
}

function addToSlots(
  { slots }: Stage,
  rows: AddedRows,
  sign: 1 | -1,
  users: ReadonlySet<number> = NONE,
): number {
  let wrapped = 0
  for (const { accumulator, valueIndex } of slots) {
    // They have taken theirs already.
    if (users.has(valueIndex)) continue
    wrapped += accumulator.add(rows, rows.groups.valueOffset(valueIndex), valueIndex, sign)
  }
  return wrapped
}

/** Counts the values in the side table; the slots and the order take those that come first or go last. */
function changeValues(
  memory: LinearMemory,
  stage: Stage,
  state: GroupState,
  rows: AddedRows,
  keys: readonly Vector[],
  sign: 1 | -1,
): number {
  const kernel = aggregateKernel(memory)
  const { index, orders } = stage.side!
  const side = state.sides[index]!
  const { selection, count } = rows
  const sideEntries = memory.arena.allocate(4 * count)
  side.upsert({ count, selection, keys: [...keys, ...rows.vectors] }, sideEntries)
  const positions = memory.arena.allocate(4 * count)
  const offset = side.valueOffset(0)
  const moved = kernel.countValues(sideEntries, count, offset, BigInt(sign), positions)
  const wrapped = addToSlots(stage, picked(memory, rows, positions, moved), sign)
  for (let i = 0; i < moved; i++) {
    const at = memory.u32[positions / 4 + i]!
    const sideEntry = memory.u32[sideEntries / 4 + at]!
    const group = memory.u32[rows.entries / 4 + at]!
    if (sign > 0) orders?.insert(state, group, sideEntry)
    else {
      orders?.remove(state, group, sideEntry)
      side.remove(sideEntry)
    }
  }
  return wrapped
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

function mergeSlots(
  memory: LinearMemory,
  stages: readonly Stage[],
  into: GroupState,
  from: GroupState,
): void {
  for (let cursor = 0; cursor >= 0; ) {
    const mark = memory.arena.mark()
    const held = memory.arena.allocate(4 * MERGE_ENTRIES)
    const { next, count } = from.groups.scan(cursor, held, MERGE_ENTRIES)
    const entries = memory.arena.allocate(4 * count)
    into.groups.upsert({ count, selection: 0, keys: from.groups.keysOf(held, count) }, entries)
    for (const { slots, side } of stages) {
      if (side !== undefined) continue
      for (const { accumulator, valueIndex } of slots) {
        const offset = into.groups.valueOffset(valueIndex)
        accumulator.merge(into.groups, entries, held, count, offset, valueIndex)
      }
    }
    memory.arena.release(mark)
    cursor = next
  }
}

function mergeValues(memory: LinearMemory, stage: Stage, into: GroupState, from: GroupState): void {
  const kernel = aggregateKernel(memory)
  const { index, orders } = stage.side!
  const [intoSide, fromSide] = [into.sides[index]!, from.sides[index]!]
  for (let cursor = 0; cursor >= 0; ) {
    const mark = memory.arena.mark()
    const held = memory.arena.allocate(4 * MERGE_ENTRIES)
    const { next, count } = fromSide.scan(cursor, held, MERGE_ENTRIES)
    const keys = fromSide.keysOf(held, count)
    const sideEntries = memory.arena.allocate(4 * count)
    intoSide.upsert({ count, selection: 0, keys }, sideEntries)
    const positions = memory.arena.allocate(4 * count)
    const offset = intoSide.valueOffset(0)
    const moved = kernel.mergeValues(sideEntries, held, count, offset, positions)
    const { groups } = into
    const entries = memory.arena.allocate(4 * count)
    groups.find({ count, selection: 0, keys: keys.slice(0, groups.keyCount) }, entries)
    const vectors = keys.slice(groups.keyCount)
    const rows = { groups, selection: 0, entries, count, vectors }
    addToSlots(stage, picked(memory, rows, positions, moved), 1)
    for (let i = 0; i < moved && orders !== undefined; i++) {
      const at = memory.u32[positions / 4 + i]!
      orders.insert(into, memory.u32[entries / 4 + at]!, memory.u32[sideEntries / 4 + at]!)
    }
    memory.arena.release(mark)
    cursor = next
  }
}

function orderResult(
  memory: LinearMemory,
  { orders, isMax, side }: Extract<Outcome, { kind: 'order' }>,
  state: GroupState,
  entries: Pointer,
  count: number,
  { type }: AggregateCall,
): Vector {
  const words = cellBytes(type) / 8
  const cells = memory.arena.allocate(8 * words * count)
  const validity = memory.arena.allocateCleared((count + 7) >> 3)
  const table = state.sides[side]!
  const offset = table.keyOffset(table.keyCount - 1)
  for (let at = 0; at < count; at++) {
    const sideEntry = orders.end(state, memory.u32[entries / 4 + at]!, isMax)
    if (sideEntry === 0) continue
    memory.u8[validity + (at >> 3)]! |= 1 << (at & 7)
    for (let word = 0; word < words; word++) {
      const held = memory.i64[(sideEntry + offset) / 8 + word]!
      memory.i64[cells / 8 + at * words + word] = held
    }
  }
  return { type, cells, validity }
}

function overflowed({ context }: Frame, rows: number): void {
  context.count('overflow', rows)
  if (context.overflow === 'wrap') return
  throw new MillraceError('AGGREGATE_OVERFLOW', {
    message: `a SUM went beyond the range of its type in ${rows} rows`,
    hint: "sum a BIGINT or a DECIMAL(38, 0) instead (CAST the argument), or SET 'sql.overflow' = 'wrap'",
    facts: { rows },
  })
}
