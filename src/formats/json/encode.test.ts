import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf, type Plain, rowsOf } from '../../../test/builders/batch.ts'
import { fc } from '../../../test/builders/properties.ts'
import type { Batch } from '../../data/batch.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type DataType, type Schema, types } from '../../data/types.ts'
import { createJsonDecoder } from './decode.ts'
import { createJsonEncoder } from './encode.ts'

const memory = new LinearMemory()

function textsOf(schema: Schema, batch: Batch, iso = false): string[] {
  const encoder = createJsonEncoder({ memory, schema, timestampFormat: iso ? 'ISO-8601' : 'SQL' })
  const cells = encoder.encode(batch)
  encoder.dispose()
  return Array.from({ length: batch.count }, (_, position) => {
    const address = memory.u32[(cells >> 2) + 2 * position]!
    const bytes = memory.u32[(cells >> 2) + 2 * position + 1]!
    return new TextDecoder('utf-8', { fatal: true }).decode(
      memory.u8.slice(address, address + bytes),
    )
  })
}

const one = (type: DataType, value: Plain, iso = false) => {
  const schema = [{ name: 'v', type }]
  return textsOf(schema, batchOf(memory, schema, [[value]]), iso)[0]
}

test('every type is written as Flink writes it', () => {
  assert.equal(one(types.boolean, true), '{"v":true}')
  assert.equal(one(types.boolean, false), '{"v":false}')
  assert.equal(one(types.bigint, -(1n << 63n)), '{"v":-9223372036854775808}')
  assert.equal(one(types.tinyint, 0n), '{"v":0}')
  assert.equal(one(types.double, 0.1), '{"v":0.1}')
  assert.equal(one(types.double, 1e300), '{"v":1e+300}')
  assert.equal(one(types.double, -0), '{"v":-0.0}')
  assert.equal(one(types.double, Number.NaN), '{"v":"NaN"}')
  assert.equal(one(types.float, Math.fround(0.1)), '{"v":0.1}')
  assert.equal(one(types.decimal(10, 2), '-0.05'), '{"v":-0.05}')
  assert.equal(one(types.decimal(10, 0), '12'), '{"v":12}')
  assert.equal(one(types.decimal(38, 38), `0.${'9'.repeat(38)}`), `{"v":0.${'9'.repeat(38)}}`)
  assert.equal(one(types.decimal(38, 0), `-${'9'.repeat(38)}`), `{"v":-${'9'.repeat(38)}}`)
  assert.equal(one(types.string, 'a"b\\c\n\u0001é😀/'), '{"v":"a\\"b\\\\c\\n\\u0001é😀/"}')
  assert.equal(one(types.bytes, Uint8Array.of(1, 2)), '{"v":"AQI="}')
  assert.equal(one(types.date, -1n), '{"v":"1969-12-31"}')
  assert.equal(one(types.time(3), 45296700000n), '{"v":"12:34:56.7"}')
  assert.equal(one(types.timestamp(3), -1n), '{"v":"1969-12-31 23:59:59.999999"}')
  assert.equal(one(types.timestamp(3), 0n, true), '{"v":"1970-01-01T00:00:00"}')
  assert.equal(one(types.timestampLtz(3), 500000n), '{"v":"1970-01-01 00:00:00.5Z"}')
  assert.equal(one(types.string, null), '{"v":null}')
})

const row: DataType = {
  kind: 'row',
  fields: [
    { name: 'x', type: types.int },
    { name: 'y "quoted"', type: types.string },
  ],
  nullable: true,
}
const SCHEMA: Schema = [
  { name: 'b', type: types.boolean },
  { name: 'i', type: types.bigint },
  { name: 'd', type: types.double },
  { name: 'f', type: types.float },
  { name: 'm', type: types.decimal(18, 4) },
  { name: 'w', type: types.decimal(38, 10) },
  { name: 's', type: types.string },
  { name: 'y', type: types.bytes },
  { name: 'a', type: types.date },
  { name: 't', type: types.time(6) },
  { name: 'z', type: types.timestamp(6) },
  { name: 'l', type: types.timestampLtz(6) },
  { name: 'r', type: row },
]
const int = (bits: number) =>
  fc.bigInt({ min: -(1n << BigInt(bits - 1)), max: (1n << BigInt(bits - 1)) - 1n })
