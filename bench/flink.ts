/**
 * The same JSON lines, the same queries, read by Flink and by Millrace: `npm run bench:flink -- [--events N] [--queries a,b] [--rounds N] [--json FILE]`.
 *
 * Counts CPU seconds, not wall clock: those of Flink's task manager (parallelism 1, objects reused, warmed up by a run of each query)
 * against those of our process. Rows of the answers are counted on both sides and must be equal.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { flinkCpuSeconds, isFlinkUp, startFlink, stopFlink } from '../scripts/engines/flink.ts'
import { type FlinkSession, openFlinkSession } from '../scripts/engines/flink-sql.ts'
import { open } from '../src/index.ts'
import { eventsFile } from './data.ts'
import { PUBLISHED, type PublishedName } from './nexmark/published.ts'
import { isPublished, publishedSink, publishedSource } from './nexmark/published-script.ts'
import { type Layout, type QueryName, selectSql, sinkSql, sourceSql } from './nexmark/queries.ts'
import { runTrial } from './trial.ts'

interface Compared {
  readonly name: string
  readonly flinkCpuSeconds: number
  readonly cpuSeconds: number
  /** How many times fewer ours are. */
  readonly ratio: number
  readonly rows: number
  readonly peakMemoryMB: number
}

interface Size {
  readonly events: number
  /** After one to warm up. */
  readonly rounds: number
}

type Query = QueryName | PublishedName

const FLAT: readonly QueryName[] = ['pass', 'filter', 'tumble-count', 'tumble-max', 'hop-count']
const QUERIES: readonly Query[] = [...FLAT, ...(Object.keys(PUBLISHED) as PublishedName[])]

async function compare(
  session: FlinkSession,
  query: Query,
  { events, rounds }: Size,
  directory: string,
): Promise<Compared> {
  const flink: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const before = flinkCpuSeconds()
    await session.insert(`INSERT INTO \`${query}\` ${textOf(query)}`)
    flink.push(flinkCpuSeconds() - before)
  }
  const flinkRows = await countRows(session, query)
  const { cpuSeconds, rows, peakMemoryMB } = await runTrial({
    query,
    layout: layoutOf(query),
    source: fileOptions(join(directory, 'events.json')),
    sink: 'blackhole',
    dataDirectory: join(directory, '../flink-runs'),
    events,
    workers: 1,
    rounds,
  })
  const ours = isPublished(query) ? await countOurs(query, join(directory, 'events.json')) : rows
  if (ours !== flinkRows)
    throw new Error(`${query}: Flink gives ${flinkRows} rows, Millrace ${ours}`)
  const theirs = flink.slice(1).toSorted((left, right) => left - right)[rounds >> 1]!
  const ratio = theirs / cpuSeconds
  return { name: query, flinkCpuSeconds: theirs, cpuSeconds, ratio, rows: ours, peakMemoryMB }
}

const MINI_BATCH: Readonly<Record<string, string>> = {
  'table.exec.mini-batch.enabled': 'true',
  'table.exec.mini-batch.allow-latency': '5 s',
  'table.exec.mini-batch.size': '100000',
}

/** The last of the counts that a changelog goes through; in mini-batches there are few. */
async function countRows(session: FlinkSession, query: Query): Promise<number> {
  for (const [name, value] of Object.entries(MINI_BATCH))
    await session.execute(`SET '${name}' = '${value}'`)
  const counts = await session.execute(`SELECT COUNT(*) FROM (${textOf(query)})`)
  await session.execute("SET 'table.exec.mini-batch.enabled' = 'false'")
  return Number(counts.at(-1)!.fields[0])
}

/** Of a changelog what is left in the end. */
async function countOurs(query: PublishedName, path: string): Promise<number> {
  await using db = await open({ tables: publishedSource(fileOptions(path)).join(';\n') })
  const [row] = await db.query(`SELECT COUNT(*) AS c FROM (${textOf(query)})`).rows()
  return Number(row!.c)
}

function textOf(query: Query): string {
  return isPublished(query) ? PUBLISHED[query] : selectSql(query)
}

function layoutOf(query: Query): Layout {
  return isPublished(query) ? 'nested' : 'flat'
}

function fileOptions(path: string): string {
  return `'connector' = 'filesystem', 'path' = '${path}', 'format' = 'json'`
}

async function run(size: Size, queries: readonly Query[]): Promise<readonly Compared[]> {
  const sessions = {
    flat: await sessionOver('flat', size.events),
    nested: await sessionOver('nested', size.events),
  }
  const all: Compared[] = []
  console.log('query          Flink CPU s   our CPU s   ratio        rows')
  for (const query of queries) {
    const { session, directory } = sessions[layoutOf(query)]
    await session.execute(flinkSink(query))
    const compared = await compare(session, query, size, directory)
    all.push(compared)
    const { name, flinkCpuSeconds: theirs, cpuSeconds, ratio, rows } = compared
    const cells = [theirs.toFixed(2), cpuSeconds.toFixed(3), ratio.toFixed(1), String(rows)]
    console.log(name.padEnd(14), ...cells.map((cell, at) => cell.padStart([11, 11, 7, 11][at]!)))
  }
  for (const { session } of Object.values(sessions)) await session.close()
  const ratios = all.map(({ ratio }) => ratio)
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
  console.log(`geometric mean ${mean.toFixed(1)}, lowest ${Math.min(...ratios).toFixed(1)}`)
  return all
}

async function sessionOver(layout: Layout, events: number) {
  const directory = await eventsFile({ layout, events, seed: 42 })
  const session = await openFlinkSession({ 'pipeline.auto-watermark-interval': '200 ms' })
  const source = fileOptions(directory)
  const statements = layout === 'flat' ? [sourceSql('flat', source)] : publishedSource(source)
  for (const statement of statements) await session.execute(statement)
  return { session, directory }
}

function flinkSink(query: Query): string {
  const options = "'connector' = 'blackhole'"
  return isPublished(query)
    ? publishedSink(query, query, options)
    : sinkSql(query, options).replace('answer', `\`${query}\``)
}

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000000' },
    queries: { type: 'string', default: QUERIES.join(',') },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
})
const wanted = values.queries.split(',')
const wasUp = await isFlinkUp()
await startFlink()
try {
  const chosen = QUERIES.filter((query) => wanted.includes(query))
  const compared = await run(
    { events: Number(values.events), rounds: Number(values.rounds) },
    chosen,
  )
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify(compared, null, 2)}\n`)
} finally {
  if (!wasUp) await stopFlink()
}
