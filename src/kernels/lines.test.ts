import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { LinearMemory } from '../data/memory.ts'
import { createLinesKernel } from './lines.ts'

const memory = new LinearMemory()
const kernel = createLinesKernel(memory)

function split(text: string, max: number): { lines: string[]; consumed: number } {
  const mark = memory.arena.mark()
  const bytes = Buffer.from(text)
  const address = memory.arena.allocate(bytes.length)
  memory.u8.set(bytes, address)
  // What lies behind the text must not be taken for lines.
  memory.u8.fill(10, address + bytes.length, address + bytes.length + 32)
  const cells = memory.arena.allocate(8 * max)
  const { count, consumed } = kernel.split(address, bytes.length, cells, max)
  const lines = Array.from({ length: count }, (_, line) => {
    const start = memory.u32[cells / 4 + line * 2]!
    return Buffer.from(
      memory.u8.slice(start, start + memory.u32[cells / 4 + line * 2 + 1]!),
    ).toString()
  })
  memory.arena.release(mark)
  return { lines, consumed }
}

const text = fc
  .array(fc.constantFrom('\n', '\r\n', 'a', 'bc', '\r', 'é', 'x'.repeat(15), 'y'.repeat(33)), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''))

test('lines are those that split by \\n gives, without the unended one, without \\r', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 70 }), (given, max) => {
      const whole = given.split('\n').slice(0, -1).slice(0, max)
      const { lines, consumed } = split(given, max)
      assert.deepEqual(
        lines,
        whole.map((line) => line.replace(/\r$/, '')),
      )
      assert.equal(consumed, Buffer.byteLength(whole.map((line) => `${line}\n`).join('')))
    }),
    { numRuns: 2000 },
  )
})
