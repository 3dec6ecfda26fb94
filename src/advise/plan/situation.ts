/** What a plan is made for, and what it can be: types that sizing, constraints and costs share. */
import type { Book } from '../cost/book.ts'
import type { Needs, Output } from '../needs/needs.ts'
import type { EngineCandidate, Pattern, PlatformCandidate } from '../rules/rules.ts'

export interface Design {
  readonly platform: PlatformCandidate
  /** Carries all outputs but those of the job. */
  readonly engine: EngineCandidate
  /** Carries `scheduled`, on a timer. */
  readonly batch?: EngineCandidate
  /** Names of the batch outputs that the job carries; the engine has the others, where that costs less. */
  readonly scheduled?: readonly string[]
}

/** One output in a plan: how old its result may be is what the verdict says, or what a curve asks. */
export interface Planned {
  readonly output: Output
  readonly isBatch: boolean
  readonly seconds: number
}

export interface Situation {
  readonly needs: Needs
  readonly book: Book
  readonly pattern: Pattern
  readonly planned: readonly Planned[]
  /** Results that are tables, also where only the history is one. */
  readonly tables: readonly Planned[]
  /** Days that the log keeps events. */
  readonly logDays: number
}
