import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import { delayAbove, intervalSql } from '../../time/delay.ts'
import { effectiveEvents, eventsNeeded, wilson } from '../../time/interval.ts'
import { Sketch } from './sketch.ts'

const values = fc.array(fc.double({ min: 1, max: 1e13, noNaN: true }), { minLength: 1 })

function sketchOf(all: readonly number[]): Sketch {
  const sketch = new Sketch()
  for (const value of all) sketch.add(value)
  return sketch
}

test('a quantile is within half a percent of the sorted one', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, share) => {
      const sorted = all.toSorted((left, right) => left - right)
      const exact = sorted[Math.ceil(share * sorted.length - 1e-6) - 1]!
      const told = sketchOf(all).quantile(share)
      assert.ok(told >= exact * 0.999999 && told <= exact * 1.0051, `${told} for ${exact}`)
    }),
  )
})

test('merged sketches are the sketch of everything', () => {
  fc.assert(
    fc.property(
      values,
      values,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (some, others, share) => {
        const merged = sketchOf(some)
        merged.merge(sketchOf(others))
        const whole = sketchOf([...some, ...others])
        assert.equal(merged.quantile(share), whole.quantile(share))
        assert.deepEqual(merged.shareBelow(some[0]!), whole.shareBelow(some[0]!))
        assert.equal(merged.total, whole.total)
      },
    ),
  )
})

test('the share below a value is between what the sketch leaves open', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 1, max: 1e13, noNaN: true }), (all, value) => {
      const exact = all.filter((each) => each < value).length / all.length
      const { least, likely, most } = sketchOf(all).shareBelow(value)
      assert.ok(least <= exact && exact <= most)
      assert.ok(least <= likely && likely <= most)
    }),
  )
})

test('a delay is above what is needed, and an interval of numbers of two digits', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5e12 }), (needUs) => {
      const delayUs = delayAbove(needUs)
      assert.ok(delayUs > needUs)
      assert.match(intervalSql(delayUs), /^INTERVAL '\d{1,2}(\.\d{1,3}|( \d\d:\d\d:\d\d))?' /)
    }),
  )
})

test('intervals are written in the largest unit that fits', () => {
  assert.equal(intervalSql(1_500_000), "INTERVAL '1.5' SECOND")
  assert.equal(intervalSql(90_000_000), "INTERVAL '90' SECOND")
  assert.equal(intervalSql(150_000_000), "INTERVAL '0 00:02:30' DAY TO SECOND")
  assert.equal(intervalSql(3_600_000_000), "INTERVAL '1' HOUR")
  assert.equal(intervalSql(172_800_000_000), "INTERVAL '2' DAY")
  assert.equal(intervalSql(0), "INTERVAL '0' SECOND")
})

test('events that are late in droves count as fewer', () => {
  const even = Array.from({ length: 20 }, () => ({ events: 1000, share: 0.9 }))
  const droves = even.map((part, at) => ({ ...part, share: at % 2 === 0 ? 1 : 0.8 }))
  assert.equal(effectiveEvents(even), 20_000)
  assert.ok(effectiveEvents(droves) < 200)
  const season = even.map((part, at) => ({ ...part, share: at < 10 ? 0.95 : 0.85 }))
  const mixed = even.map((part, at) => ({ ...part, share: at % 2 === 0 ? 0.95 : 0.85 }))
  assert.ok(effectiveEvents(season) < 0.6 * effectiveEvents(mixed))
})

test("Wilson's interval is that of the tables, and never leaves [0, 1]", () => {
  const { low, high } = wilson(0.9, 100)
  assert.ok(Math.abs(low - 0.8256) < 0.001 && Math.abs(high - 0.9448) < 0.001)
  assert.deepEqual(wilson(1, 10).high, 1)
  assert.equal(eventsNeeded(0.999), 10_000)
})
