import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf } from '../../test/builders/batch.ts'
import { MillraceError } from '../errors.ts'
import { LinearMemory } from './memory.ts'
import { type Schema, types } from './types.ts'
import { jsonText, rowReader, valueAt } from './values.ts'

test('every type is told as the table of types says', () => {
  const memory = new LinearMemory()
  const schema: Schema = [
    { name: 'flag', type: types.boolean },
    { name: 'small', type: types.int },
    { name: 'big', type: types.bigint },
    { name: 'price', type: types.decimal(10, 2) },
    { name: 'wide', type: types.decimal(30, 4) },
    { name: 'text', type: types.string },
    { name: 'bytes', type: types.bytes },
    { name: 'day', type: types.date },
    { name: 'clock', type: types.time(3) },
    { name: 'local', type: types.timestamp(3) },
    { name: 'instant', type: types.timestampLtz(3) },
    { name: 'fine', type: types.timestampLtz(6) },
    { name: '__proto__', type: types.double },
  ]
  const batch = batchOf(memory, schema, [
    [
      true,
      7n,
      2n ** 60n,
      '-0.05',
      '1.0000',
      'é',
      Buffer.from([1, 2]),
      19000n,
      1000n,
      -1000n,
      -1n,
      1n,
      0.5,
    ],
    Array(13).fill(null),
  ])
  const read = rowReader(schema)
  const row = read(memory, batch.columns, 0)
  assert.deepEqual(Object.entries(row), [
    ['flag', true],
    ['small', 7],
    ['big', 2n ** 60n],
    ['price', '-0.05'],
    ['wide', '1.0000'],
    ['text', 'é'],
    ['bytes', new Uint8Array([1, 2])],
    ['day', '2022-01-08'],
    ['clock', '00:00:00.001'],
    ['local', '1969-12-31 23:59:59.999'],
    ['instant', new Date(-1)],
    ['fine', '1970-01-01T00:00:00.000001Z'],
    ['__proto__', 0.5],
  ])
  assert.deepEqual(new Set(Object.values(read(memory, batch.columns, 1))), new Set([null]))
  assert.equal(
    jsonText({ big: row.big!, instant: row.instant!, bytes: row.bytes!, list: [1, null] }),
    '{"big":1152921504606846976,"instant":"1969-12-31T23:59:59.999Z","bytes":"AQI=","list":[1,null]}',
  )
})

test('a BIGINT asked for as a number is refused beyond 2^53, not rounded', () => {
  const memory = new LinearMemory()
  const schema: Schema = [{ name: 'big', type: types.bigint }]
  const batch = batchOf(memory, schema, [[2n ** 53n], [41n]])
  assert.equal(valueAt(memory, batch.columns[0]!, 1, { bigint: 'number' }), 41)
  assert.throws(
    () => valueAt(memory, batch.columns[0]!, 0, { bigint: 'number' }),
    (error) => error instanceof MillraceError && error.code === 'VALUE_UNSAFE',
  )
})
