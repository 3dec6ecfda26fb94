import assert from 'node:assert/strict'
import test from 'node:test'
import type { SchemaType } from '../../formats/schema-source.ts'
import { incompatibilities } from './check.ts'

const rules = (type: SchemaType, next: string, old: string) =>
  incompatibilities('BACKWARD', { type, text: next, references: [] }, [
    { type, text: old, references: [] },
  ]).map(({ rule }) => rule)
const deep = (levels: number) =>
  `${'{"type":"array","items":'.repeat(levels)}"int"${'}'.repeat(levels)}`

test('schemas that are nested too deep, or too large, are refused before they are read', () => {
  for (const type of ['AVRO', 'JSON'] as const) {
    assert.throws(() => rules(type, deep(300), '"int"'), { code: 'SCHEMA_INVALID' })
    assert.throws(() => rules(type, `"${'x'.repeat(5 << 20)}"`, '"int"'), {
      code: 'SCHEMA_INVALID',
    })
  }
  assert.throws(() => rules('PROTOBUF', `/*${'x'.repeat(5 << 20)}*/`, ''), {
    code: 'SCHEMA_INVALID',
  })
})

test('schemas of very many fields, symbols and reserved numbers are compared in reasonable time', () => {
  const names = Array.from({ length: 20_000 }, (_, at) => `n${at}`)
  const symbols = (more: readonly string[]) =>
    JSON.stringify({ type: 'enum', name: 'E', symbols: [...names, ...more] })
  assert.deepEqual(rules('AVRO', symbols([]), symbols(['x'])), ['MISSING_ENUM_SYMBOLS'])
  const fields = (last: string) =>
    JSON.stringify({
      type: 'record',
      name: 'R',
      fields: [...names, last].map((name) => ({ name, type: 'int', aliases: [`${name}_old`] })),
    })
  assert.deepEqual(rules('AVRO', fields('x'), fields('y')), ['READER_FIELD_MISSING_DEFAULT_VALUE'])
  const proto = (type: string) =>
    `syntax = "proto3"; message M { reserved ${names.map((_, at) => 100_000 + 2 * at).join(', ')};
      ${names.map((name, at) => `oneof o_${name} { ${type} ${name} = ${at < 15_000 ? at + 1 : at + 5001}; }`).join('')} }`
  assert.deepEqual(rules('PROTOBUF', proto('int32'), proto('int64')), [])
})

test('names are held against patterns that were made to take for ever at once, or the schema is refused', () => {
  const object = (pattern: string, properties: object) =>
    JSON.stringify({
      type: 'object',
      properties,
      patternProperties: { [pattern]: { type: 'string' } },
      additionalProperties: false,
    })
  const name = `${'a'.repeat(3000)}!`
  const added = (pattern: string) =>
    rules('JSON', object(pattern, { [name]: { type: 'string' } }), object(pattern, {}))
  assert.deepEqual(added('^(a+)+$'), [])
  assert.throws(() => added('^(?=(a+)+$)'), { code: 'SCHEMA_INVALID', message: /for ever/ })
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`p${at}`, {}]))
  assert.throws(() => rules('JSON', JSON.stringify({ patternProperties: many }), '{}'), {
    code: 'SCHEMA_INVALID',
    message: /more than 100 regular expressions/,
  })
})

test('definitions that lead from one to the next for ever, or in circles, end', () => {
  const chain = (length: number, last: string) =>
    JSON.stringify({
      properties: { a: { $ref: '#/definitions/d0' } },
      additionalProperties: false,
      definitions: Object.fromEntries(
        Array.from({ length }, (_, at) => [
          `d${at}`,
          at === length - 1
            ? { type: last }
            : { type: 'array', items: { $ref: `#/definitions/d${at + 1}` } },
        ]),
      ),
    })
  assert.deepEqual(rules('JSON', chain(50, 'number'), chain(50, 'integer')), [])
  assert.deepEqual(rules('JSON', chain(50, 'string'), chain(50, 'integer')), ['TYPE_CHANGED'])
  assert.deepEqual(rules('JSON', chain(8000, 'string'), chain(8000, 'integer')), [
    'SCHEMA_TOO_COMPLEX',
  ])
  const self = '{"$ref":"#"}'
  assert.throws(() => rules('JSON', self, self), { code: 'SCHEMA_INVALID' })
  const cycle =
    '{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}}'
  assert.throws(() => rules('JSON', cycle, '{}'), { code: 'SCHEMA_INVALID' })
})

test('recursive schemas that all refer to one another are compared in reasonable time', () => {
  const names = Array.from({ length: 25 }, (_, at) => `d${at}`)
  const web = (type: string) =>
    JSON.stringify({
      $ref: '#/definitions/d0',
      definitions: Object.fromEntries(
        names.map((name) => [
          name,
          {
            properties: {
              v: { type },
              n: { oneOf: names.map((other) => ({ $ref: `#/definitions/${other}` })) },
            },
            additionalProperties: false,
          },
        ]),
      ),
    })
  assert.deepEqual(rules('JSON', web('number'), web('integer')), [])
  assert.notDeepEqual(rules('JSON', web('string'), web('integer')), [])
})

test('a difference below a cycle is found whichever way it is reached', () => {
  const tree = (type: string) =>
    JSON.stringify({
      anyOf: [{ $ref: '#/definitions/node' }, { type: 'null' }],
      definitions: {
        node: {
          type: 'object',
          additionalProperties: false,
          properties: { left: { $ref: '#' }, right: { $ref: '#' }, value: { type } },
        },
      },
    })
  assert.deepEqual(rules('JSON', tree('integer'), tree('integer')), [])
  assert.notDeepEqual(rules('JSON', tree('string'), tree('integer')), [])
})
