/** Time, as told by the outside. Everything that waits or stamps asks here, so that a simulation owns time. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump. For stamps. */
  nowMs(): number
  /** Milliseconds of a clock that never goes back. For intervals. */
  monotonicMs(): number
  /** Resolves after `ms`, or at once when `signal` aborts (it never rejects). 0 lets all else that is ready run first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
