/** What statements mean, as plans. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import { planLines } from '../../cli/render/plan.ts'
import type { PlanNode, SinkNode } from '../../plan/nodes.ts'
import { schemaOf } from '../../plan/nodes.ts'
import { CONNECTORS } from '../../run/connectors.ts'
import { bindText } from '../bind-text.ts'
import { SqlError } from '../sql-error.ts'

const TABLES = `
  CREATE TABLE orders (id BIGINT NOT NULL, shop STRING, amount DECIMAL(10, 2), place ROW<city STRING, zip INT>,
    ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'datagen');
  CREATE TABLE plain (id INT, shop STRING) WITH ('connector' = 'datagen');
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

const names = (node: PlanNode): string[] => schemaOf(node).map(({ name }) => name)

const HOURLY = "TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' HOUR))"
const WATERMARK = "watermark ts - INTERVAL '5 second'"
const ORDERS = 'scan orders (datagen): id, shop, amount, place, ts'

const PLANS: readonly (readonly [string, readonly string[]])[] = [
  [
    'SELECT shop, id + 1 AS succ FROM plain WHERE id > 3',
    ['project shop, id + 1 AS succ', ' filter id > 3', '  scan plain (datagen): id, shop'],
  ],
  ['SELECT * FROM plain', ['scan plain (datagen): id, shop']],
  [
    'SELECT a, shop FROM plain AS p (a, shop)',
    ['project id AS a, shop', ' scan plain (datagen): id, shop'],
  ],
  [
    'SELECT u FROM (SELECT UPPER(shop) AS u, id FROM plain) WHERE id > 1',
    [
      'project u',
      ' filter id > 1',
      '  project UPPER(shop) AS u, id',
      '   scan plain (datagen): id, shop',
    ],
  ],
  [
    'SELECT u + 1 AS v FROM (SELECT id * 2 AS u FROM plain)',
    ['project (id * 2) + 1 AS v', ' scan plain (datagen): id'],
  ],
  [
    'SELECT u + u AS v FROM (SELECT id * 2 AS u FROM plain)',
    ['project u + u AS v', ' project id * 2 AS u', '  scan plain (datagen): id'],
  ],
  [
    'SELECT shop AS s, COUNT(*) AS n, SUM(id) AS total FROM plain GROUP BY shop HAVING MAX(id) > 2',
    [
      'project s, n, total',
      ' filter MAX(id) > 2',
      '  group by shop: COUNT(*), SUM(id), MAX(id)',
      '   scan plain (datagen): id, shop',
    ],
  ],
  [
    'SELECT shop, COUNT(*) AS n FROM plain GROUP BY shop',
    ['group by shop: COUNT(*)', ' scan plain (datagen): shop'],
  ],
  [
    'SELECT COUNT(DISTINCT shop) FILTER (WHERE id > 1) AS n FROM plain',
    ['group: COUNT(DISTINCT shop) FILTER (WHERE id > 1)', ' scan plain (datagen): id, shop'],
  ],
  ['SELECT DISTINCT shop FROM plain', ['distinct shop', ' scan plain (datagen): shop']],
  [
    'SELECT id FROM plain UNION SELECT id FROM orders',
    [
      'distinct id',
      ' union all',
      '  project CAST(id AS BIGINT) AS id',
      '   scan plain (datagen): id',
      '  project id',
      `   ${WATERMARK}`,
      '    scan orders (datagen): id, ts',
    ],
  ],
  [
    `SELECT shop, window_start, COUNT(*) AS n, SUM(amount) AS s FROM ${HOURLY} WHERE id > 3
     GROUP BY shop, window_start, window_end HAVING SUM(amount) > 2`,
    [
      'project shop, window_start, n, s',
      ' filter s > 2',
      '  window TUMBLE 1 hour by shop: COUNT(*), SUM(amount)',
      '   filter id > 3',
      `    ${WATERMARK}`,
      `     ${ORDERS}`,
    ],
  ],
  [
    `WITH o AS (SELECT UPPER(shop) AS u, ts FROM orders)
     SELECT u, window_end, COUNT(*) AS n FROM TABLE(HOP(TABLE o, DESCRIPTOR(ts), INTERVAL '5' MINUTE, INTERVAL '1' HOUR))
     GROUP BY u, window_start, window_end`,
    [
      'project u, window_end, n',
      ' window HOP 1 hour every 5 minute by u: COUNT(*)',
      '  project UPPER(shop) AS u, ts',
      `   ${WATERMARK}`,
      '    scan orders (datagen): shop, ts',
    ],
  ],
  [
    `SELECT window_start, COUNT(*) AS n FROM ${HOURLY}
     WHERE window_start > TIMESTAMP '2026-01-01 00:00:00.000' AND id > 1 GROUP BY window_start, window_end`,
    [
      'project window_start, n',
      " filter window_start > TIMESTAMP '2026-01-01 00:00:00.000'",
      '  window TUMBLE 1 hour: COUNT(*)',
      '   filter id > 1',
      `    ${WATERMARK}`,
      `     ${ORDERS}`,
    ],
  ],
  [
    'SELECT shop FROM plain GROUP BY shop ORDER BY COUNT(*) DESC, 1 LIMIT 3',
    [
      'project shop',
      ' sort $order0 DESC, shop limit 3',
      '  group by shop: COUNT(*)',
      '   scan plain (datagen): shop',
    ],
  ],
  [
    'SELECT shop FROM plain ORDER BY id',
    [
      'project shop',
      ' sort $order0',
      '  project shop, id AS $order0',
      '   scan plain (datagen): id, shop',
    ],
  ],
  ["SELECT id FROM plain /*+ OPTIONS('rows-per-second' = '7') */", ['scan plain (datagen): id']],
  ['SELECT `row` FROM results$late', ['scan results$late (log): row']],
  ['VALUES (1, 2.5), (2, NULL)', ['values: 2 rows of EXPR$0, EXPR$1']],
]

