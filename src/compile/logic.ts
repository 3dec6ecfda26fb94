/** AND, OR, NOT, IS [NOT] NULL | TRUE | FALSE: three-valued, the right side only on the rows where it matters. */
import { type DataType, types } from '../data/types.ts'
import { selectKernel } from '../kernels/select.ts'
import type { Selector } from './comparison.ts'
import type { Frame, Selected } from './compiled.ts'
import { frameOf, joined, NO_ROWS, selectionFor, without } from './frame-rows.ts'
import { bitmapBytes, type Compiled, marksOf, truths } from './vectors.ts'

/** Rows where the value is `wanted`. */
export function truthSelector(value: Compiled, wanted: boolean): Selector {
  if (value.constant !== undefined) {
    return value.constant === wanted
      ? (frame) => ({ selection: frame.selection, count: frame.count })
      : NO_ROWS
  }
  return (frame) => {
    const { cells, validity } = value.evaluate(frame)
    const out = selectionFor(frame)
    const { selection, count } = frame
    const passed = selectKernel(frame.memory).truth(
      cells,
      validity,
      selection,
      count,
      wanted ? 1n : 0n,
      out,
    )
    return { selection: out, count: passed }
  }
}

export function andSelector(parts: readonly Selector[]): Selector {
  return (frame) => {
    let rows: Selected = { selection: frame.selection, count: frame.count }
    let left = frame
    for (const part of parts) {
      if (rows.count === 0) return rows
      left = frameOf(left, rows)
      rows = part(left)
    }
    return rows
  }
}

export function orSelector(parts: readonly Selector[]): Selector {
  return (frame) => {
    let passed = NO_ROWS(frame)
    let left: Selected = { selection: frame.selection, count: frame.count }
    let rest = frame
    for (const part of parts) {
      if (left.count === 0) break
      rest = frameOf(rest, left)
      const more = part(rest)
      passed = joined(frame, passed, more)
      left = without(rest, more)
    }
    return passed
  }
}

export function nullSelector(value: Compiled, wantsNull: boolean): Selector {
  return (frame) => {
    const { validity } = value.evaluate(frame)
    if (validity === 0) {
      return wantsNull ? NO_ROWS(frame) : { selection: frame.selection, count: frame.count }
    }
    const out = selectionFor(frame)
    const { selection, count } = frame
    const passed = selectKernel(frame.memory).validRows(
      validity,
      selection,
      count,
      wantsNull ? 0 : 1,
      out,
    )
    return { selection: out, count: passed }
  }
}

/** A condition that is never NULL, as a value. */
export function selectedValue(
  type: DataType,
  args: readonly Compiled[],
  select: Selector,
): Compiled {
  return { type, ...marksOf(args), evaluate: (frame) => truths(frame, type, select(frame), 0) }
}

export function notValue(type: DataType, value: Compiled): Compiled {
  const falseRows = truthSelector(value, false)
  const validity = (frame: Frame) => value.evaluate(frame)
  return {
    type,
    ...marksOf([value]),
    evaluate(frame) {
      const vector = validity(frame)
      // Evaluated once: the rows are found in the vector that is there.
      const rows =
        value.constant === undefined
          ? truthSelector({ ...value, evaluate: () => vector }, false)(frame)
          : falseRows(frame)
      return truths(frame, type, rows, vector.validity)
    },
  }
}

/** AND or OR as a value. `decisive` is the truth that decides alone: FALSE for AND, TRUE for OR. */
export function logicValue(type: DataType, args: readonly Compiled[], decisive: boolean): Compiled {
  return {
    type,
    ...marksOf(args),
    evaluate(frame) {
      let decided = NO_ROWS(frame)
      let open: Selected = { selection: frame.selection, count: frame.count }
      // Rows where every argument so far was the other truth; the rest of the open ones are NULL.
      let agreed = open
      let rest = frame
      for (const arg of args) {
        if (open.count === 0) break
        rest = frameOf(rest, open)
        const vector = arg.evaluate(rest)
        const known: Compiled = {
          type: types.boolean,
          mark: 'js',
          jsBecause: [],
          evaluate: () => vector,
        }
        const now = truthSelector(known, decisive)(rest)
        decided = joined(frame, decided, now)
        open = without(rest, now)
        agreed =
          agreed.count === 0 ? agreed : truthSelector(known, !decisive)(frameOf(frame, agreed))
      }
      const validity = frame.memory.arena.allocateCleared(bitmapBytes(frame.rowCount))
      const kernel = selectKernel(frame.memory)
      for (const rows of [decided, agreed])
        kernel.copyValidity(0, validity, rows.selection, rows.count)
      return truths(frame, type, decisive ? decided : agreed, validity)
    },
  }
}
