/** Queries that were written to take for ever, or all memory: each is refused, or done at once. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { open } from '../../src/index.ts'

const TABLES = `CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'values', 'data' = '{"a":1,"s":"${'a'.repeat(4000)}!"}')`

const many = (count: number, of: (index: number) => string, between: string): string =>
  Array.from({ length: count }, (_, index) => of(index)).join(between)
const nested = (count: number, open: string, inner: string, close: string): string =>
  `${open.repeat(count)}${inner}${close.repeat(count)}`

const TERMS = /more than \d+ terms/
const LEVELS = /nested more than \d+ levels/
const SIZE = /too large once its views and joins are written out/

const REFUSED: readonly (readonly [name: string, sql: string, message: RegExp])[] = [
  ['10,000 terms', `SELECT a${' + 1'.repeat(10_000)} FROM t`, TERMS],
  ['10,000 texts', `SELECT ${'s || '.repeat(10_000)}s FROM t`, TERMS],
  [
    '10,000 conditions',
    `SELECT a FROM t WHERE ${many(10_000, (n) => `a <> ${n}`, ' AND ')}`,
    TERMS,
  ],
  ['10,000 choices', `SELECT a FROM t WHERE ${many(10_000, (n) => `a = ${n}`, ' OR ')}`, TERMS],
  [
    '10,000 cases',
    `SELECT CASE ${many(10_000, (n) => `WHEN a = ${n} THEN 1`, ' ')} END FROM t`,
    TERMS,
  ],
  ['10,000 fields', `SELECT a${'.b'.repeat(10_000)} FROM t`, TERMS],
  ['1,000 parentheses', `SELECT ${nested(1000, '(', 'a', ')')} FROM t`, LEVELS],
  ['1,000 calls', `SELECT ${nested(1000, 'ABS(', 'a', ')')} FROM t`, LEVELS],
  ['10,000 NOTs', `SELECT a FROM t WHERE ${'NOT '.repeat(10_000)}TRUE`, LEVELS],
  [
    '1,000 cases within another',
    `SELECT ${nested(1000, 'CASE WHEN TRUE THEN ', '1', ' END')}`,
    LEVELS,
  ],
  ['1,000 subqueries', `SELECT * FROM ${nested(1000, '(SELECT * FROM ', 't', ')')}`, LEVELS],
  ['1,000 arrays of arrays', `SELECT ${nested(1000, 'ARRAY[', 'a', ']')} FROM t`, LEVELS],
  [
    'a type of 1,000 levels',
    `SELECT CAST(NULL AS ${nested(1000, 'ARRAY<', 'INT', '>')}) FROM t`,
    LEVELS,
  ],
  [
    'a row of 1,000 levels',
    `SELECT CAST(NULL AS ${nested(1000, 'ROW<r ', 'INT', '>')}) FROM t`,
    LEVELS,
  ],
  [
    'views that double 30 times',
    `WITH q0 AS (SELECT * FROM t), ${many(
      30,
      (n) => `q${n + 1} AS (SELECT * FROM q${n} UNION ALL SELECT * FROM q${n})`,
      ', ',
    )} SELECT * FROM q30`,
    SIZE,
  ],
  [
    '300 joins',
    `SELECT 1 FROM t ${many(300, (n) => `JOIN t AS t${n} ON t.a = t${n}.a`, ' ')}`,
    SIZE,
  ],
  [
    'a cube of 30 columns',
    `SELECT 1 FROM (SELECT ${many(30, (n) => `a AS a${n}`, ', ')} FROM t) GROUP BY CUBE (${many(30, (n) => `a${n}`, ', ')})`,
    /more than 4096 grouping sets/,
  ],
]

for (const [name, sql, message] of REFUSED) {
  test(`refused: ${name}`, async () => {
    await using db = await open({ tables: TABLES })
    assert.throws(
      () => db.query(sql),
      (error: Error & { hint?: string }) => message.test(error.message) && error.hint !== undefined,
    )
  })
}

const DONE: readonly (readonly [sql: string, value: unknown])[] = [
  ["SELECT REGEXP_EXTRACT(s, '(a+)+$', 0) AS v FROM t", null],
  ["SELECT REGEXP(s, '^(a|a)*$') AS v FROM t", false],
  ["SELECT REGEXP_COUNT(s, '(a*)*b') AS v FROM t", 0],
  ["SELECT REGEXP_REPLACE(s, '^(([a-z])+.)+[A-Z]([a-z])+$', '') = s AS v FROM t", true],
  ["SELECT REGEXP_INSTR(s, '(a|aa)+\\?') AS v FROM t", 0],
  [`SELECT s LIKE '${'%a'.repeat(200)}%b' AS v FROM t`, false],
  [`SELECT a IN (${many(10_000, (n) => `${n}`, ', ')}) AS v FROM t`, true],
  [`SELECT COALESCE(${'NULLIF(a, 1), '.repeat(5000)}7) AS v FROM t`, 7],
]

test('bounded: regular expressions, LIKE and lists that would take long', async () => {
  await using db = await open({ tables: TABLES })
  for (const [sql, value] of DONE)
    assert.deepEqual(
      (await db.query(sql).rows()).map(({ v }) => v),
      [value],
      sql.slice(0, 80),
    )
})

test('a regular expression that nothing bounds sets its row aside', async () => {
  await using db = await open({ tables: TABLES })
  const rows = await db.query("SELECT REGEXP(s, '(a+)+(?=x)') AS v FROM t").rows()
  assert.deepEqual(rows, [])
})
