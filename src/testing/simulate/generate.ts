/**
 * A history from a seed: events of the tables that a pipeline reads, in splits whose clocks are skewed, in and out of order, late, twice,
 * and some that are none; and what befalls it meanwhile.
 */
import type { Field } from '../../data/types.ts'
import type { RowKindText } from '../../data/values.ts'
import type { Scan } from '../../plan/nodes.ts'
import type { Pipeline } from '../../plan/pipeline.ts'
import { type SimulatedRandom, simulatedRandom } from '../random.ts'
import { holdsItsRows, readTables, timestampsOf } from '../rewired.ts'
import { epochColumns, type Hints, hintsOf, type Units } from './hints.ts'
import type { Arrival, History, Step } from './steps.ts'
import { eventJson } from './values.ts'

export interface Generation {
  readonly seed: number
  /** Of events, poison and repeats among them. */
  readonly events: number
  /** Fault points at which a process may die. */
  readonly points: readonly string[]
}

const SPLITS = [1, 2, 3] as const
const SKEWS_MS = [0, 0, 0, -5_000, 2_000, 13_000] as const
const START_MS = Date.UTC(2026, 0, 5, 8)
const DAY_MS = 86_400_000
/** How many windows a history goes through. */
const WINDOWS = 5

export function generate(pipeline: Pipeline, { seed, events, points }: Generation): History {
  const random = simulatedRandom(seed)
  const arrivals = generateEvents(pipeline, random, events)
  return {
    steps: befallen(arrivals, random, points),
    circumstances: circumstancesOf(random, seed),
  }
}

/** What befalls events that are given: captured ones, or those of a golden file. */
export function befall(
  arrivals: readonly Arrival[],
  { seed, points }: Omit<Generation, 'events'>,
): History {
  const random = simulatedRandom(seed)
  const placed = placedOtherwise(arrivals, random)
  return {
    steps: befallen(placed, random, points),
    circumstances: circumstancesOf(random, seed),
  }
}

function circumstancesOf(random: SimulatedRandom, seed: number): History['circumstances'] {
  return {
    seed,
    workers: random.pick([1, 1, 2, 3, 4]),
    rowsMax: random.pick([1, 3, 50]),
    ringBytes: random.pick([128, 4096]),
    gathers: random.below(3) > 0,
  }
}

interface GeneratedTable {
  readonly name: string
  readonly scan: Scan
  readonly fields: readonly Field[]
  readonly epochs: ReadonlyMap<string, Units>
  /** By split. */
  readonly skewsMs: readonly number[]
  /** Rows that may be taken back, as JSON. */
  readonly held: string[]
  readonly given: Arrival[]
}

function generateEvents(
  pipeline: Pipeline,
  random: SimulatedRandom,
  events: number,
): readonly Arrival[] {
  const hints = hintsOf(pipeline)
  const tables = [...readTables(pipeline)]
    .filter(([, { table }]) => !holdsItsRows(table))
    .map(([name, scan]) => generatedTable(name, scan, random))
  if (tables.length === 0) return []
  // Half of the histories have nothing late, so that they may come in another order.
  const course: Course = {
    stepMs: Math.max(1, Math.round((random.pick(hints.periodsMs) * WINDOWS) / events)),
    isWild: random.below(2) === 0,
    domain: random.pick([2, 4, 20]),
    hints,
  }
  const arrivals: Arrival[] = []
  let nowMs = START_MS + random.below(DAY_MS)
  while (arrivals.length < events) {
    nowMs += random.below(2 * course.stepMs + 1)
    arrivals.push(...nextEvents(random.pick(tables), nowMs, course, random))
  }
  return placedOtherwise(arrivals, random)
}

function generatedTable(name: string, scan: Scan, random: SimulatedRandom): GeneratedTable {
  // Changes of one key must keep their order, which only a split does.
  const splits = scan.changes === undefined ? random.pick(SPLITS) : 1
  return {
    name,
    scan,
    fields: scan.schema,
    epochs: epochColumns(scan.table),
    skewsMs: Array.from({ length: splits }, () => random.pick(SKEWS_MS)),
    held: [],
    given: [],
  }
}

interface Course {
  readonly stepMs: number
  readonly isWild: boolean
  /** How many values a column takes, or so. */
  readonly domain: number
  readonly hints: Hints
}

/** One event; two where a row is updated. */
function nextEvents(
  table: GeneratedTable,
  nowMs: number,
  course: Course,
  random: SimulatedRandom,
): readonly Arrival[] {
  const { scan, given, skewsMs } = table
  const split = random.below(skewsMs.length)
  const arrival = (change: RowKindText, text: string): Arrival => {
    return { kind: 'event', table: table.name, split, change, text, appendMs: nowMs }
  }
  if (scan.changes !== undefined) return changesOf(table, nowMs, course, random, arrival)
  const old = repeatable(given, split, course, random)
  // A producer's retry: the same event, id and all.
  if (old !== undefined) return [{ ...old, split, appendMs: nowMs }]
  const row = rowAt(table, nowMs + skewsMs[split]!, course, random)
  const isPoison = random.below(25) === 0
  const event = arrival('+I', isPoison ? poisoned(row, random) : row)
  if (!isPoison) given.push(event)
  return [event]
}

