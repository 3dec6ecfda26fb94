/** What was told of rows that may go again: when one goes, that goes, whatever would be told of it now. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { DataType } from '../../data/types.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { Emit } from '../operator.ts'
import { isAdded, type KeyedBatch, rowAt } from './join-side.ts'
import { emitChanges } from './row-picks.ts'

export interface ToldRows {
  readonly rows: RowLists
  /** Rows that come are given to `probe`, which tells at most one row of each; of rows that go what was told is taken back. */
  take(keyed: KeyedBatch, probe: (keyed: KeyedBatch, emit: Emit) => void, emit: Emit): void
}

export interface ToldOptions {
  readonly keys: readonly DataType[]
  /** Of a row. */
  readonly own: readonly DataType[]
  /** Columns by which a row that goes is the one that came. */
  readonly by: readonly number[]
  /** What is told beside a row. */
  readonly beside: readonly DataType[]
  /** Reads the row's own columns alone. */
  keyed(batch: Batch): KeyedBatch
}

export function toldRows(memory: LinearMemory, options: ToldOptions): ToldRows {
  const { keys, own, by, beside, keyed } = options
  // What a row is found by stands first.
  const all = [...own, ...beside].map((_, index) => index)
  const order = [...by, ...all.filter((index) => !by.includes(index))]
  const kept = <Column>(columns: readonly Column[]): Column[] =>
    order.map((index) => columns[index]!)
  const given = <Column>(columns: readonly Column[]): Column[] =>
    all.map((index) => columns[order.indexOf(index)]!)
  const rows = memoryRowLists(memory, { keys, row: kept([...own, ...beside]), extras: 0 })

  function remember(batch: Batch): void {
    const { count, selection } = batch
    const lists = memory.arena.allocate(4 * count)
    const entries = memory.arena.allocate(4 * count)
    rows.lists({ count, selection, keys: keyed(batch).keys }, lists)
    rows.append({ ...batch, columns: kept(batch.columns) }, lists, entries)
  }

  function takeBack({ batch, keys: columns }: KeyedBatch, emit: Emit): void {
    const { count, selection } = batch
    const lists = memory.arena.allocate(4 * count)
    const entries = memory.arena.allocate(4 * count)
    const kinds = memory.arena.allocate(count)
    rows.find({ count, selection, keys: columns }, lists)
    const found = by.map((index) => batch.columns[index]!)
    for (let position = 0; position < count; position++) {
      const row = rowAt(memory, batch, position)
      const list = memory.u32[lists / 4 + position]!
      const entry = list === 0 ? 0 : rows.beginning(list, found, row)
      if (entry === 0) continue
      memory.u32[entries / 4] = entry
      memory.u8[kinds] = memory.u8[batch.kinds + row]!
      const one = given(rows.columnsOf(entries, 1))
      emit({ rowCount: 1, columns: one, kinds, selection: 0, count: 1 })
      rows.remove(entry)
    }
  }

  return {
    rows,
    take(come, probe, emit) {
      const remembering: Emit = (batch) => {
        remember(batch)
        emitChanges(memory, batch, come.batch.count === 1, emit)
      }
      for (const { adds, batch } of runsOf(memory, come.batch)) {
        if (adds) probe({ ...come, batch }, remembering)
        else takeBack({ ...come, batch }, emit)
      }
    },
  }
}

/** Rows that come and rows that go, in turn. */
function runsOf(memory: LinearMemory, batch: Batch): { adds: boolean; batch: Batch }[] {
  if (batch.kinds === 0) return [{ adds: true, batch }]
  const selection = memory.arena.allocate(4 * batch.count)
  const runs: { adds: boolean; batch: Batch }[] = []
  for (let position = 0; position < batch.count; position++) {
    const row = rowAt(memory, batch, position)
    memory.u32[selection / 4 + position] = row
    const adds = isAdded(memory, batch, row)
    const last = runs.at(-1)
    if (last !== undefined && last.adds === adds)
      last.batch = { ...last.batch, count: last.batch.count + 1 }
    else runs.push({ adds, batch: { ...batch, selection: selection + 4 * position, count: 1 } })
  }
  return runs
}
