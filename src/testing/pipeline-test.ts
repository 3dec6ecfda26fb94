/** A pipeline that a test feeds, whose time it moves, and whose results it looks at. */
import { AssertionError } from 'node:assert'
import { type Duration, durationMs } from '../api/duration.ts'
import type { PipelineDefinition } from '../api/pipeline.ts'
import { parseTimestamp } from '../data/civil.ts'
import type { Row, RowKindText } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import type { Scan } from '../plan/nodes.ts'
import type { Outcome, RunHandle, RunStatus } from '../run/handle.ts'
import { startPipeline } from '../run/start.ts'
import { boundPipeline } from './bound.ts'
import { eventText } from './event-text.ts'
import type { GivenEntry, GivenSplit } from './given-rows.ts'
import type { KeptTable, KeptTables } from './kept.ts'
import { type Mortal, mortal } from './mortal.ts'
import { type SimulatedPorts, simulatedPorts } from './ports.ts'
import { holdsItsRows, type Rewired, readTables, rewired, timestampsOf } from './rewired.ts'
import { differenceOf, foldChanges, rowText } from './row-text.ts'

export interface TestOptions {
  /** CREATE TABLE and CREATE VIEW statements before the pipeline. */
  readonly tables?: string
  /** Where paths of user functions start; the working directory unless told. */
  readonly directory?: string
  /** How many splits a table has; 1 unless told. */
  readonly splits?: Readonly<Record<string, number>>
  readonly workers?: number
  /** Rows read at once; 1 gives the changelog row for row. */
  readonly rowsMax?: number
  /** Where the clock begins, UTC. Without it no event is too far in the future. */
  readonly startAt?: string | Date
}

/** A row by its columns (those left out are NULL), a row that takes back or replaces another, or JSON as it comes, good or not. */
export type Given = Row | readonly [RowKindText, Row] | string

export interface Change {
  readonly kind: RowKindText
  readonly row: Row
}

export interface PipelineTest extends AsyncDisposable {
  /** Appends events to a split of a table, and lets the pipeline read them. @throws TEST_INVALID */
  give(
    table: string,
    events: readonly Given[],
    options?: { readonly split?: number },
  ): Promise<void>
  /** No event before `time` (UTC) will come in the table's splits, or in one of them. @throws TEST_INVALID */
  watermark(
    table: string,
    time: string | Date,
    options?: { readonly split?: number },
  ): Promise<void>
  /** Moves the clock: what waits for it goes on. */
  advance(duration: Duration): Promise<void>
  /** All tables have ended: every window fires. Resolves when the pipeline has. */
  end(): Promise<void>
  /** Takes a checkpoint now; else they come as `execution.checkpointing.interval` says. */
  checkpoint(): Promise<void>
  /** Stops with a checkpoint and goes on from it. */
  restart(options?: { readonly workers?: number }): Promise<void>
  /** The process dies, with its memory, or the power goes, with what no sync has kept; it goes on from the last checkpoint. */
  crash(kind?: 'kill' | 'power', options?: { readonly workers?: number }): Promise<void>
  /** The rows of a table as they are now, in no order. @throws TEST_INVALID if the pipeline writes no such table */
  table(sink: string): Row[]
  /** What has been written to a table since it was last asked. */
  changes(sink: string): Change[]
  /** Rows that came too late for a window, as `<sink>$late` has them. They go there with a checkpoint, which is taken. */
  late(sink: string): Promise<Row[]>
  /** Rows that could not be used, as `<sink>$dead` has them; as `late`. */
  dead(sink: string): Promise<Row[]>
  /**
   * The table holds these rows, in any order. Columns that none of them names are not looked at; a BIGINT may be a number, a time text or
   * a Date.
   * @throws AssertionError with the rows that differ
   */
  expectTable(sink: string, rows: readonly Row[]): void
  /** These changes, in this order, have been written since it was last asked. @throws AssertionError */
  expectChanges(sink: string, changes: readonly (readonly [RowKindText, Row])[]): void
  status(): RunStatus
}

/** Ms of clock in which the engine looks at all of its sources again. */
const LOOK_MS = 3
const STEPS_MAX = 200
const DATA = '/data'

/** @throws the errors of the pipeline's text, and what keeps it from starting */
export async function testPipeline(
  pipeline: string | PipelineDefinition,
  options: TestOptions = {},
): Promise<PipelineTest> {
  const { tables = '', directory = '.' } = options
  const bound = await boundPipeline({ pipeline, tables, directory })
  const scans = [...readTables(bound)].filter(([, { table }]) => !holdsItsRows(table))
  const given = new Map(
    scans.map(([name]) => {
      const count = options.splits?.[name] ?? 1
      return [
        name,
        Array.from({ length: count }, (): GivenSplit => ({ entries: [], ended: false })),
      ]
    }),
  )
  const settings = { ...bound.settings }
  if (options.startAt === undefined) settings['time.future-guard'] = 'off'
  const parts = rewired({ ...bound, settings }, given)
  const test = new TestedPipeline(parts, new Map(scans), given, options)
  await test.begin(options.workers ?? 1)
  return test
}

