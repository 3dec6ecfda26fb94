import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { NEXMARK_DEFAULTS, type NexmarkOptions, nexmarkValues } from './generator.ts'

function take(count: number, options: Partial<NexmarkOptions>): string[] {
  return nexmarkValues({ ...NEXMARK_DEFAULTS, ...options })
    .take(count)
    .toArray()
}

test('of fifty nested events one is a person, three are auctions and the rest bids', () => {
  const types = take(5000, { layout: 'nested' }).map((text) => JSON.parse(text).event_type)
  assert.equal(types.filter((type) => type === 0).length, 100)
  assert.equal(types.filter((type) => type === 1).length, 300)
})

test('bids have the published shape: sizes, hot auctions, hot bidders, prices', () => {
  const texts = take(20_000, {})
  const bids = texts.map((text) => JSON.parse(text))
  const bytes = texts.reduce((sum, text) => sum + text.length, 0) / texts.length
  assert.ok(bytes > 180 && bytes < 260, `${bytes} bytes a bid`)
  const hot = bids.filter(({ auction }) => auction % 100 === 0).length / bids.length
  assert.ok(hot > 0.48 && hot < 0.54, `${hot} of the bids are on hot auctions`)
  const hotBidders = bids.filter(({ bidder }) => bidder % 100 === 1).length / bids.length
  assert.ok(hotBidders > 0.72 && hotBidders < 0.8, `${hotBidders} of the bids by hot bidders`)
  assert.ok(bids.every(({ price }) => price >= 100 && price <= 100_000_000))
  assert.equal(bids[0].dateTime, '2026-01-01 00:00:00.000')
})

test('the same seed gives the same stream, another seed another', () => {
  const digest = (seed: number): string =>
    createHash('sha256').update(take(2000, { seed }).join('\n')).digest('hex')
  assert.equal(digest(7), digest(7))
  assert.notEqual(digest(7), digest(8))
})
