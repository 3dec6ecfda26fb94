/** Formats as pipelines use them: written by one statement, read by another, bad records dead with their reason. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { openLog } from '../../src/log/log.ts'
import { readPartition } from '../../src/log/read-partition.ts'
import { localSchemas } from '../../src/registry/local-source.ts'
import { openRegistryStore } from '../../src/registry/store.ts'
import { CONNECTORS } from '../../src/run/connectors.ts'
import { startPipeline } from '../../src/run/start.ts'
import { serveHttp } from '../../src/serve/http.ts'
import { addRegistryRoutes } from '../../src/serve/registry-routes.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import { type SqlDirectory, sqlDirectory } from '../builders/sql-run.ts'

const COLUMNS = `id BIGINT NOT NULL, city STRING, amount DECIMAL(10, 2), moment TIMESTAMP_LTZ(3), birth DATE, ok BOOLEAN, ratio DOUBLE, tags ARRAY<STRING>`
const ROWS = [
  '{"id":1,"city":"Tromsø, \\"north\\"","amount":12.50,"moment":"2026-01-31 12:00:01.500Z","birth":"2026-01-31","ok":true,"ratio":0.5,"tags":["a","b"]}',
  '{"id":-2,"city":null,"amount":null,"moment":null,"birth":null,"ok":null,"ratio":null,"tags":null}',
  '{"id":9007199254740993,"city":"","amount":-0.01,"moment":"1969-12-31 23:59:59.999Z","birth":"1969-12-31","ok":false,"ratio":-1e300,"tags":[]}',
].join('\n')
const SOURCE = `CREATE TABLE source (${COLUMNS}) WITH ('connector' = 'values', 'data' = '${ROWS}');`

const table = (name: string, options: string, columns = COLUMNS) =>
  `CREATE TABLE ${name} (${columns}) WITH ('connector' = 'log', 'topic' = '${name}', ${options});`

async function roundTrip(options: string, columns = COLUMNS, select = '*') {
  await using sql = sqlDirectory()
  const target = table('target', options, columns)
  await sql.run(`${SOURCE} ${target} INSERT INTO target SELECT ${select} FROM source;`)
  return {
    read: await sql.query(`${target} SELECT * FROM target`),
    given: await sql.query(`${SOURCE} SELECT ${select} FROM source`),
  }
}

for (const format of [
  'json',
  'csv',
  'avro',
  'avro-confluent',
  'protobuf',
  'protobuf-confluent',
  'json-confluent',
]) {
  test(`${format}: what is written to a topic is read back the same`, async () => {
    const extra = format === 'csv' ? ", 'csv.null-literal' = 'NULL'" : ''
    const { read, given } = await roundTrip(`'format' = '${format}'${extra}`)
    // An empty list and an absent one are the same text.
    const told = (rows: typeof read) =>
      format === 'csv' || format.startsWith('protobuf')
        ? rows.map(({ tags: _, ...row }) => row)
        : rows
    assert.deepEqual(told(read), told(given))
  })
}

test('raw: the one column is the record', async () => {
  const { read, given } = await roundTrip("'format' = 'raw'", 'city STRING', 'city')
  assert.deepEqual(
    read.map(({ city }) => city),
    given.map(({ city }) => city ?? ''),
  )
})

test('csv: files are read with other delimiters, comments apart, bad lines dead', async () => {
  await using sql = sqlDirectory()
  writeFileSync(join(sql.directory, 'in.csv'), 'a|1|x\n"b ""q""|"|2|\nc|three|\nd|4\n')
  const files = `CREATE TABLE files (name STRING, n INT, note STRING) WITH ('connector' = 'filesystem', 'path' = 'in.csv', 'format' = 'csv', 'csv.field-delimiter' = '|');`
  const out = table('target', "'format' = 'json'", 'name STRING, n INT, note STRING')
  await sql.run(`${files} ${out} INSERT INTO target SELECT * FROM files;`)
  assert.deepEqual(
    (await sql.query(`${out} SELECT name, n FROM target`)).map((row) => ({ ...row })),
    [
      { name: 'a', n: 1 },
      { name: 'b "q"|', n: 2 },
    ],
  )
  const dead = readPartition({ ...sql, topic: 'target.dead', partition: 0 }, 0, 10)
  assert.equal(dead.length, 2)
})

test('mixed versions of one subject are read by one table', async () => {
  await using sql = sqlDirectory()
  const one = table('t', "'format' = 'avro-confluent'", 'id BIGINT NOT NULL, city STRING')
  const two = table('t', "'format' = 'avro-confluent'", 'id BIGINT NOT NULL, n INT')
  await sql.run(`${SOURCE} ${one} INSERT INTO t SELECT id, city FROM source WHERE id = 1;`)
  await sql.run(`${SOURCE} ${two} INSERT INTO t SELECT id, 7 FROM source WHERE id = -2;`)
  const all = table('t', "'format' = 'avro-confluent'", 'n INT, id BIGINT, city STRING')
  assert.deepEqual(
    (await sql.query(`${all} SELECT * FROM t`)).map((row) => ({ ...row })),
    [
      { n: null, id: 1n, city: 'Tromsø, "north"' },
      { n: 7, id: -2n, city: null },
    ],
  )
  const { versions } = await versionsOf(sql, 't-value')
  assert.equal(versions, 2)
})

async function versionsOf(sql: SqlDirectory, subject: string) {
  const latest = await localSchemas(sql.ports, sql.dataDirectory).latest(subject)
  return { versions: Number(latest?.id), text: latest?.text }
}

test('a sink whose schema does not fit what is registered is refused when it starts, before any row', async () => {
  await using sql = sqlDirectory()
  const one = table('t', "'format' = 'avro-confluent'", 'id BIGINT NOT NULL')
  await sql.run(`${SOURCE} ${one} INSERT INTO t SELECT id FROM source;`)
  const two = table('t', "'format' = 'avro-confluent'", 'id BIGINT NOT NULL, city STRING NOT NULL')
  const before = readPartition({ ...sql, topic: 't', partition: 0 }, 0, 100).length
  await assert.rejects(
    sql.run(`${SOURCE} ${two} INSERT INTO t SELECT id, COALESCE(city, '') FROM source;`),
    (error: { code: string; message: string }) =>
      error.code === 'SCHEMA_INCOMPATIBLE' &&
      /READER_FIELD_MISSING_DEFAULT_VALUE at \/fields\/1: field city/.test(error.message),
  )
  assert.equal(readPartition({ ...sql, topic: 't', partition: 0 }, 0, 100).length, before)
})

test('records that do not decode are dead with their reason; an unknown id stops the pipeline', async () => {
  await using sql = sqlDirectory()
  const target = table('t', "'format' = 'avro-confluent'", 'id BIGINT NOT NULL')
  await sql.run(`${SOURCE} ${target} INSERT INTO t SELECT id FROM source;`)
  const log = openLog({ ports: sql.ports, dataDirectory: sql.dataDirectory })
  const append = (...bytes: number[]) => log.append('t', 0, [{ value: Uint8Array.from(bytes) }])
  await append(1, 2, 3)
  await append(0, 0, 0, 0, 1, 2, 99)
  const out = table('target', "'format' = 'json'", 'id BIGINT')
  await sql.run(`${target} ${out} INSERT INTO target SELECT id FROM t;`)
  assert.equal((await sql.query(`${out} SELECT * FROM target`)).length, 3)
  const dead = readPartition({ ...sql, topic: 'target.dead', partition: 0 }, 0, 10).map(
    ({ value }) => JSON.parse(new TextDecoder().decode(value!)),
  )
  assert.deepEqual(
    dead.map(({ reason }) => reason),
    [
      "the record does not begin with Confluent's 0 and a schema id",
      'bytes are left behind the record: it was written with another schema',
    ],
  )
  await append(0, 0, 0, 0, 77, 2)
  await log.close()
  await assert.rejects(
    sql.query(`${target} SELECT * FROM t`),
    (error: { code: string; message: string }) => {
      return error.code === 'SCHEMA_ID_UNKNOWN' && /schema 77/.test(error.message)
    },
  )
})

test('two workers write one schema', async () => {
  await using sql = sqlDirectory()
  const target = table('t', "'format' = 'avro-confluent', 'sink.partitions' = '2'")
  await sql.run(`${SOURCE} ${target} INSERT INTO t SELECT * FROM source;`, 2)
  assert.equal((await sql.query(`${target} SELECT id FROM t`)).length, 3)
})

test('files of csv are written as lines', async () => {
  await using sql = sqlDirectory()
  const files = `CREATE TABLE files (id BIGINT, city STRING) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');`
  await sql.run(`${SOURCE} ${files} INSERT INTO files SELECT id, city FROM source;`)
  const { readdirSync } = await import('node:fs')
  const [part] = readdirSync(join(sql.directory, 'out')).filter((name) => !name.startsWith('.'))
  assert.equal(
    readFileSync(join(sql.directory, 'out', part!), 'utf8'),
    '1,"Tromsø, ""north"""\n-2,\n9007199254740993,\n',
  )
})

for (const format of [
  'json',
  'csv',
  'avro',
  'avro-confluent',
  'protobuf',
  'protobuf-confluent',
  'json-confluent',
]) {
  test(`${format}: a column called __proto__ is a column`, async () => {
    await using sql = sqlDirectory()
    const columns = '`__proto__` STRING, constructor STRING'
    const source = `CREATE TABLE source (${columns}) WITH ('connector' = 'values', 'data' = '{"__proto__":"a","constructor":"b"}');`
    const target = table('target', `'format' = '${format}'`, columns)
    await sql.run(`${source} ${target} INSERT INTO target SELECT * FROM source;`)
    const [row] = await sql.query(`${target} SELECT * FROM target`)
    assert.deepEqual(Object.entries(row!), [
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ])
  })
}

for (const format of [
  'json',
  'json-confluent',
  'avro',
  'avro-confluent',
  'protobuf',
  'protobuf-confluent',
  'debezium-json',
  'debezium-avro-confluent',
]) {
  test(`${format}: __proto__ is a key of maps, and a field of rows and of records, like others`, async () => {
    await using sql = sqlDirectory()
    const columns = 'm MAP<STRING, STRING>, r ROW<`__proto__` STRING, x INT>, `__proto__` STRING'
    const data = '{"m":{"__proto__":"a","k":"b"},"r":{"__proto__":"c","x":1},"__proto__":"d"}'
    const source = `CREATE TABLE source (${columns}) WITH ('connector' = 'values', 'data' = '${data}');`
    const target = table('target', `'format' = '${format}'`, columns)
    await sql.run(`${source} ${target} INSERT INTO target SELECT * FROM source;`)
    const [row] = await sql.query(
      `${target} SELECT m['__proto__'] AS a, m['k'] AS b, r.\`__proto__\` AS c, r.x AS x, \`__proto__\` AS d FROM target`,
    )
    assert.deepEqual({ ...row }, { a: 'a', b: 'b', c: 'c', x: 1, d: 'd' })
  })
}

test('a registry that is down is waited for, and nothing is lost', async () => {
  await using sql = sqlDirectory()
  const own = table('t', "'format' = 'avro-confluent'", 'id BIGINT NOT NULL')
  await sql.run(`${SOURCE} ${own} INSERT INTO t SELECT id FROM source;`)
  const store = await openRegistryStore(sql.ports, sql.dataDirectory)
  const serve = (port: number) =>
    serveHttp({
      address: { host: '127.0.0.1', port },
      status: () => ({
        version: '',
        processId: 1,
        epoch: 1,
        startedMs: 0,
        directory: '',
        pipelines: [],
      }),
      routes: (app) => addRegistryRoutes(app, store),
    })
  const first = await serve(0)
  await first.close()
  const reader = table(
    't',
    `'format' = 'avro-confluent', 'avro-confluent.url' = '${first.url}'`,
    'id BIGINT NOT NULL',
  )
  const target = table('target', "'format' = 'json'", 'id BIGINT')
  const { pipeline } = bindText(
    `${reader} ${target} INSERT INTO target SELECT id FROM t;`,
    'waits',
    CONNECTORS,
  )
  const waited = Promise.withResolvers<string>()
  const run = await startPipeline({
    pipeline: pipeline!,
    connectors: CONNECTORS,
    ports: sql.ports,
    dataDirectory: sql.dataDirectory,
    baseDirectory: sql.directory,
    until: 'end',
    onEvent: (event) => {
      if (event.kind === 'restarting') waited.resolve(event.error.code)
    },
  })
  assert.equal(await waited.promise, 'REGISTRY_UNREACHABLE')
  const again = await serve(Number(new URL(first.url).port))
  assert.equal((await run.finished).kind, 'finished')
  await again.close()
  await store.close()
  assert.equal((await sql.query(`${target} SELECT * FROM target`)).length, 3)
})
