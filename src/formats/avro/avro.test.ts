import assert from 'node:assert/strict'
import test from 'node:test'
import avsc from 'avsc'
import { fc } from '../../../test/builders/properties.ts'
import type { Batch } from '../../data/batch.ts'
import { cellReaderOf, cellWriterOf } from '../../data/cells.ts'
import { LinearMemory, type Pointer } from '../../data/memory.ts'
import type { CellValue } from '../../data/nested-cells.ts'
import { type DataType, type Schema, types, withNullability } from '../../data/types.ts'
import { createAvroDecoder } from './decode.ts'
import { createAvroEncoder } from './encode.ts'
import { avro, avroConfluent } from './format.ts'
import { avroSchemaOf } from './from-columns.ts'
import { readerFields } from './reader-schema.ts'
import { parseAvro } from './schema.ts'

/** avsc, with longs as bigints: the judge. */
const long = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer(value: bigint) {
    const buffer = Buffer.alloc(8)
    buffer.writeBigInt64LE(value)
    return buffer
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (left: bigint, right: bigint) => (left === right ? 0 : left < right ? -1 : 1),
})
const judge = (schema: unknown) =>
  avsc.Type.forSchema(schema as avsc.Schema, { registry: { long }, wrapUnions: false })

const notNull = (type: DataType): DataType => withNullability(type, false)

function placed(memory: LinearMemory, records: readonly Uint8Array[]): Pointer {
  const cells = memory.arena.allocate(8 * records.length)
  records.forEach((bytes, row) => {
    const address = memory.arena.allocate(bytes.length)
    memory.u8.set(bytes, address)
    memory.u32[(cells >>> 2) + 2 * row] = address
    memory.u32[(cells >>> 2) + 2 * row + 1] = bytes.length
  })
  return cells
}

/** Rows, and reasons of dead ones by place. */
function decoded(writer: unknown, columns: Schema, records: readonly Uint8Array[]) {
  const memory = new LinearMemory({ bytesMax: 64 << 20 })
  const decoder = createAvroDecoder(memory, columns)
  const reading = decoder.reading(parseAvro({ text: JSON.stringify(writer), references: [] }))
  const values = placed(memory, records)
  const run = { from: 0, to: records.length, skip: 0, reading }
  const { columns: vectors, dead } = decoder.decode(values, records.length, [run], [])
  const isDead = new Set(dead.map(({ row }) => row))
  const readers = vectors.map((vector) => cellReaderOf(memory, vector))
  const rows = records.map((_, row) =>
    isDead.has(row) ? undefined : readers.map((read) => read(row)),
  )
  decoder.dispose()
  return { rows, dead }
}

const record = (fields: readonly unknown[]) => ({ type: 'record', name: 'R', fields })
const field = (name: string, type: unknown) => ({ name, type })

