import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf, type Plain, rowsOf } from '../../../test/builders/batch.ts'
import { fc } from '../../../test/builders/properties.ts'
import type { Value } from '../../compile/value.ts'
import { LinearMemory } from '../../data/memory.ts'
import { decodeNested, encodeNested } from '../../data/nested-cells.ts'
import { type DataType, type Schema, types, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { openParquet } from './read.ts'
import { parquetFileWriter } from './write.ts'

const array = (element: DataType): DataType => ({ kind: 'array', element, nullable: true })
const map = (key: DataType, value: DataType): DataType => ({
  kind: 'map',
  key,
  value,
  nullable: true,
})
const row = (...kinds: readonly DataType[]): DataType => ({
  kind: 'row',
  fields: kinds.map((type, index) => ({ name: `f${index}`, type })),
  nullable: true,
})
const text = fc.string({ unit: 'binary', maxLength: 6 })
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const wide = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n })
const list = (value: fc.Arbitrary<Value>) => fc.array(fc.option(value), { maxLength: 4 })
/** Keys in the order in which JavaScript lists them, since the reader's library makes property names of them. */
const entries = (key: fc.Arbitrary<Value>, value: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.uniqueArray(
    fc.tuple(key, fc.option(value)).map((entry): readonly Value[] => entry),
    { maxLength: 4, selector: ([name]) => String(name) },
  )

const kinds: readonly (readonly [DataType, fc.Arbitrary<Value>])[] = [
  [array(types.bigint), list(long)],
  [array(types.string), list(text)],
  [array(types.decimal(31, 2)), list(wide)],
  [array(array(types.double)), list(list(fc.double({ noNaN: true })))],
  [
    array(row(types.int, types.boolean)),
    list(
      fc
        .tuple(fc.option(fc.integer().map(BigInt)), fc.option(fc.boolean()))
        .map((fields): readonly Value[] => fields),
    ),
  ],
  [map(types.string, types.timestampLtz(3)), entries(text, long)],
  [map(types.bigint, array(types.string)), entries(long, list(text))],
  [array(map(types.string, types.string)), list(entries(text, text))],
]
const schema: Schema = kinds.map(([type], index) => ({ name: `c${index}`, type }))

test('ARRAYs and MAPs read back as written, nested, empty and NULL ones too', async () => {
  const rows = fc.array(fc.tuple(...kinds.map(([, value]) => fc.option(value, { freq: 5 }))), {
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(rows, async (values) => {
      const encoded = values.map((one) =>
        one.map(
          (value, at): Plain => (value === null ? null : encodeNested(schema[at]!.type, value)),
        ),
      )
      const read = await roundTrip(schema, encoded)
      const told = read.map((one) =>
        one.map((value, at) =>
          value === null ? null : decoded(schema[at]!.type, value as Uint8Array),
        ),
      )
      assert.deepEqual(told.map(ordered), values.map(ordered))
    }),
    { numRuns: 60 },
  )
})

test('a ROW with an ARRAY in it keeps NULL apart at each step', async () => {
  const type = row(array(types.int), types.string)
  const block = (value: Value) => encodeNested(array(types.int), value)
  const rows: Plain[][] = [[null], [[null, 'x']], [[block([]), null]], [[block([1n, null]), 'y']]]
  const read = await roundTrip([{ name: 'r', type }], rows)
  assert.deepEqual(
    read.map(([value]) => (value === null ? null : (value as Plain[]).map(plain))),
    [null, [null, 'x'], [[], null], [[1n, null], 'y']],
  )
})

test('a NULL element is refused where elements are NOT NULL', async () => {
  const strict = array(withNullability(types.int, false))
  await assert.rejects(
    roundTrip([{ name: 'list', type: strict }], [[encodeNested(strict, [1n, null])]]),
    (error) => error instanceof MillraceError && error.code === 'NULL_REFUSED',
  )
})

function plain(value: Plain): Value {
  return value instanceof Uint8Array ? decoded(array(types.int), value) : (value as Value)
}

function decoded(type: DataType, bytes: Uint8Array): Value {
  return decodeNested(type, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength))
}

/** MAPs have no order of their own: texts that sort alike stand for equal values. */
function ordered(value: unknown): unknown {
  if (!Array.isArray(value)) return value
  const members = value.map(ordered)
  const isMap = members.length > 0 && members.every((one) => Array.isArray(one) && one.length === 2)
  return isMap ? members.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)) : members
}

async function roundTrip(columns: Schema, rows: readonly (readonly Plain[])[]): Promise<Plain[][]> {
  const memory = new LinearMemory()
  const parts: Uint8Array[] = []
  const out = (bytes: Uint8Array) => parts.push(bytes.slice())
  const writer = parquetFileWriter({ schema: columns, codec: 'zstd', out })
  const batch = batchOf(memory, columns, rows)
  writer.write(memory, batch, batch.columns)
  writer.finish()
  const whole = Uint8Array.from(Buffer.concat(parts)).buffer
  const file = await openParquet('x.parquet', {
    byteLength: whole.byteLength,
    slice: (start, end) => whole.slice(start, end),
  })
  const read: Plain[][] = []
  for (let index = 0; index < file.groupRows.length; index++) {
    const group = await file.group(index, columns)
    read.push(...rowsOf(memory, group.batch(memory, 0, group.rowCount)))
  }
  return read
}
