/**
 * A table that is asked by key, as a function that answers later: a row's key is told from the cache, or joins a request that is
 * under way for it, or goes with others into the next one.
 */
import type { AsyncCode } from '../../compile/user-code.ts'
import type { Lookup, LookupKey } from '../../connectors/contract/lookup.ts'
import { jsonText, type Row, type Value } from '../../data/values.ts'
import { lookupCache } from './lookup-cache.ts'

/** Rows that may wait: all of a batch are asked for together. */
const CAPACITY = 8192

export interface LookupCalls {
  readonly code: AsyncCode
  /** What is asked for is not waited for. */
  close(): Promise<void>
}

interface Waiting {
  readonly text: string
  readonly key: LookupKey
  resolve(rows: readonly Row[]): void
  reject(reason: unknown): void
}

export function lookupCalls(lookup: Lookup, monotonicMs: () => number): LookupCalls {
  const cache = lookup.cache === undefined ? undefined : lookupCache(lookup.cache)
  const closing = new AbortController()
  const asked = new Map<string, Promise<readonly Row[]>>()
  const waiting: Waiting[] = []
  let inFlight = 0

  function send(): void {
    while (waiting.length > 0 && inFlight < lookup.inFlightMax) {
      inFlight++
      void answer(waiting.splice(0, lookup.keysMax))
    }
  }

  async function answer(together: readonly Waiting[]): Promise<void> {
    try {
      const found = await lookup.find(
        together.map(({ key }) => key),
        closing.signal,
      )
      for (const [at, { text, resolve }] of together.entries()) {
        cache?.put(text, found[at]!, monotonicMs())
        resolve(found[at]!)
      }
    } catch (reason) {
      for (const { reject } of together) reject(reason)
    }
    for (const { text } of together) asked.delete(text)
    inFlight--
    send()
  }

  function ask(text: string, key: LookupKey): Promise<readonly Row[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Row[]>()
    asked.set(text, promise)
    waiting.push({ text, key, resolve, reject })
    // Rows of one batch ask one after another: then they are asked for together.
    if (waiting.length === 1) queueMicrotask(send)
    return promise
  }

  return {
    code: {
      kind: 'async',
      call(...args) {
        const key = args.slice(0, -1) as Value[]
        if (key.includes(null)) return []
        const text = jsonText(key)
        return cache?.get(text, monotonicMs()) ?? asked.get(text) ?? ask(text, key)
      },
      isTable: true,
      asking: {
        capacity: CAPACITY,
        // It tries again by itself, each try with its own time.
        timeoutMs: Number.MAX_SAFE_INTEGER,
        retries: 0,
        retryDelayMs: 0,
        ordered: true,
        stops: true,
      },
    },
    async close() {
      closing.abort()
      await lookup.close()
    },
  }
}
