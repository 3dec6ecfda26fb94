import assert from 'node:assert/strict'
import test from 'node:test'
import { batchOf, type Plain, rowsOf } from '../../../test/builders/batch.ts'
import { fc } from '../../../test/builders/properties.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type DataType, type Schema, types, withNullability } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { Codec } from './codecs.ts'
import { appendHybrid, bitsFor } from './hybrid.ts'
import { pageBytes } from './page-bytes.ts'
import { openParquet } from './read.ts'
import { parquetFileWriter, type WrittenFile } from './write.ts'

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const integers = (bits: number) =>
  fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n })
const decimals = (precision: number, scale: number) =>
  fc
    .bigInt({ min: -(10n ** BigInt(precision)) + 1n, max: 10n ** BigInt(precision) - 1n })
    .map((unscaled) => decimalText(unscaled, scale))

/** Each type with values over its whole range. */
const kinds: readonly (readonly [DataType, fc.Arbitrary<Plain>])[] = [
  [types.boolean, fc.boolean()],
  [types.tinyint, integers(8)],
  [types.smallint, integers(16)],
  [types.int, integers(32)],
  [types.bigint, int64],
  [types.float, fc.float({ noNaN: true })],
  [types.double, fc.double({ noNaN: true })],
  [types.decimal(9, 2), decimals(9, 2)],
  [types.decimal(18, 6), decimals(18, 6)],
  [types.decimal(38, 10), decimals(38, 10)],
  [types.string, fc.string({ unit: 'binary' })],
  [types.bytes, fc.uint8Array({ maxLength: 40 })],
  [types.date, integers(20)],
  [types.time(6), fc.bigInt({ min: 0n, max: 86_399_999_999n })],
  [types.timestamp(6), integers(58)],
  [types.timestampLtz(6), integers(58)],
]
const schema: Schema = kinds.map(([type], index) => ({ name: `c${index}`, type }))
const row = fc.tuple(...kinds.map(([, value]) => fc.option(value, { freq: 4 })))

test('every type reads back as written, NULLs too, in every codec', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 40 }),
      fc.constantFrom<Codec>('zstd', 'snappy', 'gzip', 'uncompressed'),
      async (rows, codec) => {
        const { read } = await roundTrip(schema, [rows], { codec })
        assert.deepEqual(read, rows)
      },
    ),
    { numRuns: 60 },
  )
})

test('a selection is what is written, over many batches and row groups', async () => {
  const two: Schema = [
    { name: 'n', type: withNullability(types.bigint, false) },
    { name: 's', type: types.string },
  ]
  const memory = new LinearMemory()
  const parts: Uint8Array[] = []
  const writer = parquetFileWriter({
    schema: two,
    codec: 'zstd',
    rowGroupBytes: 1000,
    out: (bytes) => parts.push(bytes.slice()),
  })
  const expected: Plain[][] = []
  for (let round = 0; round < 5; round++) {
    const rows = Array.from({ length: 6000 }, (_, at): Plain[] => [
      BigInt(round * 6000 + at),
      at % 7 === 0 ? null : `text ${round} ${at}`,
    ])
    const selection = rows.map((_, at) => at).filter((at) => at % 3 !== 1)
    const batch = batchOf(memory, two, rows, { selection })
    writer.write(memory, batch, batch.columns)
    expected.push(...selection.map((at) => rows[at]!))
  }
  const written = writer.finish()
  const file = await openParquet('x.parquet', asyncBuffer(Buffer.concat(parts)))
  assert.ok(file.groupRows.length > 1)
  assert.equal(file.rowCount, expected.length)
  assert.deepEqual(await readAll(file, two), expected)
  assert.equal(written.bytes, Buffer.concat(parts).length)
})

test('strings that repeat become a dictionary, and those that stop repeating lose it midway', async () => {
  const one: Schema = [{ name: 's', type: types.string }]
  const repeated = Array.from({ length: 20_000 }, (_, at): Plain[] => [`city ${at % 50}`])
  const distinct = Array.from({ length: 200_000 }, (_, at): Plain[] => [
    `a rather unique text ${at}`,
  ])
  const small = await roundTrip(one, [repeated], { codec: 'uncompressed' })
  assert.ok(small.written.bytes < 20_000, `${small.written.bytes} bytes`)
  const mixed = await roundTrip(one, [repeated, distinct, repeated], { codec: 'uncompressed' })
  assert.deepEqual(mixed.read, [...repeated, ...distinct, ...repeated])
})

test('ROWs keep apart the NULL row and the row of NULLs', async () => {
  const nested: Schema = [
    {
      name: 'r',
      type: {
        kind: 'row',
        nullable: true,
        fields: [
          { name: 'a', type: types.int },
          {
            name: 'b',
            type: {
              kind: 'row',
              nullable: true,
              fields: [{ name: 'c', type: withNullability(types.string, false) }],
            },
          },
        ],
      },
    },
  ]
  const rows: Plain[][] = [[null], [[null, null]], [[1n, ['x']]], [[null, ['']]], [[2n, null]]]
  const { read, written } = await roundTrip(nested, [rows], { codec: 'zstd' })
  assert.deepEqual(read, rows)
  assert.deepEqual(
    written.leaves.map(({ leaf, statistics }) => [leaf.path.join('.'), statistics.nullCount]),
    [
      ['r.a', 3],
      ['r.b.c', 3],
    ],
  )
})

