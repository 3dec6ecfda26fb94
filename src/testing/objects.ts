/**
 * An object store that fails the way networks do, from a seed, over one that works: answers of puts that are lost after or before they
 * took effect, calls that fail before or after, and turns given away at every call so that several writers interleave.
 */
import { MillraceError } from '../errors.ts'
import type { ObjectStore } from '../ports/objects.ts'
import type { SimulatedRandom } from './random.ts'

export interface ObjectFaults {
  /** Share of conditional puts that answer 'ambiguous', half of them having taken effect. */
  readonly ambiguous: number
  /** Share of calls that fail, half of the writes among them having taken effect. */
  readonly failing: number
  /** Awaited at some calls: a store far away. */
  readonly slow?: () => Promise<void>
}

/** Buckets are folders of the simulated disk. */
export function folderOf(url: string): string {
  return url.replace(/^s3a?:\/\//, '/s3/')
}

export function faultyObjects(
  store: ObjectStore,
  random: SimulatedRandom,
  faults: ObjectFaults,
): ObjectStore {
  const turn = async () => {
    for (let turns = random.below(4); turns > 0; turns--) await Promise.resolve()
    if (random.below(8) === 0) await new Promise((resolve) => setImmediate(resolve))
    if (faults.slow !== undefined && random.below(4) === 0) await faults.slow()
  }
  const read = async <Result>(key: string, act: () => Promise<Result>): Promise<Result> => {
    await turn()
    if (random.next() < faults.failing) throw lost(key)
    return act()
  }
  const write = async <Result>(key: string, act: () => Promise<Result>): Promise<Result> => {
    await turn()
    const fails = random.next() < faults.failing
    if (fails && random.below(2) === 0) throw lost(key)
    const result = await act()
    if (fails) throw lost(key)
    return result
  }
  return {
    url: store.url,
    get: (key) => read(key, () => store.get(key)),
    getRange: (key, start, length) => read(key, () => store.getRange(key, start, length)),
    head: (key) => read(key, () => store.head(key)),
    async put(key, bytes, options) {
      if (options?.ifAbsent === true && random.next() < faults.ambiguous) {
        await turn()
        if (random.below(2) === 0) await store.put(key, bytes, options)
        return 'ambiguous'
      }
      return write(key, () => store.put(key, bytes, options))
    },
    async *list(prefix, options) {
      await read(prefix, async () => {})
      yield* store.list(prefix, options)
    },
    remove: (key) => write(key, () => store.remove(key)),
    async writer(key) {
      const writer = await read(key, () => store.writer(key))
      return { ...writer, finish: () => write(key, () => writer.finish()) }
    },
  }
}

function lost(key: string): MillraceError {
  return new MillraceError('STORE_FAILED', {
    message: `the store failed at '${key}': simulated`,
    hint: 'try again',
    facts: { key },
  })
}
