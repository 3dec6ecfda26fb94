import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { crc32cOf, createCrc32c } from './crc32c.ts'

const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true })
const bytes = new Uint8Array(memory.buffer)
let top = 1 << 16
const crc32c = createCrc32c({
  memory,
  allocate: (size) => {
    top += size + 64
    return top - size - 64
  },
})
const DATA = 1 << 20

/** The definition: divides bit by bit. */
function divided(data: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

test('the published check values come out', () => {
  // RFC 3720 (iSCSI), appendix B.4, and the usual nine digits.
  const cases: [Uint8Array, number][] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(255), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    [new TextEncoder().encode('123456789'), 0xe3069283],
    [new Uint8Array(0), 0],
  ]
  for (const [data, expected] of cases) {
    bytes.set(data, DATA)
    assert.equal(crc32c(DATA, data.length), expected)
    assert.equal(crc32cOf(data), expected)
  }
})

test('every length around every fold boundary equals the division', () => {
  let state = 12345
  for (let at = 0; at < 110_000; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    bytes[DATA + at] = state >>> 16
  }
  const edges = [16, 79 * 16, 87 * 16, 209 * 16, 217 * 16, (2048 + 209) * 16, 4305 * 16]
  for (const edge of edges)
    for (const near of [-17, -16, -1, 0, 1, 15, 16, 33]) {
      const length = Math.max(0, edge + near)
      const data = bytes.slice(DATA + 3, DATA + 3 + length)
      const expected = divided(data)
      assert.equal(crc32c(DATA + 3, length), expected, `length ${length}`)
      assert.equal(crc32cOf(data), expected, `length ${length}`)
    }
})

test('a checksum of any bytes at any address equals the division', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9000, size: 'max' }), fc.nat(63), (data, shift) => {
      bytes.set(data, DATA + shift)
      assert.equal(crc32c(DATA + shift, data.length), divided(data))
    }),
    { numRuns: 60 },
  )
})
