/**
 * What a batch changed among the first N rows of its partitions, gathered while it is applied and told when it is done.
 *
 * Each entry's extra says whether it is among the first N and whether those below know it. Entries that are gone are kept until
 * they have been told of.
 */
import { DELETE, INSERT, type RowKind, UPDATE_AFTER, UPDATE_BEFORE } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import type { Rank } from '../../plan/nodes.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { Emit } from '../operator.ts'
import { emitChanges } from './row-picks.ts'

export interface RankChanges {
  /** Before anything of `list`, whose first `end` rows count, changes. */
  touch(list: Pointer, end: number): void
  isIn(entry: Pointer): boolean
  /** Into the first rows, or out of them. */
  came(entry: Pointer): void
  left(entry: Pointer): void
  /** `now` has the place of `old` among the first rows, or a better one: it is the same row, updated. */
  replaced(old: Pointer, now: Pointer): void
  /** The entry is detached. */
  gone(entry: Pointer): void
  /** Tells the changes, then frees what is gone. */
  emit(isOfOneRow: boolean, emit: Emit): void
  /** What stands in the first `end` places of a restored list has been told. */
  restored(list: Pointer, end: number): void
}

export interface RankChangesOptions extends Pick<Rank, 'from' | 'outputsNumber' | 'schema'> {
  readonly memory: LinearMemory
  readonly rows: RowLists
  /** Columns of the input: of the kept row, those that are told. */
  readonly width: number
}

// Bits of the extra: among the first N; told; noted as changed.
const IN = 1
const TOLD = 2
const NOTED = 4
/** Rows emitted at a time. */
const EMIT_ROWS = 4096

/** Only who came and who left: -D of all that left, then +I of all that came, each in its order. */
export function rankedByMembership(options: RankChangesOptions): RankChanges {
  const { memory, rows } = options
  const told = teller(options)
  const flags = (entry: Pointer): number => (entry + rows.extraOffset(0)) / 4
  let changed: Pointer[] = []
  let dead: Pointer[] = []
  /** Updated rows, to what those below know of them. */
  let updated = new Map<Pointer, Pointer>()
  const note = (entry: Pointer): void => {
    const at = flags(entry)
    if ((memory.u32[at]! & NOTED) !== 0) return
    memory.u32[at]! |= NOTED
    changed.push(entry)
  }
  return {
    touch() {},
    isIn: (entry) => (memory.u32[flags(entry)]! & IN) !== 0,
    came(entry) {
      memory.u32[flags(entry)]! |= IN
      note(entry)
    },
    left(entry) {
      memory.u32[flags(entry)]! &= ~IN
      note(entry)
    },
    replaced(old, now) {
      const known = updated.get(old) ?? ((memory.u32[flags(old)]! & TOLD) !== 0 ? old : 0)
      this.left(old)
      this.came(now)
      updated.delete(old)
      if (known !== 0) updated.set(now, known)
    },
    gone(entry) {
      dead.push(entry)
    },
    emit(isOfOneRow, emit) {
      const after = new Set(updated.values())
      for (const entry of changed) {
        const isIn = (memory.u32[flags(entry)]! & IN) !== 0
        const known = updated.get(entry)
        // An updated row that fell out is taken back as it was known.
        if (!isIn && known !== undefined) told.add(known, DELETE, 0)
        else if ((memory.u32[flags(entry)]! & (IN | TOLD)) === TOLD && !after.has(entry))
          told.add(entry, DELETE, 0)
      }
      for (const entry of changed) {
        const state = memory.u32[flags(entry)]! & (IN | TOLD)
        const known = updated.get(entry)
        if (state === IN && known !== undefined) {
          told.add(known, UPDATE_BEFORE, 0)
          told.add(entry, UPDATE_AFTER, 0)
        } else if (state === IN) told.add(entry, INSERT, 0)
        memory.u32[flags(entry)] = (state & IN) === 0 ? 0 : IN | TOLD
      }
      changed = []
      updated = new Map()
      told.emit(isOfOneRow, emit)
      for (const entry of dead) rows.remove(entry)
      dead = []
    },
    restored(list, end) {
      let number = 0
      for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry))
        memory.u32[flags(entry)] = number++ < end ? IN | TOLD : 0
    },
  }
}

