/** What can't be bound is told with its code, its place and a way out, all of it at once, and nothing twice. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CONNECTORS } from '../../run/connectors.ts'
import { bindText } from '../bind-text.ts'

const TABLES = `
  CREATE TABLE orders (id BIGINT NOT NULL, shop STRING, amount DECIMAL(10, 2), place ROW<city STRING, zip INT>,
    ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
  CREATE TABLE plain (id INT, shop STRING) WITH ('connector' = 'datagen');
  CREATE TABLE results (shop STRING, n BIGINT NOT NULL) WITH ('connector' = 'print');
`

/** «...» marks the place that is to be underlined. */
interface Refusal {
  readonly sql: string
  readonly code: string
  readonly hint?: string
}

const QUERIES: readonly Refusal[] = [
  { sql: 'SELECT «shp» FROM orders', code: 'SQL_COLUMN_UNKNOWN', hint: 'did you mean `shop`?' },
  {
    sql: 'SELECT o.«shp» FROM orders AS o',
    code: 'SQL_COLUMN_UNKNOWN',
    hint: 'did you mean `shop`?',
  },
  {
    sql: 'SELECT place.«cty» FROM orders',
    code: 'SQL_COLUMN_UNKNOWN',
    hint: 'did you mean `city`?',
  },
  { sql: 'SELECT shop.«x» FROM orders', code: 'SQL_COLUMN_UNKNOWN', hint: 'only a ROW has fields' },
  { sql: 'SELECT shop FROM «ordrs»', code: 'SQL_TABLE_UNKNOWN', hint: 'did you mean `orders`?' },
  {
    sql: 'SELECT shop FROM «zzzzzzzz»',
    code: 'SQL_TABLE_UNKNOWN',
    hint: 'tables: orders, plain, results',
  },
  {
    sql: 'SELECT «UPER»(shop) FROM orders',
    code: 'SQL_FUNCTION_UNKNOWN',
    hint: 'did you mean `UPPER`?',
  },
  {
    sql: 'SELECT «x» FROM (SELECT id AS x, shop AS x FROM orders) AS t (x, x)',
    code: 'SQL_COLUMN_AMBIGUOUS',
  },
  {
    sql: 'SELECT shop, «amount», COUNT(*) FROM orders GROUP BY shop',
    code: 'SQL_COLUMN_UNGROUPED',
  },
  {
    sql: 'SELECT shop, UPPER(«place.city») FROM orders GROUP BY shop',
    code: 'SQL_COLUMN_UNGROUPED',
  },
  { sql: 'SELECT «*» FROM orders GROUP BY shop', code: 'SQL_COLUMN_UNGROUPED' },
  {
    sql: 'SELECT shop FROM orders GROUP BY shop HAVING «amount» > 1',
    code: 'SQL_COLUMN_UNGROUPED',
  },
  { sql: 'SELECT shop FROM orders WHERE «COUNT(*)» > 1', code: 'SQL_AGGREGATE_MISPLACED' },
  { sql: 'SELECT SUM(«COUNT(*)») FROM orders', code: 'SQL_AGGREGATE_MISPLACED' },
  { sql: 'SELECT 1 FROM orders GROUP BY «MAX(id)»', code: 'SQL_AGGREGATE_MISPLACED' },
  { sql: 'SELECT «UPPER(DISTINCT shop)» FROM orders', code: 'SQL_AGGREGATE_MISPLACED' },
  { sql: 'SELECT «SUM(shop)» FROM orders', code: 'SQL_TYPE_MISMATCH' },
  { sql: 'SELECT «shop + ts» FROM orders', code: 'SQL_TYPE_MISMATCH' },
  { sql: 'SELECT * FROM orders WHERE «amount»', code: 'SQL_TYPE_MISMATCH' },
  { sql: 'SELECT «CASE WHEN id > 1 THEN ts ELSE 1 END» FROM orders', code: 'SQL_TYPE_MISMATCH' },
  { sql: 'SELECT «CAST(place AS INT)» FROM orders', code: 'SQL_TYPE_MISMATCH' },
  { sql: "SELECT DATE «'2026-02-30'»", code: 'SQL_SYNTAX' },
  { sql: "SELECT «INTERVAL '1:2' DAY»", code: 'SQL_SYNTAX' },
  { sql: `SELECT «${'9'.repeat(39)}»`, code: 'SQL_TYPE_MISMATCH' },
  { sql: 'SELECT «1E999»', code: 'SQL_TYPE_MISMATCH' },
  { sql: 'SELECT «-shop» FROM orders', code: 'SQL_TYPE_MISMATCH' },
  { sql: '«VALUES (1, 2), (3)»', code: 'SQL_TYPE_MISMATCH' },
  {
    sql: '«SELECT id FROM orders UNION ALL SELECT id, shop FROM orders»',
    code: 'SQL_TYPE_MISMATCH',
  },
  {
    sql: 'SELECT id FROM orders ORDER BY «2»',
    code: 'SQL_COLUMN_UNKNOWN',
    hint: 'the columns are 1 to 1',
  },
  { sql: 'SELECT DISTINCT id FROM orders ORDER BY «shop»', code: 'SQL_COLUMN_UNKNOWN' },
  {
    sql: "SELECT * FROM orders «/*+ OPTIONS('rows-per-secnd' = '1') */»",
    code: 'SQL_OPTION_INVALID',
    hint: "did you mean 'rows-per-second'?",
  },
  {
    sql: "SELECT COUNT(*) FROM TABLE(TUMBLE(TABLE plain, DESCRIPTOR(«id»), INTERVAL '1' HOUR)) GROUP BY window_start, window_end",
    code: 'SQL_WINDOW_INVALID',
  },
  {
    sql: "SELECT COUNT(*) FROM TABLE(HOP(TABLE orders, DESCRIPTOR(ts), «INTERVAL '7' SECOND», INTERVAL '10' SECOND)) GROUP BY window_start, window_end",
    code: 'SQL_WINDOW_INVALID',
  },
  {
    sql: 'SELECT 1 FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), «5»))',
    code: 'SQL_WINDOW_INVALID',
    hint: "write INTERVAL '1' MINUTE",
  },
  {
    sql: "SELECT 1 FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(«tts»), INTERVAL '1' HOUR))",
    code: 'SQL_COLUMN_UNKNOWN',
    hint: 'did you mean `ts`?',
  },
]

