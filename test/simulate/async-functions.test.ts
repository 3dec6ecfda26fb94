/** A pipeline that asks an asynchronous function dies at every step of its protocols: each row is asked for until it is answered, and told once. */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import test from 'node:test'
import { loadUserFunctions } from '../../src/run/user-functions.ts'
import { type SimulatedPorts, simulatedPorts } from '../../src/testing/ports.ts'
import { askedFor, isUnanswerable, squareOf } from '../builders/asked-numbers.ts'
import { deltaRows } from './lake.ts'
import { type Life, live, produceRows, topicTexts } from './lives.ts'
import { eachSeed } from './seeds.ts'

const MODULE = resolve('test/builders/asked-numbers.ts')
const FUNCTIONS = await loadUserFunctions([{ module: MODULE, export: 'squareSlowly' }], '.')
const COUNT = 60
const LIFE: Life = {
  functions: FUNCTIONS,
  workers: 2,
  sql: `
SET 'pipeline.name' = 'p';
SET 'execution.checkpointing.interval' = '2 ms';
SET 'restart-strategy.exponential-delay.initial-backoff' = '10 ms';
CREATE FUNCTION square AS '${MODULE}#squareSlowly' LANGUAGE TYPESCRIPT;
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'log', 'topic' = 'numbers', 'format' = 'json');
CREATE TABLE squares (n BIGINT, s BIGINT) WITH ('connector' = 'delta', 'table-path' = '/lake/squares');
INSERT INTO squares SELECT n, square(n) FROM numbers;
`,
}
const FINISHED = { kind: 'finished', because: 'now' }

test('rows that wait for an answer when a pipeline dies are asked for again, and each is told once', async () => {
  const points = await stepsPassed()
  await eachSeed(1, async (seed) => {
    for (const point of points) await throughCrashes(seed, point)
  })
  const lives = Math.max(...askedFor.values())
  assert.ok(lives > points.length + 1, `${lives} times, in ${points.length} histories`)
})

async function stepsPassed(): Promise<string[]> {
  const ports = simulatedPorts(1)
  await produce(ports, 0, COUNT)
  const before = new Map(ports.passed)
  assert.deepEqual(await live(ports, { ...LIFE, until: 'now' }), FINISHED)
  await checkAll(ports, 'without a crash')
  return [...ports.passed.keys()].filter((name) => ports.passed.get(name) !== before.get(name))
}

async function throughCrashes(seed: number, point: string): Promise<void> {
  const ports = simulatedPorts(seed)
  for (const part of [0, 1, 2]) {
    await produce(ports, (part * COUNT) / 3, ((part + 1) * COUNT) / 3)
    ports.crashAt(point, 1 + ports.random.below(3), ports.random.pick(['kill', 'power']))
    const workers = 1 + ports.random.below(3)
    const outcome = await live(ports, { ...LIFE, workers, until: 'now' })
    ports.disarm()
    if (outcome !== 'crashed') assert.deepEqual(outcome, FINISHED, point)
  }
  assert.deepEqual(await live(ports, { ...LIFE, until: 'now' }), FINISHED, point)
  await checkAll(ports, `crash at ${point}`)
}

async function produce(ports: SimulatedPorts, from: number, to: number): Promise<void> {
  const rows = Array.from({ length: to - from }, (_, at) => ({ n: from + at }))
  await produceRows(ports, 'numbers', rows, { partitions: 3 })
}

async function checkAll(ports: SimulatedPorts, where: string): Promise<void> {
  const numbers = Array.from({ length: COUNT }, (_, n) => n)
  const told = (await deltaRows(ports, '/lake/squares')).map(({ n, s }) => `${n} ${s}`)
  const answered = numbers.filter((n) => !isUnanswerable(n)).map((n) => `${n} ${squareOf(n)}`)
  assert.deepEqual(told.sort(), answered.sort(), where)
  const dead = topicTexts(ports, 'squares.dead').map(
    (text) => /(\d+) has no square/.exec(text)?.[1],
  )
  assert.deepEqual(dead.sort(), numbers.filter(isUnanswerable).map(String).sort(), where)
}
