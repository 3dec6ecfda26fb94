import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Plain, rowsOf } from '../../../test/builders/batch.ts'
import { meaningOf } from '../../../test/builders/json-meaning.ts'
import { createMutator, EDGE_VALUES } from '../../../test/builders/json-mutation.ts'
import { LinearMemory, type Pointer } from '../../data/memory.ts'
import { type DataType, type Schema, types, withNullability } from '../../data/types.ts'
import { createJsonDecoder, type DecodedJson, type JsonDecoder } from './decode.ts'

const memory = new LinearMemory()

function place(records: readonly Uint8Array[]): Pointer {
  const cells = memory.arena.allocate(8 * records.length)
  records.forEach((record, index) => {
    const address = memory.arena.allocate(record.length)
    memory.u8.set(record, address)
    // What stands behind a record must never matter.
    memory.u8.fill(0x39, address + record.length, address + record.length + 24)
    memory.u32[(cells >> 2) + 2 * index] = address
    memory.u32[(cells >> 2) + 2 * index + 1] = record.length
  })
  return cells
}

const bytes = (text: string) => new TextEncoder().encode(text)
const rows = ({ columns, rowCount, selection, count }: DecodedJson) =>
  rowsOf(memory, { columns, rowCount, kinds: 0, selection, count })

function decodeTexts(schema: Schema, texts: readonly string[], iso = false) {
  const decoder = createJsonDecoder({ memory, schema, timestampFormat: iso ? 'ISO-8601' : 'SQL' })
  const decoded = decoder.decode(place(texts.map(bytes)), texts.length)
  decoder.dispose()
  return { rows: rows(decoded), dead: decoded.dead }
}

function field(name: string, type: DataType) {
  return { name, type }
}
const notNull = (type: DataType) => withNullability(type, false)

const BID: Schema = [
  field('auction', types.bigint),
  field('bidder', types.bigint),
  field('price', types.bigint),
  field('channel', types.string),
  field('url', types.string),
  field('dateTime', types.timestamp(3)),
  field('extra', types.string),
]
const SCHEMAS: Record<string, Schema> = {
  bid: BID,
  'some columns, some not null': [
    field('extra', notNull(types.string)),
    field('price', notNull(types.int)),
    field('dateTime', notNull(types.timestamp(3))),
  ],
  'narrow and exact numbers': [
    field('auction', types.smallint),
    field('price', types.decimal(10, 2)),
    field('bidder', types.decimal(38, 6)),
    field('channel', types.boolean),
  ],
  'doubles and others': [
    field('price', types.double),
    field('bidder', types.float),
    field('auction', types.tinyint),
    field('channel', types.bytes),
    field('dateTime', types.timestampLtz(6)),
    field('url', types.date),
    field('extra', types.time(6)),
  ],
}

function bidText(random: (below: number) => number): string {
  const price = random(5) ? random(10 ** (1 + random(8))) : random(2 ** 31) / 100
  const word = () => random(2 ** 30).toString(36)
  const bid = {
    auction: random(1000),
    bidder: random(2) ? random(100000) : random(100),
    price,
    channel: ['Google', 'Baidu', word(), 'true'][random(4)],
    url: `https://www.nexmark.com/${word()}/${word()}/item.htm?query=1`,
    dateTime: new Date(1767225600000 + random(2 ** 31) * 40)
      .toISOString()
      .slice(0, 23)
      .replace('T', ' '),
    extra: word(),
  }
  return JSON.stringify(bid)
}

function same(got: readonly Plain[], meant: readonly Plain[]): boolean {
  return got.every((value, index) => {
    const expected = meant[index]!
    if (expected === '(json text)') return typeof value === 'string'
    if (value instanceof Uint8Array) return Buffer.compare(value, expected as Uint8Array) === 0
    if (Array.isArray(value)) return Array.isArray(expected) && same(value, expected)
    return Object.is(value, expected)
  })
}

