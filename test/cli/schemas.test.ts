import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { inDirectory, millrace, start } from './process.ts'

const avro = (...fields: object[]) => JSON.stringify({ type: 'record', name: 'Order', fields })
const ID = { name: 'id', type: 'long' }
const CITY = { name: 'city', type: ['null', 'string'], default: null }
const TABLES = `
CREATE TABLE orders (id BIGINT NOT NULL, city STRING) WITH ('connector' = 'log', 'topic' = 'orders', 'format' = 'avro-confluent');
CREATE TABLE cities (city STRING) WITH ('connector' = 'log', 'topic' = 'cities', 'format' = 'json');
`

function project(directory: string): (name: string, text: string) => void {
  mkdirSync(join(directory, 'tables'))
  mkdirSync(join(directory, 'pipelines'))
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
  write('tables/orders.sql', TABLES)
  write('pipelines/cities.sql', 'INSERT INTO cities SELECT city FROM orders;')
  write('one.avsc', avro(ID, CITY))
  write('two.avsc', avro(ID, { name: 'town', type: 'string' }))
  return write
}

test('produce writes lines behind the id of their schema, tells those that do not fit, and later ones need no flag', async () => {
  await inDirectory(async (directory) => {
    project(directory)
    const first = await millrace(
      directory,
      ['produce', 'orders', '--partitions', '1', '--schema', 'one.avsc'],
      '{"id":1,"city":"oslo"}\n{"id":"x"}\n',
    )
    assert.equal(first.out, '1 row appended to orders, 1 bad line\n')
    assert.match(first.err, /stdin:2 not appended: column id: "x" is not (of type|a valid) BIGINT/)
    const second = await millrace(
      directory,
      ['produce', 'orders'],
      '{"id":9007199254740993}\n{"city":"x"}\n',
    )
    assert.match(second.err, /stdin:2 not appended: column id: missing or null/)
    const { out } = await millrace(directory, ['query', 'SELECT id, city FROM orders', '--json'])
    assert.match(out, /oslo/)
    assert.match(out, /9007199254740993/)
  })
})

test('produce refuses a schema that does not fit its subject before any row', async () => {
  await inDirectory(async (directory) => {
    project(directory)
    const args = ['produce', 'orders', '--partitions', '1', '--schema']
    await millrace(directory, [...args, 'one.avsc'], '{"id":1}\n')
    const refused = await millrace(directory, [...args, 'two.avsc'], '{"id":1,"town":"x"}\n')
    assert.equal(refused.code, 1)
    assert.match(refused.err, /SCHEMA_INCOMPATIBLE/)
    assert.match(
      refused.err,
      /READER_FIELD_MISSING_DEFAULT_VALUE at \/fields\/1: field town was not written/,
    )
    const { out } = await millrace(directory, ['log', 'list', '--json'])
    assert.equal(
      out
        .split('\n')
        .map((line) => (line === '' ? {} : JSON.parse(line)))
        .find(({ topic }) => topic === 'orders').records,
      1,
    )
  })
})

test('JSON Schema: lines are validated and stay as they are; Protobuf: they become messages', async () => {
  await inDirectory(async (directory) => {
    const write = project(directory)
    write('s.json', '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}')
    write('s.proto', 'syntax = "proto3"; message Row { int64 n = 1; }')
    const json = await millrace(
      directory,
      ['produce', 'j', '--partitions', '1', '--schema', 's.json'],
      '{"n":1}\n{"n":"x"}\n{}\n',
    )
    assert.match(json.err, /stdin:2 not appended: field n must be integer/)
    assert.match(json.err, /stdin:3 not appended: the value must have required property 'n'/)
    const proto = await millrace(
      directory,
      ['produce', 'p', '--partitions', '1', '--schema', 's.proto'],
      '{"n":300}\n',
    )
    assert.equal(proto.code, 0)
    write(
      'tables/p.sql',
      "CREATE TABLE p (n BIGINT) WITH ('connector' = 'log', 'topic' = 'p', 'format' = 'protobuf-confluent');",
    )
    assert.match((await millrace(directory, ['query', 'SELECT n FROM p', '--json'])).out, /300/)
  })
})

