/**
 * What the byte kernels do on flat bids, one thread: `node bench/kernels.ts`. Prints M rows/s and GB/s, the median of rounds.
 *
 * Its own simple generator: Nexmark-like bids of about 190 bytes, fixed key order, 500 records a batch. The parts are measured in
 * memory, batches of 8192 rows; the last line goes from record batches with checksums to columns.
 */
import { crc32cOf, createCrc32c } from '../src/codec/crc32c.ts'
import { LinearMemory, type Pointer } from '../src/data/memory.ts'
import { type Schema, types } from '../src/data/types.ts'
import { createJsonDecoder } from '../src/formats/json/decode.ts'
import { createFrameKernel } from '../src/kernels/frame.ts'

const ROWS = 8192
const BATCHES = 40
const ROUNDS = 7
const RECORDS_A_BATCH = 512

let state = 88172645
function random(below: number): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}
const word = (length: number) =>
  Array.from({ length }, () => String.fromCharCode(97 + random(26))).join('')

function bid(index: number): string {
  const channel = random(2)
    ? ['Google', 'Facebook', 'Baidu', 'Apple'][random(4)]
    : `channel-${random(10000)}`
  const time = new Date(1767225600000 + Math.floor(index / 92)).toISOString()
  const flat = {
    auction: 1000 + random(100000),
    bidder: 1000 + random(50000),
    price: Math.round(10 ** ((random(1e6) / 1e6) * 6) * 100),
    channel,
    url: `https://www.nexmark.com/${word(5)}/${word(4)}/${word(5)}/item.htm?query=1`,
    dateTime: time.slice(0, 23).replace('T', ' '),
    extra: word(6 + random(5)),
  }
  return JSON.stringify(
    process.argv.includes('--nested')
      ? { event_type: 2, person: null, auction: null, bid: flat }
      : flat,
  )
}

const FLAT: Schema = [
  { name: 'auction', type: types.bigint },
  { name: 'bidder', type: types.bigint },
  { name: 'price', type: types.bigint },
  { name: 'channel', type: types.string },
  { name: 'url', type: types.string },
  { name: 'dateTime', type: types.timestamp(3) },
  { name: 'extra', type: types.string },
]
const only = (...names: string[]): Schema => {
  const fields = FLAT.filter(({ name }) => names.includes(name))
  if (!process.argv.includes('--nested')) return fields
  return [{ name: 'bid', type: { kind: 'row', fields, nullable: true } }]
}

const memory = new LinearMemory()
const frame = createFrameKernel(memory)
const crc = createCrc32c(memory)

interface Area {
  readonly address: Pointer
  readonly bytes: number
  readonly recordCount: number
}

/** Records areas as the log has them, each with its checksum. */
function recordAreas(): (Area & { readonly checksum: number })[] {
  const areas = []
  const encoder = new TextEncoder()
  for (let start = 0; start < ROWS * BATCHES; start += RECORDS_A_BATCH) {
    const mark = memory.arena.mark()
    const values = memory.arena.allocate(8 * RECORDS_A_BATCH)
    for (let row = 0; row < RECORDS_A_BATCH; row++) {
      const bytes = encoder.encode(bid(start + row))
      const address = memory.arena.allocate(bytes.length)
      memory.u8.set(bytes, address)
      memory.u32[(values >> 2) + 2 * row] = address
      memory.u32[(values >> 2) + 2 * row + 1] = bytes.length
    }
    const written = frame.encode({
      values,
      keys: 0,
      headers: 0,
      timesUs: 0,
      selection: 0,
      count: RECORDS_A_BATCH,
      baseTimestampMs: 0n,
      firstOffsetDelta: 0,
    })
    const address = memory.allocate(written.bytes)
    memory.u8.copyWithin(address, written.address, written.address + written.bytes)
    memory.arena.release(mark)
    const checksum = crc32cOf(memory.u8.subarray(address, address + written.bytes))
    areas.push({ address, bytes: written.bytes, recordCount: RECORDS_A_BATCH, checksum })
  }
  return areas
}

const areas = recordAreas()
const bytesAll = areas.reduce((sum, { bytes }) => sum + bytes, 0)