/** Every accepted row equals its meaning, every other is dead with a reason, and no row is both or neither. */
function compare(decoder: JsonDecoder, schema: Schema, records: readonly Uint8Array[]): void {
  const mark = memory.arena.mark()
  const decoded = decoder.decode(place(records), records.length)
  const dead = new Map(decoded.dead.map(({ row, reason }) => [row, reason]))
  const good = rows(decoded)
  let next = 0
  records.forEach((record, row) => {
    const meant = meaningOf(record, schema)
    const text = Buffer.from(record).toString('latin1')
    if (meant === undefined) assert.ok(dead.get(row), `accepted: ${text}`)
    else {
      assert.equal(dead.get(row), undefined, `refused: ${text}`)
      const got = good[next++]!
      if (!same(got, meant)) assert.deepEqual(got, meant, text)
    }
  })
  assert.equal(next, decoded.count)
  memory.arena.release(mark)
}

for (const [name, schema] of Object.entries(SCHEMAS))
  test(`mutated records mean what JSON.parse and the types say: ${name}`, () => {
    for (const [seed, lanes] of [
      [7, 1],
      [1009, 2],
      [52361, 3],
      [77777, 4],
      [31337, 3],
    ] as const) {
      const { mutate, random } = createMutator(seed)
      const decoder = createJsonDecoder({ memory, schema, lanes, rowsBeforeLayout: 1 })
      const rounds = Array.from({ length: 8 }, (_, round) =>
        Array.from({ length: 700 }, (_, index) => {
          const record = bidText(random)
          return (index + round) % (round < 4 ? 1 : 9) === 0 ? mutate(record) : bytes(record)
        }),
      )
      for (const records of rounds) compare(decoder, schema, records)
      decoder.dispose()
    }
  })

