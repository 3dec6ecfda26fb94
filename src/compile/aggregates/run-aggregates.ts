/** The bulk loops of an AggregateSet: rows through stages into slots, tables into tables, entries into results. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { cellBytes } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { AggregateCall } from '../../plan/expressions.ts'
import type { Frame } from '../compiled.ts'
import type {
  AggregateEnvironment,
  AggregateSet,
  GroupState,
  VisitGroups,
} from './aggregate-set.ts'
import { addToSlots, changeValues, MERGE_ENTRIES, mergeValues } from './distinct-values.ts'
import type { Outcome, Stage } from './stage.ts'
import { addToUsers, type UserSlot } from './user-aggregate.ts'

export function runAggregates(
  { memory, retracts, setsAside }: AggregateEnvironment,
  stages: readonly Stage[],
  users: readonly UserSlot[],
  outcomes: readonly Outcome[],
  calls: readonly AggregateCall[],
): Pick<
  AggregateSet,
  'update' | 'retract' | 'merge' | 'isInvertible' | 'unmerge' | 'results' | 'forget'
> {
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
              ? addToSlots(stage.slots, added, sign, userIndexes)
              : changeValues(memory, stage, state, frame, added, keys, sign)
          if (wrapped > 0) overflowed(frame, wrapped)
        }
        memory.arena.release(mark)
      }
      return taken
    }
  return {
    update: change(1),
    retract: change(-1),
    merge(into, from, visit) {
      mergeSlots(memory, stages, into, from, visit)
      for (const stage of stages) {
        if (stage.side !== undefined) mergeValues(memory, stage, into, from)
      }
    },
    isInvertible:
      users.length === 0 &&
      stages.every(
        ({ side, slots }) =>
          side === undefined && slots.every(({ accumulator }) => accumulator.negate !== undefined),
      ),
    unmerge(into, from, visit) {
      negateSlots(memory, stages, from)
      mergeSlots(memory, stages, into, from, visit)
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

function negateSlots(memory: LinearMemory, stages: readonly Stage[], { groups }: GroupState): void {
  for (let cursor = 0; cursor >= 0; ) {
    const mark = memory.arena.mark()
    const entries = memory.arena.allocate(4 * MERGE_ENTRIES)
    const { next, count } = groups.scan(cursor, entries, MERGE_ENTRIES)
    for (const { slots } of stages)
      for (const { accumulator, valueIndex } of slots)
        accumulator.negate?.(entries, count, groups.valueOffset(valueIndex))
    memory.arena.release(mark)
    cursor = next
  }
}

function mergeSlots(
  memory: LinearMemory,
  stages: readonly Stage[],
  into: GroupState,
  from: GroupState,
  visit?: VisitGroups,
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
    visit?.(entries, count)
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
