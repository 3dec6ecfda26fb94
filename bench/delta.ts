/**
 * Rows into Delta, one thread: `node bench/delta.ts [append [codec] | upsert]`. Figures are medians of rounds, on local disk with its fsyncs.
 *
 *   append   7-column bids (auction, bidder, price BIGINT; channel, url, extra STRING; dateTime TIMESTAMP), a commit each 1 M rows:
 *            rows/s and rows a CPU second, by codec
 *   upsert   1 M rows in 100 buckets; 1 % of them changed within a tenth of the buckets, then 1 % anywhere: seconds of the commit
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SinkRequest } from '../src/connectors/contract/sink.ts'
import { bucketOf } from '../src/connectors/delta/keys.ts'
import { openDeltaSink } from '../src/connectors/delta/sink.ts'
import type { Batch, Vector } from '../src/data/batch.ts'
import { LinearMemory, type Pointer } from '../src/data/memory.ts'
import { type DataType, type Schema, types } from '../src/data/types.ts'
import { nodePorts } from '../src/ports/node/ports.ts'

const BATCH_ROWS = 8192
const BUCKETS = 100

let state = 88172645
function random(below: number): number {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}
const word = (length: number) =>
  Array.from({ length }, () => String.fromCharCode(97 + random(26))).join('')

const BIDS: Schema = [
  { name: 'auction', type: types.bigint },
  { name: 'bidder', type: types.bigint },
  { name: 'price', type: types.bigint },
  { name: 'channel', type: types.string },
  { name: 'url', type: types.string },
  { name: 'dateTime', type: types.timestamp(3) },
  { name: 'extra', type: types.string },
]

const memory = new LinearMemory()
const ports = nodePorts()
const root = mkdtempSync(join(process.env.BENCH_DIRECTORY ?? tmpdir(), 'millrace-bench-'))

function integers(type: DataType, rows: number, value: (row: number) => bigint): Vector {
  const cells = memory.arena.allocate(8 * rows)
  for (let row = 0; row < rows; row++) memory.i64[cells / 8 + row] = value(row)
  return { type, cells, validity: 0 }
}

function strings(rows: number, value: () => string): Vector {
  const cells: Pointer = memory.arena.allocate(8 * rows)
  for (let row = 0; row < rows; row++) {
    const bytes = Buffer.from(value())
    const address = memory.arena.allocate(bytes.length)
    memory.u8.set(bytes, address)
    memory.u32[cells / 4 + 2 * row] = address
    memory.u32[cells / 4 + 2 * row + 1] = bytes.length
  }
  return { type: types.string, cells, validity: 0 }
}

function batchOf(columns: readonly Vector[], rowCount: number): Batch {
  return { rowCount, columns, kinds: 0, selection: 0, count: rowCount }
}

function bids(first: number, rows: number): Batch {
  const channel = () =>
    random(2) ? ['Google', 'Facebook', 'Baidu', 'Apple'][random(4)]! : `channel-${random(10000)}`
  return batchOf(
    [
      integers(types.bigint, rows, () => BigInt(1000 + random(100_000))),
      integers(types.bigint, rows, () => BigInt(1000 + random(50_000))),
      integers(types.bigint, rows, () => BigInt(Math.round(10 ** (random(6_000_000) / 1e6) * 100))),
      strings(rows, channel),
      strings(
        rows,
        () => `https://www.nexmark.com/${word(5)}/${word(4)}/${word(5)}/item.htm?query=1`,
      ),
      integers(
        types.timestamp(3),
        rows,
        (row) => BigInt(1767225600000 + Math.floor((first + row) / 92)) * 1000n,
      ),
      strings(rows, () => word(6 + random(5))),
    ],
    rows,
  )
}

function request(path: string, changed: Partial<SinkRequest>): SinkRequest {
  return {
    table: 'bench',
    pipeline: 'bench',
    options: { 'table-path': path },
    schema: BIDS,
    primaryKey: [],
    partitionedBy: [],
    mode: 'append',
    metadataKeys: BIDS.map(() => undefined),
    ports,
    baseDirectory: root,
    dataDirectory: root,
    ...changed,
  }
}

async function open(sinkRequest: SinkRequest) {
  const sink = await openDeltaSink(sinkRequest)
  await sink.prepareTable({ isWritten: false })
  const writer = await sink.openWriter(0, memory)
  const committer = await sink.openCommitter()
  let counter = 0
  return {
    writer,
    async commit() {
      const checkpoint = { incarnation: 1, counter: ++counter }
      const committable = await writer.prepare(checkpoint)
      const committables = committable === undefined ? [] : [committable]
      return committer.commit({ pipeline: 'bench', checkpoint, committables, positions: {} })
    },
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

async function append(codec: string): Promise<void> {
  const batches = Array.from({ length: 32 }, (_, at) => bids(at * BATCH_ROWS, BATCH_ROWS))
  const options = { 'table-path': join(root, `append-${codec}`), 'sink.compression': codec }
  const run = await open(request('', { options }))
  const rows = 4 * batches.length * BATCH_ROWS
  const wall: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < 5; round++) {
    const before = process.cpuUsage()
    const start = performance.now()
    for (let pass = 0; pass < 4; pass++) {
      for (const batch of batches) {
        run.writer.write(batch)
        if (run.writer.full) await run.writer.drain()
      }
    }
    await run.commit()
    wall.push((performance.now() - start) / 1000)
    const { user, system } = process.cpuUsage(before)
    cpu.push((user + system) / 1e6)
  }
  const rate = (seconds: number) => `${Math.round(rows / seconds / 1000)} k rows/s`
  console.log(
    `append ${codec.padEnd(12)} 7 columns: ${rate(median(wall))} wall, ${rate(median(cpu))} of CPU`,
  )
}

async function upsert(): Promise<void> {
  const rows = 1_000_000
  const changes = rows / 100
  const options = { 'table-path': join(root, 'upsert'), 'sink.buckets': String(BUCKETS) }
  const schema = BIDS.with(0, { name: 'id', type: types.bigint })
  const run = await open(request('', { options, schema, primaryKey: ['id'], mode: 'upsert' }))
  const write = (ids: readonly number[]) => {
    for (let start = 0; start < ids.length; start += BATCH_ROWS) {
      const slice = ids.slice(start, start + BATCH_ROWS)
      const mark = memory.arena.mark()
      const id = integers(types.bigint, slice.length, (row) => BigInt(slice[row]!))
      const { columns } = bids(start, slice.length)
      run.writer.write(batchOf([id, ...columns.slice(1)], slice.length))
      memory.arena.release(mark)
    }
  }
  const timed = async (name: string) => {
    const start = performance.now()
    const outcome = await run.commit()
    const seconds = ((performance.now() - start) / 1000).toFixed(2)
    console.log(
      `upsert ${name}: ${seconds} s; ${outcome.kind === 'committed' ? outcome.detail : outcome.kind}`,
    )
  }
  write(Array.from({ length: rows }, (_, id) => id))
  await timed('1 M new rows')
  const tenth = Array.from({ length: rows }, (_, id) => id).filter(
    (id) => bucketOf(String(id), BUCKETS) < BUCKETS / 10,
  )
  for (let round = 0; round < 3; round++) {
    write(Array.from({ length: changes }, () => tenth[random(tenth.length)]!))
    await timed('1 % of 1 M rows, in a tenth of the buckets')
  }
  for (let round = 0; round < 2; round++) {
    write(Array.from({ length: changes }, () => random(rows)))
    await timed('1 % of 1 M rows, anywhere')
  }
}

const [, , wanted, codec] = process.argv
try {
  const codecs = codec === undefined ? ['zstd', 'snappy', 'uncompressed'] : [codec]
  if (wanted !== 'upsert') for (const each of codecs) await append(each)
  if (wanted !== 'append') await upsert()
  console.log(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`)
} finally {
  rmSync(root, { recursive: true })
}
