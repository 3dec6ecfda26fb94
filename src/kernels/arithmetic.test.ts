import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import { LinearMemory } from '../data/memory.ts'
import { arithmeticKernel } from './arithmetic.ts'

const memory = new LinearMemory()
const kernel = arithmeticKernel(memory)
const [a, b, out] = [0, 1, 2].map(() => memory.allocate(4096)) as [number, number, number]

const LEAST = -(2n ** 63n)
const whole = fc.oneof(
  fc.bigInt({ min: LEAST, max: -LEAST - 1n }),
  fc.bigInt({ min: -3n, max: 3n }),
  fc.constantFrom(LEAST, -LEAST - 1n, 2n ** 31n, -(2n ** 31n), 2n ** 32n),
)
const pairs = fc.array(fc.tuple(whole, whole), { minLength: 1, maxLength: 40 })

function put(rows: readonly (readonly [bigint, bigint])[]): void {
  rows.forEach(([x, y], row) => {
    memory.i64[a / 8 + row] = x
    memory.i64[b / 8 + row] = y
  })
}

test('whole numbers wrap, and a row that overflows raises the flag', () => {
  const exact = {
    addI64: (x: bigint, y: bigint) => x + y,
    subtractI64: (x: bigint, y: bigint) => x - y,
    multiplyI64: (x: bigint, y: bigint) => x * y,
  }
  fc.assert(
    fc.property(pairs, (rows) => {
      put(rows)
      for (const [name, compute] of Object.entries(exact)) {
        const flag = kernel[name as keyof typeof exact](a, 8, b, 8, 0, rows.length, out)
        const results = rows.map(([x, y]) => compute(x, y))
        results.forEach((result, row) => {
          assert.equal(memory.i64[out / 8 + row], BigInt.asIntN(64, result))
        })
        if (results.some((result) => BigInt.asIntN(64, result) !== result)) assert.equal(flag, 1n)
      }
    }),
  )
})

test('quotients and remainders are those of Java, and a divisor of 0 raises the flag', () => {
  fc.assert(
    fc.property(pairs, (rows) => {
      put(rows)
      const zero = rows.some(([, y]) => y === 0n) ? 1n : 0n
      assert.equal(kernel.divideI64(a, 8, b, 8, 0, rows.length, out), zero)
      rows.forEach(([x, y], row) => {
        const expected = y === 0n ? 0n : BigInt.asIntN(64, x / y)
        assert.equal(memory.i64[out / 8 + row], expected)
      })
      assert.equal(kernel.remainderI64(a, 8, b, 8, 0, rows.length, out), zero)
      rows.forEach(([x, y], row) => {
        assert.equal(memory.i64[out / 8 + row], y === 0n ? 0n : x % y)
      })
    }),
  )
})

test('wide products are exact', () => {
  fc.assert(
    fc.property(pairs, (rows) => {
      put(rows)
      kernel.multiplyWide(a, 8, b, 8, 0, rows.length, out)
      rows.forEach(([x, y], row) => {
        const low = BigInt.asUintN(64, memory.i64[out / 8 + 2 * row]!)
        assert.equal((memory.i64[out / 8 + 2 * row + 1]! << 64n) | low, x * y)
      })
    }),
  )
})

test('times are floored and parted before 1970, too', () => {
  put([
    [-1n, 0n],
    [7n, 0n],
  ])
  kernel.floorTo(a, 5n, 0n, 0, 2, out)
  assert.deepEqual([memory.i64[out / 8], memory.i64[out / 8 + 1]], [-5n, 5n])
  kernel.partOf(a, 10n, 5n, 0, 2, out)
  assert.deepEqual([memory.i64[out / 8], memory.i64[out / 8 + 1]], [1n, 1n])
})