/** For each number from `from` on: the row that had it, and the row that has it. */
export function rankedByNumber(options: RankChangesOptions): RankChanges {
  const { memory, rows, from } = options
  const told = teller(options)
  const flags = (entry: Pointer): number => (entry + rows.extraOffset(0)) / 4
  let touched = new Map<Pointer, { readonly before: readonly Pointer[]; readonly end: number }>()
  let dead: Pointer[] = []
  /** The last row that was updated, as it was. */
  let updated: Pointer = 0

  function firstOf(list: Pointer, end: number): Pointer[] {
    const entries: Pointer[] = []
    for (
      let entry = rows.first(list);
      entry !== 0 && entries.length < end;
      entry = rows.next(entry)
    )
      entries.push(entry)
    return entries
  }

  function tell(before: readonly Pointer[], after: readonly Pointer[]): void {
    for (let at = from - 1; at < Math.max(before.length, after.length); at++) {
      const [old, now] = [before[at], after[at]]
      if (old === now) continue
      if (old !== undefined) told.add(old, now === undefined ? DELETE : UPDATE_BEFORE, at + 1)
      if (now !== undefined) told.add(now, old === undefined ? INSERT : UPDATE_AFTER, at + 1)
    }
  }

  /** A single row that was updated and rose: first it leaves its old place, as in Flink, then it takes its new one. */
  function tellRise(before: readonly Pointer[], after: readonly Pointer[], from: number): void {
    const [highest, lowest] = [
      after.findIndex((entry, at) => entry !== before[at]),
      before.indexOf(from),
    ]
    const add = (entry: Pointer, kind: RowKind, at: number): void => {
      if (at >= options.from - 1) told.add(entry, kind, at + 1)
    }
    for (let at = highest; at <= lowest; at++) {
      if (at < lowest || at === highest) add(before[at]!, UPDATE_BEFORE, at)
      if (at === highest && at < lowest) add(before[lowest]!, UPDATE_BEFORE, lowest)
      add(after[at]!, UPDATE_AFTER, at)
    }
  }

  return {
    touch(list, end) {
      if (!touched.has(list)) touched.set(list, { before: firstOf(list, end), end })
    },
    isIn: (entry) => (memory.u32[flags(entry)]! & IN) !== 0,
    came(entry) {
      memory.u32[flags(entry)]! |= IN
    },
    left(entry) {
      memory.u32[flags(entry)]! &= ~IN
    },
    replaced(old) {
      updated = old
    },
    gone(entry) {
      dead.push(entry)
    },
    emit(isOfOneRow, emit) {
      for (const [list, { before, end }] of touched) {
        const after = firstOf(list, end)
        if (isOfOneRow && updated !== 0) tellRise(before, after, updated)
        else tell(before, after)
      }
      touched = new Map()
      updated = 0
      told.emit(isOfOneRow, emit)
      for (const entry of dead) rows.remove(entry)
      dead = []
    },
    restored(list, end) {
      let number = 0
      for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry))
        memory.u32[flags(entry)] = number++ < end ? IN : 0
    },
  }
}

/** Gathers entries with their kinds and numbers, and makes batches of them. */
function teller({ memory, rows, width, outputsNumber, schema }: RankChangesOptions) {
  let entries: Pointer[] = []
  let kinds: RowKind[] = []
  let numbers: number[] = []

  function batchOf(start: number, end: number) {
    const count = end - start
    const addresses = memory.arena.allocate(4 * count)
    const kindCells = memory.arena.allocate(count)
    memory.u32.set(entries.slice(start, end), addresses / 4)
    memory.u8.set(kinds.slice(start, end), kindCells)
    const columns = rows.columnsOf(addresses, count).slice(0, width)
    if (outputsNumber)
      columns.push({ type: numberType(schema), cells: numberCells(start, end), validity: 0 })
    return { rowCount: count, columns, kinds: kindCells, selection: 0, count }
  }

  function numberCells(start: number, end: number): Pointer {
    const cells = memory.arena.allocate(8 * (end - start))
    for (let at = start; at < end; at++) memory.i64[cells / 8 + at - start] = BigInt(numbers[at]!)
    return cells
  }

  return {
    add(entry: Pointer, kind: RowKind, number: number): void {
      entries.push(entry)
      kinds.push(kind)
      numbers.push(number)
    },
    emit(isOfOneRow: boolean, emit: Emit): void {
      for (let start = 0; start < entries.length; start += EMIT_ROWS) {
        const mark = memory.arena.mark()
        const batch = batchOf(start, Math.min(start + EMIT_ROWS, entries.length))
        emitChanges(memory, batch, isOfOneRow, emit)
        memory.arena.release(mark)
      }
      entries = []
      kinds = []
      numbers = []
    },
  }
}

function numberType(schema: Schema) {
  return schema.at(-1)!.type
}
