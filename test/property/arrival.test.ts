/**
 * Any order of arrival in which no row is late gives the same tables, wherever the plan does not say that it depends on it; where it says
 * so of rows that tie, rows that do not.
 */
import assert from 'node:assert/strict'
import test from 'node:test'
import { arrivalDependences } from '../../src/plan/arrival-order.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import type { Plain } from '../builders/batch.ts'
import { type Fed, type FedRow, runWay, tableOf, type Way } from '../builders/engine-run.ts'
import { fc } from '../builders/properties.ts'

const BOUND_MS = 3000

const TABLES = `
  CREATE TABLE events (k STRING, v BIGINT, d DECIMAL(10, 2), x DOUBLE, t TIMESTAMP(3), p AS PROCTIME(),
    WATERMARK FOR t AS t - INTERVAL '3' SECOND) WITH ('connector' = 'scripted');
  CREATE TABLE other (k STRING, w BIGINT, u TIMESTAMP(3), WATERMARK FOR u AS u - INTERVAL '3' SECOND)
    WITH ('connector' = 'scripted');
  CREATE VIEW versions AS SELECT k, w, u FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY u DESC) AS n FROM other) WHERE n = 1;`
const windowed = (call: string) => `TABLE(${call})`
const TUMBLE = windowed("TUMBLE(TABLE events, DESCRIPTOR(t), INTERVAL '4' SECOND)")
const HOP = windowed("HOP(TABLE events, DESCRIPTOR(t), INTERVAL '2' SECOND, INTERVAL '6' SECOND)")
const CUMULATE = windowed(
  "CUMULATE(TABLE events, DESCRIPTOR(t), INTERVAL '2' SECOND, INTERVAL '8' SECOND)",
)
const SESSION = windowed("SESSION(TABLE events PARTITION BY k, DESCRIPTOR(t), INTERVAL '2' SECOND)")
const OTHERS = windowed("TUMBLE(TABLE other, DESCRIPTOR(u), INTERVAL '4' SECOND)")
const counted = (from: string) =>
  `SELECT k, window_start, COUNT(*) AS c, SUM(v) AS s, MAX(d) AS m, COUNT(DISTINCT v) AS n FROM ${from} GROUP BY k, window_start, window_end`

const NEVER: readonly string[] = [
  'SELECT k, v + 1 AS v FROM events WHERE v > 0',
  'SELECT k, COUNT(*) AS c, SUM(d) AS s, AVG(v) AS a, MIN(k) AS m FROM events GROUP BY k HAVING COUNT(*) > 1',
  'SELECT c, COUNT(*) AS n FROM (SELECT k, COUNT(*) AS c FROM events GROUP BY k) GROUP BY c',
  'SELECT k, v, COUNT(*) AS c FROM events GROUP BY ROLLUP (k, v)',
  'SELECT DISTINCT k, v FROM events',
  'SELECT k FROM events EXCEPT SELECT k FROM other',
  'SELECT k, v FROM events INTERSECT ALL SELECT k, w FROM other',
  counted(TUMBLE),
  counted(HOP),
  counted(CUMULATE),
  counted(SESSION),
  `SELECT k, window_start, window_end, v FROM ${SESSION}`,
  `SELECT e.k, e.v, o.w FROM ${TUMBLE} AS e JOIN ${OTHERS} AS o ON e.k = o.k AND e.window_start = o.window_start AND e.window_end = o.window_end`,
  `SELECT e.k, e.v, o.w FROM ${TUMBLE} AS e FULL JOIN ${OTHERS} AS o ON e.k = o.k AND e.window_start = o.window_start AND e.window_end = o.window_end`,
  'SELECT e.k, e.v, o.w FROM events AS e LEFT JOIN other AS o ON e.k = o.k AND e.v < o.w',
  'SELECT e.k, e.v FROM events AS e WHERE NOT EXISTS (SELECT 1 FROM other AS o WHERE o.k = e.k)',
  "SELECT e.k, e.v, o.w FROM events AS e FULL JOIN other AS o ON e.k = o.k AND e.t BETWEEN o.u - INTERVAL '2' SECOND AND o.u + INTERVAL '1' SECOND",
  'SELECT k, v, t FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, t, d, x) AS n FROM (SELECT k, v, d, x, t FROM events)) WHERE n <= 2',
  'SELECT k, v, n FROM (SELECT k, v, RANK() OVER (PARTITION BY k ORDER BY v) AS n FROM events) WHERE n <= 2',
  'SELECT k, c FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY c DESC, k) AS n FROM (SELECT k, COUNT(*) AS c FROM events GROUP BY k)) WHERE n <= 2',
  `SELECT k, c FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY c DESC, k) AS n
     FROM (SELECT k, window_start, window_end, COUNT(*) AS c FROM ${TUMBLE} GROUP BY k, window_start, window_end)) WHERE n = 1`,
  "SELECT k, v, SUM(d) OVER (PARTITION BY k ORDER BY t RANGE BETWEEN INTERVAL '3' SECOND PRECEDING AND CURRENT ROW) AS s FROM events",
  'SELECT k, v, COUNT(*) OVER (PARTITION BY k ORDER BY v) AS c, RANK() OVER (PARTITION BY k ORDER BY v) AS r FROM events',
  'SELECT k, v FROM events WHERE v > (SELECT AVG(w) FROM other)',
]

