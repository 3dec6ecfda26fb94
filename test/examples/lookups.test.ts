import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { open } from '../../src/index.ts'
import { testPipeline } from '../../src/testing/index.ts'
import { httpReceiver } from '../builders/http-receiver.ts'
import { inDirectory, millrace } from '../cli/process.ts'

test('the example of docs/lookups.md gives the rows that stand below it, after as many requests as it says', async () => {
  const text = readFileSync('docs/lookups.md', 'utf8')
  const [, path, answer] = /`GET (\S+)` → `(.*?)`/.exec(text)!
  const service = await httpReceiver((received, response) => {
    if (received.path === path) response.end(answer)
    else response.writeHead(404).end()
  })
  await inDirectory(async (directory) => {
    const [tables, query] = [...text.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, sql]) => sql!)
    const environment = { CUSTOMERS_URL: service.url, CUSTOMERS_TOKEN: 'secret' }
    const db = await open({
      data: join(directory, 'data'),
      directory,
      environment,
      tables: tables!,
    })
    const rows: string[] = []
    for await (const row of db.query(query!)) rows.push(JSON.stringify(row))
    await db.close()
    assert.deepEqual(rows.sort(), /```json\n([\s\S]*?)\n```/.exec(text)![1]!.split('\n'))
    assert.equal(service.received.length, 2)
    assert.equal(service.received[0]!.headers.authorization, 'Bearer secret')
  })
  await service.close()
})

test('the golden file of docs/lookups.md passes, and no service is asked', async () => {
  const [, golden] = /```\n(create[\s\S]*?)```/.exec(readFileSync('docs/lookups.md', 'utf8'))!
  await inDirectory(async (directory) => {
    writeFileSync(join(directory, 'customers.golden'), golden!)
    const told = await millrace(directory, ['test', 'customers.golden'])
    assert.equal(told.code, 0, told.err)
  })
})

test('in a test a row meets what the table that is asked holds by then', async () => {
  await using test = await testPipeline(
    `CREATE TABLE orders (id INT, customer INT, p AS PROCTIME()) WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'json');
    CREATE TABLE customers (customer INT, name STRING) WITH ('connector' = 'jdbc', 'url' = 'jdbc:postgresql://db/shop', 'table-name' = 'customers');
    CREATE TABLE named (id INT, name STRING) WITH ('connector' = 'log', 'topic' = 'named', 'format' = 'json');
    INSERT INTO named SELECT o.id, c.name FROM orders AS o
      LEFT JOIN customers FOR SYSTEM_TIME AS OF o.p AS c ON o.customer = c.customer`,
  )
  await test.give('orders', [{ id: 1, customer: 7 }])
  await test.give('customers', [{ customer: 7, name: 'ada' }])
  await test.give('orders', [{ id: 2, customer: 7 }])
  await test.checkpoint()
  await test.crash()
  await test.give('orders', [{ id: 3, customer: 7 }])
  test.expectTable('named', [
    { id: 1, name: null },
    { id: 2, name: 'ada' },
    { id: 3, name: 'ada' },
  ])
})
