/** Making and joining vectors of a frame, and operands that are vectors or constants. */
import type { Vector } from '../data/batch.ts'
import type { Pointer } from '../data/memory.ts'
import { cellBytes, type DataType } from '../data/types.ts'
import { selectKernel } from '../kernels/select.ts'
import { writerOf } from './cells.ts'
import type { CompiledExpression, Frame, Selected } from './compiled.ts'
import type { Value } from './value.ts'

/** A compiled expression that may be known without rows. */
export interface Compiled extends CompiledExpression {
  readonly type: DataType
  /** Of a literal; absent otherwise. */
  readonly constant?: Value
  /** Of MOD(whole number, positive literal): zero is found without dividing. */
  readonly modulo?: { readonly dividend: Compiled; readonly divisor: bigint }
}

/** Cells at `cells + row * stride`. */
export interface Operand {
  readonly cells: Pointer
  readonly stride: number
  readonly validity: Pointer
}

export function bitmapBytes(rowCount: number): number {
  return Math.ceil(rowCount / 64) * 8
}

export function allocateCells(frame: Frame, type: DataType): Pointer {
  return frame.memory.arena.allocate(cellBytes(type) * frame.rowCount)
}

/** The operand's cells: one cell for a constant that is not NULL. */
export function operandOf(expression: Compiled, frame: Frame): Operand {
  const { constant, type } = expression
  if (constant === undefined || constant === null || type.kind === 'row') {
    const { cells, validity } = expression.evaluate(frame)
    return { cells, validity, stride: cellBytes(type) }
  }
  const { cells } = constantVector(frame, type, constant, 1)
  return { cells, stride: 0, validity: 0 }
}

function constantVector(frame: Frame, type: DataType, value: Value, rowCount: number): Vector {
  const writer = writerOf(frame.memory, type, rowCount)
  for (let row = 0; row < rowCount; row++) writer.set(row, value)
  return value === null ? writer.vector : { ...writer.vector, validity: 0 }
}

/** `value` in every row. */
export function filled(frame: Frame, type: DataType, value: Value): Vector {
  const { memory, rowCount } = frame
  if (value === null) return writerOf(memory, type, rowCount).vector
  if (type.kind === 'row') return constantVector(frame, type, value, rowCount)
  const one = constantVector(frame, type, value, 1)
  const bytes = cellBytes(type)
  const cells = memory.arena.allocate(bytes * rowCount)
  const words = bytes / 8
  for (let word = 0; word < words; word++) {
    const cell = memory.i64[one.cells / 8 + word]!
    if (words === 1) memory.i64.fill(cell, cells / 8, cells / 8 + rowCount)
    else for (let row = 0; row < rowCount; row++) memory.i64[cells / 8 + row * words + word] = cell
  }
  return { type, cells, validity: 0 }
}

/** Rows that are valid in all of `validities`. */
export function allValid(frame: Frame, validities: readonly Pointer[]): Pointer {
  let result: Pointer = 0
  for (const validity of validities) {
    if (validity === 0 || validity === result) continue
    if (result === 0) {
      result = validity
      continue
    }
    const out = frame.memory.arena.allocate(bitmapBytes(frame.rowCount))
    selectKernel(frame.memory).bothValid(result, validity, bitmapBytes(frame.rowCount), out)
    result = out
  }
  return result
}

/** A vector without values yet, for `copyRows` to fill: all rows are NULL. */
export function emptyVector(frame: Frame, type: DataType): Vector {
  return writerOf(frame.memory, type, frame.rowCount).vector
}

/** Copies the rows of `rows` from one vector to another of the same layout. */
export function copyRows(frame: Frame, from: Vector, to: Vector, rows: Selected): void {
  const kernel = selectKernel(frame.memory)
  kernel.copyValidity(from.validity, to.validity, rows.selection, rows.count)
  if (to.children !== undefined) {
    for (const [index, child] of to.children.entries())
      copyRows(frame, from.children![index]!, child, rows)
    return
  }
  kernel.copyCells(from.cells, to.cells, cellBytes(to.type), rows.selection, rows.count)
}

/** A BOOLEAN vector: TRUE in `yes`, FALSE or NULL elsewhere by `validity`. */
export function truths(frame: Frame, type: DataType, yes: Selected, validity: Pointer): Vector {
  const cells = frame.memory.arena.allocateCleared(8 * frame.rowCount)
  selectKernel(frame.memory).mark(cells, yes.selection, yes.count)
  return { type, cells, validity }
}

export function marksOf(parts: readonly CompiledExpression[]): {
  readonly mark: 'kernel' | 'js'
  readonly jsBecause: readonly string[]
} {
  const jsBecause = [...new Set(parts.flatMap((part) => part.jsBecause))]
  return { mark: jsBecause.length === 0 ? 'kernel' : 'js', jsBecause }
}
