import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rowsOf } from '../../../test/builders/batch.ts'
import { placeRecords } from '../../../test/builders/json-records.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type DataType, type Schema, types, withNullability } from '../../data/types.ts'
import { createJsonDecoder, type DecodedJson } from './decode.ts'

const memory = new LinearMemory()

const bytes = (text: string) => new TextEncoder().encode(text)
const rows = ({ columns, rowCount, selection, count }: DecodedJson) =>
  rowsOf(memory, { columns, rowCount, kinds: 0, selection, count })

function decodeTexts(schema: Schema, texts: readonly string[], iso = false) {
  const decoder = createJsonDecoder({ memory, schema, timestampFormat: iso ? 'ISO-8601' : 'SQL' })
  const decoded = decoder.decode(placeRecords(memory, texts.map(bytes)), texts.length)
  decoder.dispose()
  return { rows: rows(decoded), dead: decoded.dead }
}

function field(name: string, type: DataType) {
  return { name, type }
}
const notNull = (type: DataType) => withNullability(type, false)

test('reasons name the column and value, or the byte', () => {
  const schema = [field('id', notNull(types.int)), field('price', types.decimal(10, 2))]
  const reason = (text: string) => decodeTexts(schema, [text]).dead[0]?.reason
  assert.equal(reason('{"id":1,"price":12.345}'), 'column price: 12.345 does not fit DECIMAL(10,2)')
  assert.equal(reason('{"id":1,"price":"abc"}'), 'column price: "abc" is not of type DECIMAL(10,2)')
  assert.equal(reason('{"id":2147483648}'), 'column id: 2147483648 does not fit INT')
  assert.equal(reason('{"price":1}'), 'column id: missing or null, but declared NOT NULL')
  assert.equal(reason('{"id" 1}'), 'byte 6: expected ":"')
  assert.equal(reason('{"id":1'), 'byte 7: expected "," or "}"')
  assert.equal(reason('{"id":1} x'), 'byte 9: bytes after the object')
  assert.equal(reason('[1]'), 'byte 0: expected "{"')
  assert.equal(reason(`{"id":1,"x":${'['.repeat(200)}`), 'byte 139: nested deeper than 128 levels')
  assert.equal(reason('{"id":1,"x":"a\u0001"}'), 'byte 14: a control character inside a string')
  assert.equal(reason('{"id":1}'), undefined)
})

test('bad rows are set aside and the good ones around them are untouched', () => {
  const texts = ['{"a":1}', '{"a":', '{"a":2}', '', '{"a":null}', '{"a":"x"}', '{"a":3}']
  const { rows, dead } = decodeTexts([field('a', types.bigint)], texts)
  assert.deepEqual(rows, [[1n], [2n], [null], [3n]])
  assert.deepEqual(
    dead.map(({ row }) => row),
    [1, 3, 5],
  )
})

test('a record without a value is dead', () => {
  const cells = placeRecords(memory, [bytes('{"a":1}')])
  memory.i64[cells >> 3] = 0n
  const decoder = createJsonDecoder({ memory, schema: [field('a', types.bigint)] })
  assert.deepEqual(decoder.decode(cells, 1).dead, [{ row: 0, reason: 'the record has no value' }])
})

test('__proto__ is a key like any other, and the last of equal keys counts', () => {
  const schema = [field('__proto__', types.int), field('a', types.int)]
  const texts = ['{"__proto__":1,"a":"bad","a":2}', '{"a":1,"a":null}', '{"a":1,"a":"bad"}']
  const { rows, dead } = decodeTexts(schema, texts)
  assert.deepEqual(rows, [
    [1n, 2n],
    [null, null],
  ])
  assert.equal(dead[0]?.reason, 'column a: "bad" is not of type INT')
})

test('rows within rows are columns of their own, NULL as a whole or field by field', () => {
  const inner: DataType = {
    kind: 'row',
    fields: [field('x', types.bigint), field('y', notNull(types.string))],
    nullable: true,
  }
  const texts = [
    '{"r":{"x":1,"y":"a"}}',
    '{"r":null}',
    '{}',
    '{"r":{"y":"b","z":{}}}',
    '{"r":{"x":1}}',
    '{"r":5}',
  ]
  const { rows, dead } = decodeTexts([field('r', inner)], texts)
  assert.deepEqual(rows, [[[1n, 'a']], [null], [null], [[null, 'b']]])
  assert.deepEqual(
    dead.map(({ reason }) => reason),
    ['column r.y: missing or null, but declared NOT NULL', 'column r: 5 is not of type ROW'],
  )
})

