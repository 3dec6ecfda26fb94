import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeRecords } from '../../../test/builders/json-records.ts'
import { LinearMemory } from '../../data/memory.ts'
import { nestedValue } from '../../data/nested-values.ts'
import { type Schema, types, withNullability } from '../../data/types.ts'
import { jsonText, rowReader } from '../../data/values.ts'
import { createJsonDecoder } from './decode.ts'

const memory = new LinearMemory()
const SCHEMA: Schema = [
  { name: 'tags', type: { kind: 'array', element: types.string, nullable: true } },
  {
    name: 'prices',
    type: { kind: 'map', key: types.string, value: types.decimal(25, 2), nullable: true },
  },
  {
    name: 'lines',
    type: {
      kind: 'array',
      element: {
        kind: 'row',
        fields: [
          { name: 'sku', type: withNullability(types.string, false) },
          { name: 'counts', type: { kind: 'array', element: types.double, nullable: true } },
        ],
        nullable: true,
      },
      nullable: true,
    },
  },
]

function decode(text: string) {
  const decoder = createJsonDecoder({ memory, schema: SCHEMA })
  const decoded = decoder.decode(placeRecords(memory, [new TextEncoder().encode(text)]), 1)
  if (decoded.dead.length > 0) return decoded.dead[0]!.reason
  return jsonText(rowReader(SCHEMA, { nested: nestedValue })(memory, decoded.columns, 0))
}

test('arrays, maps and rows in them are read back as values', () => {
  assert.equal(
    decode(
      '{"tags":["a","é\\u0041",null],"prices":{"x":1.50,"y":null},"lines":[{"sku":"s","counts":[0.5,1]},null]}',
    ),
    '{"tags":["a","éA",null],"prices":[["x","1.50"],["y",null]],"lines":[{"sku":"s","counts":[0.5,1]},null]}',
  )
  assert.equal(decode('{"tags":[],"prices":{}}'), '{"tags":[],"prices":[],"lines":null}')
})

test('of equal keys in a map the last counts', () => {
  assert.equal(
    decode('{"prices":{"x":1,"x":2}}'),
    '{"tags":null,"prices":[["x","2.00"]],"lines":null}',
  )
})

test('a fault inside a nested value names its path', () => {
  assert.equal(decode('{"tags":{"a":1}}'), 'column tags: {"a":1} is not of type ARRAY')
  assert.equal(
    decode('{"prices":{"x":"abc"}}'),
    'column prices.value: "abc" is not of type DECIMAL(25,2)',
  )
  assert.equal(
    decode('{"lines":[{"counts":[]}]}'),
    'column lines.element.sku: missing or null, but declared NOT NULL',
  )
})
