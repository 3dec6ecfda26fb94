/** A window table function by itself: each row once for each window that it belongs to, with the window's columns. No state, nothing is late. */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { WindowTable } from '../../plan/nodes.ts'
import type { GridWindow } from '../../plan/windows.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { stateless } from './stateless.ts'

export function windowTable(
  plan: WindowTable & { readonly window: GridWindow },
  { memory }: OperatorContext,
): Operator {
  const { window } = plan
  const fields = plan.schema.slice(-3)
  return stateless(`window-table(${window.kind})`, (batch, emit) => {
    const times = batch.columns[plan.time]!.cells / 8
    for (const bounds of boundsOf(window)) {
      const selection = window.kind === 'cumulate' ? memory.arena.allocate(4 * batch.count) : 0
      const { cells, count } = windowCells(memory, batch, times, bounds, selection)
      const added = cells.map(
        (each, index): Vector => ({ type: fields[index]!.type, cells: each, validity: 0 }),
      )
      const columns = [...batch.columns, ...added]
      emit(selection === 0 ? { ...batch, columns } : { ...batch, columns, selection, count })
    }
  })
}

/** One of the windows of a row: it begins `backUs` before the last multiple of `everyUs` (and an offset) that is not after the row. */
interface Bounds {
  readonly everyUs: bigint
  readonly offsetUs: bigint
  readonly backUs: bigint
  readonly sizeUs: bigint
}

/** Windows of a row, the latest first, as Flink gives them; cumulating ones the shortest first, also those that end before it. */
function boundsOf(window: GridWindow): readonly Bounds[] {
  const offsetUs = BigInt(window.offsetUs)
  const size = BigInt(window.sizeUs)
  if (window.kind === 'cumulate') {
    const step = BigInt(window.stepUs)
    return Array.from({ length: window.sizeUs / window.stepUs }, (_, index) => ({
      everyUs: size,
      offsetUs,
      backUs: 0n,
      sizeUs: BigInt(index + 1) * step,
    }))
  }
  const slide = window.kind === 'tumble' ? size : BigInt(window.slideUs)
  return Array.from({ length: Number(size / slide) }, (_, index) => ({
    everyUs: slide,
    offsetUs,
    backUs: slide * BigInt(index),
    sizeUs: size,
  }))
}

/** window_start, window_end, window_time of each row; `selection` gets the rows before their window's end, if it is not 0. */
function windowCells(
  memory: LinearMemory,
  batch: Batch,
  times: number,
  { everyUs, offsetUs, backUs, sizeUs }: Bounds,
  selection: Pointer,
): { readonly cells: readonly Pointer[]; readonly count: number } {
  const cells = [0, 1, 2].map(() => memory.arena.allocate(8 * batch.rowCount))
  const { i64, u32 } = memory
  const [starts, ends, lasts] = cells.map((each) => each / 8) as [number, number, number]
  let count = 0
  for (let at = 0; at < batch.count; at++) {
    const row = batch.selection === 0 ? at : u32[batch.selection / 4 + at]!
    const since = (i64[times + row]! - offsetUs) % everyUs
    const start = i64[times + row]! - (since < 0n ? since + everyUs : since) - backUs
    i64[starts + row] = start
    i64[ends + row] = start + sizeUs
    i64[lasts + row] = start + sizeUs - 1000n
    if (selection !== 0 && start + sizeUs > i64[times + row]!) u32[selection / 4 + count++] = row
  }
  return { cells, count }
}