test('schema check says what the registry would refuse, and which pipelines would break', async () => {
  await inDirectory(async (directory) => {
    const write = project(directory)
    await millrace(
      directory,
      ['produce', 'orders', '--partitions', '1', '--schema', 'one.avsc'],
      '{"id":1}\n',
    )
    const check = (file: string, ...more: string[]) =>
      millrace(directory, ['schema', 'check', file, '--subject', 'orders-value', ...more])
    const good = await check('one.avsc')
    assert.deepEqual(
      [good.code, good.out],
      [0, 'compatible  orders-value: 1 earlier version, BACKWARD\n'],
    )
    const bad = await check('two.avsc', '--json')
    assert.equal(bad.code, 1)
    const told = JSON.parse(bad.out)
    assert.match(told.incompatible[0], /READER_FIELD_MISSING_DEFAULT_VALUE at \/fields\/1/)
    assert.deepEqual(
      told.breaks.map(({ pipeline, table, how }: Record<string, string>) => [pipeline, how, table]),
      [['cities', 'reads', 'orders']],
    )
    write('three.avsc', avro(ID, { ...CITY, type: ['null', 'int'] }))
    const none = await check('three.avsc', '--against', 'three.avsc')
    assert.match(
      none.err,
      /breaks {2}cities reads orders: column city is VARCHAR, and the writer's schema says/,
    )
  })
})

test("a registry's credentials stand in no plan, no error and no file, though the table's text has them", async () => {
  await inDirectory(async (directory) => {
    const write = project(directory)
    const option = (name: string, value: string) => `'avro-confluent.${name}' = '${value}'`
    write(
      'tables/secret.sql',
      `CREATE TABLE given (id INT) WITH ('connector' = 'values', 'data' = '{"id":1}');
      CREATE TABLE kept (id INT) WITH ('connector' = 'log', 'topic' = 'kept', 'format' = 'avro-confluent',
        ${option('url', 'http://me:planted-1@127.0.0.1:9')}, ${option('basic-auth.user-info', 'me:planted-2')},
        ${option('bearer-auth.token', 'planted-3')}, ${option('ssl.keystore.password', 'planted-4')});`,
    )
    write('pipelines/kept.sql', 'INSERT INTO kept SELECT id FROM given;')
    const explained = await millrace(directory, ['explain', 'pipelines/kept.sql', '--json'])
    assert.match(explained.out, /"kept"/)
    const run = await millrace(directory, ['run', 'pipelines/kept.sql', '--until', 'end'])
    assert.match(run.err, /REGISTRY_UNREACHABLE: the schema registry at http:\/\/127\.0\.0\.1:9 /)
    const files = readdirSync(join(directory, '.millrace'), {
      recursive: true,
      withFileTypes: true,
    })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    const told = [explained, run].flatMap(({ out, err }) => [out, err])
    assert.doesNotMatch([...told, ...files].join('\n'), /planted/)
  })
})

test('a process that owns the data serves the registry, and produce registers through it', async () => {
  await inDirectory(async (directory) => {
    project(directory)
    const server = start(directory, ['registry', 'serve', '--http', '127.0.0.1:0'])
    await server.until(/schema registry: http/)
    const url = /http:\/\/\S+/.exec(server.said())![0]
    await millrace(
      directory,
      ['produce', 'orders', '--partitions', '1', '--schema', 'one.avsc'],
      '{"id":1}\n',
    )
    const subjects: unknown = await (await fetch(`${url}/subjects`)).json()
    assert.deepEqual(subjects, ['orders-value'])
    const args = ['--subject', 'orders-value', '--registry', url]
    const checked = await millrace(directory, ['schema', 'check', 'two.avsc', ...args])
    assert.match(checked.err, /READER_FIELD_MISSING_DEFAULT_VALUE/)
    assert.match(checked.err, /1 earlier version, BACKWARD/)
    const refused = await millrace(
      directory,
      ['produce', 'orders', '--schema', 'two.avsc'],
      '{"id":1}\n',
    )
    assert.match(refused.err, /SCHEMA_INCOMPATIBLE/)
    server.child.kill('SIGTERM')
    assert.equal((await server.ended).code, 0)
  })
})
