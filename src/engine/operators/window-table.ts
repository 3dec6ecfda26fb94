/** A window table function by itself: each row once for each window that it belongs to, with the window's columns. No state, nothing is late. */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { GridWindow, WindowTable } from '../../plan/nodes.ts'
import { type Grid, gridOf } from '../../time/windows.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { stateless } from './stateless.ts'

export function windowTable(
  plan: WindowTable & { readonly window: GridWindow },
  { memory }: OperatorContext,
): Operator {
  const grid = gridOf(plan.window)
  const fields = plan.schema.slice(-3)
  return stateless(`window-table(${plan.window.kind})`, (batch, emit) => {
    // Windows of a row, the latest first, as Flink gives them.
    for (let back = 0; back < grid.span; back++) {
      const [start, end, time] = windowCells(memory, batch, plan.time, grid, back)
      const added = [start, end, time].map(
        (cells, index): Vector => ({ type: fields[index]!.type, cells: cells!, validity: 0 }),
      )
      emit({ ...batch, columns: [...batch.columns, ...added] })
    }
  })
}

function windowCells(
  memory: LinearMemory,
  batch: Batch,
  time: number,
  { slideUs, span, offsetUs }: Grid,
  back: number,
): Pointer[] {
  const outs = [0, 1, 2].map(() => memory.arena.allocate(8 * batch.rowCount))
  const { i64, u32 } = memory
  const times = batch.columns[time]!.cells / 8
  const [starts, ends, lasts] = outs.map((cells) => cells / 8) as [number, number, number]
  const sizeUs = slideUs * BigInt(span)
  const backUs = slideUs * BigInt(back)
  for (let at = 0; at < batch.count; at++) {
    const row = batch.selection === 0 ? at : u32[batch.selection / 4 + at]!
    const since = (i64[times + row]! - offsetUs) % slideUs
    const start = i64[times + row]! - (since < 0n ? since + slideUs : since) - backUs
    i64[starts + row] = start
    i64[ends + row] = start + sizeUs
    i64[lasts + row] = start + sizeUs - 1000n
  }
  return outs
}
