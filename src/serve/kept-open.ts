/** What must be there while the service is: opened, and opened again after a while when it fails. */
import type { Clock } from '../ports/clock.ts'

export interface KeptOpen<Thing> {
  readonly name: string
  /** Undefined while it is being opened, or waits to be. */
  now(): Thing | undefined
  /** Why it is not there, where it failed. */
  readonly trouble: string | undefined
  close(): Promise<void>
}

export interface Openable {
  /** Rejects with what made it fail. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

/** Waits between attempts: the first, and the longest. */
const DELAY_MS = 500
const DELAY_MS_MAX = 60_000
/** What held for so long has left its trouble behind. */
const HEALTHY_MS = 60_000

export function keepOpen<Thing extends Openable>(
  name: string,
  open: (closing: AbortSignal) => Promise<Thing>,
  clock: Clock,
  onTrouble: (name: string, error: unknown) => void,
): KeptOpen<Thing> {
  const closing = new AbortController()
  const closed = Promise.withResolvers<void>()
  let thing: Thing | undefined
  let trouble: string | undefined

  async function once(): Promise<void> {
    const opened = await open(closing.signal)
    try {
      thing = opened
      trouble = undefined
      // One that has ended well still answers.
      await Promise.race([opened.ended.then(() => closed.promise), closed.promise])
    } finally {
      thing = undefined
      await opened.close()
    }
  }

  async function keep(): Promise<void> {
    let delayMs = DELAY_MS
    while (!closing.signal.aborted) {
      const beganMs = clock.monotonicMs()
      try {
        await once()
      } catch (error) {
        trouble = error instanceof Error ? error.message : String(error)
        onTrouble(name, error)
        if (clock.monotonicMs() - beganMs > HEALTHY_MS) delayMs = DELAY_MS
        await clock.sleep(delayMs, closing.signal)
        delayMs = Math.min(2 * delayMs, DELAY_MS_MAX)
      }
    }
  }
  const keeping = keep()

  return {
    name,
    now: () => thing,
    get trouble() {
      return trouble
    },
    async close() {
      closing.abort()
      closed.resolve()
      await keeping
    },
  }
}
