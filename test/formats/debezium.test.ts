/** Changelogs in Debezium's messages, from files and topics and back, as pipelines read and write them. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { openLog } from '../../src/log/log.ts'
import { readPartition } from '../../src/log/read-partition.ts'
import { type SqlDirectory, sqlDirectory } from '../builders/sql-run.ts'

const COLUMNS = 'id BIGINT NOT NULL, name STRING, weight DECIMAL(10, 2)'

type Row = { readonly id: number; readonly name: string | null; readonly weight: number | null }

function message(op: string, before: Row | null, after: Row | null): object {
  const source = {
    version: '2.7.4.Final',
    connector: 'mysql',
    ts_ms: 1589362330900,
    snapshot: 'false',
    db: 'inventory',
    schema: null,
    table: 'products',
    pos: 362,
  }
  return { before, after, source, op, ts_ms: 1589362330904, transaction: null }
}

const scooter: Row = { id: 111, name: 'scooter', weight: 5.18 }
const lighter: Row = { ...scooter, weight: 5.15 }
const battery: Row = { id: 102, name: 'car battery', weight: 8.1 }
const HISTORY = [
  message('r', null, scooter),
  message('c', null, battery),
  message('u', scooter, lighter),
  message('d', battery, null),
]

const lines = (messages: readonly object[]): string =>
  messages.map((each) => `${JSON.stringify(each)}\n`).join('')

const fileTable = (columns: string, options = ''): string =>
  `CREATE TABLE products (${columns}) WITH ('connector' = 'filesystem', 'path' = 'in.json', 'format' = 'debezium-json'${options});`

const topicTable = (name: string, columns: string, options: string): string =>
  `CREATE TABLE ${name} (${columns}) WITH ('connector' = 'log', 'topic' = '${name}', ${options});`

function recordsOf(sql: SqlDirectory, topic: string, partition = 0) {
  const text = (bytes: Uint8Array | null | undefined): string | null =>
    bytes === null || bytes === undefined ? null : new TextDecoder().decode(bytes)
  return readPartition({ ...sql, topic, partition }, 0, 1000).map(({ key, value }) => ({
    key: text(key),
    value: text(value),
  }))
}

const plain = (rows: readonly object[]): object[] => rows.map((row) => ({ ...row }))

/** The changelog of a table, as its rows go into a topic of Debezium messages. */
async function changesOf(sql: SqlDirectory, table: string, select: string, columns: string) {
  const copy = topicTable('copy', columns, "'format' = 'debezium-json'")
  await sql.run(`${table} ${copy} INSERT INTO copy ${select};`)
  return recordsOf(sql, 'copy').map(({ value }) => JSON.parse(value!))
}

test('c and r are insertions, u takes back and brings, d takes back; written as c and d', async () => {
  await using sql = sqlDirectory()
  writeFileSync(join(sql.directory, 'in.json'), lines(HISTORY))
  const written = await changesOf(sql, fileTable(COLUMNS), 'SELECT * FROM products', COLUMNS)
  assert.deepEqual(written, [
    { before: null, after: scooter, op: 'c' },
    { before: null, after: battery, op: 'c' },
    { before: scooter, after: null, op: 'd' },
    { before: null, after: lighter, op: 'c' },
    { before: battery, after: null, op: 'd' },
  ])
  const table = topicTable('copy', COLUMNS, "'format' = 'debezium-json'")
  assert.deepEqual(plain(await sql.query(`${table} SELECT * FROM copy`)), [
    { id: 111n, name: 'scooter', weight: '5.15' },
  ])
})

test('messages around a schema are read with schema-include, and without are dead with what to do', async () => {
  await using sql = sqlDirectory()
  const enclosed = HISTORY.map((payload) => ({ schema: { type: 'struct', fields: [] }, payload }))
  writeFileSync(join(sql.directory, 'in.json'), lines(enclosed))
  const columns = `${COLUMNS}, told STRING METADATA FROM 'value.schema' VIRTUAL`
  const table = fileTable(columns, ", 'debezium-json.schema-include' = 'true'")
  assert.deepEqual(plain(await sql.query(`${table} SELECT id, told FROM products`)), [
    { id: 111n, told: '{"type":"struct","fields":[]}' },
  ])
  assert.deepEqual(await changesOf(sql, fileTable(COLUMNS), 'SELECT * FROM products', COLUMNS), [])
  assert.match(recordsOf(sql, 'copy.dead')[0]!.value!, /op: missing or null.*schema-include/)
})