for (const [sql, expected] of PLANS) {
  test(`plan: ${sql.slice(0, 90)}`, () => {
    assert.deepEqual(linesOf(query(sql)), expected)
  })
}

test('columns keep their names in the result, numbered where they are taken', () => {
  assert.deepEqual(names(query('SELECT id, id, id + 1, shop AS id0 FROM plain')), [
    'id',
    'id0',
    'EXPR$2',
    'id00',
  ])
})

test('a qualified name is of its table, whatever columns are called', () => {
  const sql = 'SELECT shop.id FROM plain AS shop'
  assert.deepEqual(names(query(sql)), ['id'])
})

test('signs of numbers are numbers', () => {
  const node = query('SELECT - -5, -2.5, -(-1E2), 0 - 3')
  assert.equal(node.kind, 'project')
  const values = node.kind === 'project' ? node.expressions : []
  assert.deepEqual(
    values.slice(0, 3).map((each) => (each.kind === 'literal' ? each.value : each.kind)),
    ['5', '-2.5', 100],
  )
})

test('a hint changes the options of its own scan only', () => {
  const { queries } = bound(
    "SELECT id FROM plain /*+ OPTIONS('rows-per-second' = '7') */; SELECT id FROM plain",
  )
  assert.deepEqual(
    queries.map((node) => node.kind === 'scan' && node.table.options['rows-per-second']),
    ['7', undefined],
  )
})

test('INSERT writes columns by name, the others NULL, cast as Flink casts', () => {
  const { pipeline } = bound('INSERT INTO results (n) SELECT id FROM plain')
  assert.deepEqual(linesOf(pipeline!.sinks[0]!.input), [
    'project NULL AS shop, CAST(id AS BIGINT) AS n',
    ' scan plain (datagen): id',
  ])
})

