import assert from 'node:assert/strict'
import test from 'node:test'
import { shopDay } from './shop.ts'

const day = shopDay({ seed: 7, orders: 20_000, endMs: Date.UTC(2026, 0, 1, 12) })

test('every order arrives, retries twice, and poison is none of them', () => {
  assert.equal(day.arrivals.length, day.orders.length + day.retries + day.poison)
  const ids = day.arrivals.map(({ line }) => /"id":"([^"]+)".*"placed_at":"\d/.exec(line)?.[1])
  assert.equal(new Set(ids.filter((id) => id !== undefined)).size, day.orders.length)
  assert.ok(day.retries > 50 && day.poison > 3)
})

test('phones are minutes late, one clock is a day ahead, one till falls silent', () => {
  const fates = Map.groupBy(day.orders, ({ fate }) => fate)
  assert.ok(fates.get('phone')!.length > 200)
  assert.equal(fates.get('fast-clock')!.length, 24)
  const tills = day.arrivals.map(({ till }) => till)
  assert.ok(tills.lastIndexOf('till-4') < tills.length / 2)
})

test('the same seed makes the same day', () => {
  const again = shopDay({ seed: 7, orders: 20_000, endMs: Date.UTC(2026, 0, 1, 12) })
  assert.deepEqual(again.arrivals.slice(0, 500), day.arrivals.slice(0, 500))
})
