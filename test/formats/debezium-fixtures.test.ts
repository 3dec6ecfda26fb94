/** What Debezium itself wrote, read as tables: see test/fixtures/README.md. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import test from 'node:test'
import { openLog } from '../../src/log/log.ts'
import { readPartition } from '../../src/log/read-partition.ts'
import { localSchemas } from '../../src/registry/local-source.ts'
import { sqlDirectory } from '../builders/sql-run.ts'

const FIXTURES = resolve('test/fixtures/debezium')
const PRODUCTS =
  'id INT NOT NULL, name STRING NOT NULL, description STRING, weight DOUBLE, made INT, sold TIMESTAMP_LTZ(3)'
const ISO = ", 'debezium-json.timestamp-format.standard' = 'ISO-8601'"

const fileOf = (name: string, columns: string, options = ''): string =>
  `CREATE TABLE t (${columns}) WITH ('connector' = 'filesystem', 'path' = '${FIXTURES}/${name}', 'format' = 'debezium-json'${options});`

/** What the fixtures' changes come to. */
const SCOOTER = {
  id: 101,
  name: 'scooter',
  description: 'Big 2-wheel scooter',
  weight: 5.15,
  made: 19782,
  sold: new Date('2024-03-01T12:00:00.125Z'),
}
const JACKET = {
  id: 104,
  name: 'jacket "água"',
  description: null,
  weight: 0.2,
  made: -1,
  sold: new Date('1969-12-31T23:59:59.999Z'),
}
const HAMMER = {
  id: 105,
  name: 'hammer',
  description: '14oz',
  weight: 0.875,
  made: null,
  sold: null,
}
const plain = (rows: readonly object[]): object[] => rows.map((row) => ({ ...row }))

for (const [name, options] of [
  ['postgres.jsonl', ISO],
  ['postgres-schema.jsonl', `${ISO}, 'debezium-json.schema-include' = 'true'`],
] as const)
  test(`${name} folds to what its changes come to`, async () => {
    await using sql = sqlDirectory()
    const rows = await sql.query(`${fileOf(name, PRODUCTS, options)} SELECT * FROM t`)
    assert.deepEqual(plain(rows), [SCOOTER, JACKET, HAMMER])
  })

test('without REPLICA IDENTITY FULL updates are dead, and the rest folds by the key', async () => {
  await using sql = sqlDirectory()
  const keyed = `${PRODUCTS}, PRIMARY KEY (id) NOT ENFORCED`
  const table = fileOf('postgres-default-identity.jsonl', keyed, ISO)
  const target = `CREATE TABLE target (id INT, name STRING) WITH ('connector' = 'log', 'topic' = 'target', 'format' = 'debezium-json');`
  await sql.run(`${table} ${target} INSERT INTO target SELECT id, name FROM t;`)
  const dead = readPartition({ ...sql, topic: 'target.dead', partition: 0 }, 0, 10)
  assert.deepEqual(
    dead.map(({ value }) => JSON.parse(new TextDecoder().decode(value!)).reason),
    [
      'before: null in a message of op update; PostgreSQL tells it of tables with REPLICA IDENTITY FULL',
    ],
  )
  // By the key, as cdc-events-duplicate holds changes against what was there, a deletion needs no more than that.
  const folded = await sql.query(
    `SET 'table.exec.source.cdc-events-duplicate' = 'true'; ${table} SELECT id, description FROM t`,
  )
  assert.deepEqual(plain(folded), [
    { id: 101, description: 'Small 2-wheel scooter' },
    { id: 104, description: null },
    { id: 105, description: '14oz' },
  ])
})

test('postgres-avro.json folds to the same table, through a registry', async () => {
  await using sql = sqlDirectory()
  const { schema, schemaId, records } = JSON.parse(
    readFileSync(`${FIXTURES}/postgres-avro.json`, 'utf8'),
  )
  const schemas = localSchemas(sql.ports, sql.dataDirectory)
  const filler = { type: 'AVRO', text: '"string"', references: [] } as const
  for (let id = 1; id < schemaId; id++) await schemas.register(`before-${id}`, filler)
  const text = JSON.stringify(schema)
  assert.equal(await schemas.register('t-value', { type: 'AVRO', text, references: [] }), schemaId)
  const log = openLog({ ports: sql.ports, dataDirectory: sql.dataDirectory })
  await log.createTopic('t')
  const values = (records as readonly string[]).map((each) =>
    each === '' ? null : Uint8Array.from(Buffer.from(each, 'base64')),
  )
  await log.append(
    't',
    0,
    values.map((value) => ({ value })),
  )
  await log.close()
  const columns = PRODUCTS.replace('TIMESTAMP_LTZ(3)', 'STRING')
  const table = `CREATE TABLE t (${columns}, space STRING METADATA FROM 'value.source.schema' VIRTUAL, taken TIMESTAMP_LTZ(3) METADATA FROM 'value.ingestion-timestamp' VIRTUAL) WITH ('connector' = 'log', 'topic' = 't', 'format' = 'debezium-avro-confluent');`
  const rows = await sql.query(
    `${table} SELECT id, name, description, weight, made, sold, space FROM t`,
  )
  const told = (row: { readonly sold: Date | null }) => ({
    ...row,
    sold: row.sold === null ? null : row.sold.toISOString().replace('Z', '000Z'),
    space: 'inventory',
  })
  assert.deepEqual(plain(rows), [SCOOTER, JACKET, HAMMER].map(told))
  const [last] = await sql.query(`${table} SELECT taken FROM t WHERE id = 105`)
  assert.ok(last!.taken instanceof Date && last!.taken.getUTCFullYear() === 2026)
})

test('mysql.jsonl: what was created, updated and deleted is gone, with where it came from', async () => {
  await using sql = sqlDirectory()
  const columns = `id BIGINT, first_name STRING, last_name STRING, email STRING, PRIMARY KEY (id) NOT ENFORCED, db STRING METADATA FROM 'value.source.database' VIRTUAL, place MAP<STRING, STRING> METADATA FROM 'value.source.properties' VIRTUAL`
  const rows = await sql.query(
    `${fileOf('mysql.jsonl', columns)} SELECT id, first_name, email, db, place['file'] AS f FROM t WHERE id = 1005`,
  )
  assert.deepEqual(plain(rows), [
    { id: 1005n, first_name: 'Bo', email: null, db: 'customers', f: 'mysql-bin.000003' },
  ])
  const [counted] = await sql.query(`${fileOf('mysql.jsonl', columns)} SELECT COUNT(*) AS n FROM t`)
  assert.equal(counted!.n, 1n)
})
