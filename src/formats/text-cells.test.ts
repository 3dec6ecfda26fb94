import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import type { CellValue } from '../data/nested-cells.ts'
import { type DataType, types } from '../data/types.ts'
import { TextRefused, textValue, valueText } from './text-cells.ts'

const integers = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
const CASES: readonly (readonly [DataType, fc.Arbitrary<CellValue>])[] = [
  [types.boolean, fc.boolean()],
  [types.tinyint, fc.bigInt(-128n, 127n)],
  [types.bigint, integers],
  [types.double, fc.double({ noNaN: true }).map((value) => (Object.is(value, -0) ? 0 : value))],
  [types.string, fc.string()],
  [types.bytes, fc.uint8Array()],
  [types.decimal(38, 10), fc.bigInt(-(10n ** 38n) + 1n, 10n ** 38n - 1n)],
  [types.date, fc.bigInt(-700_000n, 2_000_000n)],
  [types.time(6), fc.bigInt(0n, 86_399_999_999n)],
  [types.timestamp(6), fc.bigInt(-(10n ** 16n), 10n ** 17n)],
  [types.timestampLtz(6), fc.bigInt(-(10n ** 16n), 10n ** 17n)],
]

test('a value that is written as text is read back the same', () => {
  for (const [type, value] of CASES)
    fc.assert(
      fc.property(value, (given) => {
        assert.deepEqual(textValue(type, valueText(type, given)), given)
      }),
      { numRuns: 50 },
    )
})

test('text that does not fit its type is refused, not rounded', () => {
  const refused: readonly (readonly [DataType, string])[] = [
    [types.int, '2147483648'],
    [types.int, '1.5'],
    [types.int, ''],
    [types.boolean, 'yes'],
    [types.double, '0x10'],
    [types.decimal(4, 2), '1.234'],
    [types.decimal(4, 2), '100'],
    [types.decimal(4, 2), '.'],
    [types.date, '2026-02-30'],
    [types.timestamp(3), '2026-01-31'.padEnd(20, 'x')],
    [types.bytes, '*'],
  ]
  for (const [type, text] of refused) assert.throws(() => textValue(type, text), TextRefused, text)
  assert.equal(textValue(types.decimal(4, 2), '1.5e1'), 1500n)
  assert.equal(textValue(types.decimal(4, 2), '-.5'), -50n)
})
