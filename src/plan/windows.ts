/** Windows: what cuts rows by time, and frames of OVER. */
import type { Expression } from './expressions.ts'

/** Windows that lie on a grid, whatever the rows. */
export type GridWindow =
  | { readonly kind: 'tumble'; readonly sizeUs: number; readonly offsetUs: number }
  /** `sizeUs` is a multiple of `slideUs`. */
  | {
      readonly kind: 'hop'
      readonly slideUs: number
      readonly sizeUs: number
      readonly offsetUs: number
    }
  /** Windows of 1, 2 ... steps that share their start; `sizeUs` is a multiple of `stepUs`. */
  | {
      readonly kind: 'cumulate'
      readonly stepUs: number
      readonly sizeUs: number
      readonly offsetUs: number
    }

export type Window =
  | GridWindow
  /** Rows of equal `partition` that are less than, or exactly, `gapUs` apart share a window, which ends that long after its last row. */
  | { readonly kind: 'session'; readonly gapUs: number; readonly partition: readonly Expression[] }
  /** Each row bears its window already, from a window beneath, in these columns of the input. */
  | { readonly kind: 'attached'; readonly start: number; readonly end: number }

/** What moves time on: watermarks, or the machine's clock (PROCTIME()). */
export type TimeDomain = 'event' | 'processing'

/**
 * When a window's groups are told besides once, as it fires; each time as changes of what was told of them before.
 *
 * @see Flink, WindowEmitStrategy
 */
export interface WindowEmit {
  /** µs of event time for which rows that come behind the window's end correct it; later ones are late. */
  readonly latenessUs: number
  /** Corrections are told every so many µs of the clock; absent: as they come. */
  readonly lateDelayUs?: number
  /** While the window is open it is told every so many µs of the clock; 0: as rows come; absent: not before it fires. */
  readonly earlyDelayUs?: number
}

/** Columns of the input that hold a row's window. */
export interface WindowColumns {
  readonly start: number
  readonly end: number
}

/** `preceding`: rows, or µs (range), before the current row; absent = unbounded. Always up to the current row (with its peers, for range). */
export interface OverFrame {
  readonly kind: 'rows' | 'range'
  readonly preceding?: number
}
