/**
 * The values of each group in order, for MIN and MAX where rows go away: sorted arrays of side-table entries, one a group.
 *
 * They are made from the side table when first asked for, so a restored table needs nothing else. Coming and going cost
 * O(log values) comparisons and one move within the array.
 */
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Layout } from '../../data/types.ts'
import { aggregateKernel } from '../../kernels/aggregate.ts'
import type { GroupState, GroupTable } from './aggregate-set.ts'

const SCAN_ENTRIES = 4096

export interface ValueOrders {
  insert(state: GroupState, group: Pointer, sideEntry: Pointer): void
  /** Before the side entry is removed. */
  remove(state: GroupState, group: Pointer, sideEntry: Pointer): void
  /** The side entry of the least or greatest value of a group; 0 if it has none. */
  end(state: GroupState, group: Pointer, isMax: boolean): Pointer
  /** All side entries of a group. */
  all(state: GroupState, group: Pointer): readonly Pointer[]
  forget(state: GroupState, group: Pointer): void
}

export function valueOrders(memory: LinearMemory, sideIndex: number, layout: Layout): ValueOrders {
  const orders = new WeakMap<GroupTable, Map<Pointer, Pointer[]>>()
  const compare = comparer(memory, layout)

  function ordersOf(state: GroupState): Map<Pointer, Pointer[]> {
    const side = state.sides[sideIndex]!
    let found = orders.get(side)
    if (found === undefined) {
      found = groupedEntries(memory, state.groups, side)
      orders.set(side, found)
      const offset = side.keyOffset(side.keyCount - 1)
      for (const values of found.values()) values.sort((a, b) => compare(a + offset, b + offset))
    }
    return found
  }

  function place(values: readonly Pointer[], cell: Pointer, offset: number): number {
    let [low, high] = [0, values.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare(values[middle]! + offset, cell) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  function placeOf(state: GroupState, group: Pointer, sideEntry: Pointer) {
    const side = state.sides[sideIndex]!
    const offset = side.keyOffset(side.keyCount - 1)
    const byGroup = ordersOf(state)
    const values = byGroup.get(group) ?? []
    byGroup.set(group, values)
    return { values, at: place(values, sideEntry + offset, offset) }
  }

  return {
    insert(state, group, sideEntry) {
      const { values, at } = placeOf(state, group, sideEntry)
      // Already there when the order was just made from the side table.
      if (values[at] !== sideEntry) values.splice(at, 0, sideEntry)
    },
    remove(state, group, sideEntry) {
      const { values, at } = placeOf(state, group, sideEntry)
      if (values[at] === sideEntry) values.splice(at, 1)
    },
    end: (state, group, isMax) =>
      ordersOf(state)
        .get(group)
        ?.at(isMax ? -1 : 0) ?? 0,
    all: (state, group) => ordersOf(state).get(group) ?? [],
    forget(state, group) {
      ordersOf(state).delete(group)
    },
  }
}

/** The live entries of a side table by the entry of their group. */
export function groupedEntries(
  memory: LinearMemory,
  groups: GroupTable,
  side: GroupTable,
): Map<Pointer, Pointer[]> {
  const found = new Map<Pointer, Pointer[]>()
  for (let cursor = 0; cursor >= 0; ) {
    const mark = memory.arena.mark()
    const entries = memory.arena.allocate(4 * SCAN_ENTRIES)
    const owners = memory.arena.allocate(4 * SCAN_ENTRIES)
    const { next, count } = side.scan(cursor, entries, SCAN_ENTRIES)
    const keys = side.keysOf(entries, count).slice(0, groups.keyCount)
    groups.find({ count, selection: 0, keys }, owners)
    for (let at = 0; at < count; at++) {
      const owner = memory.u32[owners / 4 + at]!
      const values = found.get(owner)
      if (values === undefined) found.set(owner, [memory.u32[entries / 4 + at]!])
      else values.push(memory.u32[entries / 4 + at]!)
    }
    memory.arena.release(mark)
    cursor = next
  }
  return found
}

/** Orders two cells by address. NaN is greater than every number, as in an ORDER BY. */
function comparer(memory: LinearMemory, layout: Layout): (a: Pointer, b: Pointer) => number {
  const kernel = aggregateKernel(memory)
  const i64 = (a: Pointer, b: Pointer) => {
    const [left, right] = [memory.i64[a / 8]!, memory.i64[b / 8]!]
    return left < right ? -1 : left > right ? 1 : 0
  }
  switch (layout) {
    case 'bytes':
      return (a, b) => {
        const { u32 } = memory
        return kernel.compareBytes(u32[a / 4]!, u32[a / 4 + 1]!, u32[b / 4]!, u32[b / 4 + 1]!)
      }
    case 'f64':
      return (a, b) => {
        const [left, right] = [memory.f64[a / 8]!, memory.f64[b / 8]!]
        if (Number.isNaN(left) || Number.isNaN(right))
          return Number(Number.isNaN(left)) - Number(Number.isNaN(right))
        return left - right
      }
    case 'i128':
      return (a, b) => {
        const high = i64(a + 8, b + 8)
        if (high !== 0) return high
        const [left, right] = [memory.i64[a / 8]!, memory.i64[b / 8]!].map((x) =>
          BigInt.asUintN(64, x),
        ) as [bigint, bigint]
        return left < right ? -1 : left > right ? 1 : 0
      }
    default:
      return i64
  }
}
