/** Topics that hold the latest row of each key: written with tombstones, read as changes, compacted. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { openLog } from '../../src/log/log.ts'
import { readPartition } from '../../src/log/read-partition.ts'
import { type SqlDirectory, sqlDirectory } from '../builders/sql-run.ts'

const COLUMNS = 'city STRING, users BIGINT, PRIMARY KEY (city) NOT ENFORCED'
const upsertTable = (options = '', columns = COLUMNS): string =>
  `CREATE TABLE counts (${columns}) WITH ('connector' = 'upsert-log', 'topic' = 'counts'${options});`

const signups = (...rows: readonly string[]): string =>
  `CREATE TABLE signups (city STRING) WITH ('connector' = 'values', 'changelog' = 'true', 'data' = '${rows
    .map((row) => `${row.slice(0, 2)} {"city":"${row.slice(3)}"}`)
    .join('\n')}');`

function recordsOf(sql: SqlDirectory, partition = 0) {
  const text = (bytes: Uint8Array | null): string | null =>
    bytes === null ? null : new TextDecoder().decode(bytes)
  return readPartition({ ...sql, topic: 'counts', partition }, 0, 1000).map(({ key, value }) => [
    text(key),
    text(value),
  ])
}

const plain = (rows: readonly object[]): object[] => rows.map((row) => ({ ...row }))
const COUNT = 'INSERT INTO counts SELECT city, COUNT(*) FROM signups GROUP BY city;'

test('a row that comes is its key and value, a row that goes its key alone; read, the latest of each key', async () => {
  await using sql = sqlDirectory()
  await sql.run(`${signups('+I oslo', '+I bergen')} ${upsertTable()} ${COUNT}`)
  const gone = `${signups('+I oslo', '-D oslo', '+I bergen', '+I bergen')} ${upsertTable()}`
  await sql.run(`${gone} ${COUNT}`)
  await sql.run(`${upsertTable()} INSERT INTO counts VALUES ('quito', NULL);`)
  const log = openLog({ ports: sql.ports, dataDirectory: sql.dataDirectory })
  assert.equal(log.topic('counts')!.config.cleanupPolicy, 'compact')
  await log.append('counts', 0, [
    { key: new TextEncoder().encode('{"city":"oslo"}'), value: null },
    { key: new TextEncoder().encode('{"city":"nowhere"}'), value: null },
  ])
  await log.close()
  const records = recordsOf(sql)
  assert.deepEqual(records.slice(0, 2), [
    ['{"city":"oslo"}', '{"city":"oslo","users":1}'],
    ['{"city":"bergen"}', '{"city":"bergen","users":1}'],
  ])
  const rows = await sql.query(`${upsertTable()} SELECT * FROM counts`)
  assert.deepEqual(plain(rows), [
    { city: 'bergen', users: 2n },
    { city: 'quito', users: null },
  ])
})

test('read, it is a changelog: what is counted over it is taken back', async () => {
  await using sql = sqlDirectory()
  await sql.run(`${signups('+I oslo', '+I bergen', '+I bergen')} ${upsertTable()} ${COUNT}`)
  const log = openLog({ ports: sql.ports, dataDirectory: sql.dataDirectory })
  await log.append('counts', 0, [
    { key: new TextEncoder().encode('{"city":"bergen"}'), value: null },
  ])
  await log.close()
  const [row] = await sql.query(
    `${upsertTable()} SELECT COUNT(*) AS n, SUM(users) AS u FROM counts`,
  )
  assert.deepEqual({ ...row }, { n: 1n, u: 1n })
})

test('keys need not be in the value, may have a prefix, and any format', async () => {
  await using sql = sqlDirectory()
  const options =
    ", 'key.format' = 'avro-confluent', 'value.format' = 'json-confluent', 'key.fields-prefix' = 'k_', 'value.fields-include' = 'EXCEPT_KEY'"
  const table = upsertTable(
    options,
    'k_city STRING, users BIGINT, PRIMARY KEY (k_city) NOT ENFORCED',
  )
  await sql.run(`${signups('+I oslo', '+I oslo', '+I bergen', '-D bergen')} ${table} ${COUNT}`)
  const rows = await sql.query(`${table} SELECT * FROM counts`)
  assert.deepEqual(plain(rows), [{ k_city: 'oslo', users: 2n }])
})

test('a key keeps to its partition, at several workers too', async () => {
  await using sql = sqlDirectory()
  const table = upsertTable(", 'sink.partitions' = '4'")
  const cities = Array.from({ length: 40 }, (_, at) => `+I city${at % 7}`)
  await sql.run(`${signups(...cities)} ${table} ${COUNT}`, 2)
  const keys = [0, 1, 2, 3].map(
    (partition) => new Set(recordsOf(sql, partition).map(([key]) => key)),
  )
  assert.equal(
    keys.reduce((sum, each) => sum + each.size, 0),
    7,
  )
  const rows = await sql.query(`${table} SELECT SUM(users) AS n FROM counts`)
  assert.deepEqual(plain(rows), [{ n: 40n }])
})

test('compaction leaves the last record of each key, and what is read stays the same', async () => {
  await using sql = sqlDirectory()
  const log = openLog({ ports: sql.ports, dataDirectory: sql.dataDirectory })
  await log.createTopic('counts', {
    settings: { 'cleanup.policy': 'compact', 'segment.bytes': '1024', 'delete.retention.ms': '0' },
  })
  const runs = [['+I oslo'], ['+I bergen', '+I oslo', '+I oslo'], ['+I oslo', '+I oslo']]
  for (const rows of [...Array(10).fill(runs[0]), ...runs])
    await sql.run(`${signups(...rows)} ${upsertTable()} ${COUNT}`)
  await log.append('counts', 0, [
    { key: new TextEncoder().encode('{"city":"bergen"}'), value: null },
  ])
  const before = recordsOf(sql).length
  await log.maintain()
  await log.close()
  assert.ok(recordsOf(sql).length < before)
  const rows = await sql.query(`${upsertTable()} SELECT * FROM counts`)
  assert.deepEqual(plain(rows), [{ city: 'oslo', users: 2n }])
})

test('a key that does not decode makes its record dead, with the key', async () => {
  await using sql = sqlDirectory()
  await sql.run(`${signups('+I oslo')} ${upsertTable()} ${COUNT}`)
  const log = openLog({ ports: sql.ports, dataDirectory: sql.dataDirectory })
  const encode = (text: string) => new TextEncoder().encode(text)
  await log.append('counts', 0, [
    { key: encode('{"city"'), value: encode('{"city":"x","users":1}') },
    { key: encode('{"city":"oslo"}'), value: encode('{"users":') },
  ])
  await log.close()
  const target = `CREATE TABLE target (n BIGINT) WITH ('connector' = 'log', 'topic' = 'target', 'format' = 'debezium-json');`
  await sql.run(`${upsertTable()} ${target} INSERT INTO target SELECT users FROM counts;`)
  const dead = readPartition({ ...sql, topic: 'target.dead', partition: 0 }, 0, 10).map(
    ({ value }) => JSON.parse(new TextDecoder().decode(value!)),
  )
  assert.deepEqual(
    dead.map(({ reason }) => reason.slice(0, 8)),
    ['the key:', 'byte 9: '],
  )
})

test('without a primary key there is no such table', async () => {
  await using sql = sqlDirectory()
  await assert.rejects(
    sql.run(
      `${signups('+I oslo')} ${upsertTable('', 'city STRING, users BIGINT')} INSERT INTO counts VALUES ('oslo', 1);`,
    ),
    (error: { readonly hint: string }) => /PRIMARY KEY/.test(error.hint),
  )
})
