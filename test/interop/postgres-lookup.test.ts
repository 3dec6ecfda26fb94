/** Rows of a real PostgreSQL table, by key: values of every type, and what becomes of rows while the database is away. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { POSTGRES, type PostgresServer, startPostgres } from '../../scripts/engines/postgres.ts'
import { type Millrace, open, type Row } from '../../src/index.ts'
import { inDirectory } from '../cli/process.ts'

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(() => server?.dispose())

interface Asked {
  readonly keys: string
  readonly columns: string
  readonly table?: string
  readonly options?: string
  readonly password?: string
}

async function withLookup(asked: Asked, body: (db: Millrace) => Promise<void>): Promise<void> {
  const { keys, columns, table = 'customers', options = '', password = POSTGRES.password } = asked
  await inDirectory(async (directory) => {
    const db = await open({
      data: join(directory, 'data'),
      directory,
      environment: { PASSWORD: password },
      tables: `CREATE TABLE orders (n BIGINT, id BIGINT, code STRING, proc AS PROCTIME())
          WITH ('connector' = 'values', 'data' = '${keys}');
        CREATE TABLE customers (${columns}) WITH ('connector' = 'jdbc',
          'url' = 'jdbc:postgresql://127.0.0.1:${server.port}/${POSTGRES.database}', 'table-name' = '${table}',
          'username' = '${POSTGRES.user}', 'password' = '\${env:PASSWORD}',
          'lookup.retry-backoff' = '50 ms'${options});
        CREATE TABLE joined (n BIGINT, name STRING) WITH ('connector' = 'filesystem', 'path' = 'joined', 'format' = 'json');`,
    })
    try {
      await body(db)
    } finally {
      await db.close()
    }
  })
}

async function rowsOf(db: Millrace, select: string): Promise<readonly Row[]> {
  const rows: Row[] = []
  const from = `FROM orders AS o LEFT JOIN customers FOR SYSTEM_TIME AS OF o.proc AS c ON o.id = c.id`
  for await (const row of db.query(`SELECT o.n, ${select} ${from}`)) rows.push({ ...row })
  return rows.sort((left, right) => Number(left.n) - Number(right.n))
}

const KEYS = [1, 2, 3].map((id, n) => `{"n":${n},"id":${id}}`).join('\n')

test('every type comes as PostgreSQL has it, to the last digit; NULL and missing rows are NULL', async () => {
  server.sql(`CREATE TABLE typed (id int PRIMARY KEY, yes boolean, big bigint, exact numeric(30,4), real8 double precision,
      name varchar(40), tag uuid, bytes bytea, day date, at timestamp, moment timestamptz, list int[], doc jsonb);
    SET TIME ZONE 'Asia/Tokyo';
    INSERT INTO typed VALUES (1, true, 9007199254740993, 12345678901234567890123456.7891, 0.1, 'a "b" \\ é',
      '6f2f8c5e-0d6b-4a3e-9f5a-2f1f6f0a7b10', decode(repeat('00ff', 60), 'hex'), '2026-02-28', '2026-02-28 23:59:59.123456',
      '2026-03-01 08:59:59.5+09', '{1,NULL,3}', '{"city": "Oslo"}');
    INSERT INTO typed (id) VALUES (2);`)
  const columns = `id BIGINT, yes BOOLEAN, big BIGINT, exact DECIMAL(30, 4), real8 DOUBLE, name STRING, tag STRING, \`bytes\` BYTES,
    \`day\` DATE, \`at\` TIMESTAMP(6), moment TIMESTAMP_LTZ(6), list ARRAY<INT>, doc ROW<city STRING>`
  await withLookup({ keys: KEYS, columns, table: 'public.typed' }, async (db) => {
    const all =
      'c.yes, c.big, c.exact, c.real8, c.name, c.tag, c.`bytes`, c.`day`, c.`at`, c.moment, c.list, c.doc'
    const [full, empty, missing] = await rowsOf(db, all)
    const { moment, bytes, doc, ...rest } = full!
    assert.deepEqual(rest, {
      n: 0n,
      yes: true,
      big: 9007199254740993n,
      exact: '12345678901234567890123456.7891',
      real8: 0.1,
      name: 'a "b" \\ é',
      tag: '6f2f8c5e-0d6b-4a3e-9f5a-2f1f6f0a7b10',
      day: '2026-02-28',
      at: '2026-02-28 23:59:59.123456',
      list: [1, null, 3],
    })
    assert.equal(Buffer.from(bytes as Uint8Array).toString('hex'), '00ff'.repeat(60))
    assert.equal(new Date(moment as Date).toISOString(), '2026-02-28T23:59:59.500Z')
    assert.equal((doc as Row).city, 'Oslo')
    for (const row of [empty!, missing!])
      assert.deepEqual(new Set(Object.values(row).slice(1)), new Set([null]))
  })
})

test('many keys go in one query, keys of two columns meet rows of both, and one may have many', async () => {
  server.sql(`CREATE TABLE prices (id int, code text, price int);
    INSERT INTO prices SELECT n % 1000, 'c' || n % 2, n FROM generate_series(1, 4000) AS n; CREATE INDEX ON prices (id, code);`)
  const keys = Array.from(
    { length: 2000 },
    (_, n) => `{"n":${n},"id":${n},"code":"c${n % 2}"}`,
  ).join('\n')
  await withLookup(
    { keys, columns: 'id BIGINT, code STRING, price INT', table: 'prices' },
    async (db) => {
      const sql = `SELECT o.n, c.price FROM orders AS o JOIN customers FOR SYSTEM_TIME AS OF o.proc AS c ON o.id = c.id AND o.code = c.code`
      const found: string[] = []
      for await (const { n, price } of db.query(sql)) found.push(`${n} ${price}`)
      const wanted = Array.from({ length: 4000 }, (_, at) => at + 1).map((n) => `${n % 1000} ${n}`)
      assert.deepEqual(found.sort(), wanted.sort())
    },
  )
})

const NAMES = `CREATE TABLE IF NOT EXISTS customers (id int PRIMARY KEY, name text);
  INSERT INTO customers SELECT n, 'name ' || n FROM generate_series(1, 500) AS n ON CONFLICT DO NOTHING;`
const INSERT = `SET 'restart-strategy.exponential-delay.initial-backoff' = '50 ms';
  SET 'restart-strategy.exponential-delay.max-backoff' = '200 ms';
  INSERT INTO joined SELECT o.n, c.name FROM orders AS o JOIN customers FOR SYSTEM_TIME AS OF o.proc AS c ON o.id = c.id`
const MANY = Array.from({ length: 400 }, (_, n) => `{"n":${n},"id":${n + 1}}`).join('\n')

test('while the database is away rows wait, with the reason in sight, and none is lost or doubled when it is back', async () => {
  server.sql(NAMES)
  server.stop('immediate')
  await withLookup(
    { keys: MANY, columns: 'id INT, name STRING', options: `, 'lookup.max-retries' = '1'` },
    async (db) => {
      const sql = INSERT.replace('o.id = c.id', 'CAST(o.id AS INT) = c.id')
      const run = await db.run(sql, { name: 'joining', until: 'end' })
      while (run.status().restarts < 2) await sleep(2)
      assert.match(
        run.status().error?.message ?? '',
        /asked for rows of table customers, gave no answer: connect ECONNREFUSED/,
      )
      server.start()
      assert.equal((await run.finished).kind, 'finished')
      const rows: string[] = []
      for await (const { n, name } of db.query('SELECT * FROM joined')) rows.push(`${n} ${name}`)
      assert.deepEqual(
        rows.sort(),
        Array.from({ length: 400 }, (_, n) => `${n} name ${n + 1}`).sort(),
      )
    },
  )
})

test('a connection that is cut in the midst of a query is made anew, and the query asked again', async () => {
  server.sql(
    `${NAMES} CREATE OR REPLACE VIEW slow_customers AS SELECT id, name, pg_sleep(0.002)::text AS slept FROM customers;`,
  )
  const cutting = setInterval(() => {
    server.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'millrace'`,
    )
  }, 300)
  try {
    const columns = 'id BIGINT, name STRING, slept STRING'
    const keys = MANY.split('\n').slice(0, 100).join('\n')
    await withLookup(
      { keys, columns, table: 'slow_customers', options: `, 'lookup.max-retries' = '100'` },
      async (db) => {
        setTimeout(() => clearInterval(cutting), 1500)
        const rows = await rowsOf(db, 'c.name, c.slept')
        assert.deepEqual(
          rows.map(({ name }) => name),
          Array.from({ length: 100 }, (_, n) => `name ${n + 1}`),
        )
      },
    )
  } finally {
    clearInterval(cutting)
  }
})

const REFUSED: readonly (readonly [string, Partial<Asked>, RegExp])[] = [
  [
    'a wrong password',
    { password: 'guessed-wrong' },
    /refused to answer.*password authentication failed/,
  ],
  ['a table that is not there', { table: 'nowhere' }, /relation "nowhere" does not exist/],
  [
    'a column that is not there',
    { columns: 'id INT, name STRING, nick STRING' },
    /customers has no column nick/,
  ],
  [
    'a value that its column is not',
    { columns: 'id INT, name INT' },
    /not as it is declared.*name/,
  ],
]
for (const [what, asked, told] of REFUSED) {
  test(`${what} stops the pipeline at once, named, and no secret is told`, async () => {
    server.sql(NAMES)
    await withLookup({ keys: KEYS, columns: 'id INT, name STRING', ...asked }, async (db) => {
      const reads = async () => {
        for await (const _ of db.query(
          `SELECT c.* FROM orders AS o JOIN customers FOR SYSTEM_TIME AS OF o.proc AS c ON CAST(o.id AS INT) = c.id`,
        ));
      }
      await assert.rejects(reads, (error: Error & { hint?: string; code?: string }) => {
        assert.match(error.message, told)
        assert.equal(error.code, 'LOOKUP_REFUSED')
        assert.doesNotMatch(
          `${error.message}${error.hint}${error.stack}`,
          /tester-secret|guessed-wrong/,
        )
        return true
      })
    })
  })
}
