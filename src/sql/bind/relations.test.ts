/** What joins, ranks, grouping sets, subqueries and sinks mean, as plans. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { planLines } from '../../cli/render/plan.ts'
import type { PlanNode, SinkNode } from '../../plan/nodes.ts'
import { CONNECTORS } from '../../run/connectors.ts'
import { bindText } from '../bind-text.ts'

const TABLES = `
  CREATE TABLE orders (id BIGINT NOT NULL, shop STRING, amount DECIMAL(10, 2), place ROW<city STRING, zip INT>,
    ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
  CREATE TABLE plain (id INT, shop STRING) WITH ('connector' = 'datagen');
  CREATE TABLE ships (order_id BIGINT, tags ARRAY<STRING>) WITH ('connector' = 'datagen');
  CREATE TABLE rates (cur STRING, r INT, rt TIMESTAMP(3), WATERMARK FOR rt AS rt, PRIMARY KEY (cur) NOT ENFORCED)
    WITH ('connector' = 'datagen');
  CREATE TABLE results (shop STRING, n BIGINT) WITH ('connector' = 'print');
`

function bound(sql: string) {
  const script = bindText(TABLES + sql, 'p', CONNECTORS)
  assert.deepEqual(script.errors.map(String), [])
  return script
}

/** A plan's lines below its sink, indented. */
function linesOf(node: PlanNode): string[] {
  const table = { name: 's', columns: [], options: {} }
  const sink: SinkNode = { kind: 'sink', table, input: node }
  return planLines(sink, () => undefined)
    .slice(1)
    .map(({ depth, text }) => `${' '.repeat(depth - 1)}${text}`)
}

function query(sql: string): PlanNode {
  return bound(sql).queries[0]!
}

const WATERMARK = "watermark ts - INTERVAL '5 second'"

