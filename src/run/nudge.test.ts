import assert from 'node:assert/strict'
import test from 'node:test'
import type { Clock } from '../ports/clock.ts'
import { createNudge } from './nudge.ts'

/** A clock on which nothing ends by itself. */
function stoppedClock(): { readonly clock: Clock; pass(): void; readonly asked: number[] } {
  const asked: number[] = []
  let wake = () => {}
  const clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => 0,
    sleep(ms, signal) {
      asked.push(ms)
      return new Promise((resolve) => {
        wake = resolve
        signal?.addEventListener('abort', () => resolve())
      })
    },
  }
  return { clock, pass: () => wake(), asked }
}

test('a nudge ends the wait that goes on', async () => {
  const nudge = createNudge()
  const waiting = nudge.wait(stoppedClock().clock, 1000)
  nudge.now()
  assert.equal(await waiting, true)
})

test('nudges that came before a wait end that one, and none after it', async () => {
  const nudge = createNudge()
  const { clock, pass } = stoppedClock()
  nudge.now()
  nudge.now()
  assert.equal(await nudge.wait(clock, 1000), true)
  const next = nudge.wait(clock, 1000)
  pass()
  assert.equal(await next, false)
})

test('a wait that was nudged leaves its sleep to the next one', async () => {
  const nudge = createNudge()
  const { clock, pass, asked } = stoppedClock()
  nudge.now()
  await nudge.wait(clock, 1000)
  const next = nudge.wait(clock, 1000)
  assert.deepEqual(asked, [1000])
  pass()
  assert.equal(await next, false)
  const last = nudge.wait(clock, 5)
  assert.deepEqual(asked, [1000, 5])
  pass()
  await last
})

test('an aborted signal ends the wait', async () => {
  const stop = new AbortController()
  const waiting = createNudge().wait(stoppedClock().clock, 1000, stop.signal)
  stop.abort()
  assert.equal(await waiting, false)
})
