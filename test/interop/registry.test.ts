/** The embedded registry against clients and a registry that others made. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { openLog } from '../../src/log/log.ts'
import { readPartition } from '../../src/log/read-partition.ts'
import { nodePorts } from '../../src/ports/node/ports.ts'
import type { Ports } from '../../src/ports/ports.ts'
import { openRegistryStore } from '../../src/registry/store.ts'
import { serveHttp } from '../../src/serve/http.ts'
import { addRegistryRoutes } from '../../src/serve/registry-routes.ts'
import { sqlDirectory } from '../builders/sql-run.ts'
import { ownCases } from '../conformance/compatibility/cases.ts'
import type { CompatibilityCase } from '../conformance/schema-compatibility.ts'
import {
  exchangeWithPython,
  runNodeClients,
  runPythonClients,
  startApicurio,
  startMoto,
} from './registry-peers.ts'

const HEADERS = { 'content-type': 'application/vnd.schemaregistry.v1+json' }

async function withRegistry(use: (url: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-registry-interop-'))
  try {
    await serving(nodePorts(), directory, use)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

async function serving(
  ports: Ports,
  directory: string,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const store = await openRegistryStore(ports, directory)
  const status = { version: '0', processId: 1, epoch: 1, startedMs: 0, directory, pipelines: [] }
  const http = await serveHttp({
    address: { host: '127.0.0.1', port: 0 },
    status: () => status,
    routes: (app) => addRegistryRoutes(app, store),
  })
  try {
    await use(http.url)
  } finally {
    await http.close()
    await store.close()
  }
}

test('two JavaScript clients register, write and read Avro, JSON and Protobuf', async () => {
  await withRegistry(async (url) => {
    const { kafkajsRefused, confluentRefused, ...told } = await runNodeClients(url)
    assert.match(String(kafkajsRefused), /incompatible with an earlier schema/)
    assert.match(String(confluentRefused), /^409 .*TYPE_MISMATCH at \/fields\/0\/type/)
    assert.deepEqual(
      Object.entries(told).filter(([, isRight]) => isRight !== true),
      [],
    )
    assert.equal(Object.keys(told).length, 10)
  })
})

test("Confluent's Python serializers write and read Avro, JSON and Protobuf", async () => {
  await withRegistry(async (url) => {
    const told = await runPythonClients(url)
    const right = ['avro', 'json', 'jsonRefused', 'protobuf', 'compatible']
    assert.deepEqual(
      right.filter((name) => told[name] !== true),
      [],
    )
    assert.deepEqual(told.refused, [409, 409])
    assert.deepEqual(told.subjects, ['py-avro-value', 'py-json-value', 'py-proto-value'])
  })
})

const ORDERS = `id BIGINT NOT NULL, city STRING, amount DECIMAL(10, 2), moment TIMESTAMP_LTZ(3), tags ARRAY<STRING NOT NULL> NOT NULL`

test("Confluent's deserializers read what sinks write, and tables read what its serializers write", async () => {
  await using sql = sqlDirectory()
  await serving(sql.ports, sql.dataDirectory, async (url) => {
    const source = `CREATE TABLE source (${ORDERS}) WITH ('connector' = 'values', 'data' = '{"id":9007199254740993,"city":"oslo","amount":-12.50,"moment":"2026-01-31 12:00:01.500Z","tags":["a","b"]}
{"id":-1,"city":null,"amount":null,"moment":null,"tags":[]}');`
    const table = (topic: string, format: string) =>
      `CREATE TABLE ${topic} (${ORDERS}) WITH ('connector' = 'log', 'topic' = '${topic}', 'format' = '${format}', '${format}.url' = '${url}');`
    const hexOf = async (topic: string, format: string) => {
      await sql.run(`${source} ${table(topic, format)} INSERT INTO ${topic} SELECT * FROM source;`)
      return readPartition({ ...sql, topic, partition: 0 }, 0, 10).map(({ value }) =>
        Buffer.from(value!).toString('hex'),
      )
    }
    const records = {
      avro: await hexOf('a', 'avro-confluent'),
      protobuf: await hexOf('p', 'protobuf-confluent'),
      json: await hexOf('j', 'json-confluent'),
    }
    const told = await exchangeWithPython(url, records)
    const rows = [
      {
        id: 9007199254740993n,
        city: 'oslo',
        amount: '-12.50',
        moment: 1769860801500,
        tags: ['a', 'b'],
      },
      { id: -1n, city: null, amount: null, moment: null, tags: [] },
    ].map((row) => ({ ...row, id: Number(row.id) }))
    assert.deepEqual(told.avroRead, rows)
    assert.deepEqual(told.protobufRead, rows)
    assert.deepEqual(
      told.jsonRead,
      rows.map((row, at) => ({
        ...row,
        amount: at === 0 ? -12.5 : null,
        moment: at === 0 ? '2026-01-31 12:00:01.5Z' : null,
      })),
    )
    const log = openLog(sql)
    for (const [topic, written] of [
      ['a', told.avroWritten],
      ['p', told.protobufWritten],
      ['j', told.jsonWritten],
    ] as const)
      await log.append(topic, 0, [{ value: Buffer.from(String(written), 'hex') }])
    await log.close()
    const last = async (topic: string, format: string) =>
      (
        await sql.query(
          `${table(topic, format)} SELECT id, city, amount, moment, tags FROM ${topic}`,
        )
      ).at(-1)
    const moment = new Date(1769860801500)
    assert.deepEqual(
      { ...(await last('a', 'avro-confluent')) },
      { id: 9007199254740993n, city: 'quito', amount: '-12.50', moment, tags: ['a', 'b'] },
    )
    assert.deepEqual(
      { ...(await last('j', 'json-confluent')) },
      { id: 5n, city: 'lima', amount: '1.50', moment, tags: ['d'] },
    )
    assert.deepEqual(
      { ...(await last('p', 'protobuf-confluent')) },
      { id: 9007199254740993n, city: 'oslo', amount: '0.25', moment, tags: ['c'] },
    )
  })
})

test("Glue's registry takes what a sink writes, and a table reads it back by its version's id", async () => {
  const moto = await startMoto(18_472)
  try {
    await using sql = sqlDirectory()
    const options = `'avro-glue.endpoint' = '${moto.url}', 'avro-glue.region' = 'eu-west-1', 'avro-glue.access-key-id' = 'id', 'avro-glue.secret-access-key' = 'secret'`
    const table = `CREATE TABLE g (id BIGINT NOT NULL, city STRING) WITH ('connector' = 'log', 'topic' = 'g', 'format' = 'avro-glue', ${options});`
    const source = `CREATE TABLE source (id BIGINT NOT NULL, city STRING) WITH ('connector' = 'values', 'data' = '{"id":1,"city":"oslo"}');`
    const insert = `INSERT INTO g SELECT * FROM source;`
    const unregistering = table.replace(
      'WITH (',
      "WITH ('avro-glue.auto.register.schemas' = 'false', ",
    )
    await assert.rejects(sql.run(`${source} ${unregistering} ${insert}`), {
      code: 'SCHEMA_MISSING',
      message: 'table g: the registry has no subject g-value',
    })
    await sql.run(`${source} ${table} ${insert}`)
    await sql.run(`${source} ${unregistering} ${insert}`)
    const rows = (await sql.query(`${table} SELECT * FROM g`)).map((row) => ({ ...row }))
    assert.deepEqual(rows, [
      { id: 1n, city: 'oslo' },
      { id: 1n, city: 'oslo' },
    ])
    const [record] = readPartition({ ...sql, topic: 'g', partition: 0 }, 0, 1)
    assert.deepEqual([...record!.value!.subarray(0, 2)], [3, 0])
  } finally {
    moto.stop()
  }
})

test('Apicurio is asked for what a sink may not register', async () => {
  const apicurio = await startApicurio(18_471)
  try {
    await using sql = sqlDirectory()
    const insert = (column: string, registers: boolean) =>
      sql.run(`CREATE TABLE a (${column} INT) WITH ('connector' = 'log', 'topic' = 'a', 'format' = 'avro-confluent',
        'avro-confluent.url' = '${apicurio.url}', 'avro-confluent.auto.register.schemas' = '${registers}');
        INSERT INTO a SELECT id FROM (VALUES (1)) AS v (id);`)
    await assert.rejects(insert('id', false), {
      code: 'SCHEMA_MISSING',
      message: 'table a: the registry has no subject a-value',
    })
    await insert('id', true)
    await insert('id', false)
    await assert.rejects(insert('other', false), {
      code: 'SCHEMA_MISSING',
      message: 'table a: no version of subject a-value is the schema that the table writes',
    })
  } finally {
    apicurio.stop()
  }
})

/**
 * Where Apicurio answers otherwise than the specification and Confluent's documents. JSON Schema: it refuses changes of `format`, of a
 * required property's default, of combinations of one and into branches that are wider; it does not compare `const`; its reader fails on
 * numbers in exclusive limits and on 2020-12. Avro: it takes any text as the default of an enum, of bytes and of a fixed.
 */
