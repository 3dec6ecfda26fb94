/** Wakes who waits for a while before it looks again: what it would find is told of by who has made it, in this process. */
import type { Clock } from '../ports/clock.ts'

export interface Nudge {
  /** There is something new: the wait that goes on, or else the next one, ends at once. */
  now(): void
  /** Waits for `ms` at most, for a nudge, or until the signal aborts. True if it was nudged. */
  wait(clock: Clock, ms: number, signal?: AbortSignal): Promise<boolean>
}

export function createNudge(): Nudge {
  let isNudged = false
  let wake = () => {}
  /** Goes on when a nudge comes before its end: the wait after it is then shorter, which costs less than a timer taken back. */
  let sleeping: Promise<void> | undefined
  return {
    now() {
      isNudged = true
      wake()
    },
    async wait(clock, ms, signal) {
      sleeping ??= clock.sleep(ms, signal).then(() => {
        sleeping = undefined
      })
      const nudged = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (!isNudged) await Promise.race([sleeping, nudged])
      const was = isNudged
      isNudged = false
      return was
    },
  }
}
