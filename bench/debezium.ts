/**
 * Debezium's JSON changes to rows: `node bench/debezium.ts`. Four columns of a product, messages of 350 to 430 bytes, one core; the median of
 * 100 batches.
 */
import { LinearMemory } from '../src/data/memory.ts'
import { type Schema, types } from '../src/data/types.ts'
import { debeziumJson } from '../src/formats/debezium/json.ts'

const RECORDS = 8192
const ROUNDS = 100
const COLUMNS: Schema = [
  { name: 'id', type: types.bigint },
  { name: 'name', type: types.string },
  { name: 'description', type: types.string },
  { name: 'weight', type: types.double },
]

function row(id: number, version: number): object {
  const description = `a thing of version ${version % 90}`
  return { id, name: `product-${id}`, description, weight: (version % 1000) / 8 + 0.125 }
}

function messageOf(op: string, record: number): string {
  const id = 100 + (record % 1000)
  const source = {
    version: '3.6.3.Final',
    connector: 'postgresql',
    name: 'shop',
    ts_ms: 1_700_000_000_000 + record,
    snapshot: 'false',
    db: 'shop',
    schema: 'inventory',
    table: 'products',
    txId: 1000 + record,
    lsn: 22_374_592 + record,
  }
  const before = op === 'c' ? null : row(id, record)
  const after = op === 'd' ? null : row(id, record + 1)
  return JSON.stringify({ before, after, source, op, ts_ms: source.ts_ms + 7, transaction: null })
}

const memory = new LinearMemory()
for (const [name, opOf] of [
  ['snapshot (all r)', () => 'r'],
  ['updates (all u)', () => 'u'],
  ['half u, a quarter c, a quarter d', (at: number) => ['u', 'c', 'u', 'd'][at % 4]!],
] as const) {
  const texts = Array.from({ length: RECORDS }, (_, at) =>
    messageOf(opOf(at) === 'r' ? 'c' : opOf(at), at),
  )
  const values = memory.allocate(8 * RECORDS)
  // As a log has them: one behind the other.
  const bytes = new TextEncoder().encode(texts.join(''))
  const block = memory.allocate(bytes.length)
  memory.u8.set(bytes, block)
  let at = block
  texts.forEach((text, record) => {
    memory.u32[(values >>> 2) + 2 * record] = at
    memory.u32[(values >>> 2) + 2 * record + 1] = text.length
    at += text.length
  })
  const decoder = await debeziumJson.openDecoder({
    ...{ memory, table: 't', schema: COLUMNS, physical: COLUMNS },
    ...{ options: {}, subject: '', schemas: undefined },
  })
  let rows = 0
  const spent = Array.from({ length: ROUNDS }, () => {
    const mark = memory.arena.mark()
    const from = performance.now()
    const decoded = decoder.decode(values, RECORDS)
    const took = performance.now() - from
    if (decoded.dead.length > 0) throw new Error(decoded.dead[0]!.reason)
    rows = decoded.rowCount
    memory.arena.release(mark)
    return took
  }).sort((one, other) => one - other)
  const ms = spent[ROUNDS / 2]!
  const rate = (count: number, tookMs: number) => `${(count / tookMs / 1000).toFixed(2)} M/s`
  console.log(
    `${name}: ${rate(RECORDS, ms)} messages, ${rate(rows, ms)} rows, ${(bytes.length / ms / 1e6).toFixed(2)} GB/s`,
  )
  decoder.dispose()
  memory.free(values, 8 * RECORDS)
}
