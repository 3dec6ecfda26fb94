import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { LinearMemory } from '../data/memory.ts'
import { NEED_BUCKETS, needEndUs } from '../kernels/lateness.ts'
import { WATERMARK_MAX, WATERMARK_MIN } from '../time/windows.ts'
import { addedUp, delayKeeping, type Lateness, noLateness, shareKept, since } from './lateness.ts'
import { latenessMeter } from './lateness-meter.ts'
import { looked, newWatch, verdictOf } from './lateness-watch.ts'

const stream = fc.record({
  times: fc.array(fc.integer({ min: -20_000_000, max: 400_000_000 }), { maxLength: 60 }),
  cuts: fc.array(fc.nat(60), { maxLength: 4 }),
  heldUs: fc.option(fc.integer({ min: -1_000_000, max: 300_000_000 }), { nil: undefined }),
  delayUs: fc.integer({ min: 0, max: 100_000_000 }),
  slideUs: fc.constantFrom(0, 7_000_000, 60_000_000),
})

test('each event is metered against the watermark of the events before it, however batches fall', () => {
  fc.assert(
    fc.property(stream, ({ times, cuts, heldUs, delayUs, slideUs }) => {
      const memory = new LinearMemory()
      const grid =
        slideUs === 0 ? undefined : { slideUs: BigInt(slideUs), span: 1, offsetUs: 1_000_000n }
      const meter = latenessMeter(memory, { delayUs: BigInt(delayUs), grid }, undefined)
      const held = heldUs === undefined ? undefined : BigInt(heldUs - delayUs)
      let ownUs = WATERMARK_MIN
      for (const [from, end] of pieces(times.length, cuts)) {
        const cells = memory.arena.allocate(8 * (end - from) + 8)
        for (let at = from; at < end; at++) memory.i64[cells / 8 + at - from] = BigInt(times[at]!)
        const combinedUs = least(ownUs, held ?? WATERMARK_MAX)
        const count = end - from
        const batch = { rowCount: count, columns: [], kinds: 0, selection: 0, count }
        meter.add(batch, cells, { ownUs, heldUs: held, combinedUs })
        for (const time of times.slice(from, end)) {
          const mark = BigInt(time - delayUs)
          if (mark > ownUs) ownUs = mark
        }
      }
      const { events, lost, needs } = meter.read()
      const expected = plainly(times, heldUs, slideUs)
      assert.equal(events, times.length)
      assert.equal(lost, expected.filter((need) => need > 0 && need >= delayUs).length)
      const late = expected.filter((need) => need > 0).sort((left, right) => left - right)
      const told = needs.flatMap((index, at) =>
        at % 2 === 1 ? [] : Array.from({ length: needs[at + 1]! }, () => needEndUs(index)),
      )
      assert.equal(told.length, late.length)
      for (const [at, endUs] of told.entries())
        assert.ok(late[at]! < endUs && endUs <= Math.max(1024, late[at]! * 1.016 + 1))
    }),
  )
})

/** The need of each event, by the words of docs/watermarks.md. */
function plainly(times: readonly number[], heldUs: number | undefined, slideUs: number): number[] {
  let own = Number.NEGATIVE_INFINITY
  return times.map((time) => {
    const greatest = Math.min(own, heldUs ?? Number.POSITIVE_INFINITY)
    const end = slideUs === 0 ? time + 1000 : endOf(time, slideUs)
    if (time > own) own = time
    return greatest - end + 1000
  })
}

function endOf(time: number, slideUs: number): number {
  let end = 1_000_000
  while (end > time) end -= slideUs
  while (end <= time) end += slideUs
  return end
}

function* pieces(length: number, cuts: readonly number[]): Generator<readonly [number, number]> {
  const ends = [...new Set([...cuts.filter((cut) => cut < length), length])].sort((a, b) => a - b)
  let from = 0
  for (const end of ends) {
    yield [from, end]
    from = end
  }
}

function least(left: bigint, right: bigint): bigint {
  return left < right ? left : right
}

test('needs as old as time itself have a bucket', () => {
  assert.equal(needEndUs(0), 1024)
  assert.equal(needEndUs(1), 1040)
  assert.ok(needEndUs(NEED_BUCKETS - 1) >= 2 ** 51)
})

const PLAIN = { delayUs: 5_000_000, windowUs: 0 }

/** So many events, of which some need 10 s. */
function counted(events: number, late: number): Lateness {
  const bucket = Array.from({ length: NEED_BUCKETS }, (_, at) => at).find(
    (index) => needEndUs(index) > 10_000_000,
  )!
  return { ...PLAIN, events, lost: late, needs: late === 0 ? [] : [bucket, late] }
}

test('what has come since is what was added', () => {
  const before = counted(100, 3)
  const now = addedUp([before, counted(50, 5)])!
  assert.deepEqual(since(before, now), counted(50, 5))
  assert.deepEqual(since(noLateness(PLAIN), before), before)
  assert.equal(delayKeeping(now, 0.9), 0)
  assert.ok(delayKeeping(now, 0.99) > 10_000_000)
  assert.equal(shareKept(now), 1 - 8 / 150)
})

/** Looks after every thousand events, of which so many are late; the events at which it changed its mind. */
function watched(lates: readonly number[], promised: number | undefined): readonly string[] {
  let watch = newWatch(noLateness(PLAIN))
  let now = noLateness(PLAIN)
  const told: string[] = []
  for (const late of lates) {
    now = addedUp([now, counted(1000, late)])!
    const after = looked(watch, now, promised)
    if (after.isDrifting !== watch.isDrifting) {
      const { kept, keeping } = verdictOf(after, now, promised)!
      told.push(`${after.isDrifting ? 'drifted' : 'recovered'} ${kept.toFixed(2)} ${keeping}`)
    }
    // As a checkpoint does.
    watch = JSON.parse(JSON.stringify(after))
  }
  return told
}

const steady = Array.from({ length: 200 }, (_, at) => (at % 3) * 2)
const worse = Array.from({ length: 100 }, (_, at) => 40 + (at % 3))

test('a delay that keeps what it kept does not drift, and one that does not is told once an episode', () => {
  assert.deepEqual(watched(steady, undefined), [])
  assert.deepEqual(watched([...steady, ...steady], 0.99), [])
  const episode = watched([...steady, ...worse, ...steady], undefined)
  assert.equal(episode.length, 2)
  assert.match(episode[0]!, /^drifted 0.9\d INTERVAL '11' SECOND$/)
  assert.match(episode[1]!, /^recovered 1.00 /)
  assert.equal(watched([...steady, ...worse, ...steady, ...worse], 0.99).length, 3)
})

test('a delay that never kept what was promised is told as soon as there are enough events', () => {
  assert.deepEqual(watched(worse.slice(0, 7), 0.99), [])
  assert.deepEqual(watched(worse.slice(0, 8), 0.99), ["drifted 0.96 INTERVAL '11' SECOND"])
})
