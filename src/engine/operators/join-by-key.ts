/**
 * Joins in which every row of a key meets every other of it, since nothing else is asked: then a row meets as many rows as the other
 * side's list is long, and nothing needs to be noted beside it. Semi and anti joins need not even look at the rows: lists that begin or end do.
 */
import { DELETE, INSERT, type RowKind } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { pairsOfAtMost, type RowLists } from '../../state/row-lists.ts'
import type { Emit } from '../operator.ts'
import type { JoinChanges, Meetings } from './join-changes.ts'
import { PAIRS_MAX } from './join-matches.ts'
import { isAdded, rowAt } from './join-side.ts'
import { emitChanges } from './row-picks.ts'

/** `own`: the rows of the batches' side. */
export function meetingsOfKeys(memory: LinearMemory, own: RowLists): Meetings {
  let lengths = 0
  const lengthAt = (position: number): number => memory.u32[lengths / 4 + position]!
  return {
    start(batch, lists) {
      lengths = memory.arena.allocate(4 * batch.count)
      own.lengthsBefore(batch, lists, lengths)
    },
    ofAll: lengthAt,
    of: lengthAt,
    note() {},
  }
}

/** Semi and anti, rows of the left side: each goes on, with its kind, if its key has right rows, or none. */
export function keepingByKey(
  memory: LinearMemory,
  type: 'semi' | 'anti',
  right: RowLists,
): JoinChanges {
  return (batch, lists, emit) => {
    const selection = memory.arena.allocate(4 * batch.count)
    const { u32 } = memory
    let count = 0
    for (let position = 0; position < batch.count; position++) {
      const list = u32[lists / 4 + position]!
      const isMet = list !== 0 && right.count(list) > 0
      if (isMet === (type === 'semi')) u32[selection / 4 + count++] = rowAt(memory, batch, position)
    }
    if (count > 0) emit({ ...batch, selection, count })
    return 0
  }
}

/** Semi and anti, rows of the right side: left rows come and go with the first and the last of their key. */
export function turningByKey(
  memory: LinearMemory,
  type: 'semi' | 'anti',
  left: RowLists,
  right: RowLists,
): JoinChanges {
  return (batch, lists, emit) => {
    const before = memory.arena.allocate(4 * batch.count)
    right.lengthsBefore(batch, lists, before)
    const turned = memory.arena.allocate(4 * batch.count)
    const kinds: RowKind[] = []
    for (let position = 0; position < batch.count; position++) {
      const list = memory.u32[lists / 4 + position]!
      const row = rowAt(memory, batch, position)
      const adds = isAdded(memory, batch, row)
      if (list === 0 || memory.u32[before / 4 + position] !== (adds ? 0 : 1)) continue
      memory.u32[turned / 4 + kinds.length] = list
      const kind = batch.kinds === 0 ? INSERT : (memory.u8[batch.kinds + row] as RowKind)
      kinds.push(type === 'semi' ? kind : adds ? DELETE : INSERT)
    }
    tellLists(memory, left, turned, kinds, (changed) =>
      emitChanges(memory, changed, batch.count === 1, emit),
    )
    return 0
  }
}

/** All rows of each list, with its kind. */
function tellLists(
  memory: LinearMemory,
  rows: RowLists,
  lists: Pointer,
  kindOf: readonly RowKind[],
  emit: Emit,
): void {
  let from = pairsOfAtMost(PAIRS_MAX)
  while (from.position < kindOf.length) {
    const mark = memory.arena.mark()
    const positions = memory.arena.allocate(4 * PAIRS_MAX)
    const entries = memory.arena.allocate(4 * PAIRS_MAX)
    from = rows.pairs(lists, kindOf.length, from, positions, entries)
    const { count } = from
    const kinds = memory.arena.allocate(count)
    const { u8, u32 } = memory
    for (let at = 0; at < count; at++) u8[kinds + at] = kindOf[u32[positions / 4 + at]!]!
    const columns = rows.columnsOf(entries, count)
    if (count > 0) emit({ rowCount: count, columns, kinds, selection: 0, count })
    memory.arena.release(mark)
  }
}
