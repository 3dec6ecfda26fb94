import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import type { Lookup, LookupCacheSettings, LookupKey } from '../../connectors/contract/lookup.ts'
import type { Row } from '../../data/values.ts'
import { lookupCalls } from './lookup-calls.ts'

const settings = fc.record({
  rowsMax: fc.integer({ min: 1, max: 6 }),
  expireAfterWriteMs: fc.constantFrom(undefined, 0, 3, 10),
  expireAfterAccessMs: fc.constantFrom(undefined, 2, 5),
  keepsMissing: fc.boolean(),
})
const step = fc.record({ waitMs: fc.nat(4), key: fc.nat(4) })

/** Key n has n rows; `asked` has the keys of each request. */
function tableOf(cache: LookupCacheSettings | undefined, keysMax = 1, inFlightMax = 1) {
  const asked: LookupKey[][] = []
  let underWay = 0
  const lookup: Lookup = {
    keysMax,
    inFlightMax,
    cache,
    async find(keys) {
      asked.push([...keys])
      assert.ok(++underWay <= inFlightMax)
      await new Promise(setImmediate)
      underWay--
      return keys.map(([key]) =>
        Array.from({ length: Number(key) }, (_, n): Row => ({ key: key!, n })),
      )
    },
    async close() {},
  }
  return { lookup, asked }
}

test('what is asked for is what a cache that is looked at row by row does not have', async () => {
  await fc.assert(
    fc.asyncProperty(settings, fc.array(step, { maxLength: 40 }), async (cache, steps) => {
      const { lookup, asked } = tableOf(cache)
      let nowMs = 0
      const { code } = lookupCalls(lookup, () => nowMs)
      for (const { waitMs, key } of steps) {
        nowMs += waitMs
        const rows = (await code.call(key, new AbortController().signal)) as readonly Row[]
        assert.equal(rows.length, key)
      }
      assert.deepEqual(
        asked.map(([key]) => key![0]),
        missed(cache, steps),
      )
    }),
    { numRuns: 300 },
  )
})

interface Kept {
  readonly key: number
  readonly writtenMs: number
  usedMs: number
}

/** The oracle: a list, the last used at its end. */
function missed(
  cache: LookupCacheSettings,
  steps: readonly { waitMs: number; key: number }[],
): number[] {
  const { expireAfterWriteMs: write, expireAfterAccessMs: access } = cache
  let kept: Kept[] = []
  let nowMs = 0
  const asked: number[] = []
  for (const { waitMs, key } of steps) {
    nowMs += waitMs
    const found = kept.find((each) => each.key === key)
    const isOld =
      found !== undefined &&
      ((write !== undefined && nowMs >= found.writtenMs + write) ||
        (access !== undefined && nowMs >= found.usedMs + access))
    kept = kept.filter((each) => each !== found)
    if (found !== undefined && !isOld) {
      kept.push({ ...found, usedMs: nowMs })
      continue
    }
    asked.push(key)
    if (key === 0 && !cache.keepsMissing) continue
    kept.push({ key, writtenMs: nowMs, usedMs: nowMs })
    while (kept.reduce((sum, each) => sum + Math.max(1, each.key), 0) > cache.rowsMax) kept.shift()
  }
  return asked
}

test('keys that are asked for together go together, each once, no more at a time than the table takes', async () => {
  const { lookup, asked } = tableOf(undefined, 4, 2)
  const { code } = lookupCalls(lookup, () => 0)
  const { signal } = new AbortController()
  const keys = Array.from({ length: 60 }, (_, n) => n % 20)
  const found = await Promise.all(keys.map(async (key) => (await code.call(key, signal)) as Row[]))
  assert.deepEqual(
    found.map((rows) => rows.length),
    keys,
  )
  assert.deepEqual(
    asked.map((each) => each.length),
    [4, 4, 4, 4, 4],
  )
  assert.deepEqual(new Set(asked.flat(2)).size, 20)
})

test('a key with a NULL is asked for nowhere, and texts that look alike are keys of their own', async () => {
  const asked: LookupKey[] = []
  const lookup: Lookup = {
    ...tableOf(undefined, 10).lookup,
    async find(keys) {
      asked.push(...keys)
      return keys.map(() => [])
    },
  }
  const { code } = lookupCalls(lookup, () => 0)
  const { signal } = new AbortController()
  const keys = [['a', null], ['1'], [1n], ['a","b'], ['a', 'b']]
  for (const key of keys) assert.deepEqual(await code.call(...key, signal), [])
  assert.deepEqual(asked, keys.slice(1))
})

test('what fails fails for all who wait for it, and is asked for again by the next', async () => {
  let isDown = true
  const lookup: Lookup = {
    ...tableOf(undefined).lookup,
    async find(keys) {
      if (isDown) throw new Error('down')
      return keys.map(() => [])
    },
  }
  const { code } = lookupCalls(lookup, () => 0)
  const { signal } = new AbortController()
  const came = await Promise.allSettled([1, 1, 2].map(async (key) => code.call(key, signal)))
  assert.deepEqual(
    came.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  )
  isDown = false
  assert.deepEqual(await code.call(1, signal), [])
})
