import assert from 'node:assert/strict'
import test from 'node:test'
import { durationMs } from './durations.ts'

test('a duration is a whole number and a unit, in one or in many', () => {
  for (const [text, ms] of [
    ['250', 250],
    ['250 ms', 250],
    ['5 s', 5000],
    ['5s', 5000],
    ['1 second', 1000],
    [' 2 SECONDS ', 2000],
    ['1min', 60_000],
    ['3 minutes', 180_000],
    ['2 h', 7_200_000],
    ['2 days', 172_800_000],
    ['0 s', 0],
  ] as const)
    assert.equal(durationMs(text), ms, text)
})

test('what is no duration is undefined', () => {
  for (const text of ['', 's', '5 x', '1.5 s', '-1 s', '5 s s', '5 constructor', '5 __proto__'])
    assert.equal(durationMs(text), undefined, text)
})
