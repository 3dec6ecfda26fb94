/** Sizes and bills against figures that vendors publish or that follow from them by hand. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { ENGINE_SIZES } from '../../src/advise/capacity/engines.ts'
import { PLATFORM_SIZES } from '../../src/advise/capacity/platforms.ts'
import type { Load } from '../../src/advise/plan/load.ts'
import { BOOK } from './asked.ts'

/** Events and megabytes a second of one stream; the peak is the mean. */
function load(events: number, mb: number, state = 0): Load {
  const bytes = (mb * 1e6) / events
  const streams = [{ name: 'a', rate: events, peak: events, bytes }]
  return { streams, events, eventsPeak: events, in: mb, inPeak: mb, state }
}

const platform = (name: string, of: Load, days = 1, readers = 1) =>
  PLATFORM_SIZES[name]!({ ...of, days, readers, crossesZones: false }, BOOK)
const engine = (name: string, of: Load, intervalSeconds = 3600) =>
  ENGINE_SIZES[name]!({ ...of, intervalSeconds, holdsLog: false }, BOOK)
const cents = (amount: number) => Math.round(amount * 100) / 100

test('the always-on floors of the smallest load are those that vendors print', () => {
  const trivial = load(1, 0.0001)
  const standing = (name: string) => cents(platform(name, trivial).standing[0]!.monthly)
  assert.equal(standing('kinesis-provisioned'), 10.95)
  assert.equal(standing('kinesis-on-demand'), 29.2)
  assert.equal(standing('event-hubs'), 21.9)
  assert.equal(standing('event-hubs-premium'), 749.71)
  assert.equal(standing('msk-serverless'), 547.5)
  assert.equal(standing('msk'), 446.76)
  assert.equal(standing('confluent-basic'), 0)
  assert.equal(standing('confluent-standard'), 547.5)
  const running = (name: string) => cents(engine(name, trivial).byUse[0]!.monthly)
  assert.equal(running('flink-aws'), 240.9)
  assert.equal(running('flink-confluent'), 153.3)
  assert.equal(running('embedded-single'), 59.57)
  assert.equal(running('embedded-standby'), 119.14)
  const dataflow = engine('dataflow', trivial).byUse
  assert.equal(Math.round(dataflow[0]!.monthly + dataflow[1]!.monthly), 240)
})

test('the limit that binds is named: records before bytes, bytes before records, readers before both', () => {
  const unit = (of: Load, readers = 1) => platform('kinesis-provisioned', of, 1, readers).units[0]!
  assert.deepEqual(unit(load(6000, 1.2)), {
    name: 'shards',
    count: 6,
    binding: 'records at the peak: 6,000 /s, 1,000 each',
  })
  assert.match(unit(load(500, 10)).binding, /^peak ingress: 10 MB\/s/)
  assert.equal(unit(load(500, 10), 4).count, 20)
  assert.match(unit(load(500, 10), 4).binding, /^egress to 4 readers/)
  assert.equal(platform('event-hubs', load(40_001, 10)).exceeds, '41 throughput units, 40 at most')
})

test('brokers stand in three zones, grow in size before number, and follow partitions too', () => {
  const msk = (mb: number) => platform('msk', load(1000, mb))
  assert.match(msk(14).standing[0]!.sku!, /m7g-large/)
  assert.match(msk(15).standing[0]!.sku!, /m7g-xlarge/)
  assert.equal(msk(15).units[0]!.count, 3)
  assert.equal(msk(500).units[0]!.count, 15)
  assert.match(msk(500).standing[0]!.sku!, /4xlarge/)
  assert.equal(msk(5000).units[1]!.count, 1000)
  assert.match(platform('msk-serverless', load(1000, 201)).exceeds!, /201 MB\/s in/)
})

test('KPU are those of the vendor’s own table up to 20 MB/s, and state is free up to 50 GB each', () => {
  const kpu = (mb: number) => engine('flink-aws', load(1000, mb)).units[1]!.count
  assert.deepEqual([1, 5, 10, 20].map(kpu), [3, 3, 3, 5])
  const state = (gb: number) =>
    engine('flink-aws', load(1000, 1, gb)).byUse.find(({ sku }) => sku === 'flink-aws-state')
  assert.equal(state(100), undefined)
  assert.equal(cents(state(200)!.monthly), 10)
})

test('a record of 25 KB is one payload unit, a byte more is two; a small one is a whole KB on demand', () => {
  const puts = (bytes: number) =>
    platform('kinesis-provisioned', load(100, (100 * bytes) / 1e6)).byUse[0]!.quantity
  assert.equal(puts(25_001) / puts(25_000), 2)
  const small = platform('kinesis-on-demand', load(1000, 0.1)).byUse[0]!
  assert.equal(Math.round(small.quantity), 2628)
})

test('hourly batch of a small load costs a few dollars, as the published comparison has it', () => {
  const spark = engine('spark-scheduled', load(50, 0.03)).byUse
  const total = spark.reduce((sum, { monthly }) => sum + monthly, 0)
  assert.ok(total > 4 && total < 12, String(total))
  assert.equal(Math.round(engine('embedded-scheduled', load(50, 0.03)).byUse[0]!.monthly), 2)
  assert.ok(engine('glue-scheduled', load(50, 0.03)).units.some(({ name }) => /DPU/.test(name)))
})
