import assert from 'node:assert/strict'
import test from 'node:test'
import { killRounds } from './kill-rounds.ts'

const KILLS = Number(process.env.MILLRACE_KILLS ?? 8)
/** More than all lives together feed before they are killed. */
const EVENTS = 300 * KILLS

test(`after ${KILLS} SIGKILLs an independent reader finds every window once`, async () => {
  const { found, expected } = await killRounds(KILLS, EVENTS)
  assert.deepEqual(found, expected)
})
