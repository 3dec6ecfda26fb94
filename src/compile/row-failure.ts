import type { DataType } from '../data/types.ts'
import { typeText } from '../plan/functions/type-text.ts'
import type { EvaluationContext } from './compiled.ts'

/** Why a row can't be computed. Thrown by row functions, caught by the loop over rows: it never leaves this room. */
export class RowFailure extends Error {
  override readonly name = 'RowFailure'
}

export function failRow(reason: string): never {
  throw new RowFailure(reason)
}

/** A value that is too large for its type: counted, or the row fails where overflow is an error. */
export function overflowed(context: EvaluationContext, type: DataType): void {
  context.count('overflow', 1)
  if (context.overflow === 'error') failRow(`the value does not fit into ${typeText(type)}`)
}