test('reasons name the column and value, or the byte', () => {
  const schema = [field('id', notNull(types.int)), field('price', types.decimal(10, 2))]
  const reason = (text: string) => decodeTexts(schema, [text]).dead[0]?.reason
  assert.equal(reason('{"id":1,"price":12.345}'), 'column price: 12.345 does not fit DECIMAL(10,2)')
  assert.equal(reason('{"id":1,"price":"abc"}'), 'column price: "abc" is not a DECIMAL(10,2)')
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
  const cells = place([bytes('{"a":1}')])
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
  assert.equal(dead[0]?.reason, 'column a: "bad" is not a INT')
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
    ['column r.y: missing or null, but declared NOT NULL', 'column r: 5 is not a ROW'],
  )
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

const EVENT: Schema = [
  field('event_type', types.int),
  field('person', {
    kind: 'row',
    fields: [
      field('id', types.bigint),
      field('name', types.string),
      field('dateTime', types.timestampLtz(3)),
    ],
    nullable: true,
  }),
  field('auction', {
    kind: 'row',
    fields: [field('id', types.bigint), field('reserve', types.double)],
    nullable: true,
  }),
  field('bid', { kind: 'row', fields: BID, nullable: true }),
  field('note', types.string),
]

function eventText(random: (below: number) => number): string {
  const kind = random(20)
  const bid = JSON.parse(bidText(random))
  const dateTime = `${bid.dateTime}Z`
  const person = {
    id: random(1000),
    name: `é${bid.extra}`.slice(random(2)),
    email: 'a@b.c',
    dateTime,
  }
  const auction = { id: random(1000), itemName: 'x', reserve: random(1000) / 8, seller: random(50) }
  return JSON.stringify({
    event_type: kind < 1 ? 0 : kind < 4 ? 1 : 2,
    person: kind < 1 ? person : null,
    auction: kind >= 1 && kind < 4 ? auction : null,
    bid: kind >= 4 ? bid : null,
    ...(random(300) === 0 ? { note: 'rare' } : {}),
  })
}

test('edge values of every type, in a layout that is known, mean what they say', () => {
  const schemas: Schema[] = [
    [
      field('a', types.bigint),
      field('b', types.int),
      field('c', types.smallint),
      field('d', types.tinyint),
    ],
    [
      field('a', types.double),
      field('b', types.float),
      field('c', types.decimal(10, 2)),
      field('d', types.decimal(18, 0)),
    ],
    [
      field('a', types.decimal(5, 5)),
      field('b', types.boolean),
      field('c', types.string),
      field('d', types.timestamp(3)),
    ],
    [field('d', types.timestamp(3)), field('c', types.decimal(38, 20))],
    [field('b', types.timestampLtz(3))],
  ]
  const time = '"2026-01-01 00:00:00.000"'
  const samples = [
    ['1', '1', '1', '1'],
    ['1.5', '1.5', '1.5', '1'],
    ['0.5', 'true', '"x"', time],
    ['1', 'false', '1', time],
    ['1.5', '"2026-01-01 00:00:00Z"', '2', '"y"'],
  ]
  const keys = ['a', 'b', 'c', 'd']
  const record = (values: readonly string[]) =>
    bytes(`{${values.map((value, index) => `"${keys[index]}":${value}`).join(',')}}`)
  for (const lanes of [1, 2, 3, 4] as const)
    schemas.forEach((schema, which) => {
      const sample = samples[which]!
      const decoder = createJsonDecoder({ memory, schema, lanes, rowsBeforeLayout: 1 })
      decoder.decode(place([record(sample)]), 1)
      for (const column of keys.keys()) {
        const records = EDGE_VALUES.flatMap((value) => [
          record(sample),
          record(sample.map((held, index) => (index === column ? value : held))),
          record(sample),
        ])
        for (let at = 0; at < records.length; at += 300)
          compare(decoder, schema, records.slice(at, at + 300))
      }
      decoder.dispose()
    })
})

test('nested events of several layouts, mutated ones among them, mean what they say', () => {
  for (const [seed, lanes] of [
    [5, 3],
    [99, 4],
    [4711, 2],
  ] as const) {
    const { mutate, random } = createMutator(seed)
    const decoder = createJsonDecoder({ memory, schema: EVENT, lanes, rowsBeforeLayout: 1 })
    for (let round = 0; round < 12; round++) {
      const records = Array.from({ length: 900 }, (_, index) => {
        const record = eventText(random)
        return index % 11 === round ? mutate(record) : bytes(record)
      })
      compare(decoder, EVENT, records)
    }
    decoder.dispose()
  }
})

test('records whose layout drifts stay right, whatever is learned on the way', () => {
  const spell = [
    (bid: object) => JSON.stringify(bid),
    (bid: object) => JSON.stringify(Object.fromEntries(Object.entries(bid).reverse())),
    (bid: object) => JSON.stringify(bid).replaceAll(',"', ', "').replaceAll('":', '": '),
    (bid: object) => JSON.stringify({ flag: true, ...bid, channel: null, tags: [1, { a: 'b' }] }),
    (bid: object) => JSON.stringify(bid, null, 2),
    (bid: object) =>
      JSON.stringify({ ...bid, url: undefined, nested: { deep: { x: 1.5, s: 'é' } } }),
  ]
  const { mutate, random } = createMutator(2718)
  const decoder = createJsonDecoder({ memory, schema: BID, rowsBeforeLayout: 1 })
  for (let round = 0; round < 24; round++) {
    const spelling = spell[Math.floor(round / 4)]!
    const records = Array.from({ length: 2500 }, (_, index) => {
      const record = (random(20) ? spelling : spell[random(6)]!)(JSON.parse(bidText(random)))
      return index % 50 === 0 ? mutate(record) : bytes(record)
    })
    compare(decoder, BID, records)
  }
  decoder.dispose()
})

test('batches larger than the ones before are decoded whole', () => {
  const decoder = createJsonDecoder({ memory, schema: BID, rowsBeforeLayout: 1 })
  const { random } = createMutator(3)
  for (const count of [1, 10, 9000, 20000, 5])
    compare(
      decoder,
      BID,
      Array.from({ length: count }, () => bytes(bidText(random))),
    )
  decoder.dispose()
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
    decoder.decode(place([bytes('{"s":"x"}')]), 1)
    for (const hex of [...good, ...bad]) {
      const middle = Buffer.from(hex, 'hex')
      const records = [
        Buffer.concat([Buffer.from('{"s":"'), middle, Buffer.from('"}')]),
        Buffer.concat([Buffer.from('{"s":"0123456789abcde'), middle, Buffer.from('f"}')]),
        Buffer.concat([Buffer.from('{"t":"'), middle, Buffer.from('","s":"x"}')]),
        Buffer.concat([Buffer.from('{"'), middle, Buffer.from('":1}')]),
      ]
      const { dead } = decoder.decode(place(records), records.length)
      assert.equal(dead.length, bad.includes(hex) ? records.length : 0, hex)
      for (const { reason } of dead) assert.match(reason, /^byte \d+: not valid UTF-8$/)
    }
  }
})
