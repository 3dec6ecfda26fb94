import assert from 'node:assert/strict'
import test from 'node:test'
import { bindText } from '../sql/bind-text.ts'
import { growthsOf } from './growth.ts'

const TABLES = `CREATE TABLE t (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'none');
  CREATE TABLE u (k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'none');
  CREATE TABLE r (k STRING, rate INT, ts TIMESTAMP(3), PRIMARY KEY (k) NOT ENFORCED, WATERMARK FOR ts AS ts) WITH ('connector' = 'none');`
const NUMBERED = 'SELECT k, v, ROW_NUMBER() OVER'
const PATTERN =
  'SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES A.v AS a PATTERN (A B)'

const CASES: readonly (readonly [sql: string, ...grows: string[]])[] = [
  ['SELECT k, v + 1 FROM t WHERE v > 1'],
  ['SELECT k, COUNT(*) FROM t GROUP BY k', 'an entry for each different k'],
  ['SELECT COUNT(*) FROM t'],
  [
    'SELECT COUNT(DISTINCT v) FROM t',
    'an entry for the whole, and each different value of its DISTINCT',
  ],
  ['SELECT DISTINCT k, v FROM t', 'an entry for each different k, v'],
  ["SELECT /*+ STATE_TTL('t' = '1 d') */ k, COUNT(*) FROM t GROUP BY k"],
  [
    "SELECT k, COUNT(*) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR)) GROUP BY k, window_start, window_end",
  ],
  ["SELECT t.k FROM t JOIN u ON t.k = u.k AND t.ts BETWEEN u.ts - INTERVAL '1' HOUR AND u.ts"],
  ['SELECT t.k FROM t JOIN u ON t.k = u.k', 'every row of both sides'],
  [
    "SELECT /*+ STATE_TTL('t' = '1 d') */ t.k FROM t JOIN u ON t.k = u.k",
    'every row of the right side',
  ],
  [
    'SELECT t.k FROM t JOIN r FOR SYSTEM_TIME AS OF t.ts ON t.k = r.k',
    'the newest row of each different k on the right',
  ],
  ['SELECT SUM(v) OVER (PARTITION BY k ORDER BY ts) FROM t', 'rows of a frame of each different k'],
  [
    "SELECT SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW) FROM t",
  ],
  ['SELECT SUM(v) OVER (PARTITION BY k ORDER BY v) FROM t', 'every row'],
  [
    `SELECT * FROM (${NUMBERED} (PARTITION BY k ORDER BY v) AS n FROM t) WHERE n <= 3`,
    '3 rows of each different k',
  ],
  [`SELECT * FROM (${NUMBERED} (ORDER BY v) AS n FROM t) WHERE n <= 3`],
  [
    `SELECT k, v FROM (${NUMBERED} (PARTITION BY k ORDER BY ts) AS n FROM t) WHERE n = 1`,
    'a row of each different k',
  ],
  [`${PATTERN} DEFINE B AS v > 1)`, 'the matches that have begun of each different k'],
  [`${PATTERN} WITHIN INTERVAL '1' HOUR DEFINE B AS v > 1)`],
  ['SELECT * FROM t ORDER BY ts'],
]

for (const [sql, ...grows] of CASES) {
  test(`${grows.length === 0 ? 'bounded' : `grows: ${grows}`}: ${sql.replaceAll(/\s+/g, ' ')}`, () => {
    const { queries, errors } = bindText(`${TABLES}${sql}`, 'p', [])
    assert.deepEqual(errors, [])
    const found = growthsOf(queries[0]!)
    assert.deepEqual(
      found.map((each) => each.grows),
      grows,
    )
    for (const { bound } of found) assert.notEqual(bound, '')
  })
}