const decimal = (digits: number, scale: number) =>
  fc
    .bigInt({ min: -(10n ** BigInt(digits)) + 1n, max: 10n ** BigInt(digits) - 1n })
    .map((unscaled) => {
      const text = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
      return `${unscaled < 0n ? '-' : ''}${text.slice(0, -scale)}.${text.slice(-scale)}`
    })
const text = fc.string({ unit: 'binary' }).map((value) => value.toWellFormed())
const instant = fc.bigInt({ min: -62135596800000000n, max: 253402300799999999n })
const plainRow = fc.tuple(
  ...[
    fc.boolean(),
    int(64),
    fc.double(),
    fc.float(),
    decimal(18, 4),
    decimal(38, 10),
    text,
    fc.uint8Array(),
    fc.bigInt({ min: -700000n, max: 2900000n }),
    fc.bigInt({ min: 0n, max: 86399999999n }),
    instant,
    instant,
    fc.tuple(fc.option(int(32)), fc.option(text)),
  ].map((arbitrary: fc.Arbitrary<Plain>) => fc.option(arbitrary, { freq: 6 })),
)

test('what is encoded is valid JSON, and decodes to the same values', () => {
  fc.assert(
    fc.property(fc.array(plainRow, { minLength: 1, maxLength: 20 }), fc.boolean(), (rows, iso) => {
      const mark = memory.arena.mark()
      const selection = rows.map((_, index) => index).filter((index) => index % 3 !== 1)
      const batch = batchOf(memory, SCHEMA, rows, { selection })
      for (const json of textsOf(SCHEMA, batch, iso)) JSON.parse(json)
      const timestampFormat = iso ? 'ISO-8601' : 'SQL'
      const encoder = createJsonEncoder({ memory, schema: SCHEMA, timestampFormat })
      const decoder = createJsonDecoder({ memory, schema: SCHEMA, timestampFormat })
      const decoded = decoder.decode(encoder.encode(batch), batch.count)
      assert.deepEqual(decoded.dead, [])
      const { columns, rowCount, count } = decoded
      const read = rowsOf(memory, { columns, rowCount, kinds: 0, selection: 0, count })
      assert.deepEqual(read, rowsOf(memory, batch))
      encoder.dispose()
      decoder.dispose()
      memory.arena.release(mark)
    }),
    { numRuns: 150 },
  )
})

test('arrays, maps and rows within them come out as they went in', () => {
  const schema: Schema = [
    { name: 'a', type: { kind: 'array', element: types.bigint, nullable: true } },
    {
      name: 'm',
      type: {
        kind: 'map',
        key: types.string,
        value: { kind: 'array', element: types.decimal(30, 1), nullable: true },
        nullable: true,
      },
    },
    { name: 'r', type: { kind: 'array', element: row, nullable: true } },
  ]
  const records = [
    '{"a":[1,null,-3],"m":{"x":[1.5,2.0],"é\\n":null},"r":[{"x":1,"y \\"quoted\\"":"long enough to need its own bytes"},null]}',
    '{"a":[],"m":{},"r":[]}',
    '{"a":null,"m":null,"r":[{"x":null,"y \\"quoted\\"":""}]}',
    `{"a":[${Array.from({ length: 200 }, (_, index) => index)}],"m":{"k":[]},"r":null}`,
  ]
  const values = memory.arena.allocate(8 * records.length)
  records.forEach((record, index) => {
    const bytes = new TextEncoder().encode(record)
    const address = memory.arena.allocate(bytes.length)
    memory.u8.set(bytes, address)
    memory.u32[(values >> 2) + 2 * index] = address
    memory.u32[(values >> 2) + 2 * index + 1] = bytes.length
  })
  for (const rowsBeforeLayout of [1, 1000]) {
    const decoder = createJsonDecoder({ memory, schema, rowsBeforeLayout })
    for (let round = 0; round < 2; round++) {
      const { columns, rowCount, selection, count, dead } = decoder.decode(values, records.length)
      assert.deepEqual(dead, [])
      assert.deepEqual(textsOf(schema, { columns, rowCount, kinds: 0, selection, count }), records)
    }
  }
})

test('rows larger than the first block are written whole', () => {
  const schema = [{ name: 's', type: types.string }]
  const long = '\u0001'.repeat(300_000)
  const [text] = textsOf(schema, batchOf(memory, schema, [[long]]))
  assert.equal(JSON.parse(text!).s, long)
})
