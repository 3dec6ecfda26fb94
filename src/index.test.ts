import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { type Change, MillraceError, open, t } from './index.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-library-'))
after(() => rmSync(directory, { recursive: true, force: true }))

const ORDERS = `CREATE TABLE orders (id BIGINT, shop STRING, cents BIGINT) WITH (
  'connector' = 'filesystem', 'path' = 'orders.jsonl', 'format' = 'json')`
const COUNTS = 'SELECT shop, COUNT(*) AS orders FROM orders GROUP BY shop'
writeFileSync(
  join(directory, 'orders.jsonl'),
  Array.from(
    { length: 20_000 },
    (_, id) => `{"id":${id},"shop":"${id % 3 === 0 ? 'oslo' : 'quito'}","cents":${id % 7}}\n`,
  ).join(''),
)

let opened = 0
function options() {
  return { data: join(directory, `data-${opened++}`), directory, tables: ORDERS }
}

/** Rows have no prototype, so that a column may be called whatever it likes. */
function plain(rows: readonly object[]): object[] {
  return rows.map((row) => ({ ...row }))
}

function isError(code: string, message: RegExp = /./) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof MillraceError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  }
}

test('a query gives typed rows, all at once or one by one', async () => {
  await using db = await open(options())
  const query = db.query(COUNTS, { columns: { shop: t.string(), orders: t.bigint().notNull() } })
  const rows = await query.rows()
  const total: bigint = rows.reduce((sum, { orders }) => sum + orders, 0n)
  assert.equal(total, 20_000n)
  assert.deepEqual(
    query.schema.map(({ name }) => name),
    ['shop', 'orders'],
  )
  const seen: (string | null)[] = []
  for await (const { shop } of query) seen.push(shop)
  assert.deepEqual(seen.sort(), ['oslo', 'quito'])
})

test('columns that are not the query’s are refused before anything runs', async () => {
  await using db = await open(options())
  assert.throws(
    () => db.query(COUNTS, { columns: { shop: t.string(), orders: t.int() } }),
    isError('COLUMNS_MISMATCH', /orders is declared INT and is BIGINT NOT NULL/),
  )
  assert.throws(
    () => db.changes(COUNTS, { columns: { shop: t.string() } }),
    isError('COLUMNS_MISMATCH', /orders BIGINT NOT NULL is not declared/),
  )
})

test('BIGINT is a bigint, or a number that throws beyond 2^53', async () => {
  await using db = await open({ ...options(), bigint: 'number' })
  assert.deepEqual(plain(await db.query('SELECT CAST(7 AS BIGINT) AS n').rows()), [{ n: 7 }])
  await assert.rejects(
    db.query('SELECT CAST(9007199254740993 AS BIGINT) AS n').rows(),
    isError('VALUE_UNSAFE'),
  )
  await using exact = await open(options())
  const big = await exact.query('SELECT CAST(9007199254740993 AS BIGINT) AS n').rows()
  assert.deepEqual(plain(big), [{ n: 9007199254740993n }])
})

test('a result that only grows has only +I; a changing one takes back what it said', async () => {
  await using db = await open(options())
  const kinds = new Set<string>()
  for await (const { kind } of db.changes('SELECT id FROM orders WHERE cents = 3')) kinds.add(kind)
  assert.deepEqual([...kinds], ['+I'])
  const counts = new Map<string, bigint>()
  const columns = { shop: t.string().notNull(), orders: t.bigint().notNull() }
  const known = "SELECT COALESCE(shop, '') AS shop, COUNT(*) AS orders FROM orders GROUP BY shop"
  for await (const { kind, row } of db.changes(known, { columns })) {
    if (kind === '+I' || kind === '+U') counts.set(row.shop, row.orders)
    else assert.equal(counts.get(row.shop), row.orders, 'only what was said is taken back')
  }
  assert.deepEqual(Object.fromEntries(counts), { oslo: 6667n, quito: 13333n })
})

test('changes say how far each source had been read, and reading goes no faster than the loop', async () => {
  await using db = await open(options())
  const positions: Change<unknown>['positions'][] = []
  for await (const change of db.changes('SELECT id FROM orders')) {
    positions.push(change.positions)
    if (positions.length > 10) break
  }
  const [first] = positions
  assert.deepEqual(Object.keys(first!), ['orders'])
  assert.ok(
    positions.every((each) => each === first),
    'the first batch, and not one more',
  )
})

test('a signal ends changes that would go on for ever', { timeout: 20_000 }, async () => {
  await using db = await open(options())
  db.define(`CREATE TABLE ticks (n BIGINT) WITH (
    'connector' = 'datagen', 'rows-per-second' = '1000')`)
  const stop = new AbortController()
  let count = 0
  for await (const change of db.changes('SELECT n FROM ticks', { signal: stop.signal })) {
    assert.equal(change.kind, '+I')
    if (++count === 5) stop.abort()
  }
  assert.ok(count >= 5)
})

test('a pipeline runs to its end, and its table is there to be queried', async () => {
  const where = options()
  await using db = await open(where)
  db.define(`CREATE TABLE counts (shop STRING, orders BIGINT) WITH (
    'connector' = 'delta', 'table-path' = 'lake/${opened}')`)
  const script = `INSERT INTO counts SELECT shop, cents FROM orders WHERE cents = 3`
  await using run = await db.run(script, { until: 'end', name: 'counts' })
  assert.deepEqual(await run.finished, { kind: 'finished', because: 'end' })
  assert.equal(run.status().conservation.read, 20_000)
  const rows = await db.query('SELECT COUNT(*) AS n FROM counts').rows()
  assert.deepEqual(plain(rows), [{ n: 2857n }])
})

test('a directory has one owner at a time, and closing gives it up', {
  timeout: 20_000,
}, async () => {
  const where = options()
  const script = `CREATE TABLE hole (id BIGINT) WITH ('connector' = 'blackhole');
    INSERT INTO hole SELECT id FROM orders`
  const first = await open(where)
  await (await first.run(script, { until: 'end' })).finished
  const second = await open(where)
  await assert.rejects(second.run(script, { until: 'end' }), isError('OWNER_EXISTS'))
  assert.equal((await second.query(COUNTS).rows()).length, 2, 'who only reads needs no ownership')
  await first.close()
  const run = await second.run(script, { until: 'end', fresh: true })
  assert.equal((await run.finished).kind, 'finished')
  await second.close()
})

test('errors stand where they are in the text that was given', async () => {
  await using db = await open(options())
  assert.throws(
    () => db.query('SELECT shop,\n  nothing FROM orders'),
    (error: unknown) => {
      assert.ok(error instanceof MillraceError)
      assert.equal(error.facts.line, 2)
      assert.equal(error.facts.column, 3)
      return true
    },
  )
  assert.throws(() => db.query(`${COUNTS}; ${COUNTS}`), isError('SQL_UNSUPPORTED', /one SELECT/))
  await assert.rejects(db.run(COUNTS), isError('SQL_UNSUPPORTED', /a pipeline writes/))
  await assert.rejects(open({ ...options(), tables: 'CREATE TABLE' }), MillraceError)
})
