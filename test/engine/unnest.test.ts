/** UNNEST of what JSON brings, beside what JavaScript makes of the same lines. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { jsonText } from '../../src/data/values.ts'
import { open } from '../../src/index.ts'
import { fc } from '../builders/properties.ts'

const item = fc.option(
  fc.record({
    sku: fc.option(fc.constantFrom('a', 'bb', 'x'.repeat(300), 'ü')),
    price: fc.option(fc.constantFrom('1.50', '-99999999999999999999.25')),
    tags: fc.option(fc.array(fc.option(fc.integer({ min: -5, max: 5 })), { maxLength: 3 })),
  }),
  { freq: 6 },
)
const order = fc.record({
  id: fc.integer({ min: 0, max: 99 }),
  items: fc.option(fc.array(item, { maxLength: 70 })),
  counts: fc.option(fc.dictionary(fc.constantFrom('p', 'q', 'r'), fc.option(fc.nat(9)))),
})

test('arrays of rows, arrays within them, and maps become the rows they hold', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-unnest-'))
  const db = await open({ data: join(directory, 'data'), directory })
  context.after(async () => {
    await db.close()
    rmSync(directory, { recursive: true })
  })
  let number = 0
  await fc.assert(
    fc.asyncProperty(fc.array(order, { minLength: 1, maxLength: 6 }), async (orders) => {
      const table = `orders${number++}`
      db.define(`CREATE TABLE ${table} (id INT,
        items ARRAY<ROW<sku STRING, price DECIMAL(30, 2), tags ARRAY<INT>>>, counts MAP<STRING, INT>)
        WITH ('connector' = 'values', 'data' = '${orders.map((each) => JSON.stringify(each)).join('\n')}')`)
      const rows = async (sql: string) =>
        (await db.query(sql).rows()).map((row) => jsonText(row)).sort()
      const items = await rows(
        `SELECT id, sku, price, n FROM ${table} CROSS JOIN UNNEST(items) WITH ORDINALITY AS t (sku, price, tags, n)`,
      )
      const expected = orders.flatMap(({ id, items }) =>
        (items ?? []).map((each, index) =>
          JSON.stringify({ id, sku: each?.sku ?? null, price: each?.price ?? null, n: index + 1 }),
        ),
      )
      assert.deepEqual(items, expected.sort())
      const tags = await rows(
        `SELECT id, tag FROM ${table} CROSS JOIN UNNEST(items) AS t (sku, price, tags)
          LEFT JOIN UNNEST(tags) AS u (tag) ON TRUE`,
      )
      const expectedTags = orders.flatMap(({ id, items }) =>
        (items ?? []).flatMap((each) =>
          (each?.tags?.length ? each.tags : [null]).map((tag) => JSON.stringify({ id, tag })),
        ),
      )
      assert.deepEqual(tags, expectedTags.sort())
      const positive = await rows(
        `SELECT id, sku, tag FROM ${table} CROSS JOIN UNNEST(items) AS t (sku, price, tags)
          LEFT JOIN UNNEST(tags) AS u (tag) ON tag > 0`,
      )
      const expectedPositive = orders.flatMap(({ id, items }) =>
        (items ?? []).flatMap((each) => {
          const met = (each?.tags ?? []).filter((tag) => tag !== null && tag > 0)
          const sku = each?.sku ?? null
          return (met.length === 0 ? [null] : met).map((tag) => JSON.stringify({ id, sku, tag }))
        }),
      )
      assert.deepEqual(positive, expectedPositive.sort())
      const counts = await rows(
        `SELECT id, k, v FROM ${table} CROSS JOIN UNNEST(counts) AS t (k, v) WHERE v IS NULL OR v > 1`,
      )
      const expectedCounts = orders.flatMap(({ id, counts }) =>
        Object.entries(counts ?? {})
          .filter(([, v]) => v === null || v > 1)
          .map(([k, v]) => JSON.stringify({ id, k, v })),
      )
      assert.deepEqual(counts, expectedCounts.sort())
    }),
    { numRuns: 40 },
  )
})
