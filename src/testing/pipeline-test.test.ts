import assert from 'node:assert/strict'
import test from 'node:test'
import { count, filesystem, log, pipeline, sum, t, table, tumble } from '../index.ts'
import { testPipeline } from './index.ts'

const TABLES = `
CREATE TABLE orders (id STRING, shop STRING, cents BIGINT, placed_at TIMESTAMP_LTZ(3),
  WATERMARK FOR placed_at AS placed_at - INTERVAL '5' SECOND)
WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json');
CREATE TABLE revenue (shop STRING, window_start TIMESTAMP(3), orders BIGINT, cents BIGINT)
WITH ('connector' = 'delta', 'table-path' = 'lake/revenue');`
const REVENUE = `
INSERT INTO revenue SELECT shop, window_start, COUNT(*), SUM(cents)
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(placed_at), INTERVAL '1' MINUTE))
GROUP BY shop, window_start, window_end`

function order(id: string, shop: string, cents: number, second: number) {
  return { id, shop, cents, placed_at: new Date(Date.UTC(2026, 0, 31, 12, 0, second)) }
}

const FIRST = { shop: 'oslo', window_start: '2026-01-31 12:00:00', orders: 2, cents: 300 }

test('a window fires when the watermark reaches its end, whoever moves it', async () => {
  await using shop = await testPipeline(REVENUE, { tables: TABLES, splits: { orders: 2 } })
  await shop.give('orders', [order('1', 'oslo', 100, 1), order('2', 'oslo', 200, 59)])
  await shop.give('orders', [order('3', 'oslo', 5, 80)], { split: 1 })
  shop.expectTable('revenue', [])
  await shop.watermark('orders', '2026-01-31 12:01:00', { split: 0 })
  shop.expectTable('revenue', [FIRST])
  shop.expectChanges('revenue', [['+I', FIRST]])
  await shop.end()
  shop.expectTable('revenue', [
    { shop: 'oslo', cents: 5 },
    { shop: 'oslo', cents: 300 },
  ])
})

test('late and dead rows are seen, each with its reason', async () => {
  await using shop = await testPipeline(REVENUE, { tables: TABLES })
  await shop.give('orders', [
    order('1', 'oslo', 100, 1),
    '{"id": oops',
    order('2', 'oslo', 200, 70),
  ])
  await shop.give('orders', [order('3', 'oslo', 7, 30)])
  const [late] = await shop.late('revenue')
  assert.equal(late!.window_start, '2026-01-31 12:00:00.000')
  assert.match(String(late!.row), /"id":"3"/)
  const [dead, ...more] = await shop.dead('revenue')
  assert.equal(more.length, 0)
  assert.equal(Buffer.from(dead!.bytes as Uint8Array).toString(), '{"id": oops')
})

test('what a crash takes comes again, once, whatever the number of workers then', async () => {
  for (const kind of ['kill', 'power'] as const) {
    await using shop = await testPipeline(REVENUE, { tables: TABLES, splits: { orders: 3 } })
    await shop.give('orders', [order('1', 'oslo', 100, 1)])
    await shop.checkpoint()
    await shop.give('orders', [order('2', 'oslo', 200, 2)], { split: 1 })
    await shop.watermark('orders', '2026-01-31 12:01:00')
    shop.expectTable('revenue', [FIRST])
    await shop.crash(kind, { workers: 4 })
    shop.expectTable('revenue', [FIRST])
    await shop.restart({ workers: 2 })
    await shop.end()
    shop.expectTable('revenue', [FIRST])
    assert.equal(shop.status().state, 'finished')
  }
})