/** Joins, OVER, windows and subqueries. */
const RELATIONS: readonly Refusal[] = [
  {
    sql: 'SELECT «shop» FROM orders JOIN plain ON orders.id = plain.id',
    code: 'SQL_COLUMN_AMBIGUOUS',
  },
  {
    sql: 'SELECT 1 FROM orders o JOIN plain p ON «o.shop»',
    code: 'SQL_TYPE_MISMATCH',
    hint: 'compare it with something',
  },
  {
    sql: 'SELECT 1 FROM orders o JOIN plain p «WHERE» o.id = p.id',
    code: 'SQL_SYNTAX',
    hint: 'write what joins the tables: ON a.id = b.id, USING (id), or CROSS JOIN for all pairs',
  },
  { sql: 'SELECT 1 FROM orders o JOIN plain p USING («idd»)', code: 'SQL_COLUMN_UNKNOWN' },
  {
    sql: "SELECT «/*+ STATE_TTL('o' = 'soon') */» o.id FROM orders o JOIN plain p ON o.id = p.id",
    code: 'SQL_OPTION_INVALID',
    hint: "write a number and its unit: STATE_TTL('orders' = '1 d')",
  },
  {
    sql: 'SELECT 1 FROM orders FOR SYSTEM_TIME AS OF «ts»',
    code: 'SQL_JOIN_INVALID',
  },
  {
    sql: 'SELECT 1 FROM orders o JOIN «plain FOR SYSTEM_TIME AS OF o.ts AS p» ON o.id = p.id',
    code: 'SQL_JOIN_INVALID',
  },
  {
    sql: 'SELECT 1 FROM plain o JOIN plain FOR SYSTEM_TIME AS OF «o.id» AS p ON o.id = p.id',
    code: 'SQL_JOIN_INVALID',
    hint: 'name its event time column (WATERMARK FOR ts), or one that is PROCTIME()',
  },
  {
    sql: 'SELECT 1 FROM orders CROSS JOIN UNNEST(«shop») AS t (x)',
    code: 'SQL_TYPE_MISMATCH',
    hint: 'a ROW has fields instead: row_column.field',
  },
  {
    sql: 'SELECT 1 FROM orders, LATERAL TABLE(«split»(shop)) AS t (x)',
    code: 'SQL_FUNCTION_UNKNOWN',
  },
  {
    sql: "SELECT 1 FROM TABLE(TUMBLE(TABLE orders PARTITION BY «shop», DESCRIPTOR(ts), INTERVAL '1' HOUR))",
    code: 'SQL_WINDOW_INVALID',
  },
  {
    sql: "SELECT 1 FROM TABLE(CUMULATE(TABLE orders, DESCRIPTOR(ts), «INTERVAL '7' MINUTE», INTERVAL '1' HOUR))",
    code: 'SQL_WINDOW_INVALID',
  },
  {
    sql: "SELECT 1 FROM TABLE(SESSION(DATA => TABLE orders, TIMECOL => DESCRIPTOR(ts), «SIZE» => INTERVAL '1' HOUR))",
    code: 'SQL_SYNTAX',
  },
  {
    sql: "SELECT «HOP_START(ts, INTERVAL '1' HOUR)» FROM orders GROUP BY TUMBLE(ts, INTERVAL '1' HOUR)",
    code: 'SQL_WINDOW_INVALID',
    hint: 'write TUMBLE_START',
  },
  { sql: 'SELECT SUM(id) OVER «(PARTITION BY shop)» FROM orders', code: 'SQL_UNSUPPORTED' },
  { sql: 'SELECT SUM(id) OVER «w» FROM orders', code: 'SQL_WINDOW_INVALID' },
  { sql: 'SELECT «ROW_NUMBER()» FROM orders', code: 'SQL_AGGREGATE_MISPLACED' },
  {
    sql: 'SELECT 1 FROM orders WHERE «ROW_NUMBER() OVER (ORDER BY ts)» = 1',
    code: 'SQL_AGGREGATE_MISPLACED',
  },
  {
    sql: 'SELECT SUM(id) OVER (ORDER BY ts ROWS BETWEEN CURRENT ROW AND «UNBOUNDED FOLLOWING») FROM orders',
    code: 'SQL_WINDOW_INVALID',
  },
  {
    sql: 'SELECT SUM(id) OVER (ORDER BY ts RANGE BETWEEN «5 PRECEDING» AND CURRENT ROW) FROM orders',
    code: 'SQL_WINDOW_INVALID',
  },
  { sql: 'SELECT id IN («SELECT id, shop FROM plain») FROM orders', code: 'SQL_TYPE_MISMATCH' },
  { sql: 'SELECT «(SELECT id FROM plain)» FROM orders', code: 'SQL_UNSUPPORTED' },
  {
    sql: 'SELECT «(SELECT COUNT(*) + 1 FROM plain WHERE plain.shop = orders.shop)» FROM orders',
    code: 'SQL_UNSUPPORTED',
    hint: 'compute outside of it: (SELECT COUNT(*) FROM t WHERE ...) + 1',
  },
  {
    sql: 'SELECT 1 FROM orders o WHERE EXISTS («SELECT shop || o.shop FROM plain»)',
    code: 'SQL_UNSUPPORTED',
  },
  {
    sql: 'SELECT shop FROM orders o WHERE EXISTS (SELECT 1 FROM plain p WHERE p.id = o.«idd»)',
    code: 'SQL_COLUMN_UNKNOWN',
  },
  { sql: 'SELECT GROUPING(«id») FROM orders GROUP BY ROLLUP (shop)', code: 'SQL_COLUMN_UNGROUPED' },
  {
    sql: '«SELECT id FROM orders EXCEPT SELECT id, shop FROM orders»',
    code: 'SQL_TYPE_MISMATCH',
  },
]