test('every type that columns can have is read as avsc wrote it', () => {
  const writer = record(
    [
      field('flag', 'boolean'),
      field('small', 'int'),
      field('big', 'long'),
      field('single', 'float'),
      field('wide', 'double'),
      field('text', 'string'),
      field('raw', 'bytes'),
      field('size', { type: 'enum', name: 'Size', symbols: ['S', 'M'] }),
      field('hash', { type: 'fixed', name: 'Hash', size: 3 }),
      field('maybe', ['null', 'string']),
      field('passed over', ['null', { type: 'array', items: { type: 'map', values: 'double' } }]),
      field('tags', { type: 'array', items: ['null', 'string'] }),
      field('counts', { type: 'map', values: 'long' }),
      field('inner', [
        'null',
        {
          type: 'record',
          name: 'Inner',
          fields: [field('x', 'int'), field('y', ['null', 'long'])],
        },
      ]),
    ].map((each) => ({ ...each, name: each.name.replaceAll(' ', '_') })),
  )
  const columns: Schema = [
    {
      name: 'inner',
      type: {
        kind: 'row',
        fields: [
          { name: 'y', type: types.bigint },
          { name: 'x', type: types.int },
        ],
        nullable: true,
      },
    },
    { name: 'flag', type: types.boolean },
    { name: 'small', type: types.int },
    { name: 'big', type: types.bigint },
    { name: 'single', type: types.float },
    { name: 'wide', type: types.double },
    { name: 'text', type: types.string },
    { name: 'raw', type: types.bytes },
    { name: 'size', type: types.string },
    { name: 'hash', type: types.bytes },
    { name: 'maybe', type: types.string },
    { name: 'tags', type: { kind: 'array', element: types.string, nullable: true } },
    {
      name: 'counts',
      type: { kind: 'map', key: notNull(types.string), value: types.bigint, nullable: true },
    },
    { name: 'absent', type: types.int },
  ]
  const text = fc.string({ unit: 'grapheme' }).filter((value) => value.isWellFormed())
  const row = fc.record({
    flag: fc.boolean(),
    small: fc.integer(),
    big: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    single: fc.float({ noNaN: true }),
    wide: fc.double({ noNaN: true }),
    text,
    raw: fc.uint8Array(),
    size: fc.constantFrom('S', 'M'),
    hash: fc.uint8Array({ minLength: 3, maxLength: 3 }),
    maybe: fc.option(text),
    passed_over: fc.option(fc.array(fc.dictionary(fc.string(), fc.double({ noNaN: true })))),
    tags: fc.array(fc.option(text)),
    counts: fc.dictionary(text, fc.bigInt(-5n, 5n)),
    inner: fc.option(fc.record({ x: fc.integer(), y: fc.option(fc.bigInt(-9n, 9n)) })),
  })
  const type = judge(writer)
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
      const given = rows.map((each) =>
        type.toBuffer({ ...each, raw: Buffer.from(each.raw), hash: Buffer.from(each.hash) }),
      )
      const { rows: read, dead } = decoded(writer, columns, given)
      assert.deepEqual(dead, [])
      assert.deepEqual(
        read,
        rows.map((each): CellValue[] =>
          [
            each.inner === null ? null : [each.inner.y, BigInt(each.inner.x)],
            each.flag,
            BigInt(each.small),
            each.big,
            each.single,
            each.wide,
            each.text,
            each.raw,
            each.size,
            each.hash,
            each.maybe,
            each.tags,
            Object.entries(each.counts),
            null,
          ].map((value, at) => (at === 0 && value === null ? null : (value as CellValue))),
        ),
      )
    }),
    { numRuns: 60 },
  )
})

test('arrays inside a ROW that is NULL are not looked for, and items of no bytes are counted', () => {
  const inner = {
    type: 'record',
    name: 'Inner',
    fields: [field('tags', { type: 'array', items: 'string' })],
  }
  const writer = record([
    field('inner', ['null', inner]),
    field('nulls', { type: 'array', items: 'null' }),
  ])
  const type = judge(writer)
  const tags: DataType = { kind: 'array', element: types.string, nullable: true }
  const nulls: DataType = { kind: 'array', element: types.int, nullable: true }
  const columns: Schema = [
    {
      name: 'inner',
      type: { kind: 'row', fields: [{ name: 'tags', type: tags }], nullable: true },
    },
    { name: 'nulls', type: nulls },
  ]
  const memory = new LinearMemory({ bytesMax: 64 << 20 })
  memory.u8.fill(255, memory.allocate(8 << 20))
  const { rows, dead } = decoded(writer, columns, [
    type.toBuffer({ inner: null, nulls: [null, null] }),
    type.toBuffer({ inner: { tags: ['x'] }, nulls: [] }),
    Uint8Array.of(0, 0x80, 0x80, 0x80, 0x10, 0),
  ])
  assert.deepEqual(rows, [[null, [null, null]], [[['x']], []], undefined])
  assert.match(dead[0]!.reason, /too many items/)
})

