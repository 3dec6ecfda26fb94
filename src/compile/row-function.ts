/** Functions computed a row at a time on JavaScript values: what has no kernel. */
import type { DataType } from '../data/types.ts'
import type { Expression } from '../plan/expressions.ts'
import { readerOf, writerOf } from './cells.ts'
import type { EvaluationContext, Frame } from './compiled.ts'
import { forEachRow } from './frame-rows.ts'
import { RowFailure } from './row-failure.ts'
import { textsInOrder } from './texts-in-order.ts'
import type { Value } from './value.ts'
import type { Compiled } from './vectors.ts'

/** What a function is called with; `failRow` says that the row can't be computed. */
export type RowCall = (args: readonly Value[], context: EvaluationContext) => Value

export interface CallShape {
  readonly name: string
  readonly args: readonly DataType[]
  readonly type: DataType
  /** The arguments' values where they are literals. */
  readonly constants: readonly (Value | undefined)[]
  readonly expressions: readonly Expression[]
  /** In [0, 1). */
  random(): number
}

export interface RowFunction {
  /** 'strict': NULL if any argument is, without a call. 'called': told the NULLs. */
  readonly nulls: 'strict' | 'called'
  prepare(shape: CallShape): RowCall
}

/** NULL in, NULL out; needs no types. */
export function strict(call: RowCall): RowFunction {
  return { nulls: 'strict', prepare: () => call }
}
/** NULL in, NULL out; made for the types and constants of its call. */
export function shaped(prepare: (shape: CallShape) => RowCall): RowFunction {
  return { nulls: 'strict', prepare }
}
/** Sees NULLs. */
export function seesNulls(prepare: (shape: CallShape) => RowCall): RowFunction {
  return { nulls: 'called', prepare }
}

/** `implementation` over the rows of a frame. */
export function compileRowFunction(
  implementation: RowFunction,
  shape: CallShape,
  args: readonly Compiled[],
): Compiled {
  const call = implementation.prepare(shape)
  const isStrict = implementation.nulls === 'strict'
  const jsBecause = [...new Set([shape.name, ...args.flatMap((arg) => arg.jsBecause)])]
  return {
    type: shape.type,
    mark: 'js',
    jsBecause,
    evaluate: (frame) => evaluateRows(frame, shape.type, args, call, isStrict),
  }
}

function evaluateRows(
  frame: Frame,
  type: DataType,
  args: readonly Compiled[],
  call: RowCall,
  isStrict: boolean,
) {
  const { memory, context } = frame
  const readers = args.map(({ constant, evaluate }, index) => {
    if (constant !== undefined) return () => constant
    const vector = evaluate(frame)
    // What functions keep for the next row, a pattern or a format, is not their first argument.
    const isSubject = index === 0 && vector.type.kind === 'varchar'
    return isSubject ? textsInOrder(frame, vector) : readerOf(memory, vector)
  })
  const writer = writerOf(memory, type, frame.rowCount)
  const values: Value[] = readers.map(() => null)
  forEachRow(frame, (row) => {
    let hasNull = false
    for (let index = 0; index < readers.length; index++) {
      const value = readers[index]!(row)
      if (value === null) hasNull = true
      values[index] = value
    }
    if (hasNull && isStrict) return
    try {
      writer.set(row, call(values, context))
    } catch (error) {
      context.fail(row, failureOf(error))
    }
  })
  return writer.vector
}

/** A RangeError is a value too large for what is asked of it: REPEAT('x', 2000000000), a month beyond all calendars. */
function failureOf(error: unknown): string {
  if (error instanceof RowFailure) return error.message
  if (error instanceof RangeError) return 'the result is out of range'
  throw error
}