test('a SELECT alone is run too, and its changelog told row for row', async () => {
  const counts = 'SELECT shop, COUNT(*) AS orders FROM orders GROUP BY shop'
  await using shop = await testPipeline(counts, { tables: TABLES, rowsMax: 1 })
  await shop.give('orders', [order('1', 'oslo', 100, 1), order('2', 'oslo', 200, 2)])
  shop.expectChanges('result', [
    ['+I', { shop: 'oslo', orders: 1n }],
    ['-U', { shop: 'oslo', orders: 1n }],
    ['+U', { shop: 'oslo', orders: 2n }],
  ])
  assert.deepEqual(shop.table('result'), [{ shop: 'oslo', orders: 2n }])
})

test('a pipeline of the typed API is run as it is', async () => {
  const clicks = table('clicks', {
    columns: { who: t.string(), at: t.timestampLtz(3), n: t.bigint() },
    eventTime: 'at',
    from: log('clicks'),
  })
  const sums = clicks
    .window(tumble('10s'))
    .groupBy('who')
    .select((group, row) => ({ who: group.who, clicks: count(), total: sum(row.n) }))
  const into = filesystem({ path: 'sums' })
  await using run = await testPipeline(pipeline('sums', [sums.into(into)]))
  await run.give('clicks', [
    { who: 'ann', at: '2026-01-31T12:00:01', n: 3 },
    { who: 'ann', at: '2026-01-31T12:00:02', n: 4n },
  ])
  await run.watermark('clicks', '2026-01-31 12:00:10')
  run.expectTable('sums', [{ who: 'ann', clicks: 2, total: 7 }])
})

test('the clock is virtual, and an idle split holds the watermark no longer than it may', async () => {
  await using shop = await testPipeline(REVENUE, { tables: TABLES, splits: { orders: 2 } })
  await shop.give('orders', [order('1', 'oslo', 300, 1), order('2', 'oslo', 0, 2)])
  await shop.advance('4s')
  await shop.give('orders', [order('3', 'bergen', 5, 80)])
  shop.expectTable('revenue', [])
  await shop.advance('2s')
  shop.expectTable('revenue', [FIRST])
})

test('a split that gives a row every few seconds is not idle: its rows are not late', async () => {
  await using shop = await testPipeline(REVENUE, { tables: TABLES, splits: { orders: 2 } })
  for (let second = 0; second < 12; second += 4) {
    await shop.give('orders', [order('1', 'oslo', 1, second)])
    await shop.give('orders', [order('2', 'bergen', 1, 90 + second)], { split: 1 })
    await shop.advance('4s')
  }
  await shop.end()
  assert.deepEqual(await shop.late('revenue'), [])
})

test('events from tomorrow are quarantined where the test says what time it is', async () => {
  const startAt = '2026-01-30 12:00:00'
  await using shop = await testPipeline(REVENUE, { tables: TABLES, startAt })
  await shop.give('orders', [order('1', 'oslo', 100, 1)])
  assert.match(String((await shop.dead('revenue'))[0]!.reason), /ahead of the time/)
})

test('rows that differ are shown line by line', async () => {
  await using shop = await testPipeline(REVENUE, { tables: TABLES })
  await shop.give('orders', [order('1', 'oslo', 100, 1), order('2', 'oslo', 200, 2)])
  await shop.end()
  assert.throws(
    () => shop.expectTable('revenue', [{ shop: 'oslo', cents: 301 }]),
    (error) => error instanceof Error && error.message.endsWith('\n- oslo 301\n+ oslo 300'),
  )
})

test('what the pipeline does not have is refused by name', async () => {
  await using shop = await testPipeline(REVENUE, { tables: TABLES })
  const invalid = { code: 'TEST_INVALID' }
  await assert.rejects(shop.give('order', []), invalid)
  await assert.rejects(shop.give('orders', [{ nope: 1 }]), invalid)
  await assert.rejects(shop.give('orders', [], { split: 1 }), invalid)
  await assert.rejects(shop.watermark('orders', 'noon'), invalid)
  assert.throws(() => shop.table('orders'), invalid)
  assert.throws(() => shop.expectTable('revenue', [{ nope: 1 }]), invalid)
  await assert.rejects(testPipeline('', { tables: TABLES }), invalid)
})
