/** Bound expressions, as data: every node knows its type; columns are indexes into the input's columns. */
import type { DataType } from '../data/types.ts'

export type Expression =
  | { readonly kind: 'column'; readonly index: number; readonly type: DataType }
  | { readonly kind: 'literal'; readonly value: LiteralValue; readonly type: DataType }
  | {
      readonly kind: 'call'
      readonly function: string
      readonly args: readonly Expression[]
      readonly type: DataType
    }
  | {
      readonly kind: 'cast'
      readonly input: Expression
      readonly type: DataType /** TRY_CAST: NULL where the cast fails. */
      readonly safe: boolean
    }
  | {
      readonly kind: 'case'
      readonly branches: readonly CaseBranch[]
      readonly otherwise: Expression
      readonly type: DataType
    }
  | {
      readonly kind: 'field'
      readonly input: Expression
      readonly index: number
      readonly type: DataType
    }

export interface CaseBranch {
  readonly when: Expression
  readonly then: Expression
}

/**
 * A literal by its type: boolean; string for char, varchar; base64 string for binary; number for float and double;
 * decimal text for every integer and decimal ('-12.50'); decimal text of the cell (µs, days, months) for times and intervals;
 * arrays of literals for array and row, of pairs for map.
 */
export type LiteralValue = null | boolean | number | string | readonly LiteralValue[]

/** One aggregate of a GROUP BY. COUNT(*) has no args. */
export interface AggregateCall {
  readonly function: string
  readonly args: readonly Expression[]
  readonly distinct: boolean
  /** FILTER (WHERE ...): rows that count; absent = all. */
  readonly filter?: Expression
  readonly type: DataType
  /** Of a user's function: what a group keeps. */
  readonly state?: DataType
}
