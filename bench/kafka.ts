/**
 * JSON bids from a real local Kafka, read by Flink, Kafka Streams and Millrace in one run:
 * `npm run bench:kafka -- [--events N] [--queries a,b] [--peers flink,streams] [--json FILE]`.
 *
 * At the end: `bench/kafka-rates.ts`, how fast records are written and read with no query between.
 *
 * Counts CPU seconds of each engine's process, not the broker's, after a run to warm up; one partition, parallelism 1. Rows of the
 * answers must be equal to Flink's; Kafka Streams may drop late ones, so what it counted is told beside.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { flinkCpuSeconds, isFlinkUp, startFlink, stopFlink } from '../scripts/engines/flink.ts'
import { type FlinkSession, openFlinkSession } from '../scripts/engines/flink-sql.ts'
import {
  isKafkaUp,
  KAFKA,
  kafkaClassPath,
  startKafka,
  stopKafka,
} from '../scripts/engines/kafka.ts'
import { eventsInKafka, kafkaOptions } from './kafka-topic.ts'
import { type QueryName, selectSql, sinkSql, sourceSql } from './nexmark/queries.ts'
import { runTrial } from './trial.ts'

interface Compared {
  readonly query: string
  readonly rows: number
  readonly cpuSeconds: number
  readonly seconds: number
  readonly flinkCpuSeconds?: number
  readonly streamsCpuSeconds?: number
  readonly streamsCounted?: number
}

interface Streamed {
  readonly counted: number
  readonly rows: number
  readonly cpuSeconds: number
}

const QUERIES: readonly QueryName[] = ['pass', 'filter', 'tumble-count']
const ROUNDS = 3

async function flinkRun(
  session: FlinkSession,
  query: QueryName,
): Promise<readonly [number, number]> {
  const runs: number[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const before = flinkCpuSeconds()
    await session.insert(`INSERT INTO \`${query}\` ${selectSql(query)}`)
    runs.push(flinkCpuSeconds() - before)
  }
  await session.execute("SET 'execution.runtime-mode' = 'batch'")
  const answer = await session.execute(`SELECT COUNT(*) FROM (${selectSql(query)})`)
  await session.execute("SET 'execution.runtime-mode' = 'streaming'")
  const cpuSeconds = runs.slice(1).toSorted((left, right) => left - right)[ROUNDS >> 1]!
  return [cpuSeconds, Number(answer.at(-1)!.fields[0])]
}

function streamsRun(topic: string, query: QueryName, events: number): Streamed {
  const classes = resolve('.cache/bench/streams-peer')
  mkdirSync(classes, { recursive: true })
  const classPath = kafkaClassPath()
  execFileSync('javac', ['-cp', classPath, '-d', classes, 'bench/KafkaStreamsPeer.java'], {
    stdio: 'inherit',
  })
  const args = [
    '-Xmx1g',
    '-cp',
    `${classPath}:${classes}`,
    'KafkaStreamsPeer',
    KAFKA,
    topic,
    query,
    String(events),
  ]
  const told = execFileSync('java', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return JSON.parse(told.trim().split('\n').at(-1)!)
}

async function compare(
  session: FlinkSession | undefined,
  hasStreams: boolean,
  topic: string,
  query: QueryName,
  events: number,
): Promise<Compared> {
  const dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-bench-kafka-'))
  const { cpuSeconds, seconds, rows } = await runTrial({
    ...{ query, layout: 'flat', source: kafkaOptions(topic), sink: 'blackhole', dataDirectory },
    ...{ events, workers: 1, rounds: ROUNDS },
  })
  rmSync(dataDirectory, { recursive: true })
  const flink = session === undefined ? undefined : await flinkRun(session, query)
  if (flink !== undefined && flink[1] !== rows)
    throw new Error(`${query}: Flink gives ${flink[1]} rows, Millrace ${rows}`)
  const streams = hasStreams ? streamsRun(topic, query, events) : undefined
  return {
    ...{ query, rows, cpuSeconds, seconds },
    ...(flink === undefined ? {} : { flinkCpuSeconds: flink[0] }),
    ...(streams === undefined
      ? {}
      : { streamsCpuSeconds: streams.cpuSeconds, streamsCounted: streams.counted }),
  }
}

function tell(compared: Compared, events: number): void {
  const { query, rows, cpuSeconds, flinkCpuSeconds: flink, streamsCpuSeconds: streams } = compared
  const beside = (theirs: number | undefined) =>
    theirs === undefined ? '' : `${theirs.toFixed(2)} (${(theirs / cpuSeconds).toFixed(1)}x)`
  const cells = [
    cpuSeconds.toFixed(3),
    `${(events / cpuSeconds / 1e6).toFixed(2)} M`,
    beside(flink),
    beside(streams),
    String(compared.streamsCounted ?? ''),
    String(rows),
  ]
  console.log(
    query.padEnd(13),
    ...cells.map((cell, at) => cell.padStart([9, 11, 16, 16, 13, 9][at]!)),
  )
}

async function run(
  events: number,
  queries: readonly QueryName[],
  peers: readonly string[],
): Promise<Compared[]> {
  const topic = await eventsInKafka({ layout: 'flat', events, seed: 42 })
  let session: FlinkSession | undefined
  if (peers.includes('flink')) {
    session = await openFlinkSession({ 'pipeline.auto-watermark-interval': '200 ms' })
    await session.execute(sourceSql('flat', kafkaOptions(topic)))
    for (const query of queries)
      await session.execute(
        sinkSql(query, "'connector' = 'blackhole'").replace('answer', `\`${query}\``),
      )
  }
  console.log(
    'query          our CPU s  records/CPU s     Flink CPU s   Streams CPU s  of it counted     rows',
  )
  const all: Compared[] = []
  for (const query of queries) {
    const compared = await compare(session, peers.includes('streams'), topic, query, events)
    all.push(compared)
    tell(compared, events)
  }
  await session?.close()
  return all
}

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000000' },
    queries: { type: 'string', default: QUERIES.join(',') },
    peers: { type: 'string', default: 'flink,streams' },
    json: { type: 'string' },
  },
})
const peers = values.peers.split(',')
const wereUp = { kafka: await isKafkaUp(), flink: await isFlinkUp() }
await startKafka()
if (peers.includes('flink')) await startFlink()
try {
  const chosen = QUERIES.filter((query) => values.queries.split(',').includes(query))
  const compared = await run(Number(values.events), chosen, peers)
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify(compared, null, 2)}\n`)
  // In a process of its own, where nothing else has been compiled.
  execFileSync(process.execPath, ['bench/kafka-rates.ts'], { stdio: 'inherit' })
} finally {
  if (!wereUp.flink && peers.includes('flink')) await stopFlink()
  if (!wereUp.kafka) await stopKafka()
}