test('all INSERTs of a script are one pipeline, named by SET', () => {
  const { pipeline } = bound(`SET 'pipeline.name' = 'mine'; SET 'a' = 'b'; SET 'c' = 'd'; RESET 'c';
    INSERT INTO results SELECT shop, id FROM plain;
    EXECUTE STATEMENT SET BEGIN INSERT INTO results SELECT shop, 1 FROM plain; INSERT INTO results SELECT 'x', 2; END`)
  assert.equal(pipeline!.sinks.length, 3)
  assert.equal(pipeline!.name, 'mine')
  assert.equal(pipeline!.nameIsDerived, false)
  assert.deepEqual(pipeline!.settings, { 'pipeline.name': 'mine', a: 'b' })
  assert.equal(
    bound('INSERT INTO results SELECT shop, id FROM plain').pipeline!.nameIsDerived,
    true,
  )
})

test('equal subtrees stay equal, so that they run once', () => {
  const { pipeline } = bound(`CREATE VIEW v AS SELECT UPPER(shop) AS u, id FROM plain;
    INSERT INTO results SELECT u, COUNT(*) FROM v GROUP BY u;
    INSERT INTO results SELECT u, 2 * COUNT(*) FROM v GROUP BY u`)
  const groups = pipeline!.sinks.map(({ input }) => {
    let node: PlanNode = input
    while (node.kind === 'project') node = node.input
    return node
  })
  assert.equal(groups[0]!.kind, 'group-aggregate')
  assert.deepEqual(groups[0], groups[1])
})

test('computed and metadata columns stand where they are declared; LIKE adds to a table', () => {
  const { tables } = bound(`
    CREATE TABLE events (a INT, twice AS a * 2, o BIGINT METADATA FROM 'offset' VIRTUAL, t TIMESTAMP(3),
      WATERMARK FOR t AS t) WITH ('connector' = 'log', 'topic' = 'e', 'format' = 'json');
    CREATE TABLE more (b STRING, PRIMARY KEY (a) NOT ENFORCED) WITH ('topic' = 'm') LIKE events`)
  const of = (name: string) => tables.find((table) => table.name === name)!.schema
  assert.deepEqual(
    of('events').map(({ name }) => name),
    ['a', 'twice', 'o', 't'],
  )
  assert.deepEqual(
    of('more').map(({ name }) => name),
    ['a', 'twice', 'o', 't', 'b'],
  )
  assert.equal(of('more')[0]!.type.nullable, false)
})

const WORDS =
  `SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT UNION ALL DISTINCT AS WITH INSERT INTO CREATE TABLE VIEW
  ( ) , ; * . + - / = < > 'text' 1 2.5 NULL TRUE id shop amount ts place city orders plain results COUNT SUM UPPER CAST INT STRING
  CASE WHEN THEN ELSE END IN BETWEEN AND OR NOT TUMBLE HOP DESCRIPTOR INTERVAL '1' HOUR window_start window_end
  VALUES EXISTS JOIN ON IS LIKE [ ] MAP ROW ARRAY EXPLAIN SET DROP IF`.split(/\s+/)

const clause = fc.constantFrom(
  'SELECT shop, COUNT(*) FROM orders GROUP BY shop',
  'SELECT * FROM plain',
  'INSERT INTO results SELECT shop, id FROM plain',
  `SELECT COUNT(*) FROM ${HOURLY} GROUP BY window_start, window_end`,
)
const garbage = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 25 })
  .map((words) => words.join(' '))
const script = fc
  .tuple(clause, garbage, fc.nat(60), fc.string({ maxLength: 8 }))
  .map(([sql, words, at, text]) => `${sql.slice(0, at)} ${words} ${text} ${sql.slice(at)}`)

test('no text throws: every error is told, its place within the text', () => {
  fc.assert(
    fc.property(fc.oneof(script, garbage), (sql) => {
      const text = TABLES + sql
      const { errors } = bindText(text, 'p', CONNECTORS)
      for (const error of errors) {
        assert.ok(error instanceof SqlError)
        const { offset, length, line } = error.place
        assert.ok(offset >= 0 && length >= 0 && offset + length <= text.length)
        assert.equal(text.slice(0, offset).split('\n').length, line)
        assert.ok(error.message !== '' && error.hint !== '')
      }
    }),
    { numRuns: 2000 },
  )
})
