/**
 * Keyed state, one thread: `node bench/state.ts [keys of the snapshot, 10000000 unless told]`.
 *
 *   counts     upsert of one BIGINT key and COUNT(*), keys uniform: rows/s by key count, the best round
 *   snapshot   `writeChanges` with 1 % of the rows' keys changed, uniform and Zipf: the pause, and bytes against the entries' own
 *   restore    1 M keys from what a snapshot wrote, median of rounds
 */
import { LinearMemory } from '../src/data/memory.ts'
import { types } from '../src/data/types.ts'
import type { KeyedTable } from '../src/state/keyed-table.ts'
import { keyedTables } from '../src/state/memory-table.ts'
import type { EntrySink } from '../src/state/state-stream.ts'
import { seededRandom } from './nexmark/random.ts'

const ROWS = 8192
const ROUNDS = 5
const COUNT_ROUNDS = 40
/** The key and the count. */
const CHANGED_BYTES = 16
const SCHEMA = '1 i64;i64'
const random = seededRandom(42)
const memory = new LinearMemory()
const makeTable = keyedTables(memory, { keys: [types.bigint], values: ['i64'] })
const cells = memory.allocate(8 * ROWS)

function count(table: KeyedTable, keyOf: (row: number) => number, rows: number): void {
  for (let start = 0; start < rows; start += ROWS) {
    const rowsHere = Math.min(ROWS, rows - start)
    for (let row = 0; row < rowsHere; row++)
      memory.i64[cells / 8 + row] = BigInt(keyOf(start + row))
    countCells(table, cells, rowsHere)
  }
}

function countCells(table: KeyedTable, from: number, rows: number): void {
  const keys = [{ type: types.bigint, cells: from, validity: 0 }]
  table.count({ count: rows, selection: 0, keys }, 0)
}

function countRate(keys: number): void {
  const table = makeTable()
  count(table, (row) => row, keys)
  const batches = 64
  const all = memory.allocate(8 * ROWS * batches)
  for (let row = 0; row < ROWS * batches; row++)
    memory.i64[all / 8 + row] = BigInt(random.below(keys))
  const seconds: number[] = []
  for (let round = 0; round < COUNT_ROUNDS; round++) {
    const startMs = performance.now()
    for (let batch = 0; batch < batches; batch++) countCells(table, all + 8 * ROWS * batch, ROWS)
    seconds.push((performance.now() - startMs) / 1000)
  }
  const rate = (ROWS * batches) / Math.min(...seconds) / 1e6
  console.log(`counts    ${keys} keys: ${rate.toFixed(1)} M rows/s`)
  memory.free(all, 8 * ROWS * batches)
  table.dispose()
}

function snapshots(keys: number): void {
  const table = makeTable()
  count(table, (row) => row, keys)
  written(table)
  const changes = Math.floor(keys / 100)
  // The inverse of Zipf's cumulative share with exponent 1, near enough: log-uniform ranks.
  const picks = {
    uniform: () => random.below(keys),
    zipf: () => Math.floor(keys ** random.unit()) - 1,
  }
  for (const [name, pick] of Object.entries(picks)) {
    const changed = new Set<number>()
    count(
      table,
      () => {
        const key = pick()
        changed.add(key)
        return key
      },
      changes,
    )
    const { pauseMs, bytes } = written(table)
    const share = bytes / (changed.size * CHANGED_BYTES)
    console.log(
      `snapshot  ${keys} keys, ${changed.size} changed (${name}): ${pauseMs.toFixed(1)} ms, ${bytes} bytes, ${share.toFixed(2)} times theirs`,
    )
  }
  table.dispose()
}

function restore(keys: number): void {
  const table = makeTable()
  count(table, (row) => row, keys)
  const { pieces } = written(table, true)
  table.dispose()
  const seconds: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const restored = makeTable()
    const startMs = performance.now()
    restored.restore({
      schema: SCHEMA,
      groupStart: 0,
      groupEnd: 128,
      continues: true,
      read: (take) => pieces.forEach(take),
    })
    seconds.push((performance.now() - startMs) / 1000)
    restored.dispose()
  }
  console.log(`restore   ${keys} keys: ${median(seconds).toFixed(3)} s`)
}

interface Written {
  readonly pauseMs: number
  readonly bytes: number
  readonly pieces: readonly Uint8Array[]
}

/** Without `keeps` the records are only counted, as a writer that copies them elsewhere at memory speed would. */
function written(table: KeyedTable, keeps = false): Written {
  const pieces: Uint8Array[] = []
  let bytes = 0
  const sink: EntrySink = {
    schema: () => {},
    replace: () => {},
    put: () => {},
    remove: () => {},
    records(records) {
      bytes += records.length
      if (keeps) pieces.push(records.slice())
    },
  }
  const startMs = performance.now()
  table.writeChanges(sink)
  return { pauseMs: performance.now() - startMs, bytes, pieces }
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1]!
}

for (const keys of [1e3, 1e5, 1e6]) countRate(keys)
restore(1_000_000)
snapshots(Number(process.argv[2] ?? 10_000_000))
