/** What holds simulations to their events can fail: a check that cannot is none. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { clickText, type Found, holdAllOnce } from './clicks.ts'
import { eachSeed } from './seeds.ts'

/** Three clicks of one window, and what must be told of them. */
const RIGHT: Found = {
  rows: [0, 1, 2].map((n) => {
    const { k, at_time }: { k: string; at_time: string } = JSON.parse(clickText(n))
    const startMs = Math.floor(Date.parse(at_time) / 10_000) * 10_000
    return { k, window_start: new Date(startMs), events: 1, total: n }
  }),
  late: [],
  dead: [],
}

test('a row that is lost, there twice or wrong, a late and a dead one too many are found', () => {
  holdAllOnce(3, RIGHT, 'right')
  const { rows } = RIGHT
  for (const wrong of [
    { ...RIGHT, rows: rows.slice(1) },
    { ...RIGHT, rows: [...rows, rows[0]!] },
    { ...RIGHT, rows: [{ ...rows[0], total: 9 }, ...rows.slice(1)] },
    { ...RIGHT, late: ['{"n":1}'] },
    { ...RIGHT, dead: ['{oops'] },
  ])
    assert.throws(() => holdAllOnce(3, wrong, 'wrong'), /wrong|late|dead/)
})

test('a seed that fails is told with what replays it', async () => {
  const fails = () => Promise.reject(new Error('a row is lost'))
  await assert.rejects(
    eachSeed(2, fails),
    /^Error: MILLRACE_SEED=\d+ MILLRACE_SEEDS=1: a row is lost/,
  )
})
