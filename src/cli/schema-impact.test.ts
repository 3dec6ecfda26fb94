import assert from 'node:assert/strict'
import test from 'node:test'
import type { SchemaType } from '../formats/schema-source.ts'
import { CONNECTORS } from '../run/connectors.ts'
import { bindText } from '../sql/bind-text.ts'
import { impactOf } from './schema-impact.ts'

const ID = { name: 'id', type: 'long' }
const CITY = { name: 'city', type: ['null', 'string'], default: null }
const avro = (...fields: object[]) => JSON.stringify({ type: 'record', name: 'R', fields })
const topic = (name: string, columns: string, more: string, connector = 'log') =>
  `CREATE TABLE ${name} (${columns}) WITH ('connector' = '${connector}', 'topic' = '${name}', ${more});\n`
const COLUMNS = 'id BIGINT, city STRING'

/** What a schema of the subject `t-value` breaks, where a table t of this format is read, or written. */
function breaks(
  [type, text]: readonly [SchemaType, string],
  format: string,
  { columns = COLUMNS, read = 'city', how = 'reads', subject = 't-value', connector = 'log' } = {},
): readonly string[] {
  const other = topic(
    'other',
    read === 'city' ? 'city STRING' : 'x STRING',
    "'format' = 'debezium-json'",
  )
  const rows = topic('given', COLUMNS, "'format' = 'json'")
  const statement =
    how === 'reads'
      ? `INSERT INTO other SELECT ${read} FROM t;`
      : 'INSERT INTO t SELECT id, city FROM given;'
  const { pipeline, errors } = bindText(
    `${other}${rows}${topic('t', columns, format, connector)}${statement}`,
    'p',
    CONNECTORS,
  )
  assert.deepEqual(errors, [])
  const found = impactOf({ type, text, references: [] }, subject, 'BACKWARD', [
    { pipeline: pipeline! },
  ])
  return found.map((each) => `${each.how} ${each.table}: ${each.reason}`)
}

test("a reader's schema says what columns were called, and what stands for those that are gone", () => {
  const format = (city: object) =>
    `'format' = 'avro-confluent', 'avro-confluent.schema' = '${avro(ID, { ...CITY, ...city })}'`
  const town = ['AVRO', avro(ID, { name: 'town', type: 'string' })] as const
  assert.deepEqual(breaks(town, "'format' = 'avro-confluent'"), [
    'reads t: column city would be NULL: the schema has no such field',
  ])
  assert.deepEqual(breaks(town, format({ aliases: ['town'] })), [])
  assert.deepEqual(breaks(town, format({ type: 'string', default: 'none' })), [])
})

test("of Debezium's envelopes the row is looked at, read or written", () => {
  const format = "'format' = 'debezium-avro-confluent'"
  const envelope = (...fields: object[]) => {
    const row = { type: 'record', name: 'Value', fields }
    const of = (name: string, type: unknown) => ({ name, type: ['null', type], default: null })
    const op = { name: 'op', type: ['null', 'string'], default: null }
    const record = {
      type: 'record',
      name: 'Record',
      fields: [of('before', row), of('after', 'Value'), op],
    }
    return ['AVRO', JSON.stringify(record)] as const
  }
  assert.deepEqual(breaks(envelope(ID, CITY), format), [])
  assert.deepEqual(breaks(envelope(ID), format), [
    'reads t: column city would be NULL: the schema has no such field',
  ])
  assert.match(breaks(envelope(ID, { ...CITY, type: ['null', 'int'] }), format)[0]!, /VARCHAR, and/)
  assert.match(
    breaks(['AVRO', avro(ID, CITY)], format, { how: 'writes' })[0]!,
    /^writes t: .*no longer fit/,
  )
})

test('JSON is held against columns: framed, and lines that produce holds to a schema', () => {
  const json = (properties: object) =>
    ['JSON', JSON.stringify({ type: 'object', properties, additionalProperties: false })] as const
  const plain = (x: object) =>
    breaks(json({ at: { type: ['object', 'null'], properties: { x } } }), "'format' = 'json'", {
      columns: `${COLUMNS}, \`at\` ROW<x INT, y DATE>`,
      read: 'CAST(`at`.x AS STRING) AS x',
    })
  assert.deepEqual(plain({ enum: [1, null] }), [])
  assert.deepEqual(plain({ type: 'boolean' }), [
    "reads t: column at.x is INT, and the schema's property is boolean",
  ])
  const framed = "'format' = 'json-confluent'"
  assert.deepEqual(breaks(json({ id: {} }), framed), [
    'reads t: column city would be NULL: the schema has no such property',
  ])
  assert.deepEqual(breaks(json({ __proto__: {} }), framed).length, 1)
  assert.match(
    breaks(json({ id: { type: 'string' } }), framed, { how: 'writes' })[0]!,
    /TYPE_CHANGED at/,
  )
  assert.deepEqual(breaks(['AVRO', avro(ID, CITY)], framed), [
    'reads t: it reads json-confluent, and the schema is AVRO',
  ])
  assert.deepEqual(breaks(['AVRO', avro(ID, CITY)], "'format' = 'json'"), [])
})

test('a field that a Protobuf message lacks, and a key that its subject no longer has', () => {
  const message = 'syntax = "proto3"; message M { int64 id = 1; }'
  assert.deepEqual(breaks(['PROTOBUF', message], "'format' = 'protobuf-confluent'"), [
    'reads t: column city would be NULL: the schema has no such field',
  ])
  const keyed = {
    columns: 'id BIGINT, k_city STRING, PRIMARY KEY (k_city) NOT ENFORCED',
    connector: 'upsert-log',
    read: 'k_city AS x',
    subject: 't-key',
  }
  const format =
    "'key.format' = 'avro-confluent', 'value.format' = 'json', 'key.fields-prefix' = 'k_', 'value.fields-include' = 'EXCEPT_KEY'"
  assert.deepEqual(breaks(['AVRO', avro(CITY)], format, keyed), [])
  assert.deepEqual(breaks(['AVRO', avro(ID)], format, keyed), [
    "reads t: column city is NOT NULL, and the writer's schema has no such field",
  ])
})
