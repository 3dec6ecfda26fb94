import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { Timers } from './timers.ts'

const step = fc.oneof(
  fc.record({ push: fc.bigInt({ min: -20n, max: 20n }) }),
  fc.record({ until: fc.bigInt({ min: -20n, max: 20n }) }),
)

test('timers come in the order of their times, and none before it is due', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const timers = new Timers()
      let waiting: { readonly timeUs: bigint; readonly payload: number }[] = []
      for (const [payload, each] of steps.entries()) {
        if ('push' in each) {
          timers.push(each.push, payload)
          waiting.push({ timeUs: each.push, payload })
          continue
        }
        const due = waiting.filter(({ timeUs }) => timeUs <= each.until)
        waiting = waiting.filter(({ timeUs }) => timeUs > each.until)
        const came: number[] = []
        for (let next = timers.pop(each.until); next !== undefined; ) {
          came.push(next)
          next = timers.pop(each.until)
        }
        const timeOf = (payload: number) => due.find((one) => one.payload === payload)!.timeUs
        assert.deepEqual([...came].sort(), due.map((one) => one.payload).sort())
        assert.ok(
          came.every((one, index) => index === 0 || timeOf(came[index - 1]!) <= timeOf(one)),
        )
      }
      assert.equal(timers.size, waiting.length)
    }),
  )
})
