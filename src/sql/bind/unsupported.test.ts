/** What Millrace can't run is named as it is written, with the nearest form that it can. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { CONNECTORS } from '../../run/connectors.ts'
import { bindText } from '../bind-text.ts'
import { INSTEAD } from '../parse/unsupported.ts'

const TABLES = `CREATE TABLE t (id INT, s STRING, r ROW<a INT>, arr ARRAY<INT>, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen');
  CREATE TABLE u (id INT, s STRING) WITH ('connector' = 'print');`
const PATTERN = 'SELECT * FROM t MATCH_RECOGNIZE (ORDER BY ts MEASURES A.id AS a'

/** Message and hint, in part. */
const REFUSED: readonly (readonly [sql: string, names: string, instead: string])[] = [
  ["SELECT s SIMILAR TO 'a' FROM t", 'SIMILAR TO', 'LIKE'],
  ['SELECT (ts, ts) OVERLAPS (ts, ts) FROM t', 'OVERLAPS', 'comparisons'],
  ["SELECT s COLLATE 'x' FROM t", 'COLLATE', 'leave COLLATE out'],
  ['SELECT id > ALL (SELECT id FROM t) FROM t', 'ANY or ALL', 'SELECT MAX(x)'],
  ['SELECT * FROM t TABLESAMPLE BERNOULLI (10)', 'TABLESAMPLE', 'WHERE'],
  ['SELECT LISTAGG(s) WITHIN GROUP (ORDER BY s) FROM t', 'WITHIN GROUP', 'without an order'],
  ['SELECT ARRAY_AGG(id ORDER BY ts) FROM t', 'ORDER BY in an aggregate', 'ROW_NUMBER()'],
  ['SELECT CAST(s AS MULTISET<INT>) FROM t', 'MULTISET', 'ARRAY<...>'],
  ['SELECT CAST(s AS VARIANT) FROM t', 'VARIANT', 'JSON functions'],
  ["SELECT CAST(s AS RAW('x', 'y')) FROM t", 'RAW', 'BYTES'],
  ["SELECT CAST(s AS STRUCTURED<'x', a INT>) FROM t", 'STRUCTURED', 'ROW<...>'],
  ['SELECT CAST(s AS TIMESTAMP WITH TIME ZONE) FROM t', 'WITH TIME ZONE', 'TIMESTAMP_LTZ(3)'],
  ['SELECT CAST(s AS JSON) FROM t', 'JSON', 'STRING'],
  ['SELECT CAST(s AS DECIMAL(60, 2)) FROM t', 'DECIMAL is 60', '1 to 38'],
  ['SELECT TRANSFORM(arr, x -> x + 1) FROM t', 'lambda', 'UNNEST'],
  ["SELECT * FROM t PIVOT (SUM(id) FOR s IN ('a'))", 'PIVOT', 'FILTER (WHERE'],
  ['SELECT * FROM t UNPIVOT (x FOR y IN (a))', 'UNPIVOT', 'UNION ALL'],
  ['SELECT TOP 3 id FROM t', 'TOP', 'LIMIT'],
  ['SELECT * EXCLUDE (id) FROM t', 'left out', 'name the columns'],
  ['SELECT id DIV 2 FROM t', 'DIV', 'FLOOR'],
  ['SELECT id & 1 FROM t', 'bits', 'CREATE FUNCTION'],
  ['SELECT id FROM t WHERE id = ?', 'parameter', 'write the value'],
  ["SELECT ts AT TIME ZONE 'UTC' FROM t", 'AT TIME ZONE', 'CONVERT_TZ'],
  ['SELECT id::STRING FROM t', '`::`', 'CAST(value AS type)'],
  ["SELECT s ILIKE 'a' FROM t", 'ILIKE', 'LOWER(text) LIKE'],
  ['SELECT * FROM t LEFT SEMI JOIN u ON t.id = u.id', 'SEMI', 'EXISTS'],
  ['SELECT * FROM t CROSS APPLY f(id)', 'APPLY', 'CROSS JOIN LATERAL'],
  ['SELECT * FROM t LATERAL VIEW EXPLODE(arr) x AS y', 'LATERAL VIEW', 'CROSS JOIN UNNEST'],
  ['SELECT * FROM t VERSION AS OF 1', 'version', 'FOR SYSTEM_TIME AS OF'],
  ['SELECT id FROM t GROUP BY id EMIT CHANGES', 'EMIT', 'early-fire'],
  ['SELECT id FROM t WHERE id > 1 RETURNING id', 'RETURNING', 'read from the table'],
  ['SELECT LAG(id) IGNORE NULLS OVER (ORDER BY ts) FROM t', 'IGNORE NULLS', 'FILTER'],
  ['SELECT SUM(id) OVER (ORDER BY ts GROUPS CURRENT ROW) FROM t', 'GROUPS', 'ROWS and RANGE'],
  ['SELECT SUM(id) OVER (PARTITION BY id) FROM t', 'OVER without ORDER BY', 'ORDER BY'],
  [
    'SELECT SUM(id) OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM t',
    'later rows',
    'CURRENT ROW',
  ],
  ['SELECT NTILE(4) OVER (ORDER BY ts) FROM t', 'NTILE', 'RANK()'],
  ['SELECT NVL(id, 1) FROM t', 'NVL', 'COALESCE'],
  ["SELECT STRING_AGG(s, ',') FROM t", 'STRING_AGG', 'LISTAGG'],
  ['SELECT MEDIAN(id) FROM t', 'MEDIAN', 'CREATE FUNCTION'],
  ["SELECT DATE_TRUNC('day', ts) FROM t", 'DATE_TRUNC', 'FLOOR(x TO DAY)'],
  ['WITH RECURSIVE q AS (SELECT 1) SELECT * FROM q', 'RECURSIVE', 'without RECURSIVE'],
  ['SELECT (SELECT s FROM u) FROM t', 'several rows', 'MAX(x)'],
  [`${PATTERN} PATTERN (A | B) DEFINE A AS TRUE)`, '`|` in a pattern', 'PATTERN (A B+ C?)'],
  [`${PATTERN} PATTERN (A B) SUBSET U = (A, B) DEFINE A AS TRUE)`, 'SUBSET', 'COALESCE'],
  ['INSERT OVERWRITE u SELECT id, s FROM t', 'INSERT OVERWRITE', 'INSERT INTO'],
  ['INSERT INTO u SELECT id, s FROM t ORDER BY s', 'ORDER BY', 'LIMIT'],
  [
    "CREATE TABLE x WITH ('connector' = 'print') AS SELECT id FROM t",
    'CREATE TABLE AS',
    'INSERT INTO',
  ],
  [
    "CREATE TABLE x (id INT UNIQUE) WITH ('connector' = 'print')",
    'column constraint',
    'PRIMARY KEY',
  ],
  [
    "CREATE TABLE x (id INT REFERENCES t (id)) WITH ('connector' = 'print')",
    'column constraint',
    'PRIMARY KEY',
  ],
  [
    "CREATE TABLE x (id INT, PRIMARY KEY (id)) WITH ('connector' = 'print')",
    'NOT ENFORCED',
    'NOT ENFORCED',
  ],
  [
    "CREATE TABLE x (id INT) DISTRIBUTED BY HASH(id) WITH ('connector' = 'print')",
    'DISTRIBUTED BY',
    'leave it out',
  ],
  ["CREATE FUNCTION f AS 'a.b.C'", 'no function of a module', 'LANGUAGE TYPESCRIPT'],
  ["CREATE CATALOG c WITH ('type' = 'x')", 'CREATE CATALOG', 'of the project'],
  ['CREATE DATABASE d', 'CREATE DATABASE', 'of the project'],
  ["CREATE MODEL m WITH ('a' = 'b')", 'CREATE MODEL', 'CREATE TABLE'],
  ['CREATE MATERIALIZED TABLE m AS SELECT 1', 'MATERIALIZED', 'INSERT INTO'],
  ['CREATE STREAM x AS SELECT 1', 'CREATE statement of this kind', 'CREATE VIEW'],
  ['CREATE INDEX i ON t (id)', 'CREATE statement of this kind', 'CREATE VIEW'],
  ['ALTER TABLE t RENAME TO v', 'ALTER', 'in its file'],
  ['DROP CATALOG c', 'DROP', 'DROP TABLE'],
  ['TABLE t', 'TABLE as a query', 'SELECT * FROM'],
  ['USE c', 'USE', 'leave it out'],
  ['SHOW TABLES', 'SHOW', 'millrace check'],
  ['DESCRIBE t', 'DESCRIBE', 'millrace check'],
  ['EXPLAIN SELECT 1', 'EXPLAIN', 'millrace explain FILE'],
  ['ANALYZE TABLE t COMPUTE STATISTICS', 'ANALYZE', 'leave it out'],
  ['LOAD MODULE x', 'LOAD', 'leave it out'],
  ['UNLOAD MODULE x', 'UNLOAD', 'leave it out'],
  ['CALL p()', 'CALL', 'leave it out'],
  ["ADD JAR 'x'", 'ADD', 'leave it out'],
  ["REMOVE JAR 'x'", 'REMOVE', 'leave it out'],
  ['DELETE FROM u WHERE id = 1', 'DELETE', 'INSERT INTO'],
  ['UPDATE u SET id = 1', 'UPDATE', 'PRIMARY KEY'],
  ['MERGE INTO u USING t ON TRUE', 'MERGE', 'PRIMARY KEY'],
  ['UPSERT INTO u SELECT id, s FROM t', 'UPSERT', 'PRIMARY KEY'],
  ['TRUNCATE TABLE u', 'TRUNCATE', '--fresh'],
  ["COMPILE PLAN 'x' FOR INSERT INTO u SELECT id, s FROM t", 'COMPILE', 'millrace explain'],
  ["EXECUTE PLAN 'x'", 'EXECUTE PLAN', 'STATEMENT SET'],
  ['COMMIT', 'transaction', 'one pipeline'],
  ['GRANT SELECT ON t TO x', 'rights', 'leave it out'],
]

for (const [sql, names, instead] of REFUSED) {
  test(`refused by name, with what to write instead: ${sql}`, () => {
    const [error] = bindText(TABLES + sql, 'p', CONNECTORS).errors
    assert.ok(error, 'it is refused')
    assert.ok(error.message.includes(names), error.message)
    assert.ok(error.hint.includes(instead), error.hint)
  })
}

test('a wrong word beside a name that means something elsewhere is told as it is', () => {
  for (const sql of [
    'SELECT type FROM source WHER id',
    'SELECT index user FROM t x y',
    'CREATE TABEL x (a INT)',
  ]) {
    const [error] = bindText(TABLES + sql, 'p', CONNECTORS).errors
    assert.equal(error?.code, 'SQL_SYNTAX', error?.message)
  }
})

test('each construct that is refused by name says something of use', () => {
  for (const [construct, instead] of Object.entries(INSTEAD))
    assert.match(
      instead,
      /supported instead|leave|write|run `|change|are those|stand|text is|drop|name /,
      construct,
    )
})
