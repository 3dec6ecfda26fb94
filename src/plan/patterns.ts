/** The terms of a row pattern, and what is asked of the rows that they match. */
import { type DataType, types, withNullability } from '../data/types.ts'
import type { AggregateCall, Expression } from './expressions.ts'
import type { TimeDomain } from './windows.ts'

export interface PatternTerm {
  readonly variable: string
  /** How many rows; `most` absent: any number. */
  readonly least: number
  readonly most?: number
  /** Greedy: a row that fits this term is never taken for a later one. */
  readonly greedy: boolean
  /** Over the input's columns (of the row that is tried), then the references (the row counted as this variable's); absent: any row. */
  readonly condition?: Expression
}

/**
 * A value of the rows that a match has so far, or in the end. `variable` absent: of all of them. `final`: where each row of a match is
 * told, the value at its end.
 */
export type PatternReference =
  | {
      readonly kind: 'first' | 'last'
      readonly variable?: string
      /** How many rows further from the first, or back from the last; NULL where there is none. */
      readonly offset: number
      /** From there, how many rows of the partition on (NEXT), or back if negative (PREV); NULL where there is none. */
      readonly shift?: number
      readonly final?: true
      /** Over the input's columns. */
      readonly expression: Expression
    }
  | {
      readonly kind: 'aggregate'
      readonly variable?: string
      readonly final?: true
      readonly call: AggregateCall
    }
  /** MATCH_NUMBER(): which match of the partition it is, from 1. */
  | { readonly kind: 'match-number' }
  /** CLASSIFIER(): whose row the last is. */
  | { readonly kind: 'classifier'; readonly final?: true }

/** ALL ROWS PER MATCH: columns of the input, by number, before the measures and behind them. */
export interface AllRows {
  readonly before: readonly number[]
  readonly after: readonly number[]
  /** WITH UNMATCHED ROWS: also rows of no match, measures NULL, once that is known. */
  readonly unmatched: boolean
}

/** What is looked for, and what is told of it. */
export interface MatchedPattern {
  readonly time: number
  readonly timeDomain?: TimeDomain
  /** One after another, without rows between. */
  readonly pattern: readonly PatternTerm[]
  /** What a match's rows are asked for, by conditions and measures. */
  readonly references: readonly PatternReference[]
  /** Over the partition's columns, then the references. */
  readonly measures: readonly Expression[]
  readonly afterMatch:
    | { readonly kind: 'past-last-row' | 'to-next-row' }
    | { readonly kind: 'to-first' | 'to-last'; readonly variable: string }
  /** A match's last row comes less than this after its first. */
  readonly withinUs?: number
  /** Each row of a match is told; absent: one row a match. */
  readonly allRows?: AllRows
}

/** The value's type; every value may be missing but COUNT and the match's number. */
export function referenceType(reference: PatternReference): DataType {
  switch (reference.kind) {
    case 'aggregate':
      return reference.call.type
    case 'match-number':
      return withNullability(types.bigint, false)
    case 'classifier':
      return types.string
    default:
      return withNullability(reference.expression.type, true)
  }
}

/** How many rows before a match's first, and behind the row that is tried, PREV and NEXT look at. */
export function reachOf(references: readonly PatternReference[]): {
  readonly behind: number
  readonly ahead: number
} {
  const shifts = references.map((each) => ('shift' in each ? (each.shift ?? 0) : 0))
  return { behind: -Math.min(0, ...shifts), ahead: Math.max(0, ...shifts) }
}
