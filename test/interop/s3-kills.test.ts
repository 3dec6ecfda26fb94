/** A pipeline into a Delta table of a real S3-compatible server is killed KILLS=30 times at random: delta-rs finds each window once. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { makeBucket, SEAWEED, startSeaweed, stopSeaweed } from '../../scripts/engines/seaweed.ts'
import { killRounds } from '../simulate/kill-rounds.ts'
import { fetchPeers, startPeer } from './delta-peers.ts'

const KILLS = Number(process.env.KILLS ?? 30)
const BUCKET = 'kills'
const EVENTS = KILLS * 300

before(async () => {
  fetchPeers()
  await startSeaweed()
  await makeBucket(BUCKET)
  // The pipeline's process and delta-rs read them from their environment.
  Object.assign(process.env, SEAWEED, { AWS_ALLOW_HTTP: 'true' })
})
after(stopSeaweed)

test(`killed ${KILLS} times at random, each window is once in a Delta table in S3 and right`, {
  timeout: 460_000,
}, async () => {
  const table = `s3://${BUCKET}/sums-${Date.now()}`
  const peer = startPeer('delta-rs')
  const read = async () =>
    (await peer.read(table, ['events', 'total'])).map(([events, total]) => `${events} ${total}`)
  const { found, expected } = await killRounds(KILLS, EVENTS, { table, read }).finally(peer.close)
  assert.deepEqual(found, expected)
})
