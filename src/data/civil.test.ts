import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../test/builders/properties.ts'
import {
  civilFromDays,
  dateText,
  daysFromCivil,
  parseDate,
  parseTime,
  parseTimestamp,
  timestampText,
} from './civil.ts'

const days = fc.integer({ min: -719_528, max: 2_932_896 })

test('days and civil dates agree with the calendar of Date, from year 0 to 9999', () => {
  fc.assert(
    fc.property(days, (day) => {
      const date = new Date(day * 86_400_000)
      const civil = civilFromDays(day)
      assert.deepEqual(civil, {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
      })
      assert.equal(daysFromCivil(civil), day)
      assert.equal(parseDate(dateText(day)), day)
    }),
    { numRuns: 2000 },
  )
})

test('a timestamp reads back from its text, before the epoch too', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -62_167_219_200_000_000n, max: 253_402_300_799_999_999n }),
      (us) => {
        assert.equal(parseTimestamp(timestampText(us, 6)), us)
        assert.equal(parseTimestamp(timestampText(us, 6, 'T')), us)
      },
    ),
  )
  assert.equal(timestampText(-1n, 3), '1969-12-31 23:59:59.999')
  assert.equal(timestampText(0n, 0), '1970-01-01 00:00:00')
})

test('impossible dates and times are not moments', () => {
  for (const text of ['2023-02-29', '2024-13-01', '2024-00-10', '2024-04-31', '24-01-01', '']) {
    assert.equal(parseDate(text), undefined, text)
  }
  for (const text of ['24:00:00', '12:60:00', '12:00:60', '1', '12:00:00.']) {
    assert.equal(parseTime(text), undefined, text)
  }
  assert.equal(parseTimestamp('2024-02-29X00:00:00'), undefined)
})
