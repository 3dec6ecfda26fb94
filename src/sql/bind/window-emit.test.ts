/** Which windows may be told again, how that is asked for, and which sinks take it. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CONNECTORS } from '../../run/connectors.ts'
import { bindText } from '../bind-text.ts'

const TABLES = `
  CREATE TABLE orders (shop STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
  CREATE TABLE kept (shop STRING, since TIMESTAMP(3), n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'json');
  CREATE TABLE keyed (shop STRING, since TIMESTAMP(3), n BIGINT, PRIMARY KEY (shop, since) NOT ENFORCED)
    WITH ('connector' = 'delta', 'table-path' = 'x');
  CREATE TABLE shops (shop STRING, since TIMESTAMP(3), n BIGINT, PRIMARY KEY (shop) NOT ENFORCED)
    WITH ('connector' = 'delta', 'table-path' = 'x');
`
const select = (hint: string, window = 'TUMBLE', from = 'orders', time = 'ts'): string =>
  `SELECT ${hint} shop, ${window}_START(${time}, INTERVAL '1' MINUTE), COUNT(*) FROM ${from} GROUP BY shop, ${window}(${time}, INTERVAL '1' MINUTE)`
const bind = (sql: string) => bindText(`${TABLES} ${sql}`, 'emit', CONNECTORS)

const REFUSED: Readonly<Record<string, readonly [code: string, sql: string, message: RegExp]>> = {
  'sessions with a hint': [
    'SQL_UNSUPPORTED',
    select("/*+ EMIT('allow-lateness' = '1 s') */", 'SESSION'),
    /sessions are told once/,
  ],
  'sessions by SET': [
    'SQL_UNSUPPORTED',
    `SET 'table.exec.emit.allow-lateness' = '1 s'; ${select('', 'SESSION')}`,
    /sessions are told once/,
  ],
  'an option that is not there': [
    'SQL_OPTION_INVALID',
    select("/*+ EMIT('lateness' = '1 s') */"),
    /'lateness'/,
  ],
  'what is no duration': [
    'SQL_OPTION_INVALID',
    select("/*+ EMIT('allow-lateness' = 'long') */"),
    /'long'/,
  ],
  'late firing without lateness': [
    'SQL_OPTION_INVALID',
    select("/*+ EMIT('late-fire.delay' = '1 s') */"),
    /may be late/,
  ],
  'early firing without a delay': [
    'SQL_OPTION_INVALID',
    `SET 'table.exec.emit.early-fire.enabled' = 'true'; ${select('')}`,
    /no delay/,
  ],
  'enabled by what is no truth': [
    'SQL_OPTION_INVALID',
    `SET 'table.exec.emit.early-fire.enabled' = 'maybe'; ${select('')}`,
    /'maybe'/,
  ],
  'windows of windows that are corrected for longer': [
    'SQL_UNSUPPORTED',
    `SELECT COUNT(*) FROM (SELECT /*+ EMIT('allow-lateness' = '1 min') */ TUMBLE_ROWTIME(ts, INTERVAL '1' SECOND) AS t, COUNT(*)
     FROM orders GROUP BY TUMBLE(ts, INTERVAL '1' SECOND)) GROUP BY TUMBLE(t, INTERVAL '1' MINUTE)`,
    /corrected for 60000 ms/,
  ],
  'a sink that takes rows that stay': [
    'CHANGELOG_REFUSED',
    `INSERT INTO kept ${select("/*+ EMIT('allow-lateness' = '1 s') */")}`,
    /`kept`.*windows that late rows correct/,
  ],
  'a sink that takes rows that stay, for what is told early': [
    'CHANGELOG_REFUSED',
    `INSERT INTO kept ${select("/*+ EMIT('early-fire.delay' = '1 s') */")}`,
    /`kept`.*told early/,
  ],
}

for (const [name, [code, sql, message]] of Object.entries(REFUSED)) {
  test(`refused by name: ${name}`, () => {
    const { errors } = bind(sql)
    assert.deepEqual(
      errors.map((error) => error.code),
      [code],
    )
    assert.match(errors[0]!.message, message)
  })
}

test('EMIT() asks for none of what is SET', () => {
  const { errors } = bind(
    `SET 'table.exec.emit.allow-lateness' = '1 s'; INSERT INTO kept ${select('/*+ EMIT() */', 'SESSION')}`,
  )
  assert.deepEqual(errors, [])
})

test('a sink keyed by the keys and the window is written by it, any other keyed sink keeps all rows', () => {
  const hint = "/*+ EMIT('allow-lateness' = '1 s') */"
  const { errors, pipeline } = bind(
    `INSERT INTO keyed ${select(hint)}; INSERT INTO shops ${select(hint)};`,
  )
  assert.deepEqual(errors, [])
  assert.deepEqual(
    pipeline!.sinks.map(({ materializes }) => materializes ?? false),
    [false, true],
  )
})

test('by the clock nothing is late: a lateness that is SET says nothing there', () => {
  const { queries } = bind(`SET 'table.exec.emit.allow-lateness' = '1 s';
    SELECT COUNT(*) FROM (SELECT shop, PROCTIME() AS p FROM orders) GROUP BY TUMBLE(p, INTERVAL '1' MINUTE)`)
  assert.ok(!JSON.stringify(queries).includes('"emit"'))
})
