/** Time that moves only when told. */
import type { Clock } from '../ports/clock.ts'

export interface SimulatedClock extends Clock {
  /** Moves time on, waking sleepers in order of their time. */
  advance(ms: number): Promise<void>
  /** Moves time on at once: who was to wake meanwhile does so at the next `advance`. */
  leap(ms: number): void
}

export function simulatedClock(startMs = 1_700_000_000_000): SimulatedClock {
  let now = startMs
  let sleepers: { readonly atMs: number; readonly wake: () => void }[] = []
  return {
    nowMs: () => now,
    monotonicMs: () => now - startMs,
    sleep(ms, signal) {
      return new Promise((resolve) => {
        if (signal?.aborted) return resolve()
        const sleeper = { atMs: now + ms, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((each) => each !== sleeper)
          resolve()
        })
      })
    },
    leap(ms) {
      now += ms
    },
    async advance(ms) {
      const end = now + ms
      for (;;) {
        const next = sleepers.reduce<(typeof sleepers)[number] | undefined>(
          (least, each) => (least === undefined || each.atMs < least.atMs ? each : least),
          undefined,
        )
        if (next === undefined || next.atMs > end) break
        sleepers = sleepers.filter((each) => each !== next)
        now = Math.max(now, next.atMs)
        next.wake()
        await settle()
      }
      now = end
      await settle()
    },
  }
}

/** Lets everything that waits on settled promises run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
