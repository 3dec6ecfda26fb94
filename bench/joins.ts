/**
 * A join of all rows, one thread, the operator alone: `node bench/joins.ts [keys, 1000000 unless told]`.
 *
 *   inner   rows (BIGINT key, BIGINT, STRING) of two sides in turn, keys uniform, so that each comes about once a side: M rows/s taken in,
 *           with the pairs that come out
 *   left    the same, outer
 *   hot     all rows of one side have one key, the other side has few of it
 *   goes    as hot, and each of those rows goes again
 *   pause   of a snapshot of the inner join's rows when 1 % of them are new, and the restore of them all, memory to memory, s of CPU
 *   interval  an event-time join of a second each way; times go on by a second every 10,000 rows
 */

import { DELETE } from '../src/data/batch.ts'
import { LinearMemory } from '../src/data/memory.ts'
import { type Schema, types } from '../src/data/types.ts'
import type { OperatorContext } from '../src/engine/evaluation.ts'
import type { Operator } from '../src/engine/operator.ts'
import { intervalJoin } from '../src/engine/operators/interval-join.ts'
import { join } from '../src/engine/operators/join.ts'
import type { JoinType, PlanNode } from '../src/plan/nodes.ts'
import { pairedRowLists } from '../src/state/memory-row-lists.ts'
import { seededRandom } from './nexmark/random.ts'
import { benchContext } from './operator-context.ts'

const ROWS = 8192
const KEYS = Number(process.argv[2] ?? 1_000_000)
const SCHEMA: Schema = [
  { name: 'id', type: types.bigint },
  { name: 'value', type: types.bigint },
  { name: 'name', type: types.string },
]
const LAYOUT = { row: SCHEMA.map(({ type }) => type), extras: 0 }
const random = seededRandom(42)

const side = (name: string): PlanNode => ({
  kind: 'scan',
  schema: SCHEMA,
  table: { name, columns: [], options: {} },
})
const key = { kind: 'column', index: 0, type: types.bigint } as const

const BOTH = [...SCHEMA, ...SCHEMA]
const keys = { leftKeys: [key], rightKeys: [key], left: side('left'), right: side('right') }

const joinOf = (type: JoinType): Opened => ({
  open: (context) => join({ kind: 'join', type, ...keys, schema: BOTH }, context),
})

const intervalOf = (reachUs: number): Opened => ({
  open: (context) =>
    intervalJoin(
      {
        kind: 'interval-join',
        type: 'inner',
        ...keys,
        leftTime: 1,
        rightTime: 1,
        lowerUs: -reachUs,
        upperUs: reachUs,
        schema: BOTH,
      },
      context,
      -(2n ** 63n),
    ),
  usPerRow: 100,
})

interface Opened {
  open(context: OperatorContext): Operator
  readonly usPerRow?: number
}

function measure(
  name: string,
  { open, usPerRow }: Opened,
  rows: number,
  keyOf: (side: number) => number,
  goes = false,
): void {
  const memory = new LinearMemory()
  const operator = open(benchContext(memory))
  const cells = SCHEMA.map(() => memory.allocate(8 * ROWS))
  const text = memory.allocate(64)
  memory.u8.fill(97, text, text + 64)
  const gone = memory.allocate(ROWS)
  memory.u8.fill(DELETE, gone, gone + ROWS)
  let pairs = 0
  let cpu = 0
  for (let done = 0; done < rows; done += ROWS) {
    const input = (done / ROWS) % 2
    for (let row = 0; row < ROWS; row++) {
      memory.i64[cells[0]! / 8 + row] = BigInt(keyOf(input))
      memory.i64[cells[1]! / 8 + row] = BigInt(
        usPerRow === undefined ? row : (done + row) * usPerRow,
      )
      memory.i64[cells[2]! / 8 + row] = BigInt(text) | (12n << 32n)
    }
    const columns = SCHEMA.map(({ type }, at) => ({ type, cells: cells[at]!, validity: 0 }))
    const kinds = goes && input === 0 && (done / ROWS) % 4 === 2 ? gone : 0
    const before = process.cpuUsage()
    const mark = memory.arena.mark()
    operator.onBatch(
      { rowCount: ROWS, columns, kinds, selection: 0, count: ROWS },
      (batch) => {
        pairs += batch.count
      },
      input,
    )
    if (usPerRow !== undefined) operator.onWatermark(BigInt((done + ROWS) * usPerRow), () => {})
    memory.arena.release(mark)
    const { user, system } = process.cpuUsage(before)
    cpu += user + system
  }
  const megabytes = Math.round(memory.bytesUsed / 2 ** 20)
  console.log(
    `${name}: ${(rows / cpu).toFixed(2)} M rows/s of CPU, ${pairs} rows out, ${megabytes} MiB`,
  )
}

