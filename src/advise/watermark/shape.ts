/** What `millrace advise watermark` says, as data: its JSON is this, and its text is made of this. Shares are in [0, 1]. */
import type { Interval } from '../../time/interval.ts'

export interface WatermarkAdvice {
  readonly of: string
  /** The column that is the event time. */
  readonly column: string
  /** How that column is declared, where there was no table to say it. */
  readonly declared?: string
  readonly windowUs: number
  readonly valueColumn?: string
  readonly events: number
  /** Rows that could not be decoded, or have no event time. */
  readonly unusable: number
  /** Event times too far ahead to be believed: set aside, as a pipeline does. */
  readonly future: number
  readonly outOfOrder: number
  readonly eventSpanUs: number
  readonly eventsPerSecond: number
  readonly asked: number
  /** The delay for what was asked. */
  readonly chosen: DelayChoice
  /** The line for CREATE TABLE. */
  readonly line: string
  readonly curve: readonly DelayChoice[]
  /** What shorter and longer delays keep, closer together: for who has a delay and wants its completeness. */
  readonly distribution: readonly DelayKept[]
  readonly splits: readonly SplitLateness[]
  /** Of the 24 hours of the day (UTC) those in which events came. */
  readonly hours: readonly HourLateness[]
  readonly holdout?: Holdout
  readonly guards: readonly Guard[]
  /** False where the figures are no ground for a delay: `guards` says why. */
  readonly isFounded: boolean
}

export interface DelayChoice {
  readonly delayUs: number
  /** Events whose window is still open when they come. */
  readonly completeness: number
  /** Holds what the delay keeps of as many events again, in 95 of 100 streams whose parts differ as these do. */
  readonly interval: Interval
  /** Of the value's column, by its absolute values. */
  readonly valueCompleteness?: number
  /** How much later than without a delay results come. */
  readonly addedLatencyUs: number
  /** Windows open at one time. */
  readonly openWindows: number
  /** Bytes of their state if each event had a group of its own: no more than this. */
  readonly stateBytesMost: number
  readonly eventsNeeded: number
  /** Whether there were as many, of those that count as independent. */
  readonly isEnough: boolean
}

export interface DelayKept {
  readonly delayUs: number
  readonly completeness: number
}

export interface SplitLateness {
  readonly id: string
  readonly events: number
  /** How far events are behind the greatest time of their own split, for the share that was asked. */
  readonly behindUs: number
  /** Append time less event time in the middle; absent where the source tells no append time. */
  readonly transitUs?: number
}

export interface HourLateness {
  readonly hour: number
  readonly events: number
  readonly delayUs: number
}

/** The delay that the first half of the events asks for, and what it did for the second. */
export interface Holdout {
  readonly delayUs: number
  readonly fitted: Interval & { readonly share: number }
  readonly achieved: Interval & { readonly share: number }
  readonly differs: boolean
}

export interface Guard {
  readonly code:
    | 'clock-ahead'
    | 'clock-lone'
    | 'drift'
    | 'few-events'
    | 'future-events'
    | 'replayed'
    | 'season'
    | 'short'
    | 'slow-split'
    | 'sorted'
    | 'tail-truncated'
    | 'unusable-rows'
  readonly says: string
}
