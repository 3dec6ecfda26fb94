import assert from 'node:assert/strict'
import test from 'node:test'
import { fc } from '../../../test/builders/properties.ts'
import type { CellValue } from '../../data/nested-cells.ts'
import { type DataType, type Field, types } from '../../data/types.ts'
import { createByteSink } from '../byte-sink.ts'
import { WireRefused } from './cursor.ts'
import { messageReader } from './decode.ts'
import { protoText } from './descriptor-text.ts'
import { descriptorBase64 } from './descriptor-write.ts'
import { messageWriter } from './encode.ts'
import { protoSchemaOf } from './from-columns.ts'
import { messageAt, placesOf, readMessagePath, writeMessagePath } from './message-path.ts'
import { readProto } from './names.ts'
import { parseProto } from './parse.ts'

const proto3 = (body: string) => readProto({ text: `syntax = "proto3"; ${body}`, references: [] })

function readerFor(body: string, columns: readonly Field[]) {
  const names = proto3(body)
  const read = messageReader(names, messageAt(names, [0])!, columns)
  assert.ok(typeof read !== 'string', String(read))
  return (...bytes: number[]) => read(Uint8Array.from(bytes))
}

const column = (name: string, type: DataType): Field => ({ name, type })

test('values on the wire are those of the examples of the encoding guide', () => {
  const read = readerFor(
    'message M { int32 a = 1; string b = 2; M2 c = 3; repeated int32 e = 5; sint32 z = 6; message M2 { int32 a = 1; } }',
    [
      column('a', types.int),
      column('b', types.string),
      column('c', { kind: 'row', fields: [column('a', types.int)], nullable: true }),
      column('e', { kind: 'array', element: types.int, nullable: true }),
      column('z', types.int),
    ],
  )
  assert.deepEqual(read(0x08, 0x96, 0x01), [150n, '', null, [], 0n])
  assert.deepEqual(read(0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67)[1], 'testing')
  assert.deepEqual(read(0x1a, 0x03, 0x08, 0x96, 0x01)[2], [150n])
  assert.deepEqual(read(0x2a, 0x06, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05)[3], [3n, 270n, 86942n])
  assert.deepEqual(read(0x28, 0x03, 0x28, 0x04)[3], [3n, 4n])
  assert.deepEqual(read(0x30, 0x03)[4], -2n)
  // An unknown field of each wire type is passed over, and the last value of a field counts.
  assert.deepEqual(
    read(0x08, 1, 0x58, 5, 0x59, 0, 0, 0, 0, 0, 0, 0, 0, 0x5a, 1, 9, 0x5d, 0, 0, 0, 0, 0x08, 2)[0],
    2n,
  )
})

