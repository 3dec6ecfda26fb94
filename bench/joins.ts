/**
 * A join of all rows, one thread, the operator alone: `node bench/joins.ts [keys, 1000000 unless told]`.
 *
 *   inner   rows (BIGINT key, BIGINT, STRING) of two sides in turn, keys uniform, so that each comes about once a side: M rows/s taken in,
 *           with the pairs that come out
 *   left    the same, outer
 *   hot     all rows of one side have one key, the other side has few of it
 */
import { LinearMemory } from '../src/data/memory.ts'
import { type Schema, types } from '../src/data/types.ts'
import { join } from '../src/engine/operators/join.ts'
import type { Join, JoinType, PlanNode } from '../src/plan/nodes.ts'
import { seededRandom } from './nexmark/random.ts'

const ROWS = 8192
const KEYS = Number(process.argv[2] ?? 1_000_000)
const SCHEMA: Schema = [
  { name: 'id', type: types.bigint },
  { name: 'value', type: types.bigint },
  { name: 'name', type: types.string },
]
const random = seededRandom(42)

const side = (name: string): PlanNode => ({
  kind: 'scan',
  schema: SCHEMA,
  table: { name, columns: [], options: {} },
})
const key = { kind: 'column', index: 0, type: types.bigint } as const

function planOf(type: JoinType): Join {
  return {
    kind: 'join',
    type,
    left: side('left'),
    right: side('right'),
    leftKeys: [key],
    rightKeys: [key],
    schema: [...SCHEMA, ...SCHEMA],
  }
}

function measure(name: string, type: JoinType, rows: number, keyOf: (side: number) => number): void {
  const memory = new LinearMemory()
  const operator = join(planOf(type), {
    node: 'join',
    memory,
    settings: { timeZone: 'UTC', overflow: 'wrap' },
    side: { late() {}, dead() {} },
    nowUs: () => 0n,
    count() {},
  })
  const cells = SCHEMA.map(() => memory.allocate(8 * ROWS))
  const text = memory.allocate(64)
  memory.u8.fill(97, text, text + 64)
  let pairs = 0
  let cpu = 0
  for (let done = 0; done < rows; done += ROWS) {
    const input = (done / ROWS) % 2
    for (let row = 0; row < ROWS; row++) {
      memory.i64[cells[0]! / 8 + row] = BigInt(keyOf(input))
      memory.i64[cells[1]! / 8 + row] = BigInt(row)
      memory.i64[cells[2]! / 8 + row] = BigInt(text) | (12n << 32n)
    }
    const columns = SCHEMA.map(({ type }, at) => ({ type, cells: cells[at]!, validity: 0 }))
    const before = process.cpuUsage()
    const mark = memory.arena.mark()
    operator.onBatch(
      { rowCount: ROWS, columns, kinds: 0, selection: 0, count: ROWS },
      (batch) => {
        pairs += batch.count
      },
      input,
    )
    memory.arena.release(mark)
    const { user, system } = process.cpuUsage(before)
    cpu += user + system
  }
  const megabytes = Math.round(memory.bytesUsed / 2 ** 20)
  console.log(
    `${name}: ${(rows / cpu).toFixed(2)} M rows/s of CPU, ${pairs} rows out, ${megabytes} MiB`,
  )
}

const uniform = () => random.below(KEYS)
measure('inner', 'inner', 2 * KEYS, uniform)
measure('left ', 'left', 2 * KEYS, uniform)
measure('hot  ', 'inner', 500_000, (input) => (input === 0 ? 1 : random.below(100_000)))
