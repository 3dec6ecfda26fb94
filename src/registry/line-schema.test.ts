import assert from 'node:assert/strict'
import test from 'node:test'
import { openLineSchema } from './line-schema.ts'

const reasonOf = (each: object): unknown => ('reason' in each ? each.reason : 'fits')

test('texts that fit become records behind the id, in order; the others say why', async () => {
  const text = JSON.stringify({
    type: 'record',
    name: 'R',
    fields: [
      { name: 'id', type: 'long' },
      { name: 'city', type: ['null', 'string'], default: null },
    ],
  })
  const schema = await openLineSchema({ type: 'AVRO', text, references: [], id: 300 })
  const told = schema.convert(['{"id":1}', '{"id":"x"}', '{"id":-2,"city":"é"}', '{"city":"x"}'])
  assert.deepEqual(
    told.map(reasonOf).map((each) => each === 'fits'),
    [true, false, true, false],
  )
  const [first, , third] = told as { bytes: Uint8Array }[]
  assert.deepEqual([...first!.bytes], [0, 0, 0, 1, 44, 2, 0])
  assert.deepEqual([...third!.bytes], [0, 0, 0, 1, 44, 3, 2, 4, 0xc3, 0xa9])
  assert.deepEqual(schema.convert([]), [])
})

test('values are held against JSON Schemas with what they refer to, of each draft that is known', async () => {
  const references = [{ name: 'money.json', text: '{"type":"integer"}' }]
  for (const draft of [
    'http://json-schema.org/draft-07/schema#',
    'https://json-schema.org/draft/2019-09/schema',
    'https://json-schema.org/draft/2020-12/schema',
  ]) {
    const text = JSON.stringify({
      $schema: draft,
      properties: { a: { $ref: 'money.json' } },
      required: ['a'],
    })
    const schema = await openLineSchema({ type: 'JSON', text, references, id: 1 })
    assert.deepEqual(schema.convert(['{"a":1}', '{"a":"x"}', '{}']).map(reasonOf), [
      'fits',
      'field a must be integer',
      "the value must have required property 'a'",
    ])
  }
  const remote = {
    type: 'JSON',
    text: '{"$ref":"http://127.0.0.1:1/x.json"}',
    references: [],
    id: 1,
  } as const
  await assert.rejects(openLineSchema(remote), { code: 'SCHEMA_INVALID' })
})

test('a schema whose values no columns hold is refused by name', async () => {
  const field = (type: unknown) =>
    JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'a', type }] })
  for (const text of [field(['string', 'int']), field(['null', 'R']), '"string"'])
    await assert.rejects(openLineSchema({ type: 'AVRO', text, references: [], id: 1 }), {
      code: 'FORMAT_TYPE_UNSUPPORTED',
    })
  const self = 'syntax = "proto3"; message M { M m = 1; }'
  await assert.rejects(openLineSchema({ type: 'PROTOBUF', text: self, references: [], id: 1 }), {
    code: 'FORMAT_TYPE_UNSUPPORTED',
  })
})

test('a value on which a regular expression of its schema would take for ever is judged at once, or refused by name', async () => {
  const text = JSON.stringify({
    properties: {
      a: { type: 'string', pattern: '^(a+)+$' },
      b: { type: 'string', pattern: '^(\\w+\\s?)*$' },
      c: { type: 'string', pattern: '^(?=(a+)+$)' },
      d: { patternProperties: { '^(a|aa)+$': { type: 'integer' } }, additionalProperties: false },
    },
  })
  const schema = await openLineSchema({ type: 'JSON', text, references: [], id: 1 })
  const long = 'a'.repeat(300)
  const values = [
    { a: long, b: `${long} ${long}`, d: { [long]: 1 } },
    { a: `${long}!` },
    { b: `${long}!` },
    { c: `${long}!` },
    { d: { [`${long}!`]: 1 } },
    { d: { [long]: 'x' } },
  ]
  assert.deepEqual(schema.convert(values.map((each) => JSON.stringify(each))).map(reasonOf), [
    'fits',
    'field a must match pattern "^(a+)+$"',
    'field b must match pattern "^(\\w+\\s?)*$"',
    "the value can't be judged: the regular expression '^(?=(a+)+$)' may take for ever on a text of 301 characters",
    'field d must NOT have additional properties',
    `field d.${long} must be integer`,
  ])
})

test('schemas that refer to themselves are followed as deep as values go, and no deeper than can be', async () => {
  const text = '{"type":"array","items":{"$ref":"#"}}'
  const schema = await openLineSchema({ type: 'JSON', text, references: [], id: 1 })
  const deep = (levels: number, inner = '') => '['.repeat(levels) + inner + ']'.repeat(levels)
  const told = schema.convert([deep(50), deep(2, '1'), deep(200_000)]).map(reasonOf)
  assert.deepEqual(told, ['fits', 'field 0.0 must be array', 'the value is nested too deep'])
})

test('a schema of few lines and very many fields is refused before it is laid out', async () => {
  const levels = Array.from({ length: 40 }, (_, at) => at)
  const avro = levels.reduce<unknown>(
    (inner, at) => ({
      type: 'record',
      name: `R${at}`,
      fields: [
        { name: 'a', type: inner },
        { name: 'b', type: at === 0 ? 'int' : `R${at - 1}` },
      ],
    }),
    'int',
  )
  const proto = levels.map((at) => `message M${at} { M${at + 1} a = 1; M${at + 1} b = 2; }`)
  for (const [type, text] of [
    ['AVRO', JSON.stringify(avro)],
    ['PROTOBUF', `syntax = "proto3"; ${proto.join(' ')} message M40 {}`],
  ] as const)
    await assert.rejects(openLineSchema({ type, text, references: [], id: 1 }), {
      code: 'FORMAT_TYPE_UNSUPPORTED',
      message: /more than 10000 fields/,
    })
})