const PLANS: readonly (readonly [string, readonly string[]])[] = [
  [
    'SELECT o.id, p.shop FROM orders o JOIN plain p ON o.id = p.id AND o.amount > 5 AND p.shop <> o.shop',
    [
      'project id, shop0 AS shop',
      ' inner join on id = id AND shop <> shop',
      '  filter amount > 5',
      `   ${WATERMARK}`,
      '    scan orders (datagen): id, shop, amount, ts',
      '  scan plain (datagen): id, shop',
    ],
  ],
  [
    "SELECT o.id FROM orders o, plain p WHERE o.id = p.id AND p.shop = 'x'",
    [
      'project id',
      ' inner join on id = id',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, ts',
      "  filter shop = 'x'",
      '   scan plain (datagen): id, shop',
    ],
  ],
  [
    "SELECT o.id FROM orders o LEFT JOIN plain p ON o.id = p.id AND o.amount > 5 AND p.shop = 'x'",
    [
      'project id',
      ' left join on id = id AND amount > 5',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, amount, ts',
      "  filter shop = 'x'",
      '   scan plain (datagen): id, shop',
    ],
  ],
  [
    "SELECT o.id FROM orders o LEFT JOIN plain p ON o.id = p.id WHERE p.shop = 'x'",
    [
      'project id',
      ' inner join on id = id',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, ts',
      "  filter shop = 'x'",
      '   scan plain (datagen): id, shop',
    ],
  ],
  [
    'SELECT o.id FROM orders o FULL JOIN plain p ON o.id = p.id WHERE o.shop IS NULL',
    [
      'project id',
      ' filter shop IS NULL',
      '  full join on id = id',
      `   ${WATERMARK}`,
      '    scan orders (datagen): id, shop, ts',
      '   scan plain (datagen): id',
    ],
  ],
  [
    "SELECT x.id FROM (SELECT o.id, p.shop FROM orders o, plain p) AS x WHERE x.id > 3 AND x.shop = 'x'",
    [
      'project id',
      ' inner join',
      '  filter id > 3',
      `   ${WATERMARK}`,
      '    scan orders (datagen): id, ts',
      "  filter shop = 'x'",
      '   scan plain (datagen): id, shop',
    ],
  ],
  [
    'SELECT a.shop FROM plain a FULL JOIN plain b USING (id)',
    [
      'project shop',
      ' full join on id = id',
      '  scan plain (datagen): id, shop',
      '  scan plain (datagen): id, shop',
    ],
  ],
  [
    "SELECT o.id FROM orders o JOIN orders s ON o.id = s.id AND o.ts BETWEEN s.ts - INTERVAL '1' HOUR AND s.ts",
    [
      'project id',
      ' inner interval join on id = id',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, shop, amount, place, ts',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, shop, amount, place, ts',
    ],
  ],
  [
    'SELECT o.id FROM orders o JOIN orders s ON o.id = s.id AND o.ts > s.ts',
    [
      'project id',
      ' inner join on id = id AND ts > ts',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, ts',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, ts',
    ],
  ],
  [
    'SELECT order_id, tag FROM ships CROSS JOIN UNNEST(tags) AS t (tag)',
    ['project order_id, t AS tag', ' inner unnest tags', '  scan ships (datagen): order_id, tags'],
  ],
  [
    'SELECT o.id, r.r FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.shop = r.cur AND r.r > 3',
    [
      'project id, r',
      ' inner temporal join on shop = cur AND r > 3',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, shop, amount, place, ts',
      '  watermark rt',
      '   scan rates (datagen): cur, r, rt',
    ],
  ],
  [
    'SELECT shop, id, n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC) AS n FROM orders) WHERE n <= 3 AND id > 1',
    [
      'project shop, id, ROW_NUMBER(*) AS n',
      ' filter id > 1',
      '  top first 3 by shop ordered by amount DESC',
      `   ${WATERMARK}`,
      '    scan orders (datagen): id, shop, amount, ts',
    ],
  ],
  [
    'SELECT id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY ts) AS n FROM orders) WHERE n = 1',
    [
      'project id',
      ' deduplicate: first row by shop in ts',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, shop, ts',
    ],
  ],
  [
    'SELECT id FROM (SELECT *, RANK() OVER (PARTITION BY shop ORDER BY id) AS n FROM plain) WHERE n <= 2',
    [
      'project id',
      ' filter RANK(*) <= 2',
      '  over by shop (rows unbounded): RANK(*)',
      '   scan plain (datagen): id, shop',
    ],
  ],
  [
    'SELECT shop, COUNT(*) AS n, GROUPING(shop) AS g FROM plain GROUP BY ROLLUP (shop)',
    [
      'project shop, n, CASE WHEN $set = 0 THEN 0 WHEN $set = 1 THEN 1 ELSE 0 END AS g',
      ' group by $group0, $set: COUNT(*)',
      '  expand 2 times',
      '   scan plain (datagen): id, shop',
    ],
  ],
  [
    "SELECT shop, COUNT(*) AS n FROM TABLE(SESSION(TABLE orders PARTITION BY shop, DESCRIPTOR(ts), INTERVAL '5' MINUTE)) GROUP BY shop, window_start, window_end",
    [
      'project shop, n',
      ' window SESSION 5 minute by shop: COUNT(*)',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, shop, amount, place, ts',
    ],
  ],
  [
    "SELECT shop, COUNT(*) AS n FROM TABLE(SESSION(TABLE orders, DESCRIPTOR(ts), INTERVAL '5' MINUTE)) GROUP BY shop, window_start, window_end",
    [
      'project shop, n',
      ' group by shop, window_start, window_end: COUNT(*)',
      '  window SESSION 5 minute',
      `   ${WATERMARK}`,
      '    scan orders (datagen): shop, ts',
    ],
  ],
  [
    'SELECT shop FROM orders WHERE id NOT IN (SELECT id FROM plain) AND amount > 1',
    [
      'project shop',
      ' anti join on id IS NULL OR (id = id)',
      '  filter amount > 1',
      `   ${WATERMARK}`,
      '    scan orders (datagen): id, shop, amount, ts',
      '  scan plain (datagen): id',
    ],
  ],
  [
    'SELECT shop FROM orders o WHERE EXISTS (SELECT 1 FROM plain p WHERE p.id = o.id)',
    [
      'project shop',
      ' semi join on id = $outer1',
      `  ${WATERMARK}`,
      '   scan orders (datagen): id, shop, ts',
      '  project id AS $outer1',
      '   scan plain (datagen): id',
    ],
  ],
  [
    'SELECT (SELECT MAX(p.id) FROM plain p WHERE p.shop = o.shop) AS m FROM orders o',
    [
      'project EXPR$0 AS m',
      ' left join on shop = $outer1',
      `  ${WATERMARK}`,
      '   scan orders (datagen): shop, ts',
      '  project EXPR$0, $outer1',
      '   group by shop: MAX(id)',
      '    scan plain (datagen): id, shop',
    ],
  ],
]

