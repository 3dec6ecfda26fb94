/** CASE, IF, COALESCE, NULLIF: each branch is evaluated only on the rows that take it. */
import type { DataType } from '../data/types.ts'
import type { Selector } from './comparison.ts'
import type { Frame, Selected } from './compiled.ts'
import { frameOf, without } from './frame-rows.ts'
import { nullSelector } from './logic.ts'
import { type Compiled, copyRows, emptyVector, marksOf } from './vectors.ts'

export interface Branch {
  readonly when: Selector
  readonly value: Compiled
}

export function caseValue(
  type: DataType,
  branches: readonly Branch[],
  otherwise: Compiled,
  parts: readonly Compiled[],
): Compiled {
  return {
    type,
    ...marksOf([...parts, otherwise]),
    evaluate(frame) {
      const result = emptyVector(frame, type)
      let left: Selected = { selection: frame.selection, count: frame.count }
      let rest = frame
      const take = (value: Compiled, rows: Selected) => {
        if (rows.count === 0 || value.constant === null) return
        copyRows(frame, value.evaluate(frameOf(rest, rows)), result, rows)
      }
      for (const { when, value } of branches) {
        if (left.count === 0) break
        rest = frameOf(rest, left)
        const rows = when(rest)
        take(value, rows)
        left = without(rest, rows)
      }
      take(otherwise, left)
      return result
    },
  }
}

export function coalesceValue(type: DataType, args: readonly Compiled[]): Compiled {
  return {
    type,
    ...marksOf(args),
    evaluate(frame: Frame) {
      const result = emptyVector(frame, type)
      let left: Selected = { selection: frame.selection, count: frame.count }
      let rest = frame
      for (const arg of args) {
        if (left.count === 0) break
        rest = frameOf(rest, left)
        const vector = arg.evaluate(rest)
        const rows = nullSelector({ ...arg, evaluate: () => vector }, false)(rest)
        copyRows(frame, vector, result, rows)
        left = without(rest, rows)
      }
      return result
    },
  }
}