class TestedPipeline implements PipelineTest {
  readonly #parts: Rewired
  readonly #scans: ReadonlyMap<string, Scan>
  readonly #given: ReadonlyMap<string, readonly GivenSplit[]>
  readonly #options: TestOptions
  readonly #ports: SimulatedPorts
  readonly #told = new Map<string, number>()
  #wallMs: number
  #workers = 1
  #savepoints = 0
  #process: Mortal | undefined
  #run: RunHandle | undefined
  #outcome: Outcome | undefined

  constructor(
    parts: Rewired,
    scans: ReadonlyMap<string, Scan>,
    given: ReadonlyMap<string, readonly GivenSplit[]>,
    options: TestOptions,
  ) {
    this.#parts = parts
    this.#scans = scans
    this.#given = given
    this.#options = options
    this.#ports = simulatedPorts(1)
    this.#wallMs =
      options.startAt === undefined
        ? this.#ports.clock.nowMs()
        : Number(microsOf(options.startAt) / 1000n)
  }

  async begin(workers: number): Promise<void> {
    const { directory = '.', rowsMax } = this.#options
    const process = mortal(this.#ports, { nowMs: () => this.#wallMs })
    this.#workers = workers
    this.#process = process
    this.#outcome = undefined
    const { pipeline, connectors } = this.#parts
    const starting = startPipeline({
      pipeline,
      connectors,
      ports: process.ports,
      dataDirectory: DATA,
      baseDirectory: directory,
      workers,
      ...(rowsMax === undefined ? {} : { interleaving: { rowsMax } }),
    })
    const run = await this.#passing(starting)
    this.#run = run
    void run.finished.then((outcome) => {
      if (this.#run === run) this.#outcome = outcome
    })
    await this.#work()
  }

  async give(table: string, events: readonly Given[], { split = 0 } = {}): Promise<void> {
    const scan = this.#scan(table)
    const { entries } = this.#split(table, split)
    const appendMs = this.#options.startAt === undefined ? {} : { appendMs: this.#wallMs }
    for (const event of events) entries.push({ ...entryOf(table, scan, event), ...appendMs })
    await this.#work()
  }

  async watermark(
    table: string,
    time: string | Date,
    { split }: { readonly split?: number } = {},
  ): Promise<void> {
    const us = microsOf(time)
    this.#scan(table)
    const numbers = split === undefined ? [...this.#given.get(table)!.keys()] : [split]
    for (const number of numbers) {
      this.#split(table, number).entries.push({ kind: 'watermark', us })
    }
    await this.#work()
  }

  async advance(duration: Duration): Promise<void> {
    const ms = durationMs(duration)
    const stepMs = Math.max(1, Math.ceil(ms / STEPS_MAX))
    for (let left = ms; left > 0; left -= stepMs) {
      const step = Math.min(stepMs, left)
      this.#wallMs += step
      this.#ports.clock.leap(step)
      await this.#work()
    }
  }

  async end(): Promise<void> {
    for (const split of [...this.#given.values()].flat()) split.ended = true
    await this.#passing(this.#run!.finished)
    await this.#work()
  }

  async restart({ workers = this.#workers } = {}): Promise<void> {
    await this.#stop()
    await this.begin(workers)
  }

  async crash(
    kind: 'kill' | 'power' = 'kill',
    { workers = this.#workers }: { readonly workers?: number } = {},
  ): Promise<void> {
    this.#process?.end()
    this.#ports.files.crash(kind)
    this.#parts.sinks.forget()
    this.#parts.side.forget()
    await this.begin(workers)
  }

  table(sink: string): Row[] {
    const kept = this.#kept(sink)
    return plain(foldChanges(kept, kept.changes()))
  }

  changes(sink: string): Change[] {
    const all = this.#kept(sink).changes()
    const from = this.#told.get(sink) ?? 0
    this.#told.set(sink, Math.max(from, all.length))
    return all.slice(from).map(({ kind, row }) => ({ kind, row: { ...row } }))
  }

  async checkpoint(): Promise<void> {
    if (this.#outcome !== undefined) return
    await this.#passing(this.#run!.savepoint(`/savepoints/${++this.#savepoints}`))
    await this.#work()
  }

  late(sink: string): Promise<Row[]> {
    return this.#sideRows(sink, 'late')
  }

  dead(sink: string): Promise<Row[]> {
    return this.#sideRows(sink, 'dead')
  }

  expectTable(sink: string, rows: readonly Row[]): void {
    const { schema } = this.#kept(sink)
    const named = namedColumns(sink, schema, rows)
    const lines = (found: readonly Row[]) => found.map((row) => rowText(named, row)).sort()
    hold(`table ${sink}`, lines(rows), lines(this.table(sink)), this.expectTable)
  }

  expectChanges(sink: string, changes: readonly (readonly [RowKindText, Row])[]): void {
    const { schema } = this.#kept(sink)
    const named = namedColumns(
      sink,
      schema,
      changes.map(([, row]) => row),
    )
    const expected = changes.map(([kind, row]) => `${kind} ${rowText(named, row)}`)
    const found = this.changes(sink).map(({ kind, row }) => `${kind} ${rowText(named, row)}`)
    hold(`changes of ${sink}`, expected, found, this.expectChanges)
  }

  status(): RunStatus {
    return this.#run!.status()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
  }

  async #stop(): Promise<void> {
    const run = this.#run
    if (run === undefined) return
    await this.#passing(run.stop())
    this.#process?.end()
  }

  /** Lets the pipeline do all that it can do now. @throws what made it fail */
  async #work(): Promise<void> {
    await this.#ports.clock.advance(LOOK_MS)
    if (this.#outcome?.kind === 'failed') throw this.#outcome.error
  }

  /** Moves the machine's time until `what` is there. */
  async #passing<Result>(what: Promise<Result>): Promise<Result> {
    let settled = false
    const done = what.finally(() => {
      settled = true
    })
    done.catch(() => {})
    while (!settled) await this.#ports.clock.advance(1)
    return done
  }

  #scan(table: string): Scan {
    const scan = this.#scans.get(table)
    if (scan !== undefined) return scan
    throw invalid(
      `the pipeline reads no table ${table} to give events to`,
      `it reads ${[...this.#scans.keys()].join(', ')}`,
      table,
    )
  }

  #split(table: string, split: number): GivenSplit {
    const found = this.#given.get(table)?.[split]
    if (found !== undefined) return found
    throw invalid(
      `table ${table} has no split ${split}`,
      `say how many there are: testPipeline(..., { splits: { ${table}: ${split + 1} } })`,
      table,
    )
  }

  #kept(sink: string): KeptTable {
    const kept = this.#parts.sinks.tables.get(sink)
    if (kept !== undefined) return kept
    const names = this.#parts.pipeline.sinks.map(({ table }) => table.name)
    throw invalid(`the pipeline writes no table ${sink}`, `it writes ${names.join(', ')}`, sink)
  }

  async #sideRows(sink: string, kind: 'late' | 'dead'): Promise<Row[]> {
    this.#kept(sink)
    await this.checkpoint()
    return plain(sideRows(this.#parts.side, `${sink}.${kind}`))
  }
}

function sideRows({ tables }: KeptTables, topic: string): readonly Row[] {
  return (tables.get(topic)?.changes() ?? []).map(({ row }) => row)
}

/** Rows of the library have no prototype, which would make them unequal to what a test writes. */
function plain(rows: readonly Row[]): Row[] {
  return rows.map((row) => ({ ...row }))
}

function entryOf(table: string, { table: definition }: Scan, event: Given): GivenEntry & object {
  const encode = (text: string) => new TextEncoder().encode(text)
  if (typeof event === 'string') return { kind: '+I', bytes: encode(event) }
  const [kind, row] = isChange(event) ? event : (['+I', event] as const)
  const columns = definition.columns.filter((column) => column.kind !== 'computed')
  return { kind, bytes: encode(eventText(table, columns, row, timestampsOf(definition))) }
}

function isChange(event: Exclude<Given, string>): event is readonly [RowKindText, Row] {
  return Array.isArray(event)
}

function namedColumns(sink: string, schema: KeptTable['schema'], rows: readonly Row[]) {
  const names = new Set(rows.flatMap((row) => Object.keys(row)))
  const unknown = [...names].find((name) => !schema.some((field) => field.name === name))
  if (unknown !== undefined) {
    const columns = schema.map(({ name }) => name).join(', ')
    throw invalid(`table ${sink} has no column ${unknown}`, `its columns are ${columns}`, sink)
  }
  return names.size === 0 ? schema : schema.filter(({ name }) => names.has(name))
}

function hold(
  what: string,
  expected: readonly string[],
  found: readonly string[],
  caller: unknown,
): void {
  const lines = differenceOf(expected, found)
  if (lines === undefined) return
  throw new AssertionError({
    message: `${what}: - expected, + found\n${lines.join('\n')}`,
    expected,
    actual: found,
    operator: 'expect',
    ...(typeof caller === 'function' ? { stackStartFn: caller } : {}),
  })
}

/** µs since the epoch. @throws TEST_INVALID */
function microsOf(time: string | Date): bigint {
  const text = time instanceof Date ? time.toISOString() : time
  const us = parseTimestamp(text.replace(/Z$/, ''))
  if (us !== undefined) return us
  throw invalid(
    `${JSON.stringify(text)} is no time`,
    "write '2026-01-31 12:00:00', UTC, or give a Date",
    text,
  )
}

function invalid(message: string, hint: string, what: string): MillraceError {
  return new MillraceError('TEST_INVALID', { message, hint, facts: { what } })
}