test("a reader's schema names columns by their aliases, and has defaults for what a writer lacks", () => {
  const reader = record([
    { ...field('renamed', 'long'), aliases: ['old'] },
    { ...field('n', 'int'), default: 7 },
    { ...field('text', ['null', 'string']), default: 'x' },
    {
      ...field('price', { type: 'bytes', logicalType: 'decimal', precision: 30, scale: 2 }),
      default: '\u00ff',
    },
    { ...field('tags', { type: 'array', items: 'string' }), default: ['a', 'b'] },
    { ...field('at', { type: 'long', logicalType: 'timestamp-millis' }), default: 5 },
    { ...field('ok', 'boolean'), default: true },
    { ...field('ratio', 'double'), default: 0.5 },
  ])
  const columns: Schema = [
    { name: 'renamed', type: notNull(types.bigint) },
    { name: 'n', type: notNull(types.int) },
    { name: 'text', type: types.string },
    { name: 'price', type: types.decimal(30, 2) },
    { name: 'tags', type: { kind: 'array', element: types.string, nullable: true } },
    { name: 'at', type: types.timestamp(3) },
    { name: 'ok', type: types.boolean },
    { name: 'ratio', type: types.double },
  ]
  const memory = new LinearMemory({ bytesMax: 64 << 20 })
  const decoder = createAvroDecoder(memory, columns, readerFields(JSON.stringify(reader), columns))
  const one = record([field('old', 'int')])
  const two = record([field('text', 'string'), field('renamed', 'long')])
  const readings = [one, two].map((writer) =>
    decoder.reading(parseAvro({ text: JSON.stringify(writer), references: [] })),
  )
  const records = [
    judge(one).toBuffer({ old: 3 }),
    judge(two).toBuffer({ text: 'given', renamed: 4n }),
  ]
  const runs = readings.map((reading, row) => ({ from: row, to: row + 1, skip: 0, reading }))
  const { columns: vectors, dead } = decoder.decode(placed(memory, records), 2, runs, [])
  assert.deepEqual(dead, [])
  const readers = vectors.map((vector) => cellReaderOf(memory, vector))
  const rest = [-1n, ['a', 'b'], 5000n, true, 0.5]
  assert.deepEqual(
    [0, 1].map((row) => readers.map((read) => read(row))),
    [
      [3n, 7n, 'x', ...rest],
      [4n, 7n, 'given', ...rest],
    ],
  )
  const both = decoder.reading(
    parseAvro({
      text: JSON.stringify(record([field('old', 'int'), field('renamed', 'int')])),
      references: [],
    }),
  )
  assert.match(both.mismatch!, /column renamed is, by its aliases, old and renamed/)
  assert.throws(() => readerFields(JSON.stringify(reader), [{ name: 'n', type: types.string }]), {
    code: 'SCHEMA_INVALID',
  })
  decoder.dispose()
})

test('damaged records are dead or decode to something, and never fail', () => {
  const writer = record([
    field('a', 'string'),
    field('b', ['null', 'long']),
    field('c', { type: 'array', items: 'int' }),
  ])
  const columns: Schema = [
    { name: 'a', type: types.string },
    { name: 'b', type: types.bigint },
    { name: 'c', type: { kind: 'array', element: types.int, nullable: true } },
  ]
  const type = judge(writer)
  const good = type.toBuffer({ a: 'æøå and more', b: 7n, c: [1, 2, 3] })
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, length) => {
      const bytes = Buffer.from(good)
      bytes[at] = byte
      const { rows, dead } = decoded(writer, columns, [bytes.subarray(0, length), good])
      assert.deepEqual(rows[1], ['æøå and more', 7n, [1n, 2n, 3n]])
      let told: unknown
      try {
        told = type.fromBuffer(bytes.subarray(0, length))
      } catch {
        return
      }
      // What both can read is the same; we alone check UTF-8 and lengths.
      if (dead.length === 0) assert.deepEqual(rows[0]![1], (told as { b: bigint | null }).b)
    }),
    { numRuns: 500 },
  )
})

