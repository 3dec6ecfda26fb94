/** Lookups give what a nested loop gives, for any rows, keys and conditions, cut and restarted anywhere, by any number of workers. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { testPipeline } from '../../src/testing/index.ts'
import { fc } from '../builders/properties.ts'

const key = fc.constantFrom(1, 2, 3, null)
const text = fc.constantFrom('a', 'b', null)
const order = fc.record({ k: key, s: text, v: fc.nat(3) })
const customer = fc.record({ k: key, s: text, w: fc.nat(3) })
const life = fc.record({
  orders: fc.array(order, { maxLength: 6 }),
  workers: fc.integer({ min: 1, max: 3 }),
  crashes: fc.boolean(),
})

type Order = { readonly k: number | null; readonly s: string | null; readonly v: number }
type Customer = { readonly k: number | null; readonly s: string | null; readonly w: number }

/** By the words of ON. */
const CONDITIONS: Readonly<Record<string, (order: Order, customer: Customer) => boolean>> = {
  'o.k = c.k': (o, c) => o.k !== null && o.k === c.k,
  'o.k = c.k AND o.s = c.s': (o, c) => o.k !== null && o.k === c.k && o.s !== null && o.s === c.s,
  'o.k + 1 = c.k AND c.w > o.v': (o, c) => o.k !== null && o.k + 1 === c.k && c.w > o.v,
  "o.s = c.s AND (c.w <> 2 OR o.v = 1) AND c.s <> 'b'": (o, c) =>
    o.s !== null && o.s === c.s && (c.w !== 2 || o.v === 1) && c.s !== 'b',
}

function joined(
  type: string,
  on: string,
  orders: readonly Order[],
  customers: readonly Customer[],
): readonly string[] {
  return orders
    .flatMap((o, n) => {
      const met = customers.filter((c) => CONDITIONS[on]!(o, c)).map((c) => `${n} ${c.s} ${c.w}`)
      return met.length === 0 && type === 'LEFT JOIN' ? [`${n} null null`] : met
    })
    .sort()
}

const cases = fc.record({
  type: fc.constantFrom('JOIN', 'LEFT JOIN'),
  on: fc.constantFrom(...Object.keys(CONDITIONS)),
  customers: fc.array(customer, { maxLength: 8 }),
  lives: fc.array(life, { minLength: 1, maxLength: 3 }),
  rowsMax: fc.constantFrom(1, 2, 100),
  splits: fc.integer({ min: 1, max: 3 }),
})

test('each row meets what a nested loop finds, and once', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ type, on, customers, lives, rowsMax, splits }) => {
      const sql = `CREATE TABLE orders (n INT, k INT, s STRING, v INT, p AS PROCTIME()) WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json');
        CREATE TABLE customers (k INT, s STRING, w INT) WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://db/shop', 'table-name' = 't');
        CREATE TABLE met (n INT, s STRING, w INT) WITH ('connector' = 'log', 'topic' = 'met', 'format' = 'json');
        INSERT INTO met SELECT o.n, c.s, c.w FROM orders AS o ${type} customers FOR SYSTEM_TIME AS OF o.p AS c ON ${on}`
      await using pipeline = await testPipeline(sql, {
        rowsMax,
        splits: { orders: splits },
        workers: lives[0]!.workers,
      })
      await pipeline.give('customers', customers)
      let n = 0
      for (const { orders, workers, crashes } of lives) {
        for (const each of orders)
          await pipeline.give('orders', [{ n, ...each }], { split: n++ % splits })
        if (crashes) await pipeline.crash('kill', { workers })
        else await pipeline.restart({ workers })
      }
      await pipeline.end()
      const found = pipeline
        .table('met')
        .map((row) => `${row.n} ${row.s} ${row.w}`)
        .sort()
      assert.deepEqual(
        found,
        joined(
          type,
          on,
          lives.flatMap(({ orders }) => orders),
          customers,
        ),
      )
    }),
    { numRuns: 40 },
  )
})
