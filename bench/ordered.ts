/**
 * Operators that keep rows in an order, one thread, batches of 8,192 rows in, changes thrown away:
 * `node bench/ordered.ts [rows, 4000000 unless told] [name]`.
 *
 *   rows of k BIGINT (100,000 keys, uniform), v BIGINT (uniform), t TIMESTAMP (ascending), s STRING of 20 bytes
 *   told: rows/s of the second half of the rows, when keys are there; changes given; bytes of memory in use
 */
import type { Batch } from '../src/data/batch.ts'
import { LinearMemory } from '../src/data/memory.ts'
import { type Schema, types } from '../src/data/types.ts'
import type { Operator } from '../src/engine/operator.ts'
import { operatorOf } from '../src/engine/operators/operators.ts'
import type { Expression } from '../src/plan/expressions.ts'
import type { OverAggregate, PlanNode, Rank, SinkNode } from '../src/plan/nodes.ts'
import { WATERMARK_MIN } from '../src/time/windows.ts'
import { seededRandom } from './nexmark/random.ts'
import { benchContext } from './operator-context.ts'

const ROWS = 8192
const KEYS = 100_000
const TEXT_BYTES = 20
const TIME_STEP_US = 100n
const schema: Schema = [
  { name: 'k', type: { ...types.bigint, nullable: false } },
  { name: 'v', type: { ...types.bigint, nullable: false } },
  { name: 't', type: { kind: 'timestamp', precision: 3, nullable: false } },
  { name: 's', type: types.string },
]
const [k, v, t] = schema.map(
  ({ type }, index): Expression => ({ kind: 'column', index, type }),
) as [Expression, Expression, Expression, Expression]
const input: PlanNode = {
  kind: 'scan',
  table: { name: 'rows', columns: [], options: {} },
  schema,
}
const numbered = [...schema, { name: 'n', type: types.bigint }]
const topN: Rank = {
  kind: 'rank',
  input,
  function: 'ROW_NUMBER',
  partition: [k],
  order: [{ expression: v, descending: true, nullsFirst: false }],
  from: 1,
  to: 10,
  outputsNumber: false,
  schema,
}
const over: OverAggregate = {
  kind: 'over-aggregate',
  input,
  partition: [k],
  order: [{ expression: t, descending: false, nullsFirst: true }],
  time: 2,
  frame: { kind: 'rows' },
  aggregates: [{ function: 'SUM', args: [v], distinct: false, type: types.bigint }],
  schema: numbered,
}

const PLANS: Readonly<Record<string, Exclude<PlanNode, SinkNode>>> = {
  'top 10': topN,
  'top 10 with its number': { ...topN, outputsNumber: true, schema: numbered },
  'top 1': { ...topN, to: 1 },
  'first by arrival': {
    kind: 'deduplicate',
    input,
    partition: [k],
    time: 2,
    timeDomain: 'processing',
    keep: 'first',
  },
  'first by event time': { kind: 'deduplicate', input, partition: [k], time: 2, keep: 'first' },
  'last by event time': { kind: 'deduplicate', input, partition: [k], time: 2, keep: 'last' },
  'sum over all rows before': over,
  'sum over 10 rows before': { ...over, frame: { kind: 'rows', preceding: 10 } },
  'sum over 10 s before': { ...over, frame: { kind: 'range', preceding: 10_000_000 } },
}

function measure(plan: PlanNode, rows: number) {
  const memory = new LinearMemory()
  const context = benchContext(memory)
  const place = { index: 0, id: 'bench', inputs: [], consumers: [] }
  const node = { ...place, kind: 'operator', plan } as Parameters<typeof operatorOf>[0]
  const operator = operatorOf(node, context, { inputUpdates: false, watermarkUs: WATERMARK_MIN })
  const random = seededRandom(42)
  let changes = 0
  const half = rows / 2
  feed(operator, memory, random, 0, half, () => {})
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  feed(operator, memory, random, half, rows, (batch) => {
    changes += batch.count
  })
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - startMs) / 1000
  const made = making(half)
  const bytes = memory.bytesUsed
  operator.dispose()
  return {
    seconds: seconds - made.seconds,
    cpuSeconds: (user + system) / 1e6 - made.cpuSeconds,
    changes,
    bytes,
  }
}

function feed(
  operator: Operator,
  memory: LinearMemory,
  random: ReturnType<typeof seededRandom>,
  from: number,
  to: number,
  emit: (batch: Batch) => void,
): void {
  for (let start = from; start < to; start += ROWS) {
    const mark = memory.arena.mark()
    const count = Math.min(ROWS, to - start)
    operator.onBatch(batchOf(memory, random, start, count), emit, 0)
    memory.arena.release(mark)
    operator.onWatermark(BigInt(start) * TIME_STEP_US, emit)
    memory.arena.release(mark)
  }
}

function batchOf(
  memory: LinearMemory,
  random: ReturnType<typeof seededRandom>,
  start: number,
  count: number,
): Batch {
  const cells = schema.map(() => memory.arena.allocate(8 * count))
  const text = memory.arena.allocate(TEXT_BYTES * count)
  const [keys, values, times, texts] = cells as [number, number, number, number]
  const { i64, u32 } = memory
  for (let row = 0; row < count; row++) {
    i64[keys / 8 + row] = BigInt(random.below(KEYS))
    i64[values / 8 + row] = BigInt(random.below(1e9))
    i64[times / 8 + row] = BigInt(start + row) * TIME_STEP_US
    u32[texts / 4 + 2 * row] = text + TEXT_BYTES * row
    u32[texts / 4 + 2 * row + 1] = TEXT_BYTES
  }
  const columns = cells.map((each, index) => ({
    type: schema[index]!.type,
    cells: each,
    validity: 0,
  }))
  return { rowCount: count, columns, kinds: 0, selection: 0, count }
}

/** What making as many rows takes, of which the figures are free. */
function making(rows: number): { readonly seconds: number; readonly cpuSeconds: number } {
  const memory = new LinearMemory()
  const random = seededRandom(42)
  const startMs = performance.now()
  const cpu = process.cpuUsage()
  for (let start = 0; start < rows; start += ROWS) {
    const mark = memory.arena.mark()
    batchOf(memory, random, start, Math.min(ROWS, rows - start))
    memory.arena.release(mark)
  }
  const { user, system } = process.cpuUsage(cpu)
  return { seconds: (performance.now() - startMs) / 1000, cpuSeconds: (user + system) / 1e6 }
}

if (import.meta.main) {
  const [rows = '4000000', part = ''] = process.argv.slice(2)
  console.log('operator                    M rows/s   CPU s/M   changes/row   MB')
  for (const [name, plan] of Object.entries(PLANS)) {
    if (part !== '' && name !== part) continue
    const half = Number(rows) / 2
    const { seconds, cpuSeconds, changes, bytes } = measure(plan, Number(rows))
    const figures = [
      (half / seconds / 1e6).toFixed(2).padStart(9),
      ((cpuSeconds * 1e6) / half).toFixed(3).padStart(9),
      (changes / half).toFixed(2).padStart(13),
      (bytes / 1e6).toFixed(0).padStart(4),
    ]
    console.log(`${name.padEnd(27)}${figures.join(' ')}`)
  }
}
