import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import { type DataType, type Schema, types, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { parquetLayout } from '../../formats/parquet/layout.ts'
import {
  keyOfPath,
  parsePartitionText,
  partitionFolder,
  partitionText,
  pathOfKey,
} from './partition-values.ts'
import { boundText, statisticsText } from './statistics.ts'
import { parseSchemaText, schemaText, schemaTextWith } from './table-schema.ts'

test('SQL types and Delta types map as the table says, both ways', () => {
  const table: readonly [DataType, unknown][] = [
    [types.boolean, 'boolean'],
    [types.tinyint, 'byte'],
    [types.smallint, 'short'],
    [types.int, 'integer'],
    [types.bigint, 'long'],
    [types.float, 'float'],
    [types.double, 'double'],
    [types.decimal(38, 10), 'decimal(38,10)'],
    [types.string, 'string'],
    [types.bytes, 'binary'],
    [types.date, 'date'],
    [types.timestamp(6), 'timestamp_ntz'],
    [types.timestampLtz(6), 'timestamp'],
    [
      { kind: 'array', element: withNullability(types.int, false), nullable: true },
      { type: 'array', elementType: 'integer', containsNull: false },
    ],
    [
      { kind: 'map', key: withNullability(types.string, false), value: types.date, nullable: true },
      { type: 'map', keyType: 'string', valueType: 'date', valueContainsNull: true },
    ],
    [
      { kind: 'row', fields: [{ name: 'x', type: types.int }], nullable: true },
      {
        type: 'struct',
        fields: [{ name: 'x', type: 'integer', nullable: true, metadata: {} }],
      },
    ],
  ]
  for (const [type, told] of table) {
    const text = schemaText([{ name: 'c', type: withNullability(type, false) }])
    const [field] = JSON.parse(text).fields
    assert.deepEqual(field, { name: 'c', type: told, nullable: false, metadata: {} })
    assert.deepEqual(parseSchemaText(text), [{ name: 'c', type: withNullability(type, false) }])
  }
})

test('types that one side lacks are refused by column and type', () => {
  const interval: Schema = [{ name: 'gap', type: { kind: 'interval_day_second', nullable: true } }]
  assert.throws(() => schemaText(interval), refusal('DELTA_TYPE_UNSUPPORTED', /'gap'.*INTERVAL/))
  const variant =
    '{"type":"struct","fields":[{"name":"v","type":"variant","nullable":true,"metadata":{}}]}'
  assert.throws(() => parseSchemaText(variant), refusal('DELTA_TYPE_UNSUPPORTED', /'v'.*variant/))
  assert.throws(() => parseSchemaText('{"type":'), refusal('DELTA_LOG_CORRUPT', /schemaString/))
})

test('added columns come last, and what the fields carried stays', () => {
  const text = schemaText([{ name: 'a', type: types.int }]).replace(
    '"metadata":{}',
    '"metadata":{"comment":"x"}',
  )
  const { fields } = JSON.parse(schemaTextWith(text, [{ name: 'b', type: types.date }]))
  assert.deepEqual(
    fields.map((field: { name: string }) => field.name),
    ['a', 'b'],
  )
  assert.deepEqual(fields[0].metadata, { comment: 'x' })
})

test('partition values read back from their text, whatever the type', () => {
  const kinds: readonly [DataType, fc.Arbitrary<bigint | string>][] = [
    [types.boolean, fc.constantFrom(0n, 1n)],
    [types.bigint, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    [types.decimal(20, 4), fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n })],
    [types.date, fc.bigInt({ min: -700_000n, max: 2_900_000n })],
    [types.timestamp(6), fc.bigInt({ min: -(2n ** 55n), max: 2n ** 57n })],
    [types.timestampLtz(6), fc.bigInt({ min: -(2n ** 55n), max: 2n ** 57n })],
    [types.string, fc.string({ unit: 'grapheme', minLength: 1 })],
  ]
  for (const [type, values] of kinds) {
    fc.assert(
      fc.property(values, (value) => {
        assert.equal(parsePartitionText('c', type, partitionText(type, value)), value)
      }),
    )
  }
  assert.equal(partitionText(types.string, ''), null)
  assert.equal(parsePartitionText('c', types.int, null), null)
  assert.throws(
    () => parsePartitionText('day', types.date, '31.1.2024'),
    refusal('DELTA_LOG_CORRUPT', /'31\.1\.2024' of 'day'/),
  )
})

