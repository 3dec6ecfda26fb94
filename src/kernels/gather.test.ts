import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { LinearMemory } from '../data/memory.ts'
import { GATHER_SLACK_BYTES, gatherKernel } from './gather.ts'

const memory = new LinearMemory()
const kernel = gatherKernel(memory)

function put(words: readonly number[]): number {
  const at = memory.arena.allocate(4 * words.length)
  memory.u32.set(words, at / 4)
  return at
}

const picked = fc
  .array(
    fc.record({ text: fc.string({ maxLength: 300 }), isNull: fc.boolean(), picked: fc.boolean() }),
    {
      maxLength: 60,
    },
  )
  .map((rows) => ({ rows, selection: rows.flatMap((row, at) => (row.picked ? [at] : [])) }))

test('what is gathered is what the selected rows hold, strings dense and with addresses from the base', () => {
  fc.assert(
    fc.property(picked, fc.boolean(), ({ rows, selection: some }, all) => {
      const mark = memory.arena.mark()
      const order = all ? rows.map((_, at) => at) : some
      const selection = all ? 0 : put(order)
      const texts = rows.map(({ text }) => new TextEncoder().encode(text))
      const cells = memory.arena.allocate(8 * rows.length)
      const validity = memory.arena.allocateCleared(rows.length)
      for (const [row, bytes] of texts.entries()) {
        const address = memory.arena.allocate(bytes.length)
        memory.u8.set(bytes, address)
        memory.u32.set([address, bytes.length], cells / 4 + 2 * row)
        if (!rows[row]!.isNull) memory.u8[validity + (row >> 3)]! |= 1 << (row & 7)
      }
      const expected = order.map((row) => (rows[row]!.isNull ? '' : rows[row]!.text))
      const length = expected.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
      assert.equal(kernel.stringBytes(cells, validity, selection, order.length), length)
      const out = memory.arena.allocate(8 * order.length)
      const bytes = memory.arena.allocate(length + GATHER_SLACK_BYTES)
      const base = bytes - 32
      const end = kernel.gatherStrings(cells, validity, selection, order.length, out, bytes, base)
      assert.equal(end, bytes + length)
      kernel.rebase(out, order.length, base)
      const bits = memory.arena.allocateCleared(order.length)
      kernel.gatherBits(validity, selection, order.length, bits)
      const plain = memory.arena.allocate(8 * order.length)
      kernel.gather8(cells, selection, order.length, plain)
      for (const [at, row] of order.entries()) {
        const [address, size] = memory.u32.subarray(out / 4 + 2 * at, out / 4 + 2 * at + 2)
        const text = new TextDecoder().decode(memory.u8.slice(address!, address! + size!))
        assert.equal(text, expected[at])
        assert.equal((memory.u8[bits + (at >> 3)]! >> (at & 7)) & 1, rows[row]!.isNull ? 0 : 1)
        assert.equal(memory.i64[plain / 8 + at], memory.i64[cells / 8 + row])
      }
      memory.arena.release(mark)
    }),
  )
})

test('rows come to the owner of their key group, in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(), { maxLength: 80 }),
      fc.integer({ min: 1, max: 5 }),
      (hashes, owners) => {
        const mark = memory.arena.mark()
        const lists = Array.from({ length: owners }, () => memory.arena.allocate(4 * hashes.length))
        const ends = put(lists)
        kernel.partition(put(hashes), 0, hashes.length, owners, ends)
        for (const [owner, list] of lists.entries()) {
          const found = [...memory.u32.subarray(list / 4, memory.u32[ends / 4 + owner]! / 4)]
          const wanted = hashes.flatMap((hash, row) =>
            Math.floor(((hash % 128) * owners) / 128) === owner ? [row] : [],
          )
          assert.deepEqual(found, wanted)
        }
        memory.arena.release(mark)
      },
    ),
  )
})
