/** Each guard warns of what it is for, and keeps still of what is well. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type ArrivedRows, meterArrivals } from './arrivals.ts'
import { judge } from './judge.ts'
import type { Guard } from './shape.ts'

const START_US = 1_780_000_000_000_000
const SECOND_US = 1_000_000
const HOUR_US = 3600 * SECOND_US
const WINDOW_US = 60 * SECOND_US

interface Event {
  readonly timeUs: number
  readonly appendUs?: number
  readonly split?: number
}

interface Aside {
  readonly unusable?: number
  readonly future?: number
}

function guards(events: readonly Event[], aside: Aside = {}): ReadonlySet<Guard['code']> {
  const meter = meterArrivals(WINDOW_US)
  const splits = 1 + Math.max(...events.map(({ split }) => split ?? 0))
  for (let split = 0; split < splits; split++) meter.split(`${split}`)
  for (const event of events) {
    const split = event.split ?? 0
    const others = Array.from({ length: splits }, (_, at) =>
      at === split ? Number.POSITIVE_INFINITY : meter.greatestUs(at),
    )
    meter.add(split, rowOf(event), Math.min(...others))
  }
  const measured = {
    unusable: 0,
    future: 0,
    futureUsMax: 2 * HOUR_US,
    ...aside,
    arrivals: meter.read(),
  }
  const advice = judge(measured, { of: 'it', column: 'happened_at', completeness: 0.99 })
  return new Set(advice.guards.map(({ code }) => code))
}

function rowOf({ timeUs, appendUs }: Event): ArrivedRows {
  return {
    count: 1,
    timeUs: Float64Array.of(timeUs),
    ...(appendUs !== undefined && { appendUs: Float64Array.of(appendUs) }),
  }
}

/** Twenty thousand events, five a second, each up to `delay` late, taken in as they arrive. */
function live(delay: (at: number) => number, split = 0, count = 20_000): Event[] {
  return Array.from({ length: count }, (_, at) => {
    const appendUs = START_US + at * 200_000
    return { timeUs: appendUs - delay(at), appendUs, split }
  })
}

/** Up to 90 s, in an order that has nothing to do with time. */
const steady = (at: number): number => ((at * 7919) % 90) * SECOND_US

test('a steady stream of live events raises no warning but that it was short, and none after a week', () => {
  assert.deepEqual([...guards(live(steady))], ['short'])
  const slowed = live(steady).map((_, at) => {
    const appendUs = START_US + at * 31 * SECOND_US
    return { timeUs: appendUs - steady(at), appendUs }
  })
  assert.deepEqual([...guards(slowed)], [])
})

test('history that was appended at once is no arrival order', () => {
  const events = live(steady).map((event, at) => ({ ...event, appendUs: START_US + at }))
  assert.ok(guards(events).has('replayed'))
})

test('perfect order is no arrival order', () => {
  assert.ok(guards(live(() => 0)).has('sorted'))
})

test('rows set aside are told', () => {
  const told = guards(live(steady), { unusable: 3, future: 2 })
  assert.ok(told.has('unusable-rows') && told.has('future-events'))
})

test('clocks that are ahead of the append time are told, and small differences are not', () => {
  const ahead = (us: number) => live((at) => (at % 100 === 0 ? -us : steady(at)))
  assert.ok(guards(ahead(60 * SECOND_US)).has('clock-ahead'))
  assert.ok(!guards(ahead(SECOND_US)).has('clock-ahead'))
})

test('one event far ahead of all is told where there is no append time', () => {
  const events = live(steady).map(({ timeUs }, at) => ({
    timeUs: at === 5000 ? timeUs + 30 * 60 * SECOND_US : timeUs,
  }))
  assert.ok(guards(events).has('clock-lone'))
})

test('a split that is slow is told', () => {
  const slow = (factor: number) =>
    [...live(steady, 0), ...live((at) => factor * steady(at), 1), ...live(steady, 2)].sort(
      (left, right) => left.appendUs! - right.appendUs!,
    )
  assert.ok(guards(slow(10)).has('slow-split'))
  assert.ok(!guards(slow(1)).has('slow-split'))
})

test('hours of the day that need a longer delay are told', () => {
  const daily = (busy: number) =>
    Array.from({ length: 48_000 }, (_, at) => {
      const appendUs = START_US + at * 3.6 * SECOND_US
      const hour = Math.floor(appendUs / HOUR_US) % 24
      return { timeUs: appendUs - steady(at) * (hour === 9 ? busy : 1), appendUs }
    })
  assert.ok(guards(daily(8)).has('season'))
  assert.ok(!guards(daily(1)).has('season'))
})

test('lateness that changes half way is told', () => {
  assert.ok(guards(live((at) => steady(at) * (at < 10_000 ? 1 : 5))).has('drift'))
})

test('a tail as long as what was seen is told, and so are too few events', () => {
  const told = guards(live((at) => (at % 50 === 49 ? 50 * SECOND_US : 0), 0, 400))
  assert.ok(told.has('tail-truncated') || told.has('few-events'))
  assert.ok(guards(live(steady, 0, 300)).has('few-events'))
  assert.ok(
    guards(live((at) => (at > 10_000 && at % 50 === 0 ? 2000 * SECOND_US : steady(at)))).has(
      'tail-truncated',
    ),
  )
})
