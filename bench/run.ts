/**
 * The benchmark of queries over the log: `npm run bench -- [--events N] [--queries a,b] [--workers N] [--layout flat|nested]
 * [--rounds N] [--seed N] [--json FILE]`. What the figures mean: docs/benchmarks.md.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { eventsTopic, TOPIC } from './data.ts'
import { type Layout, QUERY_NAMES, type QueryName } from './nexmark/queries.ts'
import type { Trial } from './run-one.ts'
import { runTrial } from './trial.ts'

export interface BenchOptions {
  readonly events: number
  readonly queries: readonly string[]
  readonly workers: number
  readonly layout: Layout
  readonly rounds: number
  readonly seed: number
}

export interface Figures {
  readonly name: string
  readonly eventsPerSecond: number
  readonly cpuSecondsPerMillion: number
  readonly peakMemoryMB: number
  readonly workers: number
  readonly layout: Layout
}

/** What there is to run: each query into nothing, and two into a Delta table. */
export const BENCHES: readonly string[] = [...QUERY_NAMES, 'pass-delta', 'tumble-count-delta']

/** Runs one after the other; `told` hears of each when it is done. */
export async function bench(
  options: BenchOptions,
  told: (figures: Figures) => void = () => {},
): Promise<readonly Figures[]> {
  const { events, workers, layout, rounds, seed } = options
  const unknown = options.queries.find((name) => !BENCHES.includes(name))
  if (unknown !== undefined) throw new Error(`no query ${unknown}; there are ${BENCHES.join(', ')}`)
  const dataDirectory = await eventsTopic({ layout, events, seed }, workers)
  const source = `'connector' = 'log', 'topic' = '${TOPIC}', 'format' = 'json', 'scan.startup.mode' = 'earliest-offset'`
  const all: Figures[] = []
  for (const name of options.queries) {
    const query = QUERY_NAMES.find((each) => each === name.replace(/-delta$/, '')) as QueryName
    const sink = name.endsWith('-delta') ? 'delta' : 'blackhole'
    const trial: Trial = { query, layout, source, sink, dataDirectory, events, workers, rounds }
    const { seconds, cpuSeconds, peakMemoryMB } = await runTrial(trial)
    const figures: Figures = {
      name,
      eventsPerSecond: Math.round(events / seconds),
      cpuSecondsPerMillion: Number(((cpuSeconds * 1e6) / events).toFixed(4)),
      peakMemoryMB,
      workers,
      layout,
    }
    all.push(figures)
    told(figures)
  }
  return all
}

function optionsOf(): BenchOptions & { readonly json: string | undefined } {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '2000000' },
      queries: { type: 'string', default: BENCHES.join(',') },
      workers: { type: 'string', default: '1' },
      layout: { type: 'string', default: 'flat' },
      rounds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '42' },
      json: { type: 'string' },
    },
  })
  return {
    events: positive('events', values.events),
    queries: values.queries.split(','),
    workers: positive('workers', values.workers),
    layout: layoutOf(values.layout),
    rounds: positive('rounds', values.rounds),
    seed: positive('seed', values.seed),
    json: values.json,
  }
}

function positive(option: string, text: string): number {
  const value = Number(text.replaceAll('_', ''))
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new Error(`--${option} is a whole number above 0, not ${text}`)
}

function layoutOf(text: string): Layout {
  if (text === 'flat' || text === 'nested') return text
  throw new Error(`--layout is flat or nested, not ${text}`)
}

function line(cells: readonly string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(20) : cell.padStart(12))).join(' ')
}

if (import.meta.main) {
  const { json, ...options } = optionsOf()
  console.log(line(['query', 'M events/s', 'CPU s/M', 'peak MB', 'workers', 'layout']))
  const figures = await bench(options, (each) => {
    const rate = (each.eventsPerSecond / 1e6).toFixed(2)
    const cpu = each.cpuSecondsPerMillion.toFixed(3)
    const memory = String(each.peakMemoryMB)
    console.log(line([each.name, rate, cpu, memory, String(each.workers), each.layout]))
  })
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`)
}