for (const [sql, expected] of PLANS) {
  test(`plan: ${sql.slice(0, 90)}`, () => {
    assert.deepEqual(linesOf(query(sql)), expected)
  })
}

test('joins on time are bounded as their conditions say, exclusive bounds a millisecond less', () => {
  const bounds = (on: string) => {
    const find = (node: PlanNode): PlanNode => (node.kind === 'project' ? find(node.input) : node)
    const join = find(query(`SELECT o.id FROM orders o JOIN orders s ON o.id = s.id AND ${on}`))
    assert.ok(join.kind === 'interval-join')
    return [join.lowerUs, join.upperUs]
  }
  const second = 1_000_000
  assert.deepEqual(bounds("o.ts BETWEEN s.ts - INTERVAL '5' SECOND AND s.ts"), [-5 * second, 0])
  assert.deepEqual(bounds("s.ts < o.ts AND s.ts + INTERVAL '1' MINUTE >= o.ts"), [
    1000,
    60 * second,
  ])
  assert.deepEqual(bounds('o.ts = s.ts'), [0, 0])
  assert.deepEqual(
    bounds("o.ts - INTERVAL '1' SECOND > s.ts AND o.ts < INTERVAL '3' SECOND + s.ts"),
    [second + 1000, 3 * second - 1000],
  )
})

test('a sink keeps all rows of its key where changes are told by other columns', () => {
  const sinkOf = (select: string): SinkNode => {
    const keyed =
      "CREATE TABLE keyed (k STRING PRIMARY KEY NOT ENFORCED, n BIGINT) WITH ('connector' = 'print');"
    return bound(`${keyed} INSERT INTO keyed ${select}`).pipeline!.sinks[0]!
  }
  const byOther = 'SELECT MAX(shop), id FROM plain GROUP BY id'
  assert.equal(sinkOf('SELECT shop, COUNT(*) FROM plain GROUP BY shop').materializes, undefined)
  assert.equal(sinkOf('SELECT shop, id FROM plain').materializes, undefined)
  assert.equal(sinkOf(byOther).materializes, true)
  const off = "SET 'table.exec.sink.upsert-materialize' = 'NONE';"
  const [sink] = bound(
    `${off} CREATE TABLE k (a STRING PRIMARY KEY NOT ENFORCED, n BIGINT) WITH ('connector' = 'print'); INSERT INTO k ${byOther}`,
  ).pipeline!.sinks
  assert.equal(sink!.materializes, undefined)
})

test('SET says how the types of a sink are enforced', () => {
  const checks = (set: string) =>
    bound(`${set} INSERT INTO results SELECT shop, id FROM orders`).pipeline!.sinks[0]!.checks
  assert.equal(checks(''), undefined)
  assert.deepEqual(checks("SET 'table.exec.sink.not-null-enforcer' = 'drop';"), {
    notNull: 'drop',
    length: 'ignore',
    nested: 'ignore',
  })
})

test('PARTITION in INSERT gives a column one value, and the query the others', () => {
  const table =
    "CREATE TABLE parts (a INT, d STRING, n INT) PARTITIONED BY (d) WITH ('connector' = 'print');"
  const [sink] = bound(`${table} INSERT INTO parts PARTITION (d = 'x') SELECT id, 2 FROM plain`)
    .pipeline!.sinks
  assert.deepEqual(linesOf(sink!.input), [
    "project id AS a, CAST('x' AS STRING) AS d, 2 AS n",
    ' scan plain (datagen): id',
  ])
})