test('a record of a hundred fields has NULL where it has none', () => {
  const names = Array.from({ length: 100 }, (_, index) => `f${index}`)
  const schema = names.map((name, index) =>
    field(name, index === 70 ? notNull(types.int) : types.int),
  )
  const record = (kept: (index: number) => boolean) =>
    JSON.stringify(
      Object.fromEntries(names.flatMap((name, index) => (kept(index) ? [[name, index]] : []))),
    )
  const { rows, dead } = decodeTexts(schema, [
    record((index) => index % 7 === 0),
    record((index) => index !== 70),
    record(() => true),
  ])
  assert.deepEqual(
    rows[0],
    names.map((_, index) => (index % 7 === 0 ? BigInt(index) : null)),
  )
  assert.deepEqual(
    rows[1],
    names.map((_, index) => BigInt(index)),
  )
  assert.deepEqual(dead, [{ row: 1, reason: 'column f70: missing or null, but declared NOT NULL' }])
})

test('ISO timestamps have a T between', () => {
  const schema = [field('a', types.timestamp(3)), field('b', types.timestampLtz(3))]
  const texts = [
    '{"a":"1970-01-01T00:00:01.5","b":"1970-01-01T01:00:00+01:00"}',
    '{"a":"1970-01-01 00:00:01"}',
  ]
  const { rows, dead } = decodeTexts(schema, texts, true)
  assert.deepEqual(rows, [[1500000n, 0n]])
  assert.equal(dead[0]?.reason, 'column a: "1970-01-01 00:00:01" is not a valid TIMESTAMP(3)')
})

test('a record of a megabyte is decoded, strings whole', () => {
  const long = 'é\\n'.repeat(150_000)
  const { rows } = decodeTexts(
    [field('s', types.string)],
    [`{"s":"${long}","t":"${'x'.repeat(400_000)}"}`],
  )
  assert.equal((rows[0]![0] as string).length, 300_000)
})

test('a column of a type that JSON does not have is refused by name', () => {
  const schema = [field('i', { kind: 'interval_day_second', nullable: true })]
  assert.throws(() => createJsonDecoder({ memory, schema }), {
    code: 'JSON_TYPE_UNSUPPORTED',
    message: 'column i: JSON has no INTERVAL DAY SECOND',
  })
})

test('only valid UTF-8 is taken, in every part of a record', () => {
  const good = ['c3a9', 'e0a080', 'ed9fbf', 'ee8080', 'efbfbf', 'f0908080', 'f48fbfbf']
  const bad = [
    '80',
    'c0af',
    'c1bf',
    'c3',
    'e09fbf',
    'eda080',
    'edbfbf',
    'e282',
    'f08fbfbf',
    'f4908080',
    'f5808080',
    'ff',
    'c328',
  ]
  for (const rowsBeforeLayout of [1, 1000]) {
    const decoder = createJsonDecoder({
      memory,
      schema: [field('s', types.string)],
      rowsBeforeLayout,
    })
    decoder.decode(placeRecords(memory, [bytes('{"s":"x"}')]), 1)
    for (const hex of [...good, ...bad]) {
      const middle = Buffer.from(hex, 'hex')
      const records = [
        Buffer.concat([Buffer.from('{"s":"'), middle, Buffer.from('"}')]),
        Buffer.concat([Buffer.from('{"s":"0123456789abcde'), middle, Buffer.from('f"}')]),
        Buffer.concat([Buffer.from('{"t":"'), middle, Buffer.from('","s":"x"}')]),
        Buffer.concat([Buffer.from('{"'), middle, Buffer.from('":1}')]),
      ]
      const { dead } = decoder.decode(placeRecords(memory, records), records.length)
      assert.equal(dead.length, bad.includes(hex) ? records.length : 0, hex)
      for (const { reason } of dead) assert.match(reason, /^byte \d+: not valid UTF-8$/)
    }
  }
})