const STATEMENTS: readonly Refusal[] = [
  {
    sql: 'INSERT INTO results «SELECT shop, id FROM orders ORDER BY shop»',
    code: 'SQL_UNSUPPORTED',
    hint: 'supported instead: ORDER BY with LIMIT (the first rows so far), or by an ascending event time',
  },
  {
    sql: 'INSERT INTO «reslts» SELECT shop, id FROM orders',
    code: 'SQL_TABLE_UNKNOWN',
    hint: 'did you mean `results`?',
  },
  { sql: 'INSERT INTO «results» SELECT shop FROM orders', code: 'SQL_INSERT_MISMATCH' },
  {
    sql: 'INSERT INTO results «SELECT shop, ts FROM orders»',
    code: 'SQL_INSERT_MISMATCH',
    hint: 'CAST it in the query: CAST(... AS BIGINT)',
  },
  {
    sql: '«INSERT INTO results (shop) SELECT shop FROM orders»',
    code: 'SQL_INSERT_MISMATCH',
    hint: 'add it to the columns of INSERT INTO',
  },
  { sql: 'INSERT INTO results «SELECT shop, NULL FROM orders»', code: 'SQL_INSERT_MISMATCH' },
  { sql: 'INSERT INTO results (n, «n») SELECT id, id FROM orders', code: 'SQL_INSERT_MISMATCH' },
  {
    sql: 'INSERT INTO results (shop, «m») SELECT shop, id FROM orders',
    code: 'SQL_COLUMN_UNKNOWN',
  },
  {
    sql: "CREATE TABLE t (a INT) WITH ('connector' = «'dtagen'»)",
    code: 'SQL_CONNECTOR_UNKNOWN',
    hint: "did you mean 'datagen'?",
  },
  {
    sql: "CREATE TABLE «t» (a INT) WITH ('connector' = 'values')",
    code: 'SQL_OPTION_INVALID',
    hint: 'The rows: one JSON object a line',
  },
  {
    sql: "CREATE TABLE t (a INT) WITH ('connector' = 'values', 'data' = '', 'changelog' = «'yes'»)",
    code: 'SQL_OPTION_INVALID',
  },
  { sql: "CREATE TABLE t (a INT, «a» INT) WITH ('connector' = 'print')", code: 'SQL_NAME_TAKEN' },
  { sql: "CREATE TABLE «orders» (a INT) WITH ('connector' = 'print')", code: 'SQL_NAME_TAKEN' },
  {
    sql: "CREATE TABLE t (a INT, WATERMARK FOR «a» AS a) WITH ('connector' = 'datagen')",
    code: 'SQL_WATERMARK_INVALID',
  },
  {
    sql: "CREATE TABLE t (a TIMESTAMP(6), WATERMARK FOR «a» AS a) WITH ('connector' = 'datagen')",
    code: 'SQL_WATERMARK_INVALID',
  },
  {
    sql: "CREATE TABLE t (a TIMESTAMP(3), WATERMARK FOR a AS «1») WITH ('connector' = 'datagen')",
    code: 'SQL_WATERMARK_INVALID',
  },
  {
    sql: "CREATE TABLE t (r ROW<a TIMESTAMP(3)>, WATERMARK FOR «r.a» AS r.a) WITH ('connector' = 'datagen')",
    code: 'SQL_WATERMARK_INVALID',
  },
  {
    sql: "CREATE TABLE t (a INT, PRIMARY KEY («b») NOT ENFORCED) WITH ('connector' = 'print')",
    code: 'SQL_COLUMN_UNKNOWN',
  },
  {
    sql: "CREATE TABLE t (a INT, b AS «c» + 1) WITH ('connector' = 'datagen')",
    code: 'SQL_COLUMN_UNKNOWN',
  },
  {
    sql: "CREATE TABLE t (a INT) WITH ('connector' = 'print') LIKE «nothing»",
    code: 'SQL_TABLE_UNKNOWN',
  },
  {
    sql: 'CREATE VIEW «v» (a, b) AS SELECT id FROM orders',
    code: 'SQL_TYPE_MISMATCH',
    hint: 'name every column, or none',
  },
  { sql: 'DROP TABLE «nothing»', code: 'SQL_TABLE_UNKNOWN' },
  { sql: '«EXPLAIN SELECT 1»', code: 'SQL_UNSUPPORTED' },
]

