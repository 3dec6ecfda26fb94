import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { createBatchBuilder } from './batch-builder.ts'
import { partitionOf } from './partitioner.ts'
import { batchFault, CRC_AT, readBatchHeader, stampBatch } from './record-batch.ts'
import { readRecords } from './records.ts'
import { readVarint, varintBytes, writeVarint } from './varint.ts'

const bytes = fc.uint8Array({ maxLength: 40 })
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ key: fc.string({ maxLength: 5 }), value: fc.option(bytes) }), {
    maxLength: 3,
  }),
  timestampMs: fc.integer({ min: -(2 ** 40), max: 2 ** 45 }),
})

test('a batch gives back the records it was built from', () => {
  const records = fc.array(record, { minLength: 1, maxLength: 20 })
  const compression = fc.constantFrom('none' as const, 'gzip' as const, 'zstd' as const)
  fc.assert(
    fc.property(records, compression, fc.nat(2 ** 40), (built, compression, baseOffset) => {
      const builder = createBatchBuilder(8)
      for (const each of built) builder.add(each, 0)
      const batch = builder.finish(compression)
      stampBatch(batch, baseOffset, undefined, { producerId: 2 ** 47, epoch: 5, sequence: 9 })
      assert.equal(batchFault(batch, 0, batch.length), undefined)
      const expected = built.map((each, index) => ({
        ...each,
        headers: each.headers.map(({ key, value }) => ({ key: wellFormed(key), value })),
        offset: baseOffset + index,
        appendTimeMs: undefined,
      }))
      assert.deepEqual(readRecords(batch), expected)
      const header = readBatchHeader(batch, 0)
      assert.equal(header.maxTimestampMs, Math.max(...built.map((each) => each.timestampMs)))
      assert.deepEqual(
        [header.producerId, header.producerEpoch, header.baseSequence, header.lastOffset],
        [2 ** 47, 5, 9, baseOffset + built.length - 1],
      )
    }),
  )
})

test('any damaged byte from the attributes on is noticed', () => {
  const builder = createBatchBuilder()
  builder.add({ key: new Uint8Array([1]), value: new Uint8Array(300) }, 0)
  const batch = builder.finish('none')
  stampBatch(batch, 7, 1000, undefined)
  for (let at = CRC_AT; at < batch.length; at++) {
    batch[at]! ^= 1
    assert.notEqual(batchFault(batch, 0, batch.length), undefined, `byte ${at}`)
    batch[at]! ^= 1
  }
  assert.equal(batchFault(batch, 0, batch.length), undefined)
  assert.match(batchFault(batch, 0, 40)!, /40 bytes/)
})

test('varints of every safe integer come back, in as many bytes as was said', () => {
  const target = new Uint8Array(16)
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      // Beyond 2^52 the zigzagged number is no safe integer any more: no length, time or offset is as large.
      const small = Math.trunc(value / 2)
      const end = writeVarint(target, 0, small)
      assert.equal(end, varintBytes(small))
      assert.equal(readVarint({ bytes: target, at: 0, end }), small === 0 ? 0 : small)
      assert.ok(Number.isNaN(readVarint({ bytes: target, at: 0, end: end - 1 })))
    }),
  )
})

test('a batch with a codec that is not there says which', () => {
  const builder = createBatchBuilder()
  builder.add({ value: new Uint8Array(3) }, 0)
  const batch = builder.finish('none')
  new DataView(batch.buffer).setInt16(21, 2)
  assert.throws(() => readRecords(batch), {
    code: 'LOG_COMPRESSION_UNSUPPORTED',
    message: /snappy/,
  })
})

test("keys go where Kafka's default partitioner sends them", () => {
  // From Kafka's UtilsTest.testMurmur2, as positive numbers.
  const cases: readonly (readonly [string, number])[] = [
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ]
  for (const [key, hash] of cases) {
    const partitions = 1_000_003
    const expected = (hash & 0x7fffffff) % partitions
    assert.equal(partitionOf(new TextEncoder().encode(key), partitions), expected, key)
  }
})

/** What UTF-8 makes of lone surrogates. */
function wellFormed(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text))
}