const TIES: readonly string[] = [
  'SELECT k, v, t FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY t) AS n FROM events) WHERE n = 1',
  'SELECT k, v, t FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY t DESC) AS n FROM events) WHERE n = 1',
  'SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY t DESC) AS n FROM events) WHERE n <= 2',
  'SELECT k, v, SUM(v) OVER (PARTITION BY k ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s FROM events',
  'SELECT k, v, LAG(v) OVER (PARTITION BY k ORDER BY t) AS l, FIRST_VALUE(v) OVER (PARTITION BY k ORDER BY t) AS f FROM events',
  'SELECT e.k, e.v, o.w FROM events AS e LEFT JOIN versions FOR SYSTEM_TIME AS OF e.t AS o ON e.k = o.k',
  `SELECT * FROM events MATCH_RECOGNIZE (PARTITION BY k ORDER BY t MEASURES FIRST(A.v) AS f, COUNT(A.v) AS c, B.v AS b
     AFTER MATCH SKIP TO NEXT ROW PATTERN (A+ B) WITHIN INTERVAL '5' SECOND DEFINE A AS v < 3, B AS v >= 3)`,
  `SELECT k, n, c, v FROM (SELECT k, v, t FROM events) MATCH_RECOGNIZE (PARTITION BY k ORDER BY t MEASURES MATCH_NUMBER() AS n, CLASSIFIER() AS c
     ALL ROWS PER MATCH WITH UNMATCHED ROWS PATTERN (A B+ C) DEFINE B AS v > PREV(v), C AS v < PREV(v) AND v < NEXT(v))`,
  `SELECT k, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end, k ORDER BY t) AS n FROM ${TUMBLE}) WHERE n <= 2`,
]

/** What is said, and a query of which it is said. */
const ALWAYS: readonly (readonly [RegExp, string])[] = [
  [/^LAST_VALUE takes/, 'SELECT k, LAST_VALUE(v) AS v FROM events GROUP BY k'],
  [
    /^LISTAGG takes/,
    `SELECT window_start, LISTAGG(k) AS ks FROM ${TUMBLE} GROUP BY window_start, window_end`,
  ],
  [/^SUM of DOUBLE rounds/, 'SELECT k, SUM(x) AS s FROM events GROUP BY k'],
  [/^the first rows are those that come first/, 'SELECT k, v FROM events LIMIT 2'],
  [
    /^the clock.*windows$/,
    "SELECT COUNT(*) AS c FROM TABLE(TUMBLE(TABLE events, DESCRIPTOR(p), INTERVAL '1' SECOND)) GROUP BY window_start, window_end",
  ],
  [/^CURRENT_WATERMARK is/, 'SELECT k, v FROM events WHERE t > CURRENT_WATERMARK(t)'],
  [/^PROCTIME is another/, 'SELECT k, p FROM events'],
  [/^PROCTIME is another/, "SELECT k, p + INTERVAL '1' SECOND AS p FROM events"],
  [/^RAND is another/, 'SELECT k, RAND() AS r FROM events'],
]

const row = fc.record({
  k: fc.constantFrom('a', 'b', 'c', null),
  v: fc.bigInt(0n, 5n),
  d: fc.constantFrom('1.50', '-2.25', '7.00'),
  x: fc.constantFrom(0.1, 1e17, -1e17, 0.7),
  jump: fc.constantFrom(0, 0, 500, 1500, 4000),
  shiftMs: fc.nat(BOUND_MS - 1),
})
type Row = typeof row extends fc.Arbitrary<infer Value> ? Value : never
const rows = fc.array(row, { minLength: 1, maxLength: 20 })
const way = fc.record({
  rowsMax: fc.constantFrom(1, 3, 1000),
  schedule: fc.array(
    fc.record({
      split: fc.constantFrom('events/0', 'other/0'),
      rows: fc.integer({ min: 1, max: 4 }),
    }),
    { maxLength: 12 },
  ),
})

