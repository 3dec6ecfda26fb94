/** Any number of workers, in any order of turns, over rings of one batch or less, with restarts into other numbers, gives what one worker gives. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { bindText } from '../../src/sql/bind-text.ts'
import {
  type Changed,
  collected,
  type Fed,
  type FedRow,
  SPILLED,
  tableOf,
} from '../builders/engine-run.ts'
import { fc } from '../builders/properties.ts'
import { runWorkers, type WorkersWay } from '../builders/workers-run.ts'

const ONE: WorkersWay = { seed: 1, workers: [1], steps: 0, ringBytes: 1 << 20, rowsMax: 1000 }
const QUERIES = [
  'SELECT k, v, d FROM events WHERE v > 0',
  'SELECT k, COUNT(*) AS c, SUM(v) AS s, MAX(k) AS m FROM events GROUP BY k',
  'SELECT COUNT(*) AS c, SUM(d) AS s FROM events',
  'SELECT k, COUNT(DISTINCT v) AS c FROM events GROUP BY k',
  'SELECT c, COUNT(*) AS n FROM (SELECT k, COUNT(*) AS c FROM events GROUP BY k) GROUP BY c',
  `SELECT k, COUNT(*) AS c, SUM(d) AS s, window_start
   FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(t), INTERVAL '5' SECOND))
   GROUP BY k, window_start, window_end`,
  `SELECT COUNT(DISTINCT k) AS c, MAX(v) AS m, window_start
   FROM TABLE(HOP(TABLE events, DESCRIPTOR(t), INTERVAL '2' SECOND, INTERVAL '6' SECOND))
   GROUP BY window_start, window_end`,
  `SELECT k, COUNT(*) AS c, SUM(v) AS s, AVG(d) AS a, window_start
   FROM TABLE(HOP(TABLE events, DESCRIPTOR(t), INTERVAL '1' SECOND, INTERVAL '9' SECOND))
   GROUP BY k, window_start, window_end`,
  'SELECT DISTINCT k FROM (SELECT k FROM events UNION ALL SELECT k FROM other)',
]

const row = fc.record({
  k: fc.oneof(fc.constantFrom('hot', '', null), fc.string({ maxLength: 120 })),
  v: fc.oneof(fc.bigInt({ min: -2n, max: 4n }), fc.constant(null)),
  d: fc.constantFrom('1.50', '-2.25', null),
  t: fc.integer({ min: 0, max: 40_000 }).map((ms) => BigInt(ms) * 1000n),
})
const splits = fc.array(fc.array(row, { minLength: 1, maxLength: 20 }), {
  minLength: 1,
  maxLength: 5,
})
const way = fc.record({
  seed: fc.nat(),
  workers: fc.array(fc.constantFrom(1, 2, 3, 4), { minLength: 1, maxLength: 4 }),
  steps: fc.integer({ min: 1, max: 30 }),
  ringBytes: fc.constantFrom(16, 256, 65536),
  rowsMax: fc.constantFrom(1, 4, 1000),
  settings: fc.constantFrom({}, SPILLED),
})

for (const query of QUERIES) {
  test(`workers change nothing: ${query.replaceAll(/\s+/g, ' ')}`, async () => {
    await fc.assert(
      fc.asyncProperty(splits, splits, way, async (events, other, given) => {
        const fed = fedOf(events, other)
        const expected = await runWorkers(planOf(query), fed, ONE)
        const ran = await runWorkers(planOf(query), fed, given)
        assert.deepEqual(tableOf(ran.changes), tableOf(expected.changes))
        assert.equal(ran.late, 0)
      }),
      { numRuns: 12 },
    )
  })
}

for (const query of QUERIES.filter((each) => /TUMBLE|HOP/.test(each))) {
  test(`late rows are told whole, wherever their group is: ${query.replaceAll(/\s+/g, ' ')}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), way, async (rows, given) => {
        const fed: Fed = new Map([
          ['events', [rows.map((each): FedRow => ({ kind: '+I', row: each }))]],
        ])
        const expected = await runWorkers(planOf(query), fed, ONE)
        const ran = await runWorkers(planOf(query), fed, given)
        assert.deepEqual(ran.lateRows.toSorted(), expected.lateRows.toSorted())
        assert.deepEqual(tableOf(ran.changes), tableOf(expected.changes))
      }),
      { numRuns: 40 },
    )
  })
}

test('one hot key is counted by one worker, and the others go on', async () => {
  const rows = Array.from({ length: 500 }, (_, at) => ({ k: 'hot', v: BigInt(at), d: null, t: 0n }))
  const fed = fedOf([rows, rows, rows, rows], [])
  const ran = await runWorkers(planOf(QUERIES[1]!), fed, {
    ...ONE,
    workers: [4],
    ringBytes: 1024,
    rowsMax: 50,
  })
  assert.equal(ran.shares.filter((share) => share > 0).length, 1)
  assert.deepEqual(tableOf(ran.changes), ['["hot","2000n","499000n","hot"]'])
})

test('rows of one primary key are written by one writer', async () => {
  const rows = Array.from({ length: 40 }, (_, at) => ({ k: 'key', v: BigInt(at), d: null, t: 0n }))
  const ran = await runWorkers(
    planOf('SELECT k, v, d FROM events'),
    fedOf([rows, rows, rows], []),
    { ...ONE, workers: [3], rowsMax: 7, primaryKey: ['k'] },
  )
  assert.deepEqual(
    ran.shares.toSorted((a, b) => a - b),
    [0, 0, 120],
  )
})

test('a sink that is full is waited for, and nothing is lost or doubled', async () => {
  const rows = Array.from({ length: 200 }, (_, at) => ({ k: `${at % 7}`, v: 1n, d: null, t: 0n }))
  const ran = await runWorkers(planOf(QUERIES[0]!), fedOf([rows, rows], []), {
    ...ONE,
    workers: [2, 4],
    steps: 3,
    rowsMax: 10,
    ringBytes: 256,
    sink: stalling,
  })
  assert.equal(ran.changes.length, 400)
})

/** Full after every write, until it is drained. */
function stalling(changes: Changed[]) {
  const inner = collected(changes)
  const { sink } = inner
  assert.ok(sink !== undefined)
  return {
    ...inner,
    sink: {
      ...sink,
      open: async (request: Parameters<typeof sink.open>[0]) => {
        const opened = await sink.open(request)
        return {
          ...opened,
          openWriter: async (...given: Parameters<typeof opened.openWriter>) => {
            const writer = await opened.openWriter(...given)
            let full = false
            return {
              ...writer,
              get full() {
                return full
              },
              write(batch: Parameters<typeof writer.write>[0]) {
                assert.equal(full, false)
                writer.write(batch)
                full = true
              },
              drain: async () => {
                full = false
              },
            }
          },
        }
      },
    },
  }
}

function planOf(query: string) {
  const table = (name: string) =>
    `CREATE TABLE ${name} (k STRING, v BIGINT, d DECIMAL(30, 2), t TIMESTAMP(3),
       WATERMARK FOR t AS t) WITH ('connector' = 'scripted');`
  const { queries, errors } = bindText(
    `${table('events')} ${table('other')} ${query}`,
    'property',
    [],
  )
  assert.deepEqual(errors, [])
  return queries[0]!
}

/** Each split in order of time: none of its rows is late, whoever reads it. */
function fedOf(events: readonly (readonly FedRow['row'][])[], other: typeof events): Fed {
  const splitsOf = (all: typeof events) =>
    all.map((rows) =>
      rows
        .toSorted((left, right) => Number((left.t as bigint) - (right.t as bigint)))
        .map((each): FedRow => ({ kind: '+I', row: each })),
    )
  return new Map([
    ['events', splitsOf(events)],
    ['other', splitsOf(other)],
  ])
}