/** Two sides of `KEYS` rows in all; then 1 % more. */
function pauses(): void {
  const memory = new LinearMemory()
  const make = pairedRowLists(memory, [types.bigint], [LAYOUT, LAYOUT])
  const lists = make()
  const cells = SCHEMA.map(() => memory.allocate(8 * ROWS))
  const text = memory.allocate(64)
  const columns = SCHEMA.map(({ type }, at) => ({ type, cells: cells[at]!, validity: 0 }))
  const add = (rows: number) => {
    for (let done = 0; done < rows; done += ROWS) {
      for (let row = 0; row < ROWS; row++) {
        memory.i64[cells[0]! / 8 + row] = BigInt(random.below(KEYS))
        memory.i64[cells[2]! / 8 + row] = BigInt(text) | (12n << 32n)
      }
      const mark = memory.arena.mark()
      const at = memory.arena.allocate(4 * ROWS)
      const entries = memory.arena.allocate(4 * ROWS)
      const side = lists[(done / ROWS) % 2]!
      side.lists({ count: ROWS, selection: 0, keys: [columns[0]!] }, at)
      const batch = { rowCount: ROWS, columns, kinds: 0, selection: 0, count: ROWS }
      side.append(batch, at, entries)
      memory.arena.release(mark)
    }
  }
  const written = lists.map(() => ({ schema: '', pieces: [] as Uint8Array[] }))
  const write = () => {
    const startMs = performance.now()
    lists.forEach((side, at) => {
      side.writeChanges({
        schema: (given) => {
          written[at]!.schema = given
        },
        replace() {},
        put() {},
        remove() {},
        records: (bytes) => {
          written[at]!.pieces.push(bytes.slice())
        },
      })
    })
    return performance.now() - startMs
  }
  add(KEYS)
  write()
  add(KEYS / 100)
  const pauseMs = write()
  const before = process.cpuUsage()
  const again = make()
  again.forEach((side, at) => {
    const { schema, pieces } = written[at]!
    const read = (take: (records: Uint8Array) => void) => pieces.forEach(take)
    side.restore({ schema, groupStart: 0, groupEnd: 128, continues: true, read })
  })
  const { user, system } = process.cpuUsage(before)
  const seconds = (user + system) / 1e6
  const rows = again[0].size + again[1].size
  console.log(
    `pause   : ${pauseMs.toFixed(1)} ms; restore of ${rows} rows: ${seconds.toFixed(2)} s of CPU`,
  )
}

const uniform = () => random.below(KEYS)
measure('inner   ', joinOf('inner'), 2 * KEYS, uniform)
measure('left    ', joinOf('left'), 2 * KEYS, uniform)
const hot = (input: number) => (input === 0 ? 1 : random.below(100_000))
measure('hot     ', joinOf('inner'), 500_000, hot)
measure('goes    ', joinOf('inner'), 500_000, hot, true)
measure('interval', intervalOf(1_000_000), 2 * KEYS, () => random.below(KEYS / 100))
pauses()
