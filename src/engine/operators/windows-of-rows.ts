/** Rows of a batch by the window that they bear in two columns. Nearly always there are few windows. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { WindowColumns } from '../../plan/windows.ts'

interface RowsOfWindow {
  readonly startUs: bigint
  readonly endUs: bigint
  readonly rows: number[]
}

/** Calls `visit` for each window, those of one end together; `rows` has a selection. Window columns are never NULL. */
export function forEachWindow(
  memory: LinearMemory,
  batch: Batch,
  columns: WindowColumns,
  visit: (startUs: bigint, endUs: bigint, rows: Batch) => void,
): void {
  for (const windows of windowsByEnd(memory, batch, columns).values()) {
    for (const { startUs, endUs, rows } of windows) {
      const selection = memory.arena.allocate(4 * rows.length)
      memory.u32.set(rows, selection / 4)
      visit(startUs, endUs, { ...batch, selection, count: rows.length })
    }
  }
}

function windowsByEnd(
  memory: LinearMemory,
  batch: Batch,
  { start, end }: WindowColumns,
): ReadonlyMap<bigint, readonly RowsOfWindow[]> {
  const { i64, u32 } = memory
  const starts = batch.columns[start]!.cells / 8
  const ends = batch.columns[end]!.cells / 8
  const byEnd = new Map<bigint, RowsOfWindow[]>()
  let current: RowsOfWindow | undefined
  for (let at = 0; at < batch.count; at++) {
    const row = batch.selection === 0 ? at : u32[batch.selection / 4 + at]!
    const startUs = i64[starts + row]!
    const endUs = i64[ends + row]!
    if (current === undefined || current.startUs !== startUs || current.endUs !== endUs)
      current = windowOf(byEnd, startUs, endUs)
    current.rows.push(row)
  }
  return byEnd
}

function windowOf(
  byEnd: Map<bigint, RowsOfWindow[]>,
  startUs: bigint,
  endUs: bigint,
): RowsOfWindow {
  const windows = byEnd.get(endUs) ?? []
  if (windows.length === 0) byEnd.set(endUs, windows)
  const known = windows.find((each) => each.startUs === startUs)
  if (known !== undefined) return known
  const window: RowsOfWindow = { startUs, endUs, rows: [] }
  windows.push(window)
  return window
}
