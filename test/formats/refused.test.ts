/** For each rule one pair of schemas that is refused at registration over HTTP, at `produce`, and when a sink starts: the same rule each time, and nothing written. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { openTarget } from '../../src/cli/produce-rows.ts'
import type { SchemaType } from '../../src/formats/schema-source.ts'
import { openRegistryStore } from '../../src/registry/store.ts'
import { serveHttp } from '../../src/serve/http.ts'
import { addRegistryRoutes } from '../../src/serve/registry-routes.ts'
import { sqlDirectory } from '../builders/sql-run.ts'

interface Refused {
  readonly rule: RegExp
  readonly type: SchemaType
  readonly old: string
  readonly next: string
  /** What the sink writes with `next`; absent where no sink has the format. */
  readonly columns?: string
}

const avro = (field: object, name = 'R') =>
  JSON.stringify({ type: 'record', name, fields: [{ name: 'a', ...field }] })
const enumOf = (...symbols: string[]) => ({ type: { type: 'enum', name: 'E', symbols } })
const proto = (body: string, head = '') => `syntax = "proto3"; ${head} message M { ${body} }`
const json = (schema: object) =>
  JSON.stringify({ type: 'object', properties: { a: schema }, additionalProperties: false })

const CASES: readonly Refused[] = [
  {
    rule: /TYPE_MISMATCH/,
    type: 'AVRO',
    old: avro({ type: 'string' }),
    next: avro({ type: 'int' }),
    columns: 'a INT NOT NULL',
  },
  {
    rule: /READER_FIELD_MISSING_DEFAULT_VALUE/,
    type: 'AVRO',
    old: avro({ name: 'b', type: 'int' }),
    next: avro({ type: 'int' }),
    columns: 'a INT NOT NULL',
  },
  {
    rule: /MISSING_UNION_BRANCH/,
    type: 'AVRO',
    old: avro({ type: ['null', 'string', 'long'] }),
    next: avro({ type: ['null', 'string'] }),
    columns: 'a STRING',
  },
  {
    rule: /MISSING_ENUM_SYMBOLS/,
    type: 'AVRO',
    old: avro(enumOf('x', 'y')),
    next: avro(enumOf('x')),
    columns: 'a STRING NOT NULL',
  },
  {
    rule: /NAME_MISMATCH/,
    type: 'AVRO',
    old: avro({ type: 'int' }),
    next: avro({ type: 'int' }, 'S'),
    columns: 'a INT NOT NULL',
  },
  {
    rule: /FIXED_SIZE_MISMATCH/,
    type: 'AVRO',
    old: avro({
      type: { type: 'fixed', name: 'F', size: 5, logicalType: 'decimal', precision: 4 },
    }),
    next: avro({
      type: { type: 'fixed', name: 'F', size: 4, logicalType: 'decimal', precision: 4 },
    }),
    columns: 'a DECIMAL(4, 0) NOT NULL',
  },
  {
    rule: /FIELD_SCALAR_KIND_CHANGED/,
    type: 'PROTOBUF',
    old: proto('string a = 1;'),
    next: proto('int32 a = 1;'),
    columns: 'a INT',
  },
  {
    rule: /FIELD_KIND_CHANGED/,
    type: 'PROTOBUF',
    old: proto('map<string, int32> a = 1;'),
    next: proto('int32 a = 1;'),
    columns: 'a INT',
  },
  {
    rule: /PACKAGE_CHANGED/,
    type: 'PROTOBUF',
    old: proto('int32 a = 1;'),
    next: proto('int32 a = 1;', 'package p;'),
    columns: 'a INT',
  },
  {
    rule: /MESSAGE_REMOVED/,
    type: 'PROTOBUF',
    old: `${proto('int32 a = 1;')} message N {}`,
    next: proto('int32 a = 1;'),
    columns: 'a INT',
  },
  {
    rule: /MULTIPLE_FIELDS_MOVED_TO_ONEOF/,
    type: 'PROTOBUF',
    old: proto('int32 a = 1; int32 b = 2;'),
    next: proto('oneof o { int32 a = 1; int32 b = 2; }'),
    columns: 'a INT',
  },
  {
    rule: /ONEOF_FIELD_REMOVED/,
    type: 'PROTOBUF',
    old: proto('oneof o { int32 a = 1; int32 b = 2; }'),
    next: proto('oneof o { int32 a = 1; }'),
    columns: 'a INT',
  },
  {
    rule: /TYPE_CHANGED/,
    type: 'JSON',
    old: json({ type: 'string' }),
    next: json({ type: 'integer' }),
  },
  {
    rule: /MAX_LENGTH_ADDED/,
    type: 'JSON',
    old: json({ type: 'string' }),
    next: json({ type: 'string', maxLength: 3 }),
  },
  {
    rule: /REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL/,
    type: 'JSON',
    old: '{"type":"object","additionalProperties":false}',
    next: '{"type":"object","additionalProperties":false,"properties":{"a":{}},"required":["a"]}',
  },
  {
    rule: /ENUM_ARRAY_NARROWED/,
    type: 'JSON',
    old: json({ enum: [1, 2] }),
    next: json({ enum: [1] }),
  },
  {
    rule: /SUM_TYPE_NARROWED/,
    type: 'JSON',
    old: json({ type: ['string', 'null', 'integer'] }),
    next: json({ type: ['string', 'null'] }),
  },
]

for (const { rule, type, old, next, columns } of CASES) {
  test(`${rule.source} of ${type} is refused wherever the schema comes in`, async () => {
    await using sql = sqlDirectory()
    const store = await openRegistryStore(sql.ports, sql.dataDirectory)
    const status = {
      version: '',
      processId: 1,
      epoch: 1,
      startedMs: 0,
      directory: '',
      pipelines: [],
    }
    const http = await serveHttp({
      address: { host: '127.0.0.1', port: 0 },
      status: () => status,
      routes: (app) => addRegistryRoutes(app, store),
    })
    const post = async (schema: string) => {
      const answer = await fetch(`${http.url}/subjects/t-value/versions`, {
        method: 'POST',
        body: JSON.stringify({ schema, schemaType: type }),
      })
      return { status: answer.status, text: await answer.text() }
    }
    assert.equal((await post(old)).status, 200)
    const refused = await post(next)
    assert.equal(refused.status, 409)
    assert.match(refused.text, rule)
    await http.close()
    await store.close()
    const isRefused = (error: { code: string; message: string }) => {
      assert.equal(error.code, 'SCHEMA_INCOMPATIBLE', error.message)
      assert.match(error.message, rule)
      return true
    }
    const target = await openTarget({ ...sql, topic: 't', partitions: 1 })
    await assert.rejects(
      target.register('t-value', { type, text: next, references: [] }),
      isRefused,
    )
    await target.close()
    if (columns === undefined) return
    const format = `${type.toLowerCase()}-confluent`
    const sink = `CREATE TABLE t (${columns}) WITH ('connector' = 'log', 'topic' = 't', 'format' = '${format}', '${format}.schema' = '${next}');`
    const name = columns.replace(/^a /, '')
    const source = `CREATE TABLE s (a ${name}) WITH ('connector' = 'values', 'data' = '');`
    await assert.rejects(sql.run(`${sink} ${source} INSERT INTO t SELECT a FROM s;`), isRefused)
  })
}