const APICURIO_DIFFERS =
  /exclusiveM|2020-12|format is added|default is added to a closed|default becomes required|of anything is added|of nothing is removed|covered .*property|covered by a pattern|combination of one|duplicates in oneOf|one of several|all of several|all of one|one of wider|const is changed|a const becomes|left unevaluated|default: (?:bytes beyond|a fixed of another|no symbol)/

test('Apicurio answers as we do, but where it has rules of its own', async () => {
  const apicurio = await startApicurio(18_471)
  try {
    const different: string[] = []
    const levels = ['BACKWARD', 'FORWARD']
    const cases = ownCases().filter(
      ({ format, level, references }) =>
        // Its rules for Protobuf are its own: fields may not go unless reserved, nor change within a group.
        format !== 'PROTOBUF' && levels.includes(level) && references === undefined,
    )
    for (const [index, each] of cases.entries()) {
      const verdict = await verdictOf(apicurio.url, each, `case-${index}`)
      if (verdict !== undefined && verdict !== each.compatible) different.push(String(each.id))
    }
    assert.deepEqual(
      different.filter((id) => !APICURIO_DIFFERS.test(id)),
      [],
    )
  } finally {
    apicurio.stop()
  }
})

async function verdictOf(
  url: string,
  { format, level, old, new: next }: CompatibilityCase,
  subject: string,
): Promise<boolean | undefined> {
  const send = (method: string, path: string, body: unknown) =>
    fetch(`${url}${path}`, { method, headers: HEADERS, body: JSON.stringify(body) })
  const olds = Array.isArray(old) ? old : [old]
  if (olds.length !== 1) return undefined
  const register = (schema: unknown) =>
    send('POST', `/subjects/${subject}/versions`, { schemaType: format, schema })
  if (!(await register(olds[0])).ok) return undefined
  await send('PUT', `/config/${subject}`, { compatibility: level })
  return (await register(next)).ok
}
