/** What a function takes and gives: all that a binder needs to check a call and to know its type. */
import type { DataType } from '../../data/types.ts'
import type { LiteralValue } from '../expressions.ts'

export interface FunctionSignature {
  /** Upper case; the `function` of a bound call. */
  readonly name: string
  readonly aliases?: readonly string[]
  /** One line for the documentation. */
  readonly summary: string
  /**
   * The types that the arguments are to be cast to, and the type of the call.
   *
   * `literals[i]` is the value of argument i where it is a literal, else undefined.
   * A string says why the arguments do not fit, in words a user understands.
   */
  resolve(
    args: readonly DataType[],
    literals: readonly (LiteralValue | undefined)[],
  ): Resolved | string
}

export interface Resolved {
  /** One a given argument; equal to the argument's own type where no cast is needed. */
  readonly args: readonly DataType[]
  readonly type: DataType
}
