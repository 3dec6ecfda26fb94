import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { readUnsignedVarint, readVarint, writeUnsignedVarint, writeVarint } from './varint.ts'

test('signed varints are read as they were written, one after another', () => {
  const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
  fc.assert(
    fc.property(fc.array(fc.oneof(int64, fc.bigInt({ min: -200n, max: 200n }))), (values) => {
      const out: number[] = []
      for (const value of values) writeVarint(value, out)
      const reader = { bytes: Uint8Array.from(out), offset: 0 }
      assert.deepEqual(
        values.map(() => readVarint(reader)),
        values,
      )
      assert.equal(reader.offset, out.length)
    }),
  )
})

test('small values are written as the specification says', () => {
  const written = (value: bigint) => {
    const out: number[] = []
    writeVarint(value, out)
    return out
  }
  assert.deepEqual([0n, -1n, 1n, -2n, 63n, 64n].map(written), [[0], [1], [2], [3], [126], [128, 1]])
})

test('unsigned varints reach 2^64 - 1', () => {
  const out: number[] = []
  writeUnsignedVarint((1n << 64n) - 1n, out)
  assert.equal(out.length, 10)
  assert.equal(readUnsignedVarint({ bytes: Uint8Array.from(out), offset: 0 }), (1n << 64n) - 1n)
})

test('a varint that does not end is refused with its place', () => {
  assert.throws(() => readVarint({ bytes: Uint8Array.of(1, 0x80, 0x80), offset: 1 }), {
    code: 'VARINT_UNENDED',
    facts: { start: 1, length: 3 },
  })
  const endless = new Uint8Array(11).fill(0x80)
  assert.throws(() => readVarint({ bytes: endless, offset: 0 }), { code: 'VARINT_UNENDED' })
})
