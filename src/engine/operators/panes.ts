/** Rows of a batch by the pane of their event time. Nearly always all are of one. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { TimeKernel } from '../../kernels/time.ts'
import type { Grid } from '../../time/windows.ts'

/** Up to so many panes apart rows are scattered by counting; beyond, they are sorted. */
const SCATTER_PANES_MAX = 4096

/** Calls `visit` for each pane that has rows, ascending; `time` is a column without NULLs. */
export function forEachPane(
  memory: LinearMemory,
  kernel: TimeKernel,
  batch: Batch,
  time: number,
  { slideUs, offsetUs }: Grid,
  visit: (pane: number, rows: Batch) => void,
): void {
  const { selection, count } = batch
  if (count === 0) return
  const panes = memory.arena.allocate(8 * count)
  const bounds = memory.arena.allocate(16)
  const { cells } = batch.columns[time]!
  kernel.paneNumbers(cells, selection, count, slideUs, offsetUs, panes, bounds)
  const least = Number(memory.i64[bounds / 8]!)
  const range = Number(memory.i64[bounds / 8 + 1]!) - least + 1
  if (range === 1) {
    visit(least, batch)
    return
  }
  const rows = memory.arena.allocate(4 * count)
  if (range > SCATTER_PANES_MAX) {
    visitSorted(memory, batch, panes, rows, visit)
    return
  }
  const starts = memory.arena.allocateCleared(4 * (range + 1))
  kernel.scatterByPane(panes, selection, count, BigInt(least), range, rows, starts)
  for (let index = 0; index < range; index++) {
    const start = memory.u32[starts / 4 + index]!
    const size = memory.u32[starts / 4 + index + 1]! - start
    if (size > 0) visit(least + index, { ...batch, selection: rows + 4 * start, count: size })
  }
}

/** Few rows far apart (a replay of sparse events, small windows): sorted by pane, stably. */
function visitSorted(
  memory: LinearMemory,
  batch: Batch,
  panes: number,
  rows: number,
  visit: (pane: number, rows: Batch) => void,
): void {
  const order = Array.from({ length: batch.count }, (_, at) => at)
  const paneAt = (at: number): number => Number(memory.i64[panes / 8 + at]!)
  order.sort((left, right) => paneAt(left) - paneAt(right) || left - right)
  order.forEach((at, index) => {
    memory.u32[rows / 4 + index] =
      batch.selection === 0 ? at : memory.u32[batch.selection / 4 + at]!
  })
  for (let start = 0; start < order.length; ) {
    const pane = paneAt(order[start]!)
    let end = start + 1
    while (end < order.length && paneAt(order[end]!) === pane) end++
    visit(pane, { ...batch, selection: rows + 4 * start, count: end - start })
    start = end
  }
}
