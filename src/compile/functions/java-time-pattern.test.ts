import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import { formatLocal, localFormatter } from './java-time-pattern.ts'

test('a formatter of one pattern tells what the pattern does, whatever the order of the times', () => {
  const patterns = [
    'yyyy-MM-dd',
    'HH:mm',
    'yyyy-MM-dd HH:mm:ss',
    "E d MMM 'at' hh a",
    'ss.SSS',
    '?',
  ]
  const times = fc.array(fc.bigInt(-200_000_000_000n, 200_000_000_000n), { minLength: 1 })
  fc.assert(
    fc.property(fc.constantFrom(...patterns), times, (pattern, times) => {
      const format = localFormatter(pattern)
      for (const time of times) assert.equal(format(time), formatLocal(time, pattern))
    }),
  )
})
