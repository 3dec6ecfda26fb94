/** Whole pipelines on a simulated machine that dies at every step of their protocols: what comes out is there once, all of it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { type SimulatedPorts, simulatedPorts } from '../../src/testing/ports.ts'
import { clickSql, clickText, holdAllOnce } from './clicks.ts'
import { deltaRows } from './lake.ts'
import { type Life, live, produceRows, topicTexts } from './lives.ts'
import { eachSeed } from './seeds.ts'

const PARTITIONS = 4
const EVENTS = 160
const SQL = clickSql({ path: '/lake/sums' })
const finishedNow = { kind: 'finished', because: 'now' }

test('however a pipeline dies, at whatever step, its table and its side topics hold every event once', async () => {
  const points = await stepsPassed()
  await eachSeed(1, async (seed) => {
    for (const kind of ['kill', 'power'] as const) {
      for (const point of points) await throughCrashes(seed, point, kind)
    }
  })
})

async function stepsPassed(): Promise<string[]> {
  const ports = simulatedPorts(1)
  await produce(ports, 0, EVENTS)
  const before = new Map(ports.passed)
  assert.deepEqual(await live(ports, { sql: SQL, until: 'now' }), finishedNow)
  assert.deepEqual(await live(ports, { sql: SQL, until: 'end' }), {
    kind: 'finished',
    because: 'end',
  })
  await checkAll(ports, 'without a crash')
  assert.ok(topicTexts(ports, 'sums.late').length > 0, 'some are late')
  assert.ok(ports.passed.size >= 40, [...ports.passed.keys()].join())
  return [...ports.passed.keys()].filter((name) => ports.passed.get(name) !== before.get(name))
}

async function throughCrashes(seed: number, point: string, kind: 'kill' | 'power'): Promise<void> {
  const ports = simulatedPorts(seed)
  const where = `${kind} at ${point}`
  const now: Life = { sql: SQL, until: 'now' }
  let produced = 0
  for (const nth of [1, 2, 4]) {
    await produce(ports, produced, produced + EVENTS / 4)
    produced += EVENTS / 4
    ports.crashAt(point, nth, kind)
    const outcome = await live(ports, now)
    ports.disarm()
    if (outcome !== 'crashed') assert.deepEqual(outcome, finishedNow, where)
  }
  await produce(ports, produced, EVENTS)
  ports.crashAt(point, 1 + ports.random.below(3), kind)
  await liveToTheEnd(ports, where)
  await checkAll(ports, where)
}

/** It may die once more on the way. */
async function liveToTheEnd(ports: SimulatedPorts, where: string): Promise<void> {
  let outcome = await live(ports, { sql: SQL, until: 'end' })
  ports.disarm()
  if (outcome === 'crashed') outcome = await live(ports, { sql: SQL, until: 'end' })
  const hasEnded =
    outcome !== 'crashed' &&
    (outcome.kind === 'finished' ||
      (outcome.kind === 'failed' && outcome.error.code === 'PIPELINE_ENDED'))
  assert.ok(hasEnded, `${where}: ${JSON.stringify(outcome)}`)
}

async function produce(ports: SimulatedPorts, from: number, to: number): Promise<void> {
  const texts = Array.from({ length: to - from }, (_, at) => clickText(from + at))
  await produceRows(ports, 'clicks', texts, { partitions: PARTITIONS })
}

async function checkAll(ports: SimulatedPorts, where: string): Promise<void> {
  const rows = await deltaRows(ports, '/lake/sums')
  const [late, dead] = [topicTexts(ports, 'sums.late'), topicTexts(ports, 'sums.dead')]
  holdAllOnce(EVENTS, { rows, late, dead }, where)
}
