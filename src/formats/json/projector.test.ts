import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMutator, EDGE_VALUES } from '../../../test/builders/json-mutation.ts'
import {
  BID,
  bidText,
  compareWithMeaning,
  placeRecords,
} from '../../../test/builders/json-records.ts'
import { LinearMemory } from '../../data/memory.ts'
import { type DataType, type Schema, types, withNullability } from '../../data/types.ts'
import { createJsonDecoder, type JsonDecoder } from './decode.ts'

const memory = new LinearMemory()

const bytes = (text: string) => new TextEncoder().encode(text)
const field = (name: string, type: DataType) => ({ name, type })
const notNull = (type: DataType) => withNullability(type, false)
const compare = (decoder: JsonDecoder, schema: Schema, records: readonly Uint8Array[]) =>
  compareWithMeaning(memory, decoder, schema, records)

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
    ['0', '1', '1', '1'],
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
      decoder.decode(placeRecords(memory, [record(sample)]), 1)
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

test('records in the last block of the memory are decoded without reading beyond it', () => {
  const small = new LinearMemory({ bytesMax: 16 << 20 })
  // The literal between the values is longer than the padding of a block.
  const name = 'k'.repeat(150)
  const schema = [field('s', types.string), field(name, types.bigint)]
  const decoder = createJsonDecoder({ memory: small, schema, rowsBeforeLayout: 1 })
  const cells = small.arena.allocate(8)
  const decodeAtEnd = (record: Uint8Array): number => {
    const address = small.memory.buffer.byteLength - 64 - record.length
    small.u8.fill(0x78, address)
    small.u8.set(record, address)
    small.u32.set([address, record.length], cells >> 2)
    const mark = small.arena.mark()
    const { dead } = decoder.decode(cells, 1)
    small.arena.release(mark)
    return dead.length
  }
  const whole = bytes(`{"s":"a string","${name}":17}`)
  for (let length = 0; length < whole.length; length++) {
    assert.equal(decodeAtEnd(whole), 0)
    assert.equal(decodeAtEnd(whole.subarray(0, length)), 1)
  }
  decoder.dispose()
})
