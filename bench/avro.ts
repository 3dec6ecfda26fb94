/** Avro records to columns: `node bench/avro.ts`. Seven columns of a bid, 88 bytes a record, one core; the median of 200 batches. */
import avsc from 'avsc'
import { LinearMemory } from '../src/data/memory.ts'
import { type Schema, types } from '../src/data/types.ts'
import { createAvroDecoder } from '../src/formats/avro/decode.ts'
import { parseAvro } from '../src/formats/avro/schema.ts'

const ROWS = 8192
const ROUNDS = 200
const WRITER = {
  type: 'record',
  name: 'Bid',
  fields: [
    { name: 'auction', type: 'long' },
    { name: 'bidder', type: 'long' },
    { name: 'price', type: 'long' },
    { name: 'channel', type: ['null', 'string'] },
    { name: 'url', type: 'string' },
    { name: 'date_time', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'extra', type: 'string' },
  ],
} as const
const COLUMNS: Schema = [
  { name: 'auction', type: types.bigint },
  { name: 'bidder', type: types.bigint },
  { name: 'price', type: types.bigint },
  { name: 'channel', type: types.string },
  { name: 'url', type: types.string },
  { name: 'date_time', type: types.timestampLtz(3) },
  { name: 'extra', type: types.string },
]

const writer = avsc.Type.forSchema(JSON.parse(JSON.stringify(WRITER)))
const records = Array.from({ length: ROWS }, (_, row) =>
  writer.toBuffer({
    auction: 1000 + row,
    bidder: row * 7,
    price: row * 13 + 5,
    channel: row % 3 === 0 ? null : `channel-${row % 100}`,
    url: `https://www.nexmark.com/item.htm?query=1&q=${row}`,
    date_time: 1_700_000_000_000 + row,
    extra: 'x'.repeat(20),
  }),
)
const memory = new LinearMemory()
const values = memory.allocate(8 * ROWS)
records.forEach((bytes, row) => {
  const address = memory.allocate(bytes.length)
  memory.u8.set(bytes, address)
  memory.u32[(values >>> 2) + 2 * row] = address
  memory.u32[(values >>> 2) + 2 * row + 1] = bytes.length
})
for (const [name, columns] of [
  ['all seven columns', COLUMNS],
  ['two of seven', COLUMNS.slice(0, 2)],
] as const) {
  const decoder = createAvroDecoder(memory, columns)
  const reading = decoder.reading(parseAvro({ text: JSON.stringify(WRITER), references: [] }))
  const run = { from: 0, to: ROWS, skip: 0, reading }
  const spent = Array.from({ length: ROUNDS }, () => {
    const mark = memory.arena.mark()
    const before = process.hrtime.bigint()
    const { count } = decoder.decode(values, ROWS, [run], [])
    const took = Number(process.hrtime.bigint() - before)
    if (count !== ROWS) throw new Error(`${count} of ${ROWS} records`)
    memory.arena.release(mark)
    return took
  }).sort((left, right) => left - right)
  const median = spent[ROUNDS / 2]!
  console.log(`${name}: ${((ROWS / median) * 1e3).toFixed(1)} M records/s`)
  decoder.dispose()
}
