/**
 * One query of the benchmark, several times in this process of its own: `node --expose-gc bench/run-one.ts '<JSON of a Trial>'`.
 * Prints what it measured as one line of JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planMarker } from '../src/cli/plan-marks.ts'
import { inputsOf } from '../src/plan/inputs.ts'
import type { PlanNode } from '../src/plan/nodes.ts'
import type { Pipeline } from '../src/plan/pipeline.ts'
import { nodePorts } from '../src/ports/node/ports.ts'
import { CONNECTORS } from '../src/run/connectors.ts'
import { startPipeline } from '../src/run/start.ts'
import { bindText } from '../src/sql/bind-text.ts'
import { PUBLISHED, type PublishedName } from './nexmark/published.ts'
import { isPublished, publishedSink, publishedSource } from './nexmark/published-script.ts'
import { type Layout, type QueryName, selectSql, sinkSql, sourceSql } from './nexmark/queries.ts'

export interface Trial {
  /** Of the benchmark, or one of Nexmark's published ones. */
  readonly query: QueryName | PublishedName
  readonly layout: Layout
  /** Options of the source table, as in its WITH clause. */
  readonly source: string
  readonly sink: 'blackhole' | 'delta'
  readonly dataDirectory: string
  readonly events: number
  readonly workers: number
  /** How often it is measured, after one run to warm up. */
  readonly rounds: number
}

export interface Measured {
  /** Medians over the rounds: wall clock and CPU of the whole process, from start to the last commit. */
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakMemoryMB: number
  /** Of the result. */
  readonly rows: number
}

async function measure(trial: Trial): Promise<Measured> {
  const rounds: Round[] = []
  for (let round = 0; round <= trial.rounds; round++) {
    globalThis.gc?.()
    rounds.push(await runOnce(trial))
  }
  const measured = rounds.slice(1)
  return {
    seconds: median(measured.map(({ seconds }) => seconds)),
    cpuSeconds: median(measured.map(({ cpuSeconds }) => cpuSeconds)),
    peakMemoryMB: Math.round(process.resourceUsage().maxRSS / 1024),
    rows: rounds[0]!.rows,
  }
}

interface Round {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly rows: number
}

async function runOnce(trial: Trial): Promise<Round> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  try {
    const pipeline = pipelineOf(trial, join(directory, 'table'))
    if (!isPublished(trial.query)) refuseJs(pipeline)
    const before = process.cpuUsage()
    const startMs = performance.now()
    const run = await startPipeline({
      pipeline,
      connectors: CONNECTORS,
      ports: nodePorts(),
      dataDirectory: trial.dataDirectory,
      baseDirectory: directory,
      until: 'end',
      workers: trial.workers,
      threads: true,
      fresh: true,
    })
    const outcome = await run.finished
    const seconds = (performance.now() - startMs) / 1000
    const { user, system } = process.cpuUsage(before)
    if (outcome.kind === 'failed') throw outcome.error
    const { conservation, sinks } = run.status()
    const { read, dead, late } = conservation
    if (outcome.kind !== 'finished' || read !== trial.events || dead + late > 0)
      throw new Error(`${outcome.kind}: ${JSON.stringify(conservation)}`)
    return { seconds, cpuSeconds: (user + system) / 1e6, rows: sinks[0]!.rowsWritten }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function pipelineOf(trial: Trial, tablePath: string): Pipeline {
  const { query } = trial
  const sql = ["SET 'execution.checkpointing.interval' = '10 s'", ...statements(trial, tablePath)]
  const { pipeline, errors } = bindText(`${sql.join(';\n')};`, `bench-${query}`, CONNECTORS)
  if (errors.length > 0) throw errors[0]!
  return pipeline!
}

function statements({ query, layout, source, sink }: Trial, tablePath: string): readonly string[] {
  const delta = `'connector' = 'delta', 'table-path' = '${tablePath}'`
  const options = sink === 'delta' ? delta : "'connector' = 'blackhole'"
  if (isPublished(query))
    return [
      ...publishedSource(source),
      publishedSink(query, 'answer', options),
      `INSERT INTO answer ${PUBLISHED[query]}`,
    ]
  return [
    sourceSql(layout, source),
    sinkSql(query, options),
    `INSERT INTO answer ${selectSql(query)}`,
  ]
}

/** Rows of a node that runs row by row in JavaScript are not what this benchmark is about: it would hide a missing kernel. */
function refuseJs({ sinks }: Pipeline): void {
  const mark = planMarker()
  const visit = (node: PlanNode): void => {
    const marked = mark(node)
    if (marked?.mark === 'js')
      throw new Error(`${node.kind} runs as js: ${marked.because.join(', ')}`)
    for (const input of inputsOf(node)) visit(input)
  }
  for (const { input } of sinks) visit(input)
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1]!
}

if (import.meta.main) {
  const trial: Trial = JSON.parse(process.argv[2]!)
  console.log(JSON.stringify(await measure(trial)))
}
