/** What a batch's pairs change in the joined table: rows, entries and kinds, in Flink's order for each row. */
import { type Batch, DELETE, INSERT, type RowKind } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { JoinType } from '../../plan/nodes.ts'
import type { Emit } from '../operator.ts'
import { type Matcher, PAIRS_MAX } from './join-matches.ts'
import { isAdded, rowAt } from './join-side.ts'
import type { MetSide } from './join-store.ts'
import { type JoinedRows, joinedBatch, joinedRows, NO_ROW } from './joined-rows.ts'
import { emitChanges } from './row-picks.ts'

export interface ChangesOptions {
  readonly memory: LinearMemory
  readonly type: JoinType
  /** The batches are of the left side. */
  readonly isLeft: boolean
  readonly other: MetSide
  readonly matches: Matcher
  /** Where rows of the other side are told differently once they meet one. */
  readonly meetings?: Meetings
}

/** How many rows of the batches' side an entry of the other side meets, when the row at `position` of the batch comes or goes. */
export interface Meetings {
  /** Before the pairs of a batch. */
  start(batch: Batch, lists: Pointer): void
  /** Where all entries that the row meets meet as many. */
  ofAll?(position: number): number
  of(position: number, entry: Pointer): number
  note(entry: Pointer, count: number): void
}

/** Noted beside each entry: where a condition or a time to live parts rows of one key. */
export function meetingsOfEntries(other: MetSide): Meetings {
  return {
    start() {},
    of: (_, entry) => Number(other.count(entry)),
    note: (entry, count) => other.setCount(entry, BigInt(count)),
  }
}

/** Emits what the batch changes; u32 by position, how many rows each meets, or 0 where nobody asks. */
export type JoinChanges = (batch: Batch, lists: Pointer, emit: Emit) => Pointer

export function joinChanges(options: ChangesOptions): JoinChanges {
  const { type, isLeft, meetings } = options
  if (type === 'semi' || type === 'anti') return isLeft ? probingLeft(options) : probedLeft(options)
  const isOuter = type === 'full' || type === (isLeft ? 'left' : 'right')
  return isOuter || meetings !== undefined ? outer(options, isOuter) : inner(options)
}

function inner({ memory, isLeft, other, matches }: ChangesOptions): JoinChanges {
  return (batch, lists, emit) => {
    matches(batch, lists, ({ rows, entries, count }) => {
      if (count === 0) return
      const kinds = batch.kinds === 0 ? 0 : memory.arena.allocate(count)
      const { u8, u32 } = memory
      for (let at = 0; kinds !== 0 && at < count; at++)
        u8[kinds + at] = u8[batch.kinds + u32[rows / 4 + at]!]!
      const joined = { rows, entries, kinds, count }
      const out = joinedBatch(memory, joined, batch, other.rows, isLeft)
      emitChanges(memory, out, batch.count === 1, emit)
    })
    return 0
  }
}

