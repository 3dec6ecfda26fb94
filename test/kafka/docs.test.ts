/** The example of docs/kafka.md runs as it stands. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { KAFKA, startKafka } from '../../scripts/engines/kafka.ts'
import {
  consumeWithLibrdkafka,
  createTopic,
  fetchLibrdkafka,
  produceWithLibrdkafka,
  uniqueTopic,
} from './broker.ts'
import { runToEnd, temporaryDirectory } from './pipelines.ts'

before(async () => {
  fetchLibrdkafka()
  await startKafka()
})

test('the pipeline of docs/kafka.md sums orders up, exactly once', async () => {
  const names = { orders: uniqueTopic('orders'), revenue: uniqueTopic('revenue') }
  for (const topic of Object.values(names)) await createTopic(topic)
  const orders = [
    { shop: 'oslo', amount: 9.9, placed_at: '2026-01-31 12:00:01Z' },
    { shop: 'oslo', amount: 0.1, placed_at: '2026-01-31 12:00:59Z' },
    { shop: 'bergen', amount: 5, placed_at: '2026-01-31 12:01:00Z' },
  ]
  await produceWithLibrdkafka({
    topic: names.orders,
    records: orders.map((order) => ({ value: JSON.stringify(order) })),
  })
  const written = /```sql\n([\s\S]*?)```/.exec(readFileSync('docs/kafka.md', 'utf8'))![1]!
  // Topics of its own: what an earlier run left must not be read again.
  const own = written.replace(
    /'topic' = '(orders|revenue)'/g,
    (_, name: keyof typeof names) => `'topic' = '${names[name]}'`,
  )
  const sql = `SET 'pipeline.name' = '${uniqueTopic('docs')}'; ${own}`
  const environment = { KAFKA }
  await runToEnd({ sql, directory: temporaryDirectory(), more: { environment } })
  const found = await consumeWithLibrdkafka(names.revenue)
  assert.deepEqual(
    found.map(({ value }) => value),
    [
      '{"shop":"oslo","window_start":"2026-01-31 12:00:00","orders":2,"revenue":10.00}',
      '{"shop":"bergen","window_start":"2026-01-31 12:01:00","orders":1,"revenue":5.00}',
    ],
  )
})
