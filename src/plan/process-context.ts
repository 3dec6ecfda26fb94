/** What the code of a process table function is handed: typed by its user, and as the operator makes it. */

/** What a call can ask for and do. Times are those of events. */
export interface ProcessContext<Output = unknown, StateName extends string = string> {
  /** Tells a row. */
  collect(row: Output): void
  /** Of the row or timer; null without on_time. */
  time(): Date | null
  /** null before the first. */
  currentWatermark(): Date | null
  /** Calls `onTimer` when the watermark reaches `time`; once, however often it is asked for. */
  registerOnTime(time: Date): void
  /** In place of the timer of that name, if there is one. */
  registerOnTime(name: string, time: Date): void
  clearTimer(timer: string | Date): void
  clearAllTimers(): void
  /** Once the call is over, whatever it writes then. */
  clearState(name: StateName): void
  clearAllState(): void
  clearAll(): void
}

export interface OnTimerContext<Output = unknown, StateName extends string = string>
  extends ProcessContext<Output, StateName> {
  /** Its name; null if it has none. */
  currentTimer(): string | null
}
