/**
 * Plays steps on a simulated machine: events arrive one after another, each only when the pipeline has done all that those before it
 * ask for, so that what was read first is the same in every life and with every number of workers.
 */
import { types } from '../../data/types.ts'
import type { Row } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import type { Pipeline } from '../../plan/pipeline.ts'
import type { Conservation, Outcome, RunHandle } from '../../run/handle.ts'
import { startPipeline } from '../../run/start.ts'
import type { GivenSplit } from '../given-rows.ts'
import type { KeptTables } from '../kept.ts'
import { type Mortal, mortal } from '../mortal.ts'
import { SimulatedCrash, type SimulatedPorts, simulatedPorts } from '../ports.ts'
import { givenTableNames, type Rewired, rewired } from '../rewired.ts'
import { foldChanges, rowText, TakenTwice } from '../row-text.ts'
import type { FreshModules } from './fresh-modules.ts'
import { type Arrival, type Circumstances, isArrival, type Step } from './steps.ts'

export interface Machine {
  readonly pipeline: Pipeline
  /** Where paths of user functions start. */
  readonly directory: string
  readonly modules: FreshModules
}

/** What came out in the end. All lines are sorted. */
export interface Played {
  /** What it stopped with; absent: all was read and every window has fired. */
  readonly error?: Error
  /** By sink. */
  readonly tables: ReadonlyMap<string, readonly string[]>
  readonly late: readonly string[]
  readonly dead: readonly string[]
  /** Those of the dead that no table could decode or believe; the others are dead further on. */
  readonly undecoded: readonly string[]
  /** Of the last life. */
  readonly counts: Conservation
  readonly passed: ReadonlyMap<string, number>
  readonly crashes: number
}

const DATA = '/data'
/** Ms of clock in which the engine has done all that there is to do: it looks at its sources every other ms. */
const LOOK_MS = 10
const TICKS_MAX = 20_000
/** Checkpoints are steps; no split is idle, since what is read must not hang on a clock. */
const SETTINGS = {
  'execution.checkpointing.interval': '1 d',
  'table.exec.source.idle-timeout': '0',
  'restart-strategy.exponential-delay.attempts-before-reset-backoff': '2',
  'restart-strategy.exponential-delay.initial-backoff': '1 ms',
}
const ORIGIN = [{ name: 'origin', type: types.string }]
const NOTHING: Conservation = { read: 0, used: 0, dead: 0, madeDead: 0, late: 0 }

export async function play(
  machine: Machine,
  steps: readonly Step[],
  circumstances: Circumstances,
): Promise<Played> {
  const player = new Player(machine, steps, circumstances)
  let error: Error | undefined
  try {
    await player.play()
  } catch (cause) {
    error = cause instanceof Error ? cause : new Error(String(cause))
  }
  return player.played(error)
}

class Player {
  readonly #machine: Machine
  readonly #steps: readonly Step[]
  readonly #circumstances: Circumstances
  readonly #ports: SimulatedPorts
  readonly #given: ReadonlyMap<string, readonly GivenSplit[]>
  readonly #parts: Rewired
  #workers: number
  #savepoints = 0
  #crashes = 0
  #process: Mortal | undefined
  #run: RunHandle | undefined
  #outcome: Outcome | undefined
  #counts = NOTHING
  /** All has been read, and was committed in a life before this one. */
  #isOver = false

  constructor(machine: Machine, steps: readonly Step[], circumstances: Circumstances) {
    this.#machine = machine
    this.#steps = steps
    this.#circumstances = circumstances
    this.#workers = circumstances.workers
    this.#ports = simulatedPorts(circumstances.seed)
    this.#given = givenSplits(machine.pipeline, steps.filter(isArrival))
    const settings = { ...machine.pipeline.settings, ...SETTINGS, ...guardOf(steps) }
    this.#parts = rewired({ ...machine.pipeline, settings }, this.#given)
  }

