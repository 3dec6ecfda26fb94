/** The terms of a row pattern, and what is asked of the rows that they match. */
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

/** A value of the rows that a match has so far, or in the end. `variable` absent: of all of them. */
export type PatternReference =
  | {
      readonly kind: 'first' | 'last'
      readonly variable?: string
      /** How many rows further from the first, or back from the last; NULL where there is none. */
      readonly offset: number
      /** Over the input's columns. */
      readonly expression: Expression
    }
  | { readonly kind: 'aggregate'; readonly variable?: string; readonly call: AggregateCall }

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
}