test('what is written reads back, and avsc reads it too', () => {
  const columns: Schema = [
    { name: 'n', type: notNull(types.int) },
    { name: 'text', type: types.string },
    { name: 'price', type: types.decimal(10, 2) },
    { name: 'huge', type: types.decimal(38, 0) },
    { name: 'day', type: types.date },
    { name: 'at', type: types.timestamp(3) },
    { name: 'micros', type: types.timestampLtz(6) },
    { name: 'time', type: types.time(3) },
    { name: 'tags', type: { kind: 'array', element: types.string, nullable: true } },
    {
      name: 'map',
      type: { kind: 'map', key: notNull(types.string), value: types.double, nullable: true },
    },
    {
      name: 'row',
      type: { kind: 'row', fields: [{ name: 'x', type: types.bigint }], nullable: true },
    },
  ]
  const rows: CellValue[][] = [
    [
      1n,
      'a',
      -1250n,
      -(10n ** 37n),
      -1n,
      -1_000n,
      -1n,
      3_600_000_000n,
      ['x', null],
      [['k', 0.5]],
      [2n ** 62n],
    ],
    [-2n, null, null, null, null, null, null, null, null, null, null],
    [3n, '', 0n, 10n ** 38n - 1n, 20_000n, 1_769_860_801_000_000n, 1n, 0n, [], [], [null]],
  ]
  const memory = new LinearMemory({ bytesMax: 64 << 20 })
  const writers = columns.map(({ type }) =>
    cellWriterOf(memory, type, rows.length, () => assert.fail()),
  )
  for (const [row, values] of rows.entries())
    for (const [index, value] of values.entries()) writers[index]!.set(row, value)
  const batch: Batch = {
    rowCount: rows.length,
    columns: writers.map(({ vector }) => vector),
    kinds: 0,
    selection: 0,
    count: rows.length,
  }
  const text = avroSchemaOf(columns, true)
  const schema = parseAvro({ text, references: [] })
  const encoder = createAvroEncoder(memory, 't', columns, schema, Uint8Array.of(9))
  const cells = encoder.encode(batch)
  const records = rows.map((_, row) => {
    const at = memory.u32[(cells >>> 2) + 2 * row]!
    return memory.u8.slice(at + 1, at + memory.u32[(cells >>> 2) + 2 * row + 1]!)
  })
  const { rows: back, dead } = decoded(JSON.parse(text), columns, records)
  assert.deepEqual(dead, [])
  assert.deepEqual(back, rows)
  const [first, second] = records.map((bytes) =>
    judge(JSON.parse(text)).fromBuffer(Buffer.from(bytes)),
  )
  assert.equal(first.n, 1)
  assert.equal(Number(first.at), -1)
  assert.deepEqual(first.tags, ['x', null])
  assert.equal(second.row, null)
})

test('a value that its column can not hold makes its record dead, and says why', () => {
  const writer = record([field('a', ['null', 'int', 'string'])])
  const type = judge(writer)
  const records = [null, 300, 'text'].map((a) => type.toBuffer({ a }))
  const { rows, dead } = decoded(
    writer,
    [{ name: 'a', type: notNull(types.tinyint) }],
    [...records, type.toBuffer({ a: 7 })],
  )
  assert.deepEqual(rows, [undefined, undefined, undefined, [7n]])
  assert.deepEqual(
    dead.map(({ reason }) => reason),
    [
      'column a: null, but declared NOT NULL',
      'column a: a value out of the range of the column',
      "column a: a branch of a union that the column can't hold",
    ],
  )
})

test('a schema that lacks a NOT NULL column, or has it otherwise, makes all its records dead', () => {
  const bytes = judge(record([field('a', 'int')])).toBuffer({ a: 1 })
  const reasonFor = (name: string, type: DataType) =>
    decoded(record([field('a', 'int')]), [{ name, type }], [bytes]).dead[0]?.reason
  assert.match(reasonFor('b', notNull(types.int))!, /column b is NOT NULL/)
  assert.match(
    reasonFor('a', types.string)!,
    /column a is VARCHAR, and the writer's schema says int/,
  )
})

