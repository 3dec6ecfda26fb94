/** What the join of one window's rows is. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { schemaOf, type WindowJoin } from '../../plan/nodes.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit } from '../operator.ts'
import { joinChanges } from './join-changes.ts'
import { matcherOf } from './join-matches.ts'
import { uncountedSide } from './join-store.ts'
import { nullVectors, rowsAt } from './joined-rows.ts'

const ROWS_MAX = 4096
const SCAN_LISTS = 1024

export interface WindowPairs {
  fire(sides: readonly [RowLists, RowLists], emit: Emit): void
  /** Rows that meet none, as the join tells them. */
  alone(batch: Batch, isLeft: boolean): Batch
}

/** Right rows have one extra: 1 if they have met a row. */
export function windowPairs(plan: WindowJoin, context: OperatorContext): WindowPairs {
  const { memory } = context
  const { type, left, right, condition } = plan
  const tellsRight = type === 'right' || type === 'full'
  // One window's at a time.
  let rights: RowLists | undefined
  const current = (): RowLists => rights!
  const find = matcherOf(
    {
      left,
      right,
      ...(condition === undefined ? {} : { condition }),
      isLeft: true,
      get other() {
        return current()
      },
    },
    context,
  )
  const changes = joinChanges({
    memory,
    type: type === 'right' ? 'inner' : type === 'full' ? 'left' : type,
    isLeft: true,
    other: uncountedSide(current),
    matches: (batch, lists, visit) =>
      find(batch, lists, (matches) => {
        if (tellsRight) markMet(memory, current(), matches.entries, matches.count)
        visit(matches)
      }),
  })

  function tellLefts(rows: RowLists, entries: readonly Pointer[], emit: Emit): void {
    const count = entries.length
    const mark = memory.arena.mark()
    const at = memory.arena.allocate(4 * count)
    const lists = memory.arena.allocate(4 * count)
    memory.u32.set(entries, at / 4)
    for (const [index, entry] of entries.entries())
      memory.u32[lists / 4 + index] = rows.listOf(entry)
    const columns = rows.columnsOf(at, count)
    changes({ rowCount: count, columns, kinds: 0, selection: 0, count }, lists, emit)
    memory.arena.release(mark)
  }

  function alone(batch: Batch, isLeft: boolean): Batch {
    if (type === 'semi' || type === 'anti') return batch
    const { count, selection } = batch
    const own =
      selection === 0 ? batch.columns : rowsAt(memory, batch.columns, selection, batch.count)
    const nulls = nullVectors(memory, schemaOf(isLeft ? right : left), count)
    const columns = isLeft ? [...own, ...nulls] : [...nulls, ...own]
    return { rowCount: count, columns, kinds: 0, selection: 0, count }
  }

  return {
    alone,
    fire(sides, emit) {
      rights = sides[1]
      forEntries(
        memory,
        sides[0],
        () => true,
        (entries) => tellLefts(sides[0], entries, emit),
      )
      if (!tellsRight) return
      const offset = rights.extraOffset(0)
      const isAlone = (entry: Pointer) => memory.u32[(entry + offset) / 4] === 0
      forEntries(memory, rights, isAlone, (entries) => {
        const mark = memory.arena.mark()
        const count = entries.length
        const at = memory.arena.allocate(4 * count)
        memory.u32.set(entries, at / 4)
        const columns = current().columnsOf(at, count)
        emit(alone({ rowCount: count, columns, kinds: 0, selection: 0, count }, false))
        memory.arena.release(mark)
      })
    },
  }
}

function markMet(memory: LinearMemory, rows: RowLists, entries: Pointer, count: number): void {
  const offset = rows.extraOffset(0)
  const { u32 } = memory
  for (let at = 0; at < count; at++) u32[(u32[entries / 4 + at]! + offset) / 4] = 1
}

/** Entries of all lists, so many at a time. */
function forEntries(
  memory: LinearMemory,
  rows: RowLists,
  isIn: (entry: Pointer) => boolean,
  visit: (entries: readonly Pointer[]) => void,
): void {
  let entries: Pointer[] = []
  const mark = memory.arena.mark()
  const lists = memory.arena.allocate(4 * SCAN_LISTS)
  for (let cursor = 0; cursor >= 0; ) {
    const { next, count } = rows.scan(cursor, lists, SCAN_LISTS)
    for (let at = 0; at < count; at++) {
      const list = memory.u32[lists / 4 + at]!
      for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry)) {
        if (!isIn(entry)) continue
        entries.push(entry)
        if (entries.length < ROWS_MAX) continue
        visit(entries)
        entries = []
      }
    }
    cursor = next
  }
  if (entries.length > 0) visit(entries)
  memory.arena.release(mark)
}
