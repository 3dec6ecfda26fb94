/**
 * The same JSON events, the same queries, read by Flink and by Millrace: `npm run bench:flink -- [--events N] [--queries a,b] [--sources file,kafka] [--rounds N] [--json FILE]`.
 *
 *   file    both read one file of JSON lines
 *   kafka   Flink reads a topic of a real Kafka, Millrace its own log, with the same records: each engine with the log it has
 *
 * Counts CPU seconds, not wall clock: those of Flink's task manager (parallelism 1, objects reused, warmed up by a run of each query)
 * against those of our process; Kafka's broker is not counted. Rows of the answers are counted on both sides and must be equal.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { flinkCpuSeconds, isFlinkUp, startFlink, stopFlink } from '../scripts/engines/flink.ts'
import { type FlinkSession, openFlinkSession } from '../scripts/engines/flink-sql.ts'
import { isKafkaUp, startKafka, stopKafka } from '../scripts/engines/kafka.ts'
import { open } from '../src/index.ts'
import { eventsFile, eventsTopic, TOPIC } from './data.ts'
import { eventsInKafka, kafkaOptions } from './kafka-topic.ts'
import { PUBLISHED, type PublishedName } from './nexmark/published.ts'
import { isPublished, publishedSink, publishedSource } from './nexmark/published-script.ts'
import { type Layout, type QueryName, selectSql, sinkSql, sourceSql } from './nexmark/queries.ts'
import { runTrial } from './trial.ts'

interface Compared {
  readonly name: string
  readonly source: SourceName
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
const SOURCES = ['file', 'kafka'] as const
type SourceName = (typeof SOURCES)[number]

/** The same events, as options of a table there and here. */
interface Source {
  readonly theirs: string
  readonly ours: string
  readonly dataDirectory: string
}

interface Reading {
  readonly session: FlinkSession
  readonly source: Source
}

const FLAT: readonly QueryName[] = ['pass', 'filter', 'tumble-count', 'tumble-max', 'hop-count']
const QUERIES: readonly Query[] = [...FLAT, ...(Object.keys(PUBLISHED) as PublishedName[])]

async function compare(
  { session, source }: Reading,
  query: Query,
  { events, rounds }: Size,
): Promise<Omit<Compared, 'source'>> {
  const flink: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const before = flinkCpuSeconds()
    await session.insert(`INSERT INTO \`${query}\` ${textOf(query)}`)
    flink.push(flinkCpuSeconds() - before)
  }
  const flinkRows = await countRows(session, query)
  const { ours: options, dataDirectory } = source
  const { cpuSeconds, rows, peakMemoryMB } = await runTrial({
    ...{ query, layout: layoutOf(query), source: options, sink: 'blackhole', dataDirectory },
    ...{ events, workers: 1, rounds },
  })
  const ours = isPublished(query) ? await countOurs(query, source) : rows
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
async function countOurs(query: PublishedName, { ours, dataDirectory }: Source): Promise<number> {
  const tables = publishedSource(ours).join(';\n')
  await using db = await open({ data: dataDirectory, tables })
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

/** A table of figures for each source. */
async function run(
  name: SourceName,
  size: Size,
  queries: readonly Query[],
): Promise<readonly Compared[]> {
  const readings = new Map<Layout, Reading>()
  const all: Compared[] = []
  console.log(`${name.padEnd(14)} Flink CPU s   our CPU s   ratio        rows`)
  for (const query of queries) {
    const layout = layoutOf(query)
    const reading = readings.get(layout) ?? (await readingOf(name, layout, size.events))
    readings.set(layout, reading)
    await reading.session.execute(flinkSink(query))
    const compared = await compare(reading, query, size)
    all.push({ ...compared, source: name })
    const { flinkCpuSeconds: theirs, cpuSeconds, ratio, rows } = compared
    const cells = [theirs.toFixed(2), cpuSeconds.toFixed(3), ratio.toFixed(1), String(rows)]
    console.log(query.padEnd(14), ...cells.map((cell, at) => cell.padStart([11, 11, 7, 11][at]!)))
  }
  for (const { session } of readings.values()) await session.close()
  return all
}

function tellMean(all: readonly Compared[]): void {
  const ratios = all.map(({ ratio }) => ratio)
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
  console.log(`geometric mean ${mean.toFixed(1)}, lowest ${Math.min(...ratios).toFixed(1)}`)
}

async function readingOf(name: SourceName, layout: Layout, events: number): Promise<Reading> {
  const source = await sourceOf(name, layout, events)
  const session = await openFlinkSession({ 'pipeline.auto-watermark-interval': '200 ms' })
  const { theirs } = source
  const statements = layout === 'flat' ? [sourceSql('flat', theirs)] : publishedSource(theirs)
  for (const statement of statements) await session.execute(statement)
  return { session, source }
}

async function sourceOf(name: SourceName, layout: Layout, events: number): Promise<Source> {
  const request = { layout, events, seed: 42 }
  if (name === 'file') {
    const directory = await eventsFile(request)
    const ours = fileOptions(join(directory, 'events.json'))
    return { theirs: fileOptions(directory), ours, dataDirectory: join(directory, '../flink-runs') }
  }
  return {
    theirs: kafkaOptions(await eventsInKafka(request)),
    ours: `'connector' = 'log', 'topic' = '${TOPIC}', 'format' = 'json'`,
    dataDirectory: await eventsTopic(request, 1),
  }
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
    sources: { type: 'string', default: SOURCES.join(',') },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
})
const sources = SOURCES.filter((name) => values.sources.split(',').includes(name))
const queries = QUERIES.filter((query) => values.queries.split(',').includes(query))
const size = { events: Number(values.events), rounds: Number(values.rounds) }
const wereUp = { flink: await isFlinkUp(), kafka: await isKafkaUp() }
await startFlink()
try {
  if (sources.includes('kafka')) await startKafka()
  const all: Compared[] = []
  for (const name of sources) all.push(...(await run(name, size, queries)))
  tellMean(all)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(all, null, 2)}\n`)
} finally {
  if (!wereUp.flink) await stopFlink()
  if (!wereUp.kafka && sources.includes('kafka')) await stopKafka()
}