function outer(options: ChangesOptions, isOuter: boolean): JoinChanges {
  const { memory, isLeft, other, matches, meetings } = options
  return (batch, lists, emit) => {
    const met = memory.arena.allocateCleared(4 * batch.count)
    let settled = 0
    meetings?.start(batch, lists)
    matches(batch, lists, (pairs) => {
      const { positions, count, complete } = pairs
      const out = joinedRows(memory, 2 * PAIRS_MAX + batch.count)
      let at = 0
      for (let position = settled; position < complete || at < count; position++) {
        const from = at
        while (at < count && memory.u32[positions / 4 + at] === position) at++
        memory.u32[met / 4 + position]! += at - from
        const row = rowAt(memory, batch, position)
        tellRow(out, batch, row, { entries: pairs.entries, position, from, to: at })
        const isAlone = isOuter && memory.u32[met / 4 + position] === 0
        if (isAlone && position < complete)
          put(memory, out, row, 0, isAdded(memory, batch, row) ? INSERT : DELETE)
      }
      settled = complete
      if (out.count === 0) return
      const changed = joinedBatch(memory, out, batch, other.rows, isLeft)
      emitChanges(memory, changed, batch.count === 1, emit)
    })
    return met
  }

  function tellRow(out: JoinedRows, batch: Batch, row: number, group: Group): void {
    const { entries, from, to } = group
    if (from === to) return
    const adds = isAdded(memory, batch, row)
    if (adds) meet(out, group, true)
    const comes = isOuter || (adds && meetings !== undefined)
    const kind = comes ? (adds ? INSERT : DELETE) : kindOf(memory, batch, row)
    for (let at = from; at < to; at++) put(memory, out, row, memory.u32[entries / 4 + at]!, kind)
    if (!adds) meet(out, group, false)
  }

  /** Entries that meet their first row, or lose their last, are no more, or again, told with NULLs. */
  function meet(out: JoinedRows, { entries, position, from, to }: Group, adds: boolean): void {
    if (meetings === undefined) return
    const turns = adds ? 0 : 1
    const all = meetings.ofAll?.(position)
    if (all !== undefined && all !== turns) return
    for (let at = from; at < to; at++) {
      const entry = memory.u32[entries / 4 + at]!
      const before = all ?? meetings.of(position, entry)
      if (before === turns) put(memory, out, NO_ROW, entry, adds ? DELETE : INSERT)
      if (all === undefined) meetings.note(entry, before + (adds ? 1 : -1))
    }
  }
}

/** Semi and anti, rows of the left side: each goes on, with its kind, if it meets some row, or none. */
function probingLeft({ memory, type, matches }: ChangesOptions): JoinChanges {
  return (batch, lists, emit) => {
    const met = memory.arena.allocateCleared(4 * batch.count)
    matches(batch, lists, ({ positions, count }) => {
      const { u32 } = memory
      for (let at = 0; at < count; at++) u32[met / 4 + u32[positions / 4 + at]!]!++
    })
    const selection = memory.arena.allocate(4 * batch.count)
    const { u32 } = memory
    let count = 0
    for (let position = 0; position < batch.count; position++) {
      if ((u32[met / 4 + position] === 0) === (type === 'anti'))
        u32[selection / 4 + count++] = rowAt(memory, batch, position)
    }
    if (count > 0) emit({ ...batch, selection, count })
    return met
  }
}

/** Semi and anti, rows of the right side: left rows come and go as they meet their first or lose their last. */
function probedLeft({ memory, type, other, matches }: ChangesOptions): JoinChanges {
  return (batch, lists, emit) => {
    matches(batch, lists, ({ rows, entries, count }) => {
      const out = joinedRows(memory, count)
      for (let at = 0; at < count; at++) {
        const row = memory.u32[rows / 4 + at]!
        const entry = memory.u32[entries / 4 + at]!
        const adds = isAdded(memory, batch, row)
        const before = other.count(entry)
        other.setCount(entry, before + (adds ? 1n : -1n))
        if (before !== (adds ? 0n : 1n)) continue
        const anti: RowKind = adds ? DELETE : INSERT
        put(memory, out, NO_ROW, entry, type === 'anti' ? anti : kindOf(memory, batch, row))
      }
      if (out.count === 0) return
      const columns = other.rows.columnsOf(out.entries, out.count)
      const changed = { rowCount: out.count, columns, kinds: out.kinds, selection: 0 }
      emitChanges(memory, { ...changed, count: out.count }, batch.count === 1, emit)
    })
    return 0
  }
}

/** The pairs [from, to) are of the row at `position`. */
interface Group {
  readonly entries: Pointer
  readonly position: number
  readonly from: number
  readonly to: number
}

function put(
  { u32, u8 }: LinearMemory,
  out: JoinedRows,
  row: number,
  entry: Pointer,
  kind: RowKind,
): void {
  u32[out.rows / 4 + out.count] = row
  u32[out.entries / 4 + out.count] = entry
  u8[out.kinds + out.count++] = kind
}

function kindOf({ u8 }: LinearMemory, { kinds }: Batch, row: number): RowKind {
  return kinds === 0 ? INSERT : (u8[kinds + row] as RowKind)
}
