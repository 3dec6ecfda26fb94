/** The rows of a frame: visiting them, cutting them in parts, joining parts. */
import type { Pointer } from '../data/memory.ts'
import { selectKernel } from '../kernels/select.ts'
import type { Frame, Selected } from './compiled.ts'

export function forEachRow(frame: Frame, visit: (row: number) => void): void {
  const { memory, selection, count } = frame
  for (let at = 0; at < count; at++) {
    visit(selection === 0 ? at : memory.u32[(selection >>> 2) + at]!)
  }
}

/** The frame cut to `rows`. */
export function frameOf(frame: Frame, rows: Selected): Frame {
  if (rows.selection === 0) return frame
  return { ...frame, selection: rows.selection, count: rows.count, within: frame }
}

export function selectionFor(frame: Frame): Pointer {
  // A kernel stores one row past those that pass.
  return frame.memory.arena.allocate(4 * (frame.count + 1))
}

export const NO_ROWS = (frame: Frame): Selected => ({ selection: selectionFor(frame), count: 0 })

/** The frame's rows that are not in `rows`. */
export function without(frame: Frame, rows: Selected): Selected {
  if (rows.selection === 0) return NO_ROWS(frame)
  if (rows.count === 0) return { selection: frame.selection, count: frame.count }
  const out = selectionFor(frame)
  const count = selectKernel(frame.memory).complement(
    frame.selection,
    frame.count,
    rows.selection,
    rows.count,
    out,
  )
  return { selection: out, count }
}

/** Of two parts of one frame without a common row. */
export function joined(frame: Frame, a: Selected, b: Selected): Selected {
  if (a.count === 0 && (b.selection !== 0 || b.count > 0)) return b
  if (b.count === 0) return a
  const out = frame.memory.arena.allocate(4 * (a.count + b.count + 1))
  selectKernel(frame.memory).union(a.selection, a.count, b.selection, b.count, out)
  return { selection: out, count: a.count + b.count }
}
