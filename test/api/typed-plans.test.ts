/** The typed API makes the plans that the same queries make in SQL, and refuses at once what can't be one. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { connector, kafka, log } from '../../src/api/connectors.ts'
import { intervalText } from '../../src/api/duration.ts'
import {
  avg,
  call,
  coalesce,
  constant,
  count,
  countDistinct,
  filtered,
  max,
  sum,
  when,
} from '../../src/api/functions.ts'
import { pipeline } from '../../src/api/pipeline.ts'
import type { Shape } from '../../src/api/shape.ts'
import type { Stream } from '../../src/api/stream.ts'
import { table } from '../../src/api/table.ts'
import { cumulate, emit, hop, session, tumble } from '../../src/api/window.ts'
import { open, t } from '../../src/index.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { bindText } from '../../src/sql/bind-text.ts'

const orders = table('orders', {
  columns: {
    shop: t.string(),
    who: t.bigint(),
    amount: t.decimal(10, 2),
    items: t.int(),
    day: t.date(),
    at: t.timestamp(3),
  },
  eventTime: 'at',
  delay: '2s',
  from: log('events'),
})
const shops = table('shops', {
  columns: { id: t.string(), city: t.string() },
  primaryKey: ['id'],
  from: log('events'),
})
const rates = table('rates', {
  columns: { shop: t.string(), rate: t.int() },
  from: connector('http', { url: 'http://127.0.0.1/{{shop}}' }),
})
const TABLES = [orders, shops, rates].flatMap(({ tables }) => [...tables.values()]).join(';\n')

function planOf(sql: string): unknown {
  const { queries, errors } = bindText(`${TABLES};\n${sql}`, 'typed', CONNECTORS)
  assert.deepEqual(errors, [], sql)
  return queries[0]
}

function same(name: string, stream: Stream<Shape>, sql: string): void {
  test(name, () => assert.deepEqual(planOf(stream.sql), planOf(sql)))
}

same(
  'windows that are told early and corrected by late rows',
  orders
    .window(emit(hop('10s', '1m'), { allowLateness: '10m', lateEvery: '5s', earlyEvery: '0s' }))
    .groupBy('shop')
    .select((g) => ({ shop: g.shop, n: count() })),
  `SELECT /*+ EMIT('early-fire.delay' = '0 s', 'late-fire.delay' = '5 s', 'allow-lateness' = '10 min') */ shop, COUNT(*) AS n
   FROM TABLE(HOP(TABLE orders, DESCRIPTOR(\`at\`), INTERVAL '10' SECOND, INTERVAL '1' MINUTE)) GROUP BY shop, window_start, window_end`,
)
same(
  'a filter',
  orders.where((o) => o.items.greater(1).and(o.shop.like("o'%").or(o.who.isNull()))),
  "SELECT * FROM orders WHERE items > 1 AND (shop LIKE 'o''%' OR who IS NULL)",
)
same(
  'constants are written as their column asks',
  orders.where((o) =>
    o.amount
      .atLeast('12.50')
      .and(o.day.between('2026-01-01', '2026-01-31'))
      .and(o.who.in([1n, 2n])),
  ),
  "SELECT * FROM orders WHERE amount >= 12.50 AND `day` BETWEEN DATE '2026-01-01' AND DATE '2026-01-31' AND who IN (1, 2)",
)
same(
  'a projection',
  orders.select((o) => ({
    shop: call('UPPER', t.string(), o.shop),
    twice: o.items.times(2).plus(1),
    size: when(o.items.greater(5), constant(t.string(), 'big'), constant(t.string(), 'small')),
    who: coalesce(o.who, constant(t.bigint(), 0n)),
    wide: o.items.cast(t.bigint()),
  })),
  "SELECT UPPER(shop) AS shop, (items * 2) + 1 AS twice, CASE WHEN items > 5 THEN 'big' ELSE 'small' END AS size, COALESCE(who, 0) AS who, CAST(items AS BIGINT) AS wide FROM orders",
)
for (const [window, text] of [
  [tumble('1m'), "TUMBLE(TABLE orders, DESCRIPTOR(`at`), INTERVAL '1' MINUTE)"],
  [
    tumble('1h', '15m'),
    "TUMBLE(TABLE orders, DESCRIPTOR(`at`), INTERVAL '1' HOUR, INTERVAL '15' MINUTE)",
  ],
  [
    hop('10s', '1m'),
    "HOP(TABLE orders, DESCRIPTOR(`at`), INTERVAL '10' SECOND, INTERVAL '1' MINUTE)",
  ],
  [
    cumulate('1h', '1d'),
    "CUMULATE(TABLE orders, DESCRIPTOR(`at`), INTERVAL '1' HOUR, INTERVAL '1' DAY)",
  ],
  [session('5m'), "SESSION(TABLE orders PARTITION BY shop, DESCRIPTOR(`at`), INTERVAL '5' MINUTE)"],
] as const) {
  same(
    `windows: ${text}`,
    orders
      .window(window)
      .groupBy('shop')
      .select((g, o) => ({ shop: g.shop, begins: g.windowStart, n: count(), most: max(o.items) })),
    `SELECT shop, window_start AS begins, COUNT(*) AS n, MAX(items) AS most FROM TABLE(${text}) GROUP BY shop, window_start, window_end`,
  )
}
same(
  'groups, with HAVING and FILTER',
  orders
    .groupBy('shop')
    .having((_, o) => count().greater(2).and(sum(o.items).isNotNull()))
    .select((g, o) => ({
      shop: g.shop,
      people: countDistinct(o.who),
      big: filtered(sum(o.amount), o.items.greater(5)),
      mean: avg(o.amount),
    })),
  'SELECT shop, COUNT(DISTINCT who) AS people, SUM(amount) FILTER (WHERE items > 5) AS big, AVG(amount) AS mean FROM orders GROUP BY shop HAVING COUNT(*) > 2 AND SUM(items) IS NOT NULL',
)
same(
  'one group of all rows',
  orders.groupBy().select(() => ({ n: count() })),
  'SELECT COUNT(*) AS n FROM orders',
)
same(
  'a left join',
  orders
    .leftJoin(shops, (o, s) => o.shop.equals(s.id))
    .select((o, s) => ({ items: o.items, city: s.city })),
  'SELECT orders.items AS items, shops.city AS city FROM orders LEFT JOIN shops ON orders.shop = shops.id',
)
same(
  'a lookup join',
  orders
    .leftLookupJoin(rates, (o, r) => o.shop.equals(r.shop))
    .select((o, r) => ({ items: o.items, rate: r.rate })),
  'SELECT o.items AS items, r.rate AS rate FROM (SELECT *, PROCTIME() AS now FROM orders) AS o LEFT JOIN rates FOR SYSTEM_TIME AS OF o.now AS r ON o.shop = r.shop',
)
same(
  'the first rows of each group',
  orders.top({ by: ['shop'], order: 'amount', descending: true, limit: 3 }),
  'SELECT shop, who, amount, items, `day`, `at` FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY shop ORDER BY amount DESC) AS rn FROM orders) WHERE rn <= 3',
)
same(
  'DISTINCT and UNION ALL',
  orders
    .select((o) => ({ name: o.shop }))
    .unionAll(shops.select((s) => ({ name: s.id })))
    .distinct(),
  'SELECT DISTINCT name FROM (SELECT shop AS name FROM orders UNION ALL SELECT id AS name FROM shops)',
)

test('durations are whole milliseconds', () => {
  assert.equal(intervalText('1.5s'), "INTERVAL '0 00:00:01.500' DAY TO SECOND")
  assert.equal(intervalText('2d'), "INTERVAL '2 00:00:00.000' DAY TO SECOND")
  assert.throws(() => intervalText('0.1ms'), { code: 'DURATION_INVALID' })
})

test('a stream without event time has no windows', () => {
  assert.throws(() => shops.window(tumble('1m')), { code: 'EVENT_TIME_MISSING' })
})

test('two different tables of one name are refused where they meet', () => {
  const other = table('orders', { columns: { shop: t.string() }, from: log('others') })
  const names = other.select((o) => ({ name: o.shop }))
  assert.throws(() => orders.select((o) => ({ name: o.shop })).unionAll(names), {
    code: 'TABLE_DEFINED_TWICE',
  })
})

test('a pipeline writes something, and a function has a name', () => {
  assert.throws(() => pipeline('nothing', []), { code: 'PIPELINE_EMPTY' })
  assert.throws(() => call('UPPER(x); DROP', t.string()), { code: 'FUNCTION_NAME_INVALID' })
})

test('what call(...) promises is held against what the function gives', async () => {
  await using db = await open()
  const values = table('v', {
    columns: { s: t.string() },
    from: connector('values', { data: '{"s":"a"}' }),
  })
  const wrong = values.select((v) => ({ n: call('UPPER', t.bigint(), v.s) }))
  assert.throws(() => db.query(wrong), { code: 'COLUMNS_MISMATCH' })
})

test("a pipeline's options bear their SQL names, and a secret stays a name", () => {
  const topic = kafka({ topic: 'orders', bootstrapServers: 'b:9092', startup: 'latest-offset' })
  assert.deepEqual(topic.options, {
    connector: 'kafka',
    topic: 'orders',
    'properties.bootstrap.servers': 'b:9092',
    format: 'json',
    'scan.startup.mode': 'latest-offset',
  })
})