test("metadata tells where a change comes from, by Flink's keys", async () => {
  await using sql = sqlDirectory()
  writeFileSync(join(sql.directory, 'in.json'), lines(HISTORY))
  const keys = {
    taken: "TIMESTAMP_LTZ(3) METADATA FROM 'value.ingestion-timestamp'",
    changed: "TIMESTAMP(3) METADATA FROM 'value.source.timestamp'",
    db: "STRING METADATA FROM 'value.source.database'",
    space: "STRING METADATA FROM 'value.source.schema'",
    tab: "STRING METADATA FROM 'value.source.table'",
    all_of_it: "MAP<STRING, STRING> METADATA FROM 'value.source.properties'",
    told: "STRING METADATA FROM 'value.schema'",
  }
  const metadata = Object.entries(keys).map(([name, type]) => `${name} ${type} VIRTUAL`)
  const table = fileTable(`${COLUMNS}, ${metadata.join(', ')}`)
  const [row] = await sql.query(
    `${table} SELECT taken, changed, db, space, tab, told, all_of_it['connector'] AS c, all_of_it['pos'] AS p FROM products`,
  )
  assert.deepEqual(
    { ...row },
    {
      taken: new Date(1589362330904),
      changed: '2020-05-13 09:32:10.900',
      db: 'inventory',
      space: null,
      tab: 'products',
      told: null,
      c: 'mysql',
      p: '362',
    },
  )
  await assert.rejects(
    sql.query(
      `${fileTable(`${COLUMNS}, x STRING METADATA FROM 'value.source.timestamp' VIRTUAL`)} SELECT x FROM products`,
    ),
    { code: 'SQL_TYPE_MISMATCH' },
  )
})

test('what is no change is dead with its reason, and tombstones are passed over', async () => {
  await using sql = sqlDirectory()
  await sql.run(
    `${topicTable('products', 'id BIGINT', "'format' = 'json'")} INSERT INTO products SELECT 1 WHERE FALSE;`,
  )
  const log = openLog({ ports: sql.ports, dataDirectory: sql.dataDirectory })
  const bad = [
    lines([message('u', null, scooter)]),
    lines([message('d', null, null)]),
    lines([message('c', scooter, null)]),
    lines([message('t', null, null)]),
    lines([message('truncate', null, scooter)]),
    '{"op":"c","after":{"id":"one"}}',
    '{"op":"c","after":[1]}',
    '{"op":"c","after":{"id":1}',
    'null',
    '[]',
    '{"payload":null}',
    '{"__proto__":{"op":"c","after":{"id":1}}}',
  ]
  const good = lines([message('c', null, battery)])
  const values = [good, null, '', ...bad, good].map((text) =>
    text === null ? null : new TextEncoder().encode(text),
  )
  await log.append(
    'products',
    0,
    values.map((value) => ({ key: new Uint8Array([1]), value })),
  )
  await log.close()
  const table = topicTable('products', COLUMNS, "'format' = 'debezium-json'")
  const changes = await changesOf(sql, table, 'SELECT * FROM products', COLUMNS)
  assert.deepEqual(
    changes.map(({ after }) => after),
    [battery, battery],
  )
  assert.deepEqual(
    recordsOf(sql, 'copy.dead').map(({ value }) => JSON.parse(value!).reason),
    [
      'before: null in a message of op update; PostgreSQL tells it of tables with REPLICA IDENTITY FULL',
      'before: null in a message of op delete; PostgreSQL tells it of tables with REPLICA IDENTITY FULL',
      'after: null in a message of op create',
      'op: "t" is none of c, r, u and d',
      'op: "truncate" is none of c, r, u and d',
      'column after.id: "one" is not of type BIGINT',
      'column after: [1] is not of type ROW',
      'byte 26: expected "," or "}"',
      'byte 0: expected "{"',
      'byte 0: expected "{"',
      'op: missing or null; a message with schema and payload needs schema-include',
      'op: missing or null; a message with schema and payload needs schema-include',
    ],
  )
})

