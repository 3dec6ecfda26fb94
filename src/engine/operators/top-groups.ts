/**
 * The groups of a window that come first by one of its aggregates: those that a reader wants who keeps the first few.
 *
 * A HOP window's are not sought anew for each slide. What is kept are the groups that were at or above a *bar* when all were last looked
 * at, some more than are wanted, and those that have come up to it since: as long as enough of them are at the bar, no other group can
 * come before. Only when too few are left, or too many have gathered, all groups are looked at again, and the bar is set anew.
 *
 * Values are compared as doubles, which never turns their order round but may make two of them tie: more groups are told then.
 */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type DataType, layoutOf } from '../../data/types.ts'
import type { WantedGroups } from '../../plan/wanted-groups.ts'
import type { GroupTables } from './group-state.ts'
import { forEachGroups, type GroupChanges, type WindowGroups } from './window-groups.ts'

/** Groups told at a time. */
const TOLD_ROWS = 4096
/** At the least so many groups are kept for a window that slides. */
const KEPT_MIN = 64
const WORD = 2 ** 32

export interface TopGroups extends GroupChanges {
  /** The wanted groups, and those that tie with the last of them, some thousand at a time; arena memory is released after each visit. */
  forEachRows(state: GroupTables, visit: (rows: Batch) => void): void
  /** The next table is another. */
  clear(): void
}

/** `slides`: the same table is read again and again, and `changed` and `gone` tell what becomes of it. */
export function topGroups(
  memory: LinearMemory,
  groups: WindowGroups,
  wanted: WantedGroups,
  type: DataType,
  slides: boolean,
): TopGroups {
  const score = scoreOf(memory, type, wanted)
  const kept = new Set<Pointer>()
  /** The lowest score with which a group is surely kept; undefined: all must be looked at. */
  let bar: number | undefined
  let keptMax = 0

  /** Looks at all groups, and keeps those at the bar. */
  function seek(state: GroupTables): void {
    const { size } = state.groups
    const target = slides
      ? Math.max(2 * wanted.count, KEPT_MIN, Math.ceil(Math.sqrt(size)))
      : wanted.count
    const best = greatest(target)
    const seen = new Map<Pointer, number>()
    forEachGroups(memory, state, (entries, count) => {
      const { values, rows } = groups.valuesOf(state, entries, count, wanted.aggregate)
      for (let at = 0; at < count; at++) {
        if (rows !== undefined && memory.i64[rows.cells / 8 + at]! <= 0n) continue
        const value = score(values, at)
        if (value < best.least()) continue
        best.add(value)
        seen.set(memory.u32[entries / 4 + at]!, value)
      }
    })
    bar = best.least()
    kept.clear()
    for (const [entry, value] of seen) if (value >= bar) kept.add(entry)
    keptMax = 2 * kept.size + target
  }

  /** The kept groups with their scores; those that have sunk below the bar are let go. */
  function scored(state: GroupTables): Map<Pointer, number> {
    const scores = new Map<Pointer, number>()
    const mark = memory.arena.mark()
    const entries = memory.arena.allocate(4 * kept.size)
    let count = 0
    for (const entry of kept) memory.u32[entries / 4 + count++] = entry
    const { values } = groups.valuesOf(state, entries, count, wanted.aggregate)
    for (let at = 0; at < count; at++) {
      const entry = memory.u32[entries / 4 + at]!
      const value = score(values, at)
      if (value < bar!) kept.delete(entry)
      else scores.set(entry, value)
    }
    memory.arena.release(mark)
    return scores
  }

  function wantedOf(state: GroupTables): readonly Pointer[] {
    if (bar === undefined) seek(state)
    let scores = scored(state)
    if (kept.size < wanted.count ? bar! > -Infinity : kept.size > keptMax) {
      seek(state)
      scores = scored(state)
    }
    const best = greatest(wanted.count)
    for (const value of scores.values()) best.add(value)
    const least = best.least()
    // In the order in which a table is read.
    return [...kept].filter((entry) => scores.get(entry)! >= least).sort((a, b) => a - b)
  }

  return {
    changed(state, entries, count) {
      if (bar === undefined) return
      const { values } = groups.valuesOf(state, entries, count, wanted.aggregate)
      for (let at = 0; at < count; at++) {
        if (score(values, at) >= bar) kept.add(memory.u32[entries / 4 + at]!)
      }
    },
    gone: (entry) => void kept.delete(entry),
    forEachRows(state, visit) {
      const all = wantedOf(state)
      for (let start = 0; start < all.length; start += TOLD_ROWS) {
        const mark = memory.arena.mark()
        const part = all.slice(start, start + TOLD_ROWS)
        const entries = memory.arena.allocate(4 * part.length)
        memory.u32.set(part, entries / 4)
        visit(groups.rowsOf(state, entries, part.length))
        memory.arena.release(mark)
      }
    },
    clear() {
      bar = undefined
      kept.clear()
    },
  }
}

/** Of numbers that are added the `count` greatest: `least` is the least of them, -Infinity while there are fewer. */
function greatest(count: number): { add(value: number): void; least(): number } {
  const sorted: number[] = []
  return {
    add(value) {
      if (sorted.length === count && value <= sorted[0]!) return
      let low = 0
      for (let high = sorted.length; low < high; ) {
        const middle = (low + high) >> 1
        if (sorted[middle]! < value) low = middle + 1
        else high = middle
      }
      sorted.splice(low, 0, value)
      if (sorted.length > count) sorted.shift()
    },
    least: () => (sorted.length < count ? -Infinity : sorted[0]!),
  }
}

/** A double for a value that is greater the earlier its group comes, or equal. */
function scoreOf(
  memory: LinearMemory,
  type: DataType,
  { descending, nullsFirst }: WantedGroups,
): (values: Vector, at: number) => number {
  const number = doubleOf(memory, type)
  const ofNull = nullsFirst ? Infinity : -Infinity
  return ({ cells, validity }, at) => {
    if (validity !== 0 && ((memory.u8[validity + (at >> 3)]! >> (at & 7)) & 1) === 0) return ofNull
    const value = number(cells, at)
    return descending ? value : -value
  }
}

function doubleOf(memory: LinearMemory, type: DataType): (cells: Pointer, at: number) => number {
  const words = (address: Pointer): number =>
    memory.i32[(address >>> 2) + 1]! * WORD + memory.u32[address >>> 2]!
  switch (layoutOf(type)) {
    case 'f64':
      return (cells, at) => {
        const value = memory.f64[cells / 8 + at]!
        return Number.isNaN(value) ? Infinity : value
      }
    case 'i128':
      return (cells, at) => {
        const low = cells + 16 * at
        const high = words(low + 8)
        // Where a double has no place for all of the high half, the low one must not tip the scales.
        const rest =
          Math.abs(high) < 2 ** 53
            ? memory.u32[(low >>> 2) + 1]! * WORD + memory.u32[low >>> 2]!
            : 0
        return high * 2 ** 64 + rest
      }
    default:
      return (cells, at) => words(cells + 8 * at)
  }
}