test('folders are named as Hive names them, and paths come back to their keys', () => {
  const folder = partitionFolder({ city: 'a/b=æ %', day: null }, ['city', 'day'])
  assert.equal(folder, 'city=a%2Fb%3D%C3%A6 %25/day=__HIVE_DEFAULT_PARTITION__/')
  const url = 'file:///lake/t'
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
      const key = `${partitionFolder({ c: value }, ['c'])}x.parquet`
      assert.match(key, /^c=[\x20-\x7e]+\/x\.parquet$/)
      assert.equal(keyOfPath(url, pathOfKey(key)), key)
      assert.equal(keyOfPath(url, `${url}/${pathOfKey(key)}`), key)
    }),
  )
  assert.equal(keyOfPath(url, 'file:/lake/t/x%20y.parquet'), 'x y.parquet')
  assert.throws(
    () => keyOfPath(url, '/other/x.parquet'),
    refusal('DELTA_FEATURE_UNSUPPORTED', /\/other\/x/),
  )
})

test('a bound of a string bounds it, cut or not', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (value) => {
      const bytes = new TextEncoder().encode(value)
      const told = (side: 'min' | 'max') => {
        const text = boundText(types.string, bytes, side)
        return text === undefined ? undefined : new TextEncoder().encode(JSON.parse(text))
      }
      const [min, max] = [told('min'), told('max')]
      assert.ok(min === undefined || Buffer.compare(min, bytes) <= 0)
      assert.ok(max === undefined || Buffer.compare(max, bytes) >= 0)
    }),
  )
})

test('bounds are told as each type is told in JSON, never inside the values', () => {
  const told = (type: DataType, bound: bigint | number) => [
    boundText(type, bound, 'min'),
    boundText(type, bound, 'max'),
  ]
  assert.deepEqual(told(types.bigint, 2n ** 63n - 1n), Array(2).fill('9223372036854775807'))
  assert.deepEqual(told(types.decimal(10, 2), -5n), ['-0.05', '-0.05'])
  assert.deepEqual(told(types.date, -1), ['"1969-12-31"', '"1969-12-31"'])
  assert.deepEqual(told(types.timestamp(6), -1n), [
    '"1969-12-31T23:59:59.999"',
    '"1970-01-01T00:00:00.000"',
  ])
  assert.deepEqual(told(types.timestampLtz(3), 1000n), Array(2).fill('"1970-01-01T00:00:00.001Z"'))
  assert.deepEqual(told(types.double, Number.POSITIVE_INFINITY), [undefined, undefined])
  assert.deepEqual(told(types.boolean, 1), [undefined, undefined])
})

test('statistics mirror the schema, and only its first columns', () => {
  const schema: Schema = [
    { name: 'a', type: types.int },
    {
      name: 'r',
      type: { kind: 'row', nullable: true, fields: [{ name: 'b', type: types.bigint }] },
    },
    { name: 'c', type: types.int },
  ]
  const { leaves } = parquetLayout(schema)
  const statistics = [
    { nullCount: 1, hasNaN: false, bounds: { min: 1, max: 3 } },
    { nullCount: 0, hasNaN: false, bounds: { min: 5n, max: 6n } },
    { nullCount: 4, hasNaN: false },
  ]
  const file = {
    rowCount: 4,
    bytes: 9,
    leaves: leaves.map((leaf, at) => ({ leaf, statistics: statistics[at]! })),
  }
  assert.deepEqual(JSON.parse(statisticsText(file)), {
    numRecords: 4,
    minValues: { a: 1, r: { b: 5 } },
    maxValues: { a: 3, r: { b: 6 } },
    nullCount: { a: 1, r: { b: 0 }, c: 4 },
  })
  assert.deepEqual(JSON.parse(statisticsText(file, 1)).nullCount, { a: 1 })
})

function refusal(code: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof MillraceError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  }
}
