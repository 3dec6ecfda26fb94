import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { LinearMemory } from '../data/memory.ts'
import { timeKernel } from './time.ts'

const memory = new LinearMemory()
const kernel = timeKernel(memory)
const LEAST = -(2n ** 63n)

test('a time is ahead if it is more than the bound beyond its append time, also at the ends of what 64 bits hold', () => {
  const time = fc.oneof(
    fc.bigInt({ min: LEAST, max: LEAST + 5n }),
    fc.bigInt({ min: -3n, max: 30n }),
    fc.bigInt({ min: 2n ** 63n - 6n, max: 2n ** 63n - 1n }),
  )
  const row = fc.record({ time, appended: fc.bigInt({ min: 0n, max: 9n }) })
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 9 }),
      fc.bigInt({ min: 0n, max: 2n ** 62n }),
      (rows, bound) => {
        const mark = memory.arena.mark()
        const times = memory.arena.allocate(8 * rows.length + 8)
        const appended = memory.arena.allocate(8 * rows.length + 8)
        rows.forEach((each, at) => {
          memory.i64[times / 8 + at] = each.time
          memory.i64[appended / 8 + at] = each.appended
        })
        const first = rows.findIndex(
          (each) => each.time - bound > (each.appended === 0n ? 5n : each.appended),
        )
        const found = kernel.firstAhead(times, 0, 0, 0, rows.length, appended, 5n, bound)
        memory.arena.release(mark)
        assert.equal(found, first < 0 ? rows.length : first)
      },
    ),
  )
})
