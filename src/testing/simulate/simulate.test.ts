import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { boundPipeline } from '../bound.ts'
import { type Simulated, simulate } from './simulate.ts'
import { CALM, type History, historyText, isArrival, parseSteps } from './steps.ts'

const LIBRARY = JSON.stringify(pathToFileURL('src/index.ts').href)
const TABLES = `
CREATE TABLE orders (id BIGINT, shop STRING, cents BIGINT, placed_at TIMESTAMP_LTZ(3), WATERMARK FOR placed_at AS placed_at - INTERVAL '5' SECOND)
WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json');
CREATE TABLE sums (shop STRING, window_start TIMESTAMP(3), cents BIGINT, PRIMARY KEY (shop, window_start) NOT ENFORCED)
WITH ('connector' = 'delta', 'table-path' = 'lake/sums');`
const SUMS = (value: string) => `INSERT INTO sums
SELECT shop, window_start, SUM(${value}) FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(placed_at), INTERVAL '1' MINUTE)) WHERE shop IS NOT NULL GROUP BY shop, window_start, window_end`

async function simulated(code: string, pipeline: string, runs = 10): Promise<Simulated> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-simulate-'))
  try {
    writeFileSync(join(directory, 'f.ts'), `import { scalarFunction, t } from ${LIBRARY}\n${code}`)
    writeFileSync(join(directory, 'kept.ts'), 'export const kept = { rows: 0n }')
    const functions = "CREATE FUNCTION f AS './f.ts#f' LANGUAGE TYPESCRIPT;"
    const tables = code === '' ? TABLES : `${TABLES}${functions}`
    const bound = await boundPipeline({ pipeline, tables, directory })
    return await simulate({ pipeline: bound, directory, seed: 1, runs, events: 40 })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const scalar = (body: string) =>
  `export const f = scalarFunction([t.bigint()], t.bigint(), ${body})`

test('a pipeline that keeps what it promises passes, through crashes at many points and other orders', async () => {
  const found = await simulated('', SUMS('cents'), 12)
  assert.equal(found.failed, undefined)
  assert.ok(found.crashes >= 8 && found.points.length >= 15, JSON.stringify(found))
  assert.ok(found.late > 0 && found.dead > 0 && found.reordered > 0)
  assert.deepEqual([found.clock, found.arrival], [[], []])
})
test('a function of chance is found with one event', async () => {
  const { failed } = await simulated(
    scalar('(n) => BigInt(Math.floor(Math.random() * 1e9)) + (n ?? 0n)'),
    SUMS('f(cents)'),
  )
  assert.ok(failed!.history.steps.length <= 1, historyText(failed!.history))
})

for (const [what, code] of [
  ['a variable of its module', `let rows = 0n\n${scalar('() => ++rows')}`],
  [
    'one of a module that it imports',
    `import { kept } from './kept.ts'\n${scalar('() => ++kept.rows')}`,
  ],
] as const) {
  test(`a function that keeps something in ${what} is found with a crash between few events`, async () => {
    const { failed } = await simulated(code, SUMS('f(cents)'))
    const { failure, before, history } = failed!
    assert.equal(failure.kind, 'crash')
    assert.match(failure.what, /^table sums is not the same as when it is undisturbed/)
    assert.ok(before.length > 40)
    assert.ok(history.steps.filter(isArrival).length <= 2, historyText(history))
    assert.ok(history.steps.length <= 4, historyText(history))
  })
}
test('a query that takes rows as they come is held to the order that they come in, and to no other', async () => {
  const found = await simulated(
    '',
    'SELECT shop, LAST_VALUE(cents) AS cents FROM orders GROUP BY shop',
    3,
  )
  assert.equal(found.failed, undefined)
  assert.equal(found.reordered, 0)
  assert.match(found.arrival.join(), /LAST_VALUE takes rows in the order in which they come/)
})
test('of a query that asks the clock only the counts are held', async () => {
  const found = await simulated('', 'SELECT id, CURRENT_TIMESTAMP AS asked FROM orders', 2)
  assert.equal(found.failed, undefined)
  assert.match(found.clock.join(), /CURRENT_TIMESTAMP\(\) is another each time/)
})
test('what a pipeline stops with is found with the event that stops it', async () => {
  const strict = "CREATE TABLE ids (id BIGINT NOT NULL) WITH ('connector' = 'blackhole');"
  const { failed } = await simulated('', `${strict} INSERT INTO ids SELECT id FROM orders`)
  assert.equal(failed!.failure.kind, 'stopped')
  assert.equal(failed!.history.steps.length, 1)
  assert.match(historyText(failed!.history), /"id":null/)
})
test('a history reads as it was written, and captured events as they are', () => {
  const event = {
    kind: 'event',
    table: 'orders',
    split: 0,
    change: '+I',
    text: '{"id":1}',
  } as const
  const history: History = {
    circumstances: { ...CALM, seed: 7, workers: 2 },
    steps: [
      { ...event, split: 1, appendMs: 1_767_600_000_000, other: 3 },
      { ...event, change: '-D', text: '{ "id": 1 }' },
      { ...event, text: 'oops' },
      { kind: 'checkpoint' },
      { kind: 'crash', how: 'power', at: 'manifest-renamed', nth: 2, workers: 3 },
      { kind: 'crash', how: 'kill' },
      { kind: 'restart', workers: 4 },
    ],
  }
  assert.deepEqual(parseSteps('x.jsonl', historyText(history), ['orders']), history)
  const bare = parseSteps('x.jsonl', '{"id":1}\n\noops\n', ['orders'])
  assert.deepEqual(bare, { steps: [event, { ...event, text: 'oops' }] })
  for (const wrong of [
    '{"id":1}',
    '{"table":"nope","event":1}',
    '{"table":"a","text":"","split":-1}',
  ])
    assert.throws(() => parseSteps('x.jsonl', wrong, ['a', 'b']), {
      code: 'TEST_INVALID',
      message: /^x.jsonl:1: /,
    })
})