test('a __proto__ field is a column like any other', async () => {
  await using sql = sqlDirectory()
  const text =
    '{"before":null,"after":{"id":1,"__proto__":"kept"},"op":"c","source":{"__proto__":"s"}}\n'
  writeFileSync(join(sql.directory, 'in.json'), text)
  const columns =
    "id BIGINT, `__proto__` STRING, s MAP<STRING, STRING> METADATA FROM 'value.source.properties' VIRTUAL"
  const rows = await sql.query(
    `${fileTable(columns)} SELECT \`__proto__\` AS p, s['__proto__'] AS q FROM products`,
  )
  assert.deepEqual(plain(rows), [{ p: 'kept', q: 's' }])
})

test('changes that come twice are told apart by the primary key, if asked for, and need one', async () => {
  await using sql = sqlDirectory()
  writeFileSync(join(sql.directory, 'in.json'), lines(HISTORY.flatMap((each) => [each, each])))
  const twice = "SET 'table.exec.source.cdc-events-duplicate' = 'true';"
  const keyed = fileTable(`${COLUMNS}, PRIMARY KEY (id) NOT ENFORCED`)
  const changes = await changesOf(sql, `${twice} ${keyed}`, 'SELECT * FROM products', COLUMNS)
  // What comes and goes within one batch leaves no trace.
  assert.deepEqual(changes, [{ before: null, after: lighter, op: 'c' }])
  await assert.rejects(
    sql.query(`${twice} ${fileTable(COLUMNS)} SELECT * FROM products`),
    /cdc-events-duplicate.*PRIMARY KEY/,
  )
})

test('changes go to the partition of their primary key, each in its order', async () => {
  await using sql = sqlDirectory()
  writeFileSync(join(sql.directory, 'in.json'), lines(HISTORY))
  const copy = topicTable(
    'copy',
    `${COLUMNS}, PRIMARY KEY (id) NOT ENFORCED`,
    "'format' = 'debezium-json', 'sink.partitions' = '3'",
  )
  await sql.run(`${fileTable(COLUMNS)} ${copy} INSERT INTO copy SELECT * FROM products;`, 2)
  const records = [0, 1, 2].flatMap((partition) => recordsOf(sql, 'copy', partition))
  assert.deepEqual(
    records.filter(({ key }) => key === '{"id":111}').map(({ value }) => JSON.parse(value!).op),
    ['c', 'd', 'c'],
  )
  assert.deepEqual(plain(await sql.query(`${copy} SELECT id, weight FROM copy`)), [
    { id: 111n, weight: '5.15' },
  ])
})

test('files of changes are written, and read again as changes', async () => {
  await using sql = sqlDirectory()
  writeFileSync(join(sql.directory, 'in.json'), lines(HISTORY))
  const copy = `CREATE TABLE copy (n BIGINT, w DECIMAL(38, 2)) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'debezium-json');`
  await sql.run(
    `${fileTable(COLUMNS)} ${copy} INSERT INTO copy SELECT COUNT(*), SUM(weight) FROM products;`,
  )
  assert.deepEqual(plain(await sql.query(`${copy} SELECT * FROM copy`)), [{ n: 1n, w: '5.15' }])
})

for (const format of ['json', 'debezium-json'])
  test(`${format}: a NULL key of a MAP stops the sink, is left out, or is a text, as the table says`, async () => {
    await using sql = sqlDirectory()
    const rows = `CREATE TABLE given (k STRING, v INT) WITH ('connector' = 'values', 'data' = '{"k":null,"v":1}');`
    const written = async (name: string, options: string): Promise<string> => {
      const table = topicTable(name, 'm MAP<STRING, INT>', `'format' = '${format}'${options}`)
      await sql.run(`${rows} ${table} INSERT INTO ${name} SELECT MAP[k, v, 'x', 9] FROM given;`)
      return recordsOf(sql, name)[0]!.value!
    }
    const mode = (name: string): string => `, '${format}.map-null-key.mode' = '${name}'`
    await assert.rejects(written('failing', ''), { code: 'JSON_KEY_NULL' })
    assert.match(await written('dropping', mode('DROP')), /"m":\{"x":9\}/)
    assert.match(await written('naming', mode('LITERAL')), /"m":\{"null":1,"x":9\}/)
    const literal = `${mode('LITERAL')}, '${format}.map-null-key.literal' = 'n"one'`
    assert.match(await written('quoting', literal), /"m":\{"n\\"one":1,"x":9\}/)
  })
