/** The parts of a compiled AggregateSet: stages that select rows, slots that gather them, outcomes that are read. */
import type { Accumulator } from './accumulator.ts'
import type { ReadResult } from './results.ts'
import type { RowInput } from './row-input.ts'
import type { ValueOrders } from './value-order.ts'

/** An accumulator at its place in the entry. */
export interface Slot {
  readonly accumulator: Accumulator
  readonly valueIndex: number
}

/** Rows that pass the same filter and NULL checks, and the accumulators that take them. */
export interface Stage {
  readonly input: RowInput
  readonly slots: Slot[]
  /** For DISTINCT and retractable extremes: the side table that counts each value; the slots take values that come and go. */
  readonly side?: {
    readonly index: number
    readonly orders: ValueOrders | undefined
    /** DISTINCT of the same values with a FILTER: counted in the same entries, the first of these in value cell 1. */
    readonly filtered: FilteredValues[]
  }
}

/** The values of a stage's rows that pass a filter. */
export interface FilteredValues {
  /** Of the filter alone: it has no arguments. */
  readonly input: RowInput
  readonly slots: Slot[]
}

/** How a call's result is read: from slots, or from the end of the values' order. */
export type Outcome =
  | {
      readonly kind: 'slots'
      readonly value: Slot
      readonly count: Slot
      readonly read: ReadResult
    }
  | {
      readonly kind: 'order'
      readonly orders: ValueOrders
      readonly isMax: boolean
      readonly side: number
    }
