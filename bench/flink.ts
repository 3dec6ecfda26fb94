/**
 * The same JSON lines, the same queries, read by Flink and by Millrace: `npm run bench:flink -- [--events N] [--queries a,b] [--json FILE]`.
 *
 * Counts CPU seconds, not wall clock: those of Flink's task manager (parallelism 1, objects reused, warmed up by a run of each query)
 * against those of our process. Rows of the answers are counted on both sides and must be equal.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { flinkCpuSeconds, isFlinkUp, startFlink, stopFlink } from '../scripts/engines/flink.ts'
import { type FlinkSession, openFlinkSession } from '../scripts/engines/flink-sql.ts'
import { eventsFile } from './data.ts'
import { type QueryName, selectSql, sinkSql, sourceSql } from './nexmark/queries.ts'
import { runTrial } from './trial.ts'

interface Compared {
  readonly name: string
  readonly flinkCpuSeconds: number
  readonly cpuSeconds: number
  /** How many times fewer ours are. */
  readonly ratio: number
  readonly rows: number
}

const QUERIES: readonly QueryName[] = ['pass', 'filter', 'tumble-count', 'tumble-max', 'hop-count']
const ROUNDS = 3

async function compare(
  session: FlinkSession,
  query: QueryName,
  events: number,
  directory: string,
): Promise<Compared> {
  const flink: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const before = flinkCpuSeconds()
    await session.insert(`INSERT INTO \`${query}\` ${selectSql(query)}`)
    flink.push(flinkCpuSeconds() - before)
  }
  const flinkRows = await countRows(session, query)
  const { cpuSeconds, rows } = await runTrial({
    query,
    layout: 'flat',
    source: fileOptions(join(directory, 'events.json')),
    sink: 'blackhole',
    dataDirectory: join(directory, '../flink-runs'),
    events,
    workers: 1,
    rounds: ROUNDS,
  })
  if (rows !== flinkRows)
    throw new Error(`${query}: Flink gives ${flinkRows} rows, Millrace ${rows}`)
  const theirs = flink.slice(1).toSorted((left, right) => left - right)[ROUNDS >> 1]!
  return { name: query, flinkCpuSeconds: theirs, cpuSeconds, ratio: theirs / cpuSeconds, rows }
}

/** In batch mode the answer is one row. */
async function countRows(session: FlinkSession, query: QueryName): Promise<number> {
  await session.execute("SET 'execution.runtime-mode' = 'batch'")
  const answer = await session.execute(`SELECT COUNT(*) FROM (${selectSql(query)})`)
  await session.execute("SET 'execution.runtime-mode' = 'streaming'")
  return Number(answer.at(-1)!.fields[0])
}

function fileOptions(path: string): string {
  return `'connector' = 'filesystem', 'path' = '${path}', 'format' = 'json'`
}

async function run(events: number, queries: readonly QueryName[]): Promise<readonly Compared[]> {
  const directory = await eventsFile({ layout: 'flat', events, seed: 42 })
  const session = await openFlinkSession({ 'pipeline.auto-watermark-interval': '200 ms' })
  await session.execute(sourceSql('flat', fileOptions(directory)))
  for (const query of queries) {
    const sink = sinkSql(query, "'connector' = 'blackhole'")
    await session.execute(sink.replace('answer', `\`${query}\``))
  }
  const all: Compared[] = []
  console.log('query          Flink CPU s   our CPU s   ratio        rows')
  for (const query of queries) {
    const compared = await compare(session, query, events, directory)
    all.push(compared)
    const { name, flinkCpuSeconds: theirs, cpuSeconds, ratio, rows } = compared
    const cells = [theirs.toFixed(2), cpuSeconds.toFixed(3), ratio.toFixed(1), String(rows)]
    console.log(name.padEnd(14), ...cells.map((cell, at) => cell.padStart([11, 11, 7, 11][at]!)))
  }
  await session.close()
  const ratios = all.map(({ ratio }) => ratio)
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
  console.log(`geometric mean ${mean.toFixed(1)}, lowest ${Math.min(...ratios).toFixed(1)}`)
  return all
}

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000000' },
    queries: { type: 'string', default: QUERIES.join(',') },
    json: { type: 'string' },
  },
})
const wanted = values.queries.split(',')
const wasUp = await isFlinkUp()
await startFlink()
try {
  const chosen = QUERIES.filter((query) => wanted.includes(query))
  const compared = await run(Number(values.events), chosen)
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify(compared, null, 2)}\n`)
} finally {
  if (!wasUp) await stopFlink()
}
