/**
 * State of five times the memory that it is given, beside the same in memory, one thread, batches of 8,192 rows, changes thrown away:
 * `npm run bench:state -- [keys, 2000000 unless told] [query]`.
 *
 *   rows      k BIGINT (uniform, or Zipf with exponent 1), v BIGINT; each key has come once before, then three rows a key are measured
 *   told      M rows/s of the thread's own time, in memory and with a fifth of it, what still waits at the end included, and their ratio
 *   pauses    the longest, in memory and with a fifth: of a batch while keys are new (tables grow, changes are written ahead of a
 *             checkpoint), of the checkpoint then, and of a batch afterwards; in ms of the thread's own time, which is less than the
 *             clock's where others have the core
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Batch } from '../src/data/batch.ts'
import { LinearMemory } from '../src/data/memory.ts'
import { graphOf, type OperatorGraphNode } from '../src/engine/graph.ts'
import { operatorOf } from '../src/engine/operators/operators.ts'
import { nodePorts } from '../src/ports/node/ports.ts'
import { CONNECTORS } from '../src/run/connectors.ts'
import { settingsOf } from '../src/run/settings.ts'
import { spilling } from '../src/run/spilling.ts'
import { writtenAhead } from '../src/run/written-ahead.ts'
import { bindText } from '../src/sql/bind-text.ts'
import { createSnapshotWriter } from '../src/state/snapshot-writer.ts'
import { WATERMARK_MIN } from '../src/time/windows.ts'
import { seededRandom } from './nexmark/random.ts'
import { benchContext } from './operator-context.ts'

const ROWS = 8192
const ROUNDS = 3
const TABLES = `
  CREATE TABLE a (k BIGINT NOT NULL, v BIGINT NOT NULL) WITH ('connector' = 'log', 'topic' = 'a', 'format' = 'json');
  CREATE TABLE b (k BIGINT NOT NULL, v BIGINT NOT NULL) WITH ('connector' = 'log', 'topic' = 'b', 'format' = 'json');
  CREATE TABLE out_table (k BIGINT, v BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH ('connector' = 'blackhole');`
const QUERIES: Readonly<Record<string, string>> = {
  sum: 'SELECT k, SUM(v) FROM a GROUP BY k',
  'count distinct': 'SELECT k, COUNT(DISTINCT v) FROM a GROUP BY k',
  'top 1':
    'SELECT k, v FROM (SELECT k, v, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) AS n FROM a) WHERE n = 1',
  join: 'SELECT a.k, a.v + b.v FROM a JOIN b ON a.k = b.k',
}

interface Measured {
  readonly seconds: number
  readonly bytes: number
  readonly growthMs: number
  readonly checkpointMs: number
  readonly batchMs: number
}

function nodeOf(query: string): { node: OperatorGraphNode; graph: ReturnType<typeof graphOf> } {
  const text = `${TABLES} INSERT INTO out_table ${query};`
  const { pipeline, errors } = bindText(text, 'bench', CONNECTORS)
  if (errors[0] !== undefined) throw errors[0]
  const graph = graphOf(pipeline!)
  const node = graph.nodes.find(
    (each) => each.kind === 'operator' && /^(group|rank|join|dedup)/.test(each.plan.kind),
  )
  return { node: node as OperatorGraphNode, graph }
}

function measure(
  query: string,
  keys: Uint32Array,
  keyCount: number,
  memoryBytes: number | undefined,
): Measured {
  const memory = new LinearMemory()
  const context = benchContext(memory)
  const ports = nodePorts()
  const { clock } = ports
  const dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const { node, graph } = nodeOf(query)
  const place = { inputUpdates: false, watermarkUs: WATERMARK_MIN }
  const settings = settingsOf(memoryBytes === undefined ? {} : { 'state.memory': `${memoryBytes}` })
  const opening = { ports, dataDirectory }
  const request = { graph, settings, clock, opening, pipeline: 'bench', worker: 0 }
  const operator = spilling(request)(node, context, place) ?? operatorOf(node, context, place)
  const writer = createSnapshotWriter()
  const ahead = writtenAhead({ operators: [{ node, operator }] }, writer, clock, 0)
  const deal = (keyOf: (row: number) => number, rows: number, input: number): number => {
    let longest = 0
    for (let start = 0; start < rows; start += ROWS) {
      const mark = memory.arena.mark()
      const batch = batchOf(memory, keyOf, start, Math.min(ROWS, rows - start))
      longest = Math.max(
        longest,
        cpuMsOf(() => operator.onBatch(batch, () => {}, input)),
        cpuMsOf(ahead),
      )
      memory.arena.release(mark)
    }
    return longest
  }
  const settle = (): number => {
    let longest = 0
    for (let isLeft = true; isLeft; ) {
      const mark = memory.arena.mark()
      longest = Math.max(
        longest,
        cpuMsOf(() => {
          isLeft = operator.onIdle?.(() => {}) === true
        }),
      )
      memory.arena.release(mark)
    }
    return longest
  }
  const before = memory.bytesUsed
  const growthMs = Math.max(...node.inputs.map((_, input) => deal((row) => row, keyCount, input)))
  const bytes = memory.bytesUsed - before
  const checkpointMs = cpuMsOf(() => {
    operator.snapshot(writer.operator(node.id))
    writer.finish(0, 128)
  })
  const cpu = process.threadCpuUsage()
  const batchMs = Math.max(
    deal((row) => keys[row]!, keys.length, 0),
    settle(),
  )
  const { user, system } = process.threadCpuUsage(cpu)
  operator.dispose()
  rmSync(dataDirectory, { recursive: true })
  return { seconds: (user + system) / 1e6, bytes, growthMs, checkpointMs, batchMs }
}

function cpuMsOf(work: () => void): number {
  const cpu = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(cpu)
  return (user + system) / 1000
}

function batchOf(
  memory: LinearMemory,
  keyOf: (row: number) => number,
  start: number,
  count: number,
): Batch {
  const cells = [memory.arena.allocate(8 * count), memory.arena.allocate(8 * count)]
  for (let row = 0; row < count; row++) {
    memory.i64[cells[0]! / 8 + row] = BigInt(keyOf(start + row))
    memory.i64[cells[1]! / 8 + row] = BigInt(start + row)
  }
  const type = { kind: 'bigint', nullable: false } as const
  const columns = cells.map((each) => ({ type, cells: each, validity: 0 }))
  return { rowCount: count, columns, kinds: 0, selection: 0, count }
}

function keysOf(distribution: 'uniform' | 'zipf', keyCount: number): Uint32Array {
  const random = seededRandom(42)
  const scatter = (rank: number): number => Math.imul(rank, 2_654_435_761) >>> 0
  return Uint32Array.from({ length: 3 * keyCount }, () =>
    distribution === 'uniform'
      ? random.below(keyCount)
      : // The inverse of Zipf's cumulative share with exponent 1, near enough: log-uniform ranks.
        scatter(Math.floor(keyCount ** random.unit()) - 1) % keyCount,
  )
}

const median = (values: readonly number[]): number =>
  values.toSorted((left, right) => left - right)[values.length >> 1]!

function row(name: string, distribution: 'uniform' | 'zipf', keyCount: number): string {
  const query = QUERIES[name]!
  const keys = keysOf(distribution, keyCount)
  const rounds = Array.from({ length: ROUNDS }, () => {
    const whole = measure(query, keys, keyCount, undefined)
    return { whole, fifth: measure(query, keys, keyCount, Math.floor(whole.bytes / 5)) }
  })
  const of = (pick: (round: (typeof rounds)[number]) => number) => median(rounds.map(pick))
  const rate = (pick: (round: (typeof rounds)[number]) => Measured) =>
    (keys.length / of((round) => pick(round).seconds) / 1e6).toFixed(2).padStart(8)
  const pauses = (pick: (measured: Measured) => number) =>
    [of(({ whole }) => pick(whole)), of(({ fifth }) => pick(fifth))]
      .map((ms) => ms.toFixed(1).padStart(6))
      .join(' ')
  const ratio = 100 * of(({ whole, fifth }) => whole.seconds / fifth.seconds)
  return [
    name.padEnd(14),
    distribution.padEnd(7),
    (of(({ whole }) => whole.bytes) / 1e6).toFixed(0).padStart(6),
    rate(({ whole }) => whole),
    rate(({ fifth }) => fifth),
    `${ratio.toFixed(0)} %`.padStart(7),
    pauses(({ growthMs }) => growthMs).padStart(16),
    pauses(({ checkpointMs }) => checkpointMs).padStart(16),
    pauses(({ batchMs }) => batchMs).padStart(16),
  ].join(' ')
}

if (import.meta.main) {
  const [keyText = '2000000', only = ''] = process.argv.slice(2)
  console.log(
    'query          keys        MB M rows/s a fifth   ratio     growing, ms  checkpoint, ms       batch, ms',
  )
  for (const name of Object.keys(QUERIES)) {
    if (only !== '' && name !== only) continue
    for (const distribution of ['uniform', 'zipf'] as const)
      console.log(row(name, distribution, Number(keyText)))
  }
}