test('statistics bound every value, and give none where NaN is among them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.option(int64), fc.option(fc.double()), fc.option(fc.string())), {
        maxLength: 50,
      }),
      async (rows) => {
        const three: Schema = [
          { name: 'n', type: types.bigint },
          { name: 'd', type: types.double },
          { name: 's', type: types.string },
        ]
        const { written } = await roundTrip(three, [rows], { codec: 'uncompressed' })
        written.leaves.forEach(({ statistics }, index) => {
          const values = rows
            .map((one): Plain => one[index] ?? null)
            .filter((value) => value !== null)
          assert.equal(statistics.nullCount, rows.length - values.length)
          if (values.some((value) => Number.isNaN(value)) || values.length === 0) {
            assert.equal(statistics.bounds, undefined)
          } else assert.deepEqual(statistics.bounds, boundsOf(values))
        })
      },
    ),
    { numRuns: 100 },
  )
})

test('a NULL for a NOT NULL column is refused by its name', async () => {
  const one: Schema = [{ name: 'id', type: withNullability(types.bigint, false) }]
  await assert.rejects(
    roundTrip(one, [[[null]]], { codec: 'zstd' }),
    refusal('NULL_REFUSED', /'id'/),
  )
})

test('a type without a Parquet form is refused by its column', () => {
  const one: Schema = [{ name: 'gap', type: { kind: 'interval_day_second', nullable: true } }]
  assert.throws(
    () => parquetFileWriter({ schema: one, codec: 'zstd', out() {} }),
    refusal('PARQUET_TYPE_UNSUPPORTED', /'gap'/),
  )
})

test('a damaged file is refused by its name, never read wrongly', async () => {
  await assert.rejects(
    openParquet('part-1.parquet', asyncBuffer(Buffer.from('not parquet at all'))),
    refusal('PARQUET_INVALID', /part-1\.parquet/),
  )
})

test('hybrid encoding holds any values: read back bit by bit', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ value: fc.nat(300), times: fc.nat(30) }), { maxLength: 20 }),
      (runs) => {
        const values = Uint32Array.from(
          runs.flatMap(({ value, times }) => Array(times).fill(value)),
        )
        const width = bitsFor(Math.max(0, ...values))
        const page = pageBytes()
        appendHybrid(page, values, values.length, width)
        assert.deepEqual(readHybrid(page.u8.subarray(0, page.length), width, values.length), [
          ...values,
        ])
      },
    ),
  )
})

async function roundTrip(
  columns: Schema,
  batches: readonly (readonly (readonly Plain[])[])[],
  options: { readonly codec: Codec },
): Promise<{ readonly read: Plain[][]; readonly written: WrittenFile }> {
  const memory = new LinearMemory()
  const parts: Uint8Array[] = []
  const out = (bytes: Uint8Array) => parts.push(bytes.slice())
  const writer = parquetFileWriter({ schema: columns, ...options, out })
  for (const rows of batches) {
    const batch = batchOf(memory, columns, rows)
    writer.write(memory, batch, batch.columns)
  }
  const written = writer.finish()
  const file = await openParquet('x.parquet', asyncBuffer(Buffer.concat(parts)))
  return { read: await readAll(file, columns), written }
}

async function readAll(file: Awaited<ReturnType<typeof openParquet>>, columns: Schema) {
  const memory = new LinearMemory()
  const rows: Plain[][] = []
  for (let index = 0; index < file.groupRows.length; index++) {
    const group = await file.group(index, columns)
    const middle = group.rowCount >> 1
    rows.push(...rowsOf(memory, group.batch(memory, 0, middle)))
    rows.push(...rowsOf(memory, group.batch(memory, middle, group.rowCount)))
  }
  return rows
}

function asyncBuffer(bytes: Buffer) {
  const { buffer, byteOffset, length } = bytes
  const whole = buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer
  return { byteLength: length, slice: (start: number, end?: number) => whole.slice(start, end) }
}

function boundsOf(values: readonly Plain[]) {
  if (typeof values[0] === 'string') {
    const sorted = values
      .map((value) => new Uint8Array(Buffer.from(String(value))))
      .sort(Buffer.compare)
    return { min: sorted[0], max: sorted.at(-1) }
  }
  const sorted = (values as (number | bigint)[]).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const [min, max] = [sorted[0], sorted.at(-1)]
  return { min: min === 0 ? -0 : min, max: max === 0 ? 0 : max }
}

/** The oracle of the hybrid encoding: a bit at a time. */
function readHybrid(bytes: Uint8Array, width: number, count: number): number[] {
  const values: number[] = []
  let at = 0
  while (values.length < count) {
    let header = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      header |= (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    if (header & 1) {
      for (let value = 0; value < (header >> 1) * 8; value++) {
        let read = 0
        for (let bit = 0; bit < width; bit++) {
          const index = value * width + bit
          read |= ((bytes[at + (index >> 3)]! >> (index & 7)) & 1) << bit
        }
        values.push(read)
      }
      at += (header >> 1) * width
    } else {
      let value = 0
      for (let shift = 0; shift < width; shift += 8) value |= bytes[at++]! << shift
      values.push(...Array(header >> 1).fill(value))
    }
  }
  return values.slice(0, count)
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function refusal(code: string, message: RegExp) {
  return (error: unknown) =>
    error instanceof MillraceError && error.code === code && message.test(error.message)
}