  /** @throws what the pipeline stops with */
  async play(): Promise<void> {
    await this.#live(0)
    for (const [index, step] of this.#steps.entries()) {
      if (this.#isOver) return
      await this.#take(step, index)
      if (this.#process?.isDead()) await this.#live(index + 1)
    }
    await this.#end()
  }

  played(error: Error | undefined): Played {
    const { sinks, side } = this.#parts
    this.#process?.end()
    const tables = new Map<string, readonly string[]>()
    let problem = error
    for (const [name, kept] of sinks.tables) {
      try {
        const rows = foldChanges(kept, kept.changes())
        tables.set(name, rows.map((row) => rowText(kept.schema, row)).sort())
      } catch (cause) {
        if (!(cause instanceof TakenTwice)) throw cause
        problem ??= new Error(`table ${name}: ${cause.message}`)
      }
    }
    return {
      ...(problem === undefined ? {} : { error: problem }),
      tables,
      late: sideLines(side, 'late', ['node', 'window_start', 'window_end', 'event_time', 'row']),
      dead: sideLines(side, 'dead', ['origin', 'split', 'position', 'reason']),
      undecoded: sideLines(side, 'dead', ['origin', 'split', 'position']).filter((line) =>
        [...this.#given.keys()].some((table) =>
          line.includes(`: ${rowText(ORIGIN, { origin: table })} `),
        ),
      ),
      counts: this.#counts,
      passed: this.#ports.passed,
      crashes: this.#crashes,
    }
  }

  async #take(step: Step, index: number): Promise<void> {
    switch (step.kind) {
      case 'event':
        this.#arrive(step)
        if (!this.#isGathered(step, index)) await this.#work()
        return
      case 'checkpoint':
        return this.#checkpoint()
      case 'restart':
        this.#workers = step.workers
        await this.#passing(this.#run!.stop())
        if (this.#process?.isDead()) return
        this.#throwFailure()
        this.#process?.end()
        return this.#live(index)
      case 'crash':
        this.#workers = step.workers ?? this.#workers
        if (step.at !== undefined) return this.#ports.crashAt(step.at, step.nth ?? 1, step.how)
        this.#ports.files.crash(step.how)
        this.#crashes++
        this.#process?.end()
        this.#parts.sinks.forget()
        this.#parts.side.forget()
        return this.#live(index)
    }
  }

  /** A new process goes on from what is durable; events of the first `taken` steps come again, in their order. */
  async #live(taken: number): Promise<void> {
    do {
      if (this.#process?.isDead()) {
        this.#crashes++
        this.#parts.sinks.forget()
        this.#parts.side.forget()
      }
      // Before anything is read: what is there must not be read in another order than before.
      for (const split of [...this.#given.values()].flat()) split.visible = 0
      await this.#begin()
      for (const step of this.#steps.slice(0, taken).filter(isArrival)) {
        if (this.#isOver || this.#process?.isDead()) break
        this.#arrive(step)
        await this.#work()
      }
    } while (this.#process?.isDead())
  }

  async #begin(): Promise<void> {
    const { seed: _, workers: __, gathers: ___, ...interleaving } = this.#circumstances
    const process = mortal(this.#ports)
    this.#machine.modules.begin()
    this.#process = process
    this.#run = undefined
    this.#outcome = undefined
    const starting = startPipeline({
      pipeline: this.#parts.pipeline,
      connectors: this.#parts.connectors,
      ports: process.ports,
      dataDirectory: DATA,
      baseDirectory: this.#machine.directory,
      workers: this.#workers,
      interleaving: { ...interleaving, turn: (workers) => this.#ports.random.below(workers) },
    })
    const run = await this.#passing(starting).catch((error: unknown) => {
      if (!(error instanceof MillraceError) || error.code !== 'PIPELINE_ENDED') throw error
      this.#isOver = true
    })
    if (run === undefined) return
    this.#run = run
    void run.finished.then((outcome) => {
      if (this.#run === run) this.#outcome = outcome
    })
    await this.#work()
  }

  async #end(): Promise<void> {
    for (const split of [...this.#given.values()].flat()) split.ended = true
    for (;;) {
      await this.#passing(this.#run!.finished)
      if (!this.#process?.isDead()) break
      await this.#live(this.#steps.length)
      if (this.#isOver) return
    }
    this.#counts = this.#run!.status().conservation
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#outcome?.kind === 'failed') throw this.#outcome.error
    if (this.#outcome?.kind === 'commit-refused') throw new Error(this.#outcome.reason)
  }

  async #checkpoint(): Promise<void> {
    if (this.#outcome !== undefined) return
    await this.#passing(this.#run!.savepoint(`/savepoints/${++this.#savepoints}`))
    await this.#work()
  }

  #arrive({ table, split }: Arrival): void {
    const found = this.#given.get(table)![split]!
    found.visible = (found.visible ?? 0) + 1
  }

  /** It comes together with the next one. */
  #isGathered({ table, split }: Arrival, index: number): boolean {
    if (!this.#circumstances.gathers) return false
    const next = this.#steps[index + 1]
    if (next?.kind !== 'event' || next.table !== table || next.split !== split) return false
    return this.#ports.random.below(2) === 0
  }

  async #work(): Promise<void> {
    await this.#ports.clock.advance(LOOK_MS)
    if (!this.#process?.isDead()) this.#throwFailure()
  }

  /** Moves the machine's time until `what` is there; undefined if the process dies before. */
  async #passing<Result>(what: Promise<Result>): Promise<Result | undefined> {
    let settled = false
    const done = what.finally(() => {
      settled = true
    })
    done.catch(() => {})
    for (let tick = 0; !settled; tick++) {
      if (this.#process?.isDead()) return undefined
      this.#throwFailure()
      if (tick > TICKS_MAX) throw new Error(`it has not gone on for ${TICKS_MAX} ms of its clock`)
      await this.#ports.clock.advance(1)
    }
    try {
      return await done
    } catch (error) {
      if (this.#process?.isDead() || error instanceof SimulatedCrash) return undefined
      throw error
    }
  }
}

/** Each table that is read has the splits that events name, one at least. */
function givenSplits(
  pipeline: Pipeline,
  arrivals: readonly Arrival[],
): ReadonlyMap<string, readonly GivenSplit[]> {
  const given = new Map<string, GivenSplit[]>()
  for (const name of givenTableNames(pipeline)) given.set(name, [emptySplit()])
  for (const { table, split, change, text, appendMs } of arrivals) {
    const splits = given.get(table)!
    while (splits.length <= split) splits.push(emptySplit())
    splits[split]!.entries.push({
      kind: change,
      bytes: new TextEncoder().encode(text),
      ...(appendMs === undefined ? {} : { appendMs }),
    })
  }
  return given
}

function emptySplit(): GivenSplit {
  return { entries: [], visible: 0, ended: false }
}

/** Events that do not say when they were taken in are held against no clock. */
function guardOf(steps: readonly Step[]): Readonly<Record<string, string>> {
  const isTold = steps.filter(isArrival).every(({ appendMs }) => appendMs !== undefined)
  return isTold ? {} : { 'time.future-guard': 'off' }
}

function sideLines({ tables }: KeptTables, kind: string, columns: readonly string[]): string[] {
  return [...tables]
    .filter(([topic]) => topic.endsWith(`.${kind}`))
    .flatMap(([topic, kept]) => {
      const told = kept.schema.filter(({ name }) => columns.includes(name))
      return kept.changes().map(({ row }: { row: Row }) => `${topic}: ${rowText(told, row)}`)
    })
    .sort()
}