/** An event to come again: where nothing may be late, only the last one of the split. */
function repeatable(
  given: readonly Arrival[],
  split: number,
  { isWild }: Course,
  random: SimulatedRandom,
): Arrival | undefined {
  if (given.length === 0 || random.below(15) > 0) return undefined
  if (isWild) return random.pick(given)
  return given.at(-1)!.split === split ? given.at(-1) : undefined
}

function changesOf(
  table: GeneratedTable,
  nowMs: number,
  course: Course,
  random: SimulatedRandom,
  arrival: (change: RowKindText, text: string) => Arrival,
): readonly Arrival[] {
  const { scan, held } = table
  const row = rowAt(table, nowMs, course, random)
  const [draw, at] = [random.below(4), random.below(Math.max(1, held.length))]
  const old = held[at]
  if (scan.changes === 'upsert') {
    if (draw === 0 && old !== undefined) {
      const key = keyText(scan, old)
      held.splice(0, held.length, ...held.filter((each) => keyText(scan, each) !== key))
      return [arrival('-D', old)]
    }
    held.push(row)
    return [arrival('+U', row)]
  }
  if (draw > 1 || old === undefined) {
    held.push(row)
    return [arrival('+I', row)]
  }
  if (draw === 0) {
    held.splice(at, 1)
    return [arrival('-D', old)]
  }
  held[at] = row
  return [arrival('-U', old), arrival('+U', row)]
}

function keyText({ table }: Scan, row: string): string {
  const values: Readonly<Record<string, unknown>> = JSON.parse(row)
  return JSON.stringify((table.primaryKey ?? []).map((name) => values[name]))
}

function rowAt(
  { scan, fields, epochs }: GeneratedTable,
  nowMs: number,
  { hints, isWild, domain }: Course,
  random: SimulatedRandom,
): string {
  const delayMs = hints.delaysMs.get(scan.table.name) ?? 0
  const isLate = isWild && random.below(12) === 0
  const isAhead = isWild && random.below(60) === 0
  const lateMs = isLate ? delayMs + random.below(2 * random.pick(hints.periodsMs)) : 0
  const timeMs = nowMs - random.below(delayMs + 1) - lateMs + (isAhead ? DAY_MS : 0)
  const keys = scan.table.primaryKey ?? []
  return eventJson(fields, {
    timeMs,
    random,
    domain,
    hints,
    epochs,
    isIso: timestampsOf(scan.table) === 'ISO-8601',
    isNullable: (name) => isWild && !keys.includes(name) && name !== scan.table.watermark?.column,
  })
}

function poisoned(row: string, random: SimulatedRandom): string {
  const wrong = [
    row.slice(0, random.below(row.length)),
    row.replace(/:(-?\d+(\.\d+)?)/, ':"oops"'),
    `${row}}`,
    'oops',
    '',
    '[1,2]',
  ]
  return random.pick(wrong)
}

/** Splits come in another order against each other; the events of one stay as they are. */
function placedOtherwise(
  arrivals: readonly Arrival[],
  random: SimulatedRandom,
): readonly Arrival[] {
  const waiting = new Map<string, number[]>()
  for (const [index, { table, split }] of arrivals.entries()) {
    const key = `${table} ${split}`
    const indexes = waiting.get(key) ?? []
    waiting.set(key, indexes)
    indexes.push(index)
  }
  const places: number[] = []
  for (let place = 0; place < arrivals.length; place++) {
    const queues = [...waiting.values()].filter((queue) => queue.length > 0)
    places[random.pick(queues).shift()!] = place
  }
  return arrivals.map((arrival, index) => ({ ...arrival, other: places[index]! }))
}

/** Crashes, restarts and checkpoints between events. */
function befallen(
  arrivals: readonly Arrival[],
  random: SimulatedRandom,
  points: readonly string[],
): readonly Step[] {
  const steps: Step[] = [...arrivals]
  const insert = (...added: readonly Step[]) =>
    steps.splice(random.below(steps.length + 1), 0, ...added)
  for (let checkpoints = random.below(5); checkpoints > 0; checkpoints--)
    insert({ kind: 'checkpoint' })
  for (let crashes = 1 + random.below(3); crashes > 0; crashes--) {
    const how = random.pick(['kill', 'power'] as const)
    const workers = random.pick([1, 2, 3, 4])
    const kind = random.below(4)
    if (kind === 0) insert({ kind: 'restart', workers })
    else if (kind === 1 || points.length === 0) insert({ kind: 'crash', how, workers })
    else {
      const at = random.pick(points)
      insert({ kind: 'crash', how, at, nth: 1 + random.below(2), workers }, { kind: 'checkpoint' })
    }
  }
  return steps
}
