/** Rows that wait for an answer: whatever the way of running, each goes on once, with its answer, before the watermark behind it. */
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import test from 'node:test'
import type { PlanNode } from '../../src/plan/nodes.ts'
import { loadUserFunctions } from '../../src/run/user-functions.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { isUnanswerable, squareOf } from '../builders/asked-numbers.ts'
import type { Fed, FedRow } from '../builders/engine-run.ts'
import { fc } from '../builders/properties.ts'
import { runWorkers } from '../builders/workers-run.ts'

const MODULE = resolve('test/builders/asked-numbers.ts')
const FUNCTIONS = await loadUserFunctions(
  ['square', 'squareUnordered'].map((name) => ({ module: MODULE, export: name })),
  '.',
)
const WINDOW_MS = 10

function planOf(query: string): PlanNode {
  const script = `CREATE FUNCTION square AS '${MODULE}#square' LANGUAGE TYPESCRIPT;
    CREATE FUNCTION squareUnordered AS '${MODULE}#squareUnordered' LANGUAGE TYPESCRIPT;
    CREATE TABLE events (n BIGINT, t TIMESTAMP(3), WATERMARK FOR t AS t) WITH ('connector' = 'scripted');
    ${query}`
  const { queries, errors } = bindText(script, 'p', [], FUNCTIONS)
  assert.deepEqual(errors, [])
  return queries[0]!
}

const ORDERED = planOf('SELECT n, square(n) AS s FROM events')
const UNORDERED = planOf('SELECT n, squareUnordered(n) AS s FROM events')
const WINDOWED = planOf(`CREATE VIEW asked AS SELECT squareUnordered(n) AS s, t FROM events;
  SELECT window_start, COUNT(*) AS n, SUM(s) AS s FROM TABLE(TUMBLE(TABLE asked, DESCRIPTOR(t), INTERVAL '0.010' SECOND))
  GROUP BY window_start, window_end`)

// Splits in order of time: nothing is late.
const splits = fc.array(fc.array(fc.nat(40), { minLength: 1, maxLength: 16 }), {
  minLength: 1,
  maxLength: 3,
})
const way = fc.record({
  seed: fc.nat(),
  workers: fc.array(fc.constantFrom(1, 2, 3, 4), { minLength: 1, maxLength: 3 }),
  steps: fc.integer({ min: 1, max: 20 }),
  ringBytes: fc.constantFrom(16, 4096),
  rowsMax: fc.constantFrom(1, 4, 1000),
})

function fedOf(given: readonly (readonly number[])[]): Fed {
  const rows = given.map((numbers) =>
    numbers.map((n, at): FedRow => ({ kind: '+I', row: { n: BigInt(n), t: BigInt(at) * 1000n } })),
  )
  return new Map([['events', rows]])
}

const answered = (numbers: readonly number[]): string[] =>
  numbers.filter((n) => !isUnanswerable(n)).map((n) => `${n} ${squareOf(n)}`)

for (const [name, plan] of Object.entries({ ORDERED, UNORDERED })) {
  test(`each row that has an answer goes on once with it: ${name.toLowerCase()}`, async () => {
    await fc.assert(
      fc.asyncProperty(splits, way, async (given, how) => {
        const { changes } = await runWorkers(plan, fedOf(given), how)
        const told = changes.map(({ row }) => row.join(' '))
        assert.deepEqual(told.sort(), answered(given.flat()).sort())
      }),
      { numRuns: 40 },
    )
  })
}

test('rows of one split keep their order through one worker and its restarts', async () => {
  await fc.assert(
    fc.asyncProperty(splits, way, async ([numbers], how) => {
      const workers = how.workers.map(() => 1)
      const { changes } = await runWorkers(ORDERED, fedOf([numbers!]), { ...how, workers })
      assert.deepEqual(
        changes.map(({ row }) => row.join(' ')),
        answered(numbers!),
      )
    }),
    { numRuns: 40 },
  )
})

test('no watermark passes a row that waits: no window misses one', async () => {
  await fc.assert(
    fc.asyncProperty(splits, way, async (given, how) => {
      const { changes, late } = await runWorkers(WINDOWED, fedOf(given), how)
      assert.equal(late, 0)
      const told = changes.map(({ row }) => row.join(' '))
      assert.deepEqual(told.sort(), windowsOf(given).sort())
    }),
    { numRuns: 30 },
  )
})

function windowsOf(given: readonly (readonly number[])[]): string[] {
  const windows = new Map<number, number[]>()
  for (const numbers of given) {
    for (const [at, n] of numbers.entries()) {
      const start = at - (at % WINDOW_MS)
      if (!isUnanswerable(n)) windows.set(start, [...(windows.get(start) ?? []), squareOf(n)])
    }
  }
  return [...windows].map(([start, squares]) => {
    return `${start * 1000} ${squares.length} ${squares.reduce((sum, each) => sum + each, 0)}`
  })
}
