import assert from 'node:assert/strict'
import test from 'node:test'
import { killRounds } from './kill-rounds.ts'

const KILLS = Number(process.env.MILLRACE_KILLS ?? 8)

test(`after ${KILLS} SIGKILLs an independent reader finds every window once`, async () => {
  const { found, expected } = await killRounds(KILLS, 1000)
  assert.deepEqual(found, expected)
})