for (const { sql, code, hint } of [...QUERIES, ...RELATIONS, ...STATEMENTS]) {
  test(`${code}: ${sql.slice(0, 100)}`, () => {
    const marked = TABLES + sql
    const from = marked.indexOf('«')
    const to = marked.indexOf('»') - 1
    const text = marked.replace(/[«»]/g, '')
    const { errors } = bindText(text, 'p', CONNECTORS)
    assert.equal(errors.length, 1, errors.map(String).join('\n'))
    const [error] = errors
    const { offset, length } = error!.place
    assert.deepEqual(
      { code: error!.code, place: text.slice(offset, offset + length) },
      { code, place: text.slice(from, to) },
    )
    assert.equal(offset, from)
    assert.notEqual(error!.hint, '')
    if (hint !== undefined) assert.equal(error!.hint, hint)
  })
}

test('one script tells all its errors in the order of their places', () => {
  const { errors } = bindText(
    `${TABLES} SELECT shp FROM orders; SELECT 1 FROM orders GROUP; INSERT INTO results SELECT shop FROM orders; SELECT x`,
    'p',
    CONNECTORS,
  )
  const codes = ['SQL_COLUMN_UNKNOWN', 'SQL_SYNTAX', 'SQL_INSERT_MISMATCH', 'SQL_COLUMN_UNKNOWN']
  assert.deepEqual(
    errors.map((error) => error.code),
    codes,
  )
})

for (const broken of [
  "CREATE TABLE t (a INTT) WITH ('connector' = 'datagen');",
  "CREATE TABLE t (a INT, WATERMARK FOR a AS a) WITH ('connector' = 'datagen');",
  'CREATE VIEW t AS SELECT b FROM plain;',
]) {
  test(`who uses what could not be declared is not told again: ${broken}`, () => {
    const { errors } = bindText(
      `${TABLES} ${broken} CREATE VIEW u AS SELECT a FROM t; SELECT * FROM u; INSERT INTO t SELECT 1; DROP TABLE t`,
      'p',
      CONNECTORS,
    )
    assert.equal(errors.length, 1, errors.map(String).join('\n'))
  })
}
