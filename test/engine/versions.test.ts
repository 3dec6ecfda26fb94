/** A temporal join finds each version there was, however many rows a batch has: those that another of the same batch replaces, too. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { bindText } from '../../src/sql/bind-text.ts'
import { type FedRow, runWay, scripted, tableOf } from '../builders/engine-run.ts'

const SECOND = 1_000_000n
const TABLES = (prices: string) => `
  CREATE TABLE orders (id BIGINT, item STRING, t TIMESTAMP(3), WATERMARK FOR t AS t - INTERVAL '1' SECOND)
    WITH ('connector' = 'scripted');
  CREATE TABLE prices (item STRING, price BIGINT, u TIMESTAMP(3), WATERMARK FOR u AS u - INTERVAL '9' SECOND${prices};`
const KEYED =
  ", PRIMARY KEY (item) NOT ENFORCED) WITH ('connector' = 'scripted', 'changelog' = 'upsert')"
const PLAIN = ") WITH ('connector' = 'scripted')"
const LAST = (where: string) =>
  `CREATE VIEW last AS SELECT item, price, u FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY item ORDER BY u DESC) AS n FROM prices) WHERE n = 1${where};`
const JOIN = (of: string) =>
  `SELECT o.id, p.price FROM orders AS o LEFT JOIN ${of} FOR SYSTEM_TIME AS OF o.t AS p ON o.item = p.item`

const order = (id: number, second: number): FedRow => ({
  kind: '+I',
  row: { id: BigInt(id), item: 'pen', t: BigInt(second) * SECOND },
})
const price = (cents: number, second: number, kind: FedRow['kind'] = '+I'): FedRow => ({
  kind,
  row: { item: 'pen', price: BigInt(cents), u: BigInt(second) * SECOND },
})
const ORDERS = [1, 2, 3, 4, 5].map((second) => order(second, second))

async function joined(sql: string, prices: readonly FedRow[], rowsMax: number) {
  const connector = scripted(new Map(), [], [])
  const { queries, errors } = bindText(sql, 'versions', [connector])
  assert.deepEqual(errors, [])
  const fed = new Map([
    ['orders', [ORDERS]],
    ['prices', [prices]],
  ])
  return tableOf((await runWay(queries[0]!, fed, { rowsMax })).changes)
}

const told = (...prices: readonly number[]) =>
  prices.map((each, index) => `["${index + 1}n","${each}n"]`)

for (const rowsMax of [1, 2, 1000]) {
  test(`of a table that is updated by key, ${rowsMax} rows a batch`, async () => {
    const prices = [price(10, 1, '+U'), price(20, 3, '+U'), price(30, 5, '+U')]
    const sql = `${TABLES(KEYED)} ${JOIN('prices')}`
    assert.deepEqual(await joined(sql, prices, rowsMax), told(10, 10, 20, 20, 30))
  })

  test(`of the last rows of a stream, whichever came first, ${rowsMax} rows a batch`, async () => {
    const prices = [price(10, 1), price(30, 5), price(20, 3)]
    const sql = `${TABLES(PLAIN)} ${LAST('')} ${JOIN('last')}`
    assert.deepEqual(await joined(sql, prices, rowsMax), told(10, 10, 20, 20, 30))
  })

  test(`of last rows, where those that a filter leaves out are no versions, ${rowsMax} rows a batch`, async () => {
    const prices = [price(10, 1), price(20, 3), price(30, 5)]
    const sql = `${TABLES(PLAIN)} ${LAST(' AND price <> 20')} ${JOIN('last')}`
    assert.deepEqual(await joined(sql, prices, rowsMax), told(10, 10, 10, 10, 30))
  })
}
