/**
 * Those who follow a view. Each change has a number, from 1 in the view's life; the last ones are kept, so that who was cut off can go
 * on behind the last that it had.
 */
import { MillraceError } from '../errors.ts'
import type { Change } from './handle.ts'

export interface NumberedChange {
  readonly number: number
  readonly change: Change
}

/** Changes that wait for one follower. */
export const CHANGES_AHEAD_MAX = 100_000

export interface Followers {
  tell(change: Change): void
  /** Ends them all, with the error if there is one; who comes later is ended at once. */
  end(error?: unknown): void
  /** What is told from this call on, behind `first`. A follower that is `CHANGES_AHEAD_MAX` behind is ended with VIEW_FOLLOWER_SLOW. */
  follow(signal?: AbortSignal, first?: readonly NumberedChange[]): AsyncIterable<NumberedChange>
  /** The changes behind `number`; undefined if some of them are not kept any more, or it has never been told. */
  behind(number: number): readonly NumberedChange[] | undefined
  /** Of the last change that was told; 0 if none was. */
  readonly number: number
}

interface Follower {
  tell(change: NumberedChange): void
  end(error?: unknown): void
}

/** @param keptMax how many of the last changes are kept for who comes back */
export function createFollowers(keptMax: number): Followers {
  const followers = new Set<Follower>()
  const kept = new Map<number, NumberedChange>()
  let number = 0
  let ended: { readonly error: unknown } | undefined

  function tell(change: Change): void {
    const numbered = { number: ++number, change }
    for (const follower of followers) follower.tell(numbered)
    if (keptMax === 0) return
    kept.set(number, numbered)
    kept.delete(number - keptMax)
  }

  function behind(after: number): NumberedChange[] | undefined {
    if (!Number.isSafeInteger(after) || after > number || after < 0) return undefined
    const wanted = number - after
    if (wanted > kept.size) return undefined
    return Array.from({ length: wanted }, (_, index) => kept.get(after + 1 + index)!)
  }

  return {
    tell,
    end(error) {
      ended = { error }
      for (const follower of [...followers]) follower.end(error)
    },
    follow: (signal, first = []) => {
      const { follower, changes } = queue(first, signal, () => followers.delete(follower))
      followers.add(follower)
      if (ended !== undefined) follower.end(ended.error)
      if (signal?.aborted) follower.end()
      return changes
    },
    behind,
    get number() {
      return number
    },
  }
}

/** What is told waits here until it is taken. */
function queue(
  first: readonly NumberedChange[],
  signal: AbortSignal | undefined,
  leave: () => void,
): { readonly follower: Follower; readonly changes: AsyncIterable<NumberedChange> } {
  let waiting: NumberedChange[] = [...first]
  let wake: (() => void) | undefined
  let ended: { readonly error: unknown } | undefined
  const abort = () => follower.end()
  const follower: Follower = {
    tell(change) {
      if (waiting.length >= CHANGES_AHEAD_MAX) follower.end(tooSlow())
      else waiting.push(change)
      wake?.()
    },
    end(error) {
      ended ??= { error }
      signal?.removeEventListener('abort', abort)
      leave()
      wake?.()
    },
  }
  signal?.addEventListener('abort', abort, { once: true })
  async function* changes(): AsyncGenerator<NumberedChange> {
    try {
      for (;;) {
        const taken = waiting
        waiting = []
        yield* taken
        if (waiting.length > 0) continue
        if (ended !== undefined) break
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      if (ended?.error !== undefined) throw ended.error
    } finally {
      follower.end()
    }
  }
  return { follower, changes: changes() }
}

function tooSlow(): MillraceError {
  return new MillraceError('VIEW_FOLLOWER_SLOW', {
    message: `a follower of a view is ${CHANGES_AHEAD_MAX} changes behind`,
    hint: 'take changes faster, or ask for rows by get() instead',
    facts: { changes: CHANGES_AHEAD_MAX },
  })
}