for (const [queries, when] of [
  [NEVER, 'never'],
  [TIES, 'ties'],
] as const) {
  for (const query of queries) {
    const title = query.replaceAll(/\s+/g, ' ')
    test(`the order of arrival changes nothing${when === 'ties' ? ' where no rows tie' : ''}: ${title}`, async () => {
      const plan = planOf(query)
      const said = arrivalDependences(plan)
      if (when === 'never') assert.deepEqual(said, [])
      else assert.deepEqual([...new Set(said.map((each) => each.when))], ['ties'])
      await fc.assert(
        fc.asyncProperty(rows, rows, way, async (events, other, given) => {
          const isDistinct = when === 'ties'
          const inOrder = fedOf(events, other, isDistinct, false)
          const expected = await runWay(plan, inOrder, {})
          const ran = await runWay(
            plan,
            fedOf(events, other, isDistinct, true),
            scheduled(given, inOrder, query),
          )
          assert.deepEqual([ran.late, expected.late], [[], []])
          assert.deepEqual(tableOf(ran.changes), tableOf(expected.changes))
        }),
        { numRuns: 12 },
      )
    })
  }
}

for (const [because, query] of ALWAYS) {
  test(`the plan says that it depends on the order of arrival: ${query}`, () => {
    const said = arrivalDependences(planOf(query))
    assert.ok(
      said.some((each) => each.when === 'always' && because.test(each.because)),
      JSON.stringify(said),
    )
  })
}

test('what ties is said of queries that another order of equal rows does change', async () => {
  const tied: Row[] = [1n, 2n, 3n].map((v) => ({
    k: 'a',
    v,
    d: '1.50',
    x: 0.1,
    jump: 0,
    shiftMs: Number(3n - v),
  }))
  const changed = await Promise.all(
    TIES.slice(0, 5).map(async (query) => {
      const [one, another] = await Promise.all(
        [false, true].map((shifted) => runWay(planOf(query), fedOf(tied, [], false, shifted), {})),
      )
      return JSON.stringify(tableOf(one!.changes)) !== JSON.stringify(tableOf(another!.changes))
    }),
  )
  assert.deepEqual(changed, [true, true, true, true, true])
})

function planOf(query: string) {
  const { queries, errors } = bindText(`${TABLES} ${query}`, 'arrival', [])
  assert.deepEqual(errors, [], query)
  return queries[0]!
}

/** In the order of time; `isShifted`: each row comes later by its shift. */
function fedOf(
  events: readonly Row[],
  other: readonly Row[],
  isDistinct: boolean,
  isShifted: boolean,
): Fed {
  const split = (given: readonly Row[], of: (row: Row, t: bigint) => Record<string, Plain>) => {
    let ms = 0
    const timed = given.map((each, index) => {
      ms += each.jump
      const at = BigInt(ms + (isDistinct ? index : 0)) * 1000n
      return { at, shift: isShifted ? BigInt(each.shiftMs) * 1000n : 0n, row: of(each, at) }
    })
    const ordered = sorted(timed, ({ at, shift }) => at + shift)
    return [ordered.map(({ row }): FedRow => ({ kind: '+I', row }))]
  }
  return new Map([
    ['events', split(events, ({ k, v, d, x }, t) => ({ k, v, d, x, t }))],
    ['other', split(other, ({ k, v }, u) => ({ k, w: v, u }))],
  ])
}

function sorted<Item>(items: readonly Item[], keyOf: (item: Item, at: number) => bigint): Item[] {
  const keyed = items.map((item, at) => ({ item, key: keyOf(item, at), at }))
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.at - b.at))
  return keyed.map(({ item }) => item)
}

/** Only of splits that are read, and as long as there are rows. */
function scheduled(given: Way, fed: Fed, query: string): Way {
  const left = new Map(
    [...fed].map(([table, [split]]) => [
      `${table}/0`,
      new RegExp(`\\b(${table}|${table === 'other' ? 'versions' : table})\\b`).test(query)
        ? split!.length
        : 0,
    ]),
  )
  const schedule = (given.schedule ?? []).filter(({ split, rows }) => {
    const rest = (left.get(split) ?? 0) - rows
    left.set(split, rest)
    return rest >= 0
  })
  return { ...given, schedule }
}