/** Cells of the values of the areas that make one batch, from row 0. */
function frameBatch(batch: number, checked: boolean): Pointer {
  const values = memory.arena.allocate(8 * ROWS)
  const timesUs = memory.arena.allocate(8 * ROWS)
  const perBatch = ROWS / RECORDS_A_BATCH
  for (let index = 0; index < perBatch; index++) {
    const area = areas[batch * perBatch + index]!
    if (checked && crc(area.address, area.bytes) !== area.checksum) throw new Error('checksum')
    const decoded = frame.decode(
      { ...area, baseOffset: 0n, baseTimestampMs: 0n, logAppendTime: false },
      { values, keys: 0, headers: 0, offsets: 0, timesUs },
      index * RECORDS_A_BATCH,
    )
    if (decoded.kind !== 'decoded') throw new Error(decoded.reason)
  }
  return values
}

/** Seconds of one pass over all batches: the median of rounds, and the best. */
function measure(pass: () => void): { readonly median: number; readonly best: number } {
  pass()
  const seconds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint()
    pass()
    seconds.push(Number(process.hrtime.bigint() - start) / 1e9)
  }
  seconds.sort((left, right) => left - right)
  return { median: seconds[ROUNDS >> 1]!, best: seconds[0]! }
}

function report(name: string, amount: number, unit: string, pass: () => void): void {
  const { median, best } = measure(pass)
  const rate = (seconds: number) => (amount / seconds).toFixed(2).padStart(8)
  console.log(`${name.padEnd(34)} ${rate(median)} ${unit}   best ${rate(best)}`)
}

const rowsAll = (ROWS * BATCHES) / 1e6
console.log(`${ROWS * BATCHES} bids of ${(bytesAll / ROWS / BATCHES).toFixed(0)} bytes framed`)
report('crc32c, 99 KiB batches', bytesAll / 1e9, 'GB/s', () => {
  for (const { address, bytes, checksum } of areas)
    if (crc(address, bytes) !== checksum) throw new Error('checksum')
})
report('frame', rowsAll, 'M rows/s', () => {
  for (let batch = 0; batch < BATCHES; batch++) {
    const mark = memory.arena.mark()
    frameBatch(batch, false)
    memory.arena.release(mark)
  }
})

const QUERIES: Record<string, Schema> = {
  'all columns': only('auction', 'bidder', 'price', 'channel', 'url', 'dateTime', 'extra'),
  'q0: five columns': only('auction', 'bidder', 'price', 'dateTime', 'extra'),
  'q2: two columns': only('auction', 'price'),
}
for (const [name, schema] of Object.entries(QUERIES)) {
  const decoder = createJsonDecoder({ memory, schema })
  const values = memory.allocate(8 * ROWS)
  let nanos = 0n
  const rates: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    nanos = 0n
    for (let batch = 0; batch < BATCHES; batch++) {
      const mark = memory.arena.mark()
      const framed = frameBatch(batch, false)
      memory.u8.copyWithin(values, framed, framed + 8 * ROWS)
      const start = process.hrtime.bigint()
      const decoded = decoder.decode(values, ROWS)
      nanos += process.hrtime.bigint() - start
      if (decoded.dead.length > 0) throw new Error(decoded.dead[0]!.reason)
      memory.arena.release(mark)
    }
    if (round > 0) rates.push((rowsAll * 1e9) / Number(nanos))
  }
  rates.sort((left, right) => left - right)
  const [median, best] = [rates[ROUNDS >> 1]!, rates[ROUNDS - 1]!]
  console.log(
    `${`json, ${name}`.padEnd(34)} ${median.toFixed(2).padStart(8)} M rows/s   best ${best.toFixed(2).padStart(8)}`,
  )
  report(`crc, frame, json, ${name}`, rowsAll, 'M rows/s', () => {
    for (let batch = 0; batch < BATCHES; batch++) {
      const mark = memory.arena.mark()
      decoder.decode(frameBatch(batch, true), ROWS)
      memory.arena.release(mark)
    }
  })
  decoder.dispose()
}
const generic = createJsonDecoder({ memory, schema: FLAT, rowsBeforeLayout: 2 ** 40 })
if (!process.argv.includes('--nested'))
  report('json, generic path, all columns', rowsAll / 4, 'M rows/s', () => {
    for (let batch = 0; batch < BATCHES / 4; batch++) {
      const mark = memory.arena.mark()
      generic.decode(frameBatch(batch, false), ROWS)
      memory.arena.release(mark)
    }
  })
