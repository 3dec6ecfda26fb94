/** Rows that a real HTTP server is asked for by key: what is asked, what comes of what it answers, and what of what it does not. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Millrace, open } from '../../src/index.ts'
import {
  answerStatus,
  httpReceiver,
  type Receiver,
  type Respond,
} from '../builders/http-receiver.ts'
import { inDirectory } from '../cli/process.ts'

interface Asked {
  readonly orders?: readonly string[]
  readonly columns?: string
  readonly options?: string
  readonly path?: string
}

const KEY = 'PRIMARY KEY (id) NOT ENFORCED'

async function looking(
  respond: Respond,
  asked: Asked,
  body: (db: Millrace, receiver: Receiver) => Promise<void>,
): Promise<void> {
  const { orders = ordersOf([1, 2, 1, 3]), columns = `id BIGINT, name STRING, ${KEY}` } = asked
  const receiver = await httpReceiver(respond)
  await inDirectory(async (directory) => {
    const db = await open({
      data: join(directory, 'data'),
      directory,
      environment: { SECRET: 's3cret' },
      tables: `CREATE TABLE orders (n BIGINT, customer BIGINT, ts TIMESTAMP(3), proc AS PROCTIME(), WATERMARK FOR ts AS ts)
          WITH ('connector' = 'values', 'data' = '${orders.join('\n')}');
        CREATE TABLE customers (${columns}) WITH ('connector' = 'http', 'lookup.retry-backoff' = '1 ms',
          'url' = '${receiver.url}${asked.path ?? '/c/{{id}}'}', 'header.Authorization' = 'Bearer \${env:SECRET}'${asked.options ?? ''});
        CREATE TABLE joined (n BIGINT, name STRING) WITH ('connector' = 'filesystem', 'path' = 'joined', 'format' = 'json');`,
    })
    try {
      await body(db, receiver)
    } finally {
      await db.close()
      await receiver.close()
    }
  })
}

function ordersOf(customers: readonly (number | null)[]): readonly string[] {
  return customers.map((customer, n) =>
    JSON.stringify({ n, customer, ts: `2026-01-01 00:00:${String(n % 60).padStart(2, '0')}` }),
  )
}

const idOf = (path: string) => Number(path.split('/').at(-1))
const answerName: Respond = ({ path }, response) =>
  response.end(JSON.stringify({ id: idOf(path), name: `name ${idOf(path)}` }))

const JOIN = 'orders AS o JOIN customers FOR SYSTEM_TIME AS OF o.proc AS c ON o.customer = c.id'
const LEFT_JOIN = JOIN.replace('JOIN', 'LEFT JOIN')

async function texts(db: Millrace, sql: string): Promise<readonly string[]> {
  const rows: string[] = []
  for await (const row of db.query(sql)) rows.push(Object.values(row).map(String).join(' '))
  return rows.sort()
}

test('an object is a row, an array so many, 404, 204 and null none; a NULL key is not asked for', async () => {
  const respond: Respond = ({ path }, response) => {
    const id = idOf(path)
    if (id === 1) response.end('{"name":"one","big":9007199254740993}')
    else if (id === 2)
      response.end(' [ {"id":7,"name":"two"}, {"name":"zwei","big":-1,"more":[]} ] ')
    else if (id === 3) response.writeHead(404).end('{"name":"no row"}')
    else if (id === 4) response.writeHead(204).end()
    else response.end(id === 5 ? 'null' : '[]')
  }
  const orders = ordersOf([1, 2, 3, 4, 5, 6, null])
  await looking(
    respond,
    { orders, columns: `id BIGINT, name STRING, big BIGINT, ${KEY}` },
    async (db, { received }) => {
      const select = 'SELECT o.n, c.id, c.name, c.big FROM'
      const met = ['0 1 one 9007199254740993', '1 2 two null', '1 2 zwei -1']
      assert.deepEqual(await texts(db, `${select} ${JOIN}`), met)
      const alone = [2, 3, 4, 5, 6].map((n) => `${n} null null null`)
      assert.deepEqual(await texts(db, `${select} ${LEFT_JOIN}`), [...met, ...alone])
      assert.deepEqual(
        await texts(db, `${select} ${LEFT_JOIN} AND c.name <> 'two' AND c.big > o.n - 3`),
        [met[0], met[2], ...alone],
      )
      assert.equal(received.length, 18)
      assert.deepEqual([received[0]!.method, received[0]!.path], ['GET', '/c/1'])
      assert.equal(received[0]!.headers.authorization, 'Bearer s3cret')
    },
  )
})

test('a value of a key can not leave its place in the address', async () => {
  const columns = 'tenant STRING, id BIGINT, name STRING'
  await looking(
    (_, response) => response.end('{"name":"x"}'),
    { columns, path: '/t/{{tenant}}/c?id={{id}}' },
    async (db, { received }) => {
      const sql = `SELECT o.n, c.name FROM ${JOIN} AND c.tenant = '../a?b&#' || CAST(o.n AS STRING) WHERE o.n = 0`
      assert.deepEqual(await texts(db, sql), ['0 x'])
      assert.equal(received[0]!.path, '/t/..%2Fa%3Fb%26%230/c?id=1')
    },
  )
})

test('no more requests are under way than the table allows, and rows of one key share one', async () => {
  let underWay = 0
  let most = 0
  const respond: Respond = (received, response, count) => {
    most = Math.max(most, ++underWay)
    setTimeout(() => {
      underWay--
      answerName(received, response, count)
    }, 5)
  }
  const orders = ordersOf(Array.from({ length: 300 }, (_, n) => n % 30))
  await looking(
    respond,
    { orders, options: `, 'lookup.max-in-flight' = '3'` },
    async (db, { received }) => {
      assert.equal((await texts(db, `SELECT o.n, c.name FROM ${JOIN}`)).length, 300)
      assert.equal(received.length, 30)
      assert.equal(most, 3)
    },
  )
})

const INSERT = `SET 'restart-strategy.exponential-delay.initial-backoff' = '1 ms';
  SET 'restart-strategy.exponential-delay.max-backoff' = '20 ms'; INSERT INTO joined SELECT o.n, c.name FROM ${JOIN}`
const MET = ['0 name 1', '1 name 2', '2 name 1', '3 name 3']

test('what passes is tried again: 503, 429, a cut connection, half an answer, an answer too late', async () => {
  const respond: Respond = (received, response, count) => {
    if (count === 1) answerStatus(503)(received, response, count)
    else if (count === 2) answerStatus(429, { 'retry-after': '0' })(received, response, count)
    else if (count === 3) response.destroy()
    else if (count === 4) {
      response.writeHead(200, { 'content-length': '100' }).write('{"id":1,')
      setTimeout(() => response.destroy(), 5)
    } else if (count > 5) answerName(received, response, count)
  }
  const options = `, 'request.timeout' = '200 ms', 'lookup.max-retries' = '5', 'lookup.max-in-flight' = '1'`
  await looking(respond, { options }, async (db) => {
    assert.deepEqual(await texts(db, `SELECT o.n, c.name FROM ${JOIN}`), MET)
  })
})

test('while the service is down rows wait, the reason is in the status, and each comes once when it is back', async () => {
  let isDown = true
  const respond: Respond = (received, response, count) =>
    isDown ? answerStatus(500)(received, response, count) : answerName(received, response, count)
  await looking(respond, { options: `, 'lookup.max-retries' = '1'` }, async (db) => {
    const run = await db.run(INSERT, { name: 'joining', until: 'end' })
    while (run.status().restarts < 3) await sleep(2)
    assert.match(
      run.status().error?.message ?? '',
      /asked for rows of table customers, gave no answer: status 500: it is 500/,
    )
    assert.equal(run.status().error?.code, 'LOOKUP_FAILED')
    isDown = false
    assert.equal((await run.finished).kind, 'finished')
    assert.deepEqual(await texts(db, 'SELECT * FROM joined'), MET)
  })
})

const REFUSED: readonly (readonly [string, Respond, RegExp])[] = [
  ['401', answerStatus(401), /refused to answer for table customers: status 401/],
  ['no JSON', (_, response) => response.end('<html>s3cret'), /it is no JSON/],
  ['a number', (_, response) => response.end('7'), /neither an object nor an array/],
  ['a list of numbers', (_, response) => response.end('[7]'), /not as it is declared/],
  [
    'another type',
    (_, response) => response.end('{"name":"a","age":"x"}'),
    /not as it is declared.*age/,
  ],
  [
    'a missing column that is NOT NULL',
    (_, response) => response.end('{}'),
    /not as it is declared.*name/,
  ],
  [
    'what is behind the answer',
    (_, response) => response.end('{"name":"a"},{"name":"b"}'),
    /it is no JSON/,
  ],
]
for (const [what, respond, told] of REFUSED) {
  test(`an answer that can't be used stops the pipeline, named, and no secret is told: ${what}`, async () => {
    await looking(
      respond,
      { columns: `id BIGINT, name STRING NOT NULL, age INT, ${KEY}` },
      async (db) => {
        const outcome = await (await db.run(INSERT, { name: 'joining', until: 'end' })).finished
        assert.equal(outcome.kind, 'failed')
        assert.ok(outcome.kind === 'failed')
        assert.equal(outcome.error.code, 'LOOKUP_REFUSED')
        assert.match(outcome.error.message, told)
        assert.doesNotMatch(
          `${outcome.error.message} ${outcome.error.hint} ${outcome.error.stack}`,
          /s3cret/,
        )
      },
    )
  })
}

test('windows over rows that waited are as if they had not: no row is late for them', async () => {
  const respond: Respond = (received, response, count) =>
    void setTimeout(() => answerName(received, response, count), (count * 7) % 11)
  const orders = ordersOf(Array.from({ length: 60 }, (_, n) => n % 20))
  await looking(respond, { orders }, async (db) => {
    const sql = `SELECT window_start, COUNT(*) AS orders, COUNT(DISTINCT name) AS names
      FROM TABLE(TUMBLE(TABLE named, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end`
    const view = `CREATE TEMPORARY VIEW named AS SELECT o.ts, c.name FROM ${JOIN};`
    const rows = await texts(db, `${view} ${sql}`)
    assert.deepEqual(
      rows.map((row) => row.split(' ').slice(-2).join(' ')),
      Array(6).fill('10 10'),
    )
  })
})

const NOT_BOUND: readonly (readonly [string, string, RegExp])[] = [
  [
    'a time of events',
    JOIN.replace('o.proc', 'o.ts'),
    /asked for the rows it has now: it has no older versions/,
  ],
  [
    'a key that is not compared',
    JOIN.replace('c.id', 'CAST(c.name AS BIGINT)'),
    /is asked by key, and `id` is not compared/,
  ],
  ['a join that keeps the right side', JOIN.replace('JOIN', 'RIGHT JOIN'), /none in RIGHT JOIN/],
  [
    'rows that are taken back',
    JOIN.replace(
      'orders AS o',
      '(SELECT customer, COUNT(*) AS n, PROCTIME() AS proc FROM orders GROUP BY customer) AS o',
    ),
    /customers is looked up row by row, and rows that it is asked for may be taken back/,
  ],
  ['the table alone', 'customers AS c CROSS JOIN orders AS o', /can't read/],
]
for (const [what, from, told] of NOT_BOUND) {
  test(`what can't be looked up is refused before anything runs: ${what}`, async () => {
    await looking(answerName, {}, async (db, { received }) => {
      await assert.rejects(texts(db, `SELECT o.n FROM ${from}`), told)
      assert.equal(received.length, 0)
    })
  })
}