test('bytes that are no message are refused, whatever they are', () => {
  const read = readerFor('message M { int64 a = 1; string b = 2; map<string, M> c = 3; }', [
    column('a', types.int),
    column('b', types.string),
  ])
  assert.throws(() => read(0x08), WireRefused)
  assert.throws(() => read(0x12, 0x7f, 1), WireRefused)
  assert.throws(() => read(0x12, 1, 0xff), WireRefused)
  assert.throws(
    () => read(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
    WireRefused,
  )
  assert.throws(() => read(0x08, 0x80, 0x80, 0x80, 0x80, 0x10), /out of the range of INT/)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
      try {
        read(...bytes)
      } catch (error) {
        assert.ok(error instanceof WireRefused, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

test('hostile messages are refused before anything is made of them: groups in groups, lengths, numbers of fields', () => {
  const read = readerFor(
    'message M { map<string, int32> a = 1; string last = 536870911; google.protobuf.Int32Value w = 3; }',
    [
      column('a', { kind: 'map', key: types.string, value: types.int, nullable: true }),
      column('last', types.string),
      column('w', types.int),
    ],
  )
  const groups = (depth: number) => [
    ...Array.from({ length: depth }, () => 0x3b),
    ...Array.from({ length: depth }, () => 0x3c),
  ]
  assert.deepEqual(read(...groups(64)), [[], '', null])
  assert.throws(() => read(...groups(66)), /deeper than 64/)
  assert.throws(() => read(...groups(20_000)), /deeper than 64/)
  assert.throws(() => read(0x3b, 0x44), /group 7 ends as group 8/)
  assert.throws(() => read(0x3b), WireRefused)
  assert.throws(() => read(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f), /length is too large/)
  assert.throws(() => read(0x3a, 0xff, 0xff, 0xff, 0xff, 0x07), /beyond the record/)
  assert.throws(() => read(0x00, 1), /no field 0/)
  assert.throws(() => read(0xf8, 0xff, 0xff, 0xff, 0x1f, 1), /number of a field is too large/)
  // Field 2 ** 29 - 1 is the last there is.
  assert.equal(read(0xfa, 0xff, 0xff, 0xff, 0x0f, 1, 0x61)[1], 'a')
  // Keys and values are what the schema says, or none: never one taken for the other.
  assert.deepEqual(read(0x0a, 5, 0x0a, 1, 0x78, 0x10, 7)[0], [['x', 7n]])
  assert.throws(() => read(0x0a, 4, 0x08, 1, 0x10, 7), /wire type 0 stands where 2 was expected/)
  assert.throws(() => read(0x0a, 6, 0x0a, 1, 0x78, 0x12, 1, 5), /wire type 2 stands where 0/)
  assert.equal(read(0x1a, 2, 0x08, 9)[2], 9n)
})

test('parts of a message that come apart are one, and of a oneof the last member counts', () => {
  const inner: DataType = {
    kind: 'row',
    fields: [
      column('x', types.int),
      column('y', types.int),
      column('l', { kind: 'array', element: types.int, nullable: true }),
    ],
    nullable: true,
  }
  const read = readerFor(
    `message M { N n = 1; oneof o { int32 a = 2; N b = 3; string c = 4; }
      message N { int32 x = 1; int32 y = 2; repeated int32 l = 3; } }`,
    [column('n', inner), column('a', types.int), column('b', inner)],
  )
  assert.deepEqual(read(0x0a, 4, 0x08, 5, 0x18, 1, 0x0a, 4, 0x10, 6, 0x18, 2)[0], [
    5n,
    6n,
    [1n, 2n],
  ])
  assert.deepEqual(read(0x0a, 2, 0x08, 5, 0x0a, 2, 0x08, 7)[0], [7n, 0n, []])
  assert.deepEqual(read(0x10, 1, 0x1a, 2, 0x08, 5).slice(1), [null, [5n, 0n, []]])
  assert.deepEqual(read(0x1a, 2, 0x08, 5, 0x10, 1).slice(1), [1n, null])
  // A member that no column has takes the place of one that has.
  assert.deepEqual(read(0x10, 1, 0x22, 1, 0x7a).slice(1), [null, null])
})

test('what is written is read back, nested and repeated', () => {
  const inner: DataType = {
    kind: 'row',
    fields: [column('x', types.bigint), column('y', types.bytes)],
    nullable: true,
  }
  const notNull = (type: DataType) => ({ ...type, nullable: false }) as DataType
  const columns = [
    column('a', types.bigint),
    column('b', types.boolean),
    column('c', types.double),
    column('d', types.decimal(12, 3)),
    column('r', inner),
    column('l', { kind: 'array', element: notNull(inner), nullable: false }),
    column('m', {
      kind: 'map',
      key: notNull(types.string),
      value: notNull(types.double),
      nullable: false,
    }),
    column('t', types.timestampLtz(6)),
  ]
  const names = readProto({ text: protoSchemaOf(columns), references: [] })
  const message = messageAt(names, [0])!
  const read = messageReader(names, message, columns)
  const write = messageWriter(names, message, columns)!
  assert.ok(typeof read !== 'string')
  const long = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
  const row = fc.tuple(fc.option(long), fc.option(fc.uint8Array()))
  const micros = fc.bigInt(-(10n ** 16n), 10n ** 16n)
  fc.assert(
    fc.property(
      fc.option(long),
      fc.option(fc.boolean()),
      fc.option(fc.double({ noNaN: true })),
      fc.option(fc.bigInt(-(10n ** 12n) + 1n, 10n ** 12n - 1n)),
      fc.option(row),
      fc.array(row),
      fc.array(fc.tuple(fc.string(), fc.double({ noNaN: true }))),
      fc.option(micros),
      (...values) => {
        const out = createByteSink()
        write(out, values as CellValue[])
        assert.deepEqual(read(Uint8Array.from(out.bytes())), values)
      },
    ),
  )
})

test('NULL inside a list is refused by name', () => {
  const columns = [column('l', { kind: 'array', element: types.int, nullable: true })]
  const names = readProto({ text: protoSchemaOf(columns), references: [] })
  const write = messageWriter(names, messageAt(names, [0])!, columns)!
  assert.throws(() => write(createByteSink(), [[1n, null]]), { code: 'NULL_REFUSED' })
  assert.throws(
    () =>
      protoSchemaOf([column('l', { kind: 'array', element: columns[0]!.type, nullable: true })]),
    {
      code: 'FORMAT_TYPE_UNSUPPORTED',
    },
  )
})

test('a schema says the same as text, as descriptor, and as text again', () => {
  const text = `
    syntax = "proto3"; package a.b; import "google/protobuf/timestamp.proto";
    message M { reserved 9 to 11, 20; reserved "old"; optional int32 a = 1; repeated string s = 2 [packed = false];
      map<int32, .a.b.M.N> m = 3; .google.protobuf.Timestamp t = 6; oneof o { .a.b.E e = 4; .a.b.M.N n = 5; }
      message N { .a.b.M m = 1; } }
    enum E { option allow_alias = true; ZERO = 0; ONE = 1; UNO = 1; }`
  const again = protoText(parseProto(descriptorBase64(text)))
  assert.deepEqual(parseProto(again), parseProto(text))
  // Names are written in full, whatever they were.
  const short = text
    .replaceAll('.a.b.M.N', 'N')
    .replaceAll('.a.b.', '')
    .replaceAll('.google', 'google')
  assert.deepEqual(parseProto(descriptorBase64(short)), parseProto(descriptorBase64(text)))
})

test('the path of a message is found, written and read', () => {
  const names = proto3('message A {} message B { enum E { Z = 0; } message C {} message D {} }')
  assert.deepEqual(placesOf(names, 'D'), [1, 1])
  assert.equal(messageAt(names, [1, 1])?.name, 'B.D')
  assert.equal(messageAt(names, [2]), undefined)
  assert.deepEqual([...writeMessagePath([1, 1])], [4, 2, 2])
  assert.deepEqual(readMessagePath(Uint8Array.of(4, 2, 2, 99)), { places: [1, 1], length: 3 })
  assert.deepEqual(readMessagePath(Uint8Array.of(0, 99)), { places: [0], length: 1 })
  assert.equal(readMessagePath(Uint8Array.of(255, 255, 255, 255, 255)), undefined)
  assert.equal(readMessagePath(Uint8Array.of(4, 2)), undefined)
})

test('texts that are no schema are refused with the line', () => {
  for (const text of [
    'message',
    'message M { int32 a = 1 }',
    'message M { int32 a = 0; }',
    'syntax = "proto9";',
    '"unended',
    'message M { int32 a = 1; int32 b = 1; }',
  ])
    assert.throws(() => parseProto(text), { code: 'SCHEMA_INVALID' }, text)
  const deep = 'message M { '.repeat(100) + '} '.repeat(100)
  assert.throws(() => parseProto(deep), { code: 'SCHEMA_INVALID' })
  assert.throws(() => parseProto(Buffer.from('rubbish, not a descriptor').toString('base64')), {
    code: 'SCHEMA_INVALID',
  })
})