test('hostile records are dead, at the cost of their bytes: lengths, counts, records in records, and schemas whose records of no bytes double', () => {
  const reasonOf = (writer: unknown, ...bytes: number[]) => {
    const good = { name: 'n', type: types.bigint }
    const { rows, dead } = decoded(writer, [good], [Uint8Array.from(bytes)])
    return dead[0]?.reason ?? rows[0]
  }
  const of = (type: unknown) => record([field('x', type), field('n', 'long')])
  // 0x01 is -1, and nine 0xff with 0x01 behind them the least long: as a length, a count, a branch and a symbol.
  const least = [...Array.from({ length: 9 }, () => 0xff), 1]
  for (const type of ['string', 'bytes', { type: 'bytes', logicalType: 'decimal', precision: 4 }]) {
    assert.match(String(reasonOf(of(type), 1, 2)), /a length beyond the record/)
    assert.match(String(reasonOf(of(type), ...least, 2)), /a length beyond the record/)
  }
  for (const type of [
    { type: 'array', items: 'null' },
    { type: 'map', values: 'null' },
  ]) {
    assert.match(String(reasonOf(of(type), ...least, 2, 0, 2)), /too many items/)
    assert.match(
      String(reasonOf(of(type), 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 2)),
      /too many items|ends too early|beyond the record/,
    )
  }
  assert.match(String(reasonOf(of(['null', 'long']), ...least, 2)), /a branch/)
  assert.match(String(reasonOf(of({ type: 'enum', name: 'E', symbols: ['A'] }), 1, 2)), /a symbol/)
  const big = { type: 'fixed', name: 'F', size: 2 ** 31 - 1 }
  assert.match(String(reasonOf(of(big), 1, 2)), /ends too early/)
  const list = { type: 'record', name: 'L', fields: [field('next', ['null', 'L'])] }
  const deep = (levels: number) => [...Array.from({ length: levels }, () => 2), 0, 6]
  assert.deepEqual(reasonOf(of(list), ...deep(100)), [3n])
  assert.match(String(reasonOf(of(list), ...deep(50_000))), /deeper than 128/)
  const doubling = Array.from({ length: 60 }).reduce<unknown>(
    (inner, _, level) => ({
      ...record([field('a', inner), field('b', level === 0 ? 'null' : `R${level - 1}`)]),
      name: `R${level}`,
    }),
    'null',
  )
  assert.match(String(reasonOf(of(doubling), 2)), /too many items/)
})

test("a union's default is held against each of its records once, however deep", () => {
  const branches = (name: string, other: unknown) => ({
    type: 'record',
    name,
    fields: [{ name: 'x', type: ['null', 'A', other] }],
  })
  const type = branches('A', { ...branches('B', 'B') })
  const nested = (levels: number, last: unknown): unknown =>
    levels === 0 ? last : { x: nested(levels - 1, last) }
  const parse = (last: unknown) => {
    const given = record([{ ...field('a', type), default: nested(80, last) }])
    return parseAvro({ text: JSON.stringify(given), references: [] })
  }
  assert.equal(parse(null).kind, 'record')
  assert.throws(() => parse('no record'), { code: 'SCHEMA_INVALID' })
})

test('__proto__ is a field like others', () => {
  const writer = record([field('__proto__', 'string')])
  const bytes = Uint8Array.of(4, 104, 105)
  const { rows } = decoded(writer, [{ name: '__proto__', type: types.string }], [bytes])
  assert.deepEqual(rows, [['hi']])
})

test('what can not be written is refused by name: a type, a symbol, a schema without the column, no registry', async () => {
  const memory = new LinearMemory({ bytesMax: 16 << 20 })
  const schema: Schema = [{ name: 'size', type: types.string }]
  const request = {
    memory,
    table: 't',
    schema,
    physical: schema,
    options: {},
    subject: 's',
    schemas: undefined,
  }
  const month: Schema = [{ name: 'm', type: { kind: 'interval_year_month', nullable: true } }]
  await assert.rejects(avro.openEncoder({ ...request, schema: month }), {
    code: 'FORMAT_TYPE_UNSUPPORTED',
  })
  await assert.rejects(avroConfluent.openDecoder(request), { code: 'SCHEMA_MISSING' })
  const sizes = ['null', { type: 'enum', name: 'Size', symbols: ['S'] }]
  const parsed = parseAvro({ text: JSON.stringify(record([field('size', sizes)])), references: [] })
  const encoder = createAvroEncoder(memory, 't', schema, parsed, new Uint8Array())
  const writer = cellWriterOf(memory, types.string, 1, () => assert.fail())
  writer.set(0, 'XL')
  const batch: Batch = { rowCount: 1, columns: [writer.vector], kinds: 0, selection: 0, count: 1 }
  assert.throws(() => encoder.encode(batch), { code: 'VALUE_REFUSED' })
  const other = parseAvro({ text: JSON.stringify(record([field('other', 'int')])), references: [] })
  assert.throws(() => createAvroEncoder(memory, 't', schema, other, new Uint8Array()), {
    code: 'SCHEMA_INVALID',
  })
})
