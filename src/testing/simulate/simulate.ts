/** Runs a pipeline through histories from seeds, each held against its own calm run; the first that fails is made as small as can be. */

import { arrivalDependences } from '../../plan/arrival-order.ts'
import { clockDependences } from '../../plan/clock-dependence.ts'
import type { Pipeline } from '../../plan/pipeline.ts'
import { holdsItsRows, readTables } from '../rewired.ts'
import { freshModules } from './fresh-modules.ts'
import { befall, generate } from './generate.ts'
import { type Failure, judge } from './judge.ts'
import { type Machine, play } from './play.ts'
import { shrink } from './shrink.ts'
import { CALM, type Captured, type History, isArrival, type Step } from './steps.ts'

export interface Simulation {
  readonly pipeline: Pipeline
  /** Where paths of user functions start. */
  readonly directory: string
  /** The first; each run has the next one. */
  readonly seed: number
  readonly runs: number
  /** So many are made up for each run, where none are given. */
  readonly events: number
  /** Captured events. If they say what befalls the pipeline, they are played as they are. */
  readonly captured?: Captured
}

export interface Simulated {
  readonly runs: number
  readonly events: number
  readonly crashes: number
  readonly late: number
  readonly dead: number
  /** Names of the fault points that were passed. */
  readonly points: readonly string[]
  /** Runs whose events came in another order too. */
  readonly reordered: number
  /** Why tables are not compared at all, and why not in another order. */
  readonly clock: readonly string[]
  readonly arrival: readonly string[]
  readonly failed?: FailedRun
}

export interface FailedRun {
  readonly seed: number
  readonly failure: Failure
  /** Steps as they were. */
  readonly before: readonly Step[]
  readonly history: History
}

/** @throws what keeps the pipeline from being run at all */
export async function simulate(simulation: Simulation): Promise<Simulated> {
  using modules = freshModules()
  const { pipeline, directory, seed, captured } = simulation
  const isReplay = captured !== undefined && isTold(captured)
  const runs = isReplay ? 1 : simulation.runs
  const machine: Machine = { pipeline, directory, modules }
  const clock = clockDependences(pipeline)
  const arrival = pipeline.sinks.flatMap(arrivalDependences).map(({ because }) => because)
  const points = new Set(await pointsOf(machine, seed))
  const told = { runs: 0, events: 0, crashes: 0, late: 0, dead: 0, reordered: 0 }
  let failed: FailedRun | undefined
  for (let each = seed; each < seed + runs && failed === undefined; each++) {
    const history = historyOf(simulation, each, [...points])
    const verdict = await judge(machine, history)
    told.runs++
    told.events += history.steps.filter(isArrival).length
    told.crashes += verdict.crashes
    told.late += verdict.late
    told.dead += verdict.dead
    told.reordered += verdict.isReordered ? 1 : 0
    for (const point of verdict.passed) points.add(point)
    const { failure } = verdict
    if (failure === undefined) continue
    failed = isReplay
      ? { seed: each, failure, before: history.steps, history }
      : await shrunkRun(machine, each, history, failure)
  }
  return {
    ...told,
    points: [...points],
    clock,
    arrival,
    ...(failed === undefined ? {} : { failed }),
  }
}

function historyOf(
  { pipeline, events, captured }: Simulation,
  seed: number,
  points: readonly string[],
): History {
  if (captured === undefined) return generate(pipeline, { seed, events, points })
  const { steps, circumstances = {} } = captured
  if (isTold(captured)) return { steps, circumstances: { ...CALM, seed, ...circumstances } }
  return befall(steps.filter(isArrival), { seed, points })
}

/** One run: another seed would be the same. */
function isTold({ steps, circumstances }: Captured): boolean {
  if (circumstances !== undefined) return true
  return steps.some((step) => step.kind !== 'event' || step.other !== undefined)
}

/** The fault points that a life with a checkpoint and a restart passes. */
async function pointsOf(machine: Machine, seed: number): Promise<readonly string[]> {
  const { steps } = generate(machine.pipeline, { seed, events: 10, points: [] })
  const arrivals = steps.filter(isArrival)
  const life: readonly Step[] = [
    ...arrivals,
    { kind: 'checkpoint' },
    { kind: 'restart', workers: 2 },
    { kind: 'checkpoint' },
  ]
  const { passed } = await play(machine, life, { ...CALM, seed })
  return [...passed.keys()]
}

/** Of the same kind, whatever it is then told as. */
async function shrunkRun(
  machine: Machine,
  seed: number,
  history: History,
  first: Failure,
): Promise<FailedRun> {
  const changing = new Set(
    [...readTables(machine.pipeline)]
      .filter(([, { changes, table }]) => changes === 'retract' && !holdsItsRows(table))
      .map(([name]) => name),
  )
  let failure = first
  const stillFails = async (candidate: History): Promise<boolean> => {
    const { failure: found } = await judge(machine, candidate)
    if (found?.kind !== first.kind) return false
    failure = found
    return true
  }
  const shrunk = await shrink(history, stillFails, (table) => changing.has(table))
  const steps = shrunk.steps.map((step) => told(step, failure.kind))
  return { seed, failure, before: history.steps, history: { ...shrunk, steps } }
}

/** The other order is told only where it matters. */
function told(step: Step, kind: Failure['kind']): Step {
  if (step.kind !== 'event' || kind === 'order') return step
  const { other: _, ...event } = step
  return event
}
