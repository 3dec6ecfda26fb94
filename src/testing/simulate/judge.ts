/**
 * What must hold of a pipeline whatever befalls it, without knowing what it should compute:
 *
 *   - it does not stop, and each row that it read is used or set aside
 *   - its tables, its late and its dead rows are what they are when the same events come in the same order and nothing befalls it:
 *     a row that was lost, or written twice, is one that differs
 *   - where no row was late, and the query does not hang on the order of arrival, its tables are the same in another order
 */
import { arrivalDependences } from '../../plan/arrival-order.ts'
import { clockDependences } from '../../plan/clock-dependence.ts'
import { lookedUpTables } from '../rewired.ts'
import { differenceOf } from '../row-text.ts'
import { type Machine, type Played, play } from './play.ts'
import { type Arrival, CALM, type History, isArrival, type Step } from './steps.ts'

export interface Failure {
  readonly kind: 'stopped' | 'counts' | 'crash' | 'order'
  readonly what: string
  /** `- ` without crashes, or in the first order; `+ ` what came instead. */
  readonly lines: readonly string[]
}

export interface Verdict {
  readonly failure?: Failure
  readonly crashes: number
  readonly late: number
  readonly dead: number
  /** Fault points that were passed. */
  readonly passed: readonly string[]
  /** Whether another order was tried, and gave what it must. */
  readonly isReordered: boolean
}

export async function judge(machine: Machine, { steps, circumstances }: History): Promise<Verdict> {
  const arrivals = steps.filter(isArrival)
  const calm = await play(machine, arrivals, { ...CALM, seed: circumstances.seed })
  const told = { crashes: 0, late: calm.late.length, dead: calm.dead.length, passed: [] }
  const verdict = { ...told, isReordered: false }
  const alone = stoppedOf(calm) ?? miscountOf(calm, readOf(machine, arrivals))
  if (alone !== undefined) return { ...verdict, failure: alone }
  const befallen = await play(machine, steps, circumstances)
  const crashed = { ...verdict, crashes: befallen.crashes, passed: [...befallen.passed.keys()] }
  const stopped = stoppedOf(befallen)
  if (stopped !== undefined) return { ...crashed, failure: stopped }
  if (clockDependences(machine.pipeline).length > 0) return crashed
  const failure = differenceBetween(calm, befallen, 'crash')
  if (failure !== undefined) return { ...crashed, failure }
  const hangsOnOrder = machine.pipeline.sinks.some((sink) => arrivalDependences(sink).length > 0)
  if (hangsOnOrder || calm.late.length > 0 || !arrivals.some(hasOther)) return crashed
  const reordered = await play(machine, otherOrder(steps), circumstances)
  const otherwise =
    stoppedOf(reordered) ??
    (reordered.late.length > 0 ? undefined : differenceBetween(calm, reordered, 'order'))
  if (otherwise !== undefined) return { ...crashed, failure: otherwise }
  return { ...crashed, isReordered: reordered.late.length === 0 }
}

/** How many are read: tables that are looked up are asked. */
function readOf({ pipeline }: Machine, arrivals: readonly Arrival[]): number {
  const asked = new Set(lookedUpTables(pipeline).map(({ table }) => table.name))
  return arrivals.filter(({ table }) => !asked.has(table)).length
}

function hasOther(step: Step): boolean {
  return step.kind === 'event' && step.other !== undefined
}

/** The events in their other order, at the places that events have. */
function otherOrder(steps: readonly Step[]): readonly Step[] {
  const sorted = steps
    .filter(isArrival)
    .sort((left, right) => (left.other ?? 0) - (right.other ?? 0))
  let next = 0
  return steps.map((step) => (step.kind === 'event' ? sorted[next++]! : step))
}

function stoppedOf({ error }: Played): Failure | undefined {
  if (error === undefined) return undefined
  const code = 'code' in error ? `${error.code}: ` : ''
  return { kind: 'stopped', what: `it stops: ${code}${error.message}`, lines: [] }
}

/** `given` events, and what tables that hold their own rows have: each of them is used, or stands among the dead. */
function miscountOf({ counts, dead, undecoded }: Played, given: number): Failure | undefined {
  const { read, used } = counts
  const setAside = read - used
  const places = new Set(undecoded.map((line) => line.slice(line.indexOf(': '))))
  if (read >= given && setAside <= dead.length && setAside >= places.size) return undefined
  return {
    kind: 'counts',
    what: `of ${given} events ${read} were read and ${used} used, but ${places.size} are dead`,
    lines: [],
  }
}

function differenceBetween(
  calm: Played,
  other: Played,
  kind: 'crash' | 'order',
): Failure | undefined {
  const why = kind === 'crash' ? 'it is undisturbed' : 'its events come in another order'
  const names = new Set([...calm.tables.keys(), ...other.tables.keys()])
  const parts = [...names].map(
    (name) => [`table ${name}`, calm.tables.get(name) ?? [], other.tables.get(name) ?? []] as const,
  )
  const all = [
    ...parts,
    ['its late rows', calm.late, other.late] as const,
    // A position is a place among a split's events, which an order keeps.
    ['its dead rows', calm.dead, other.dead] as const,
  ]
  for (const [what, expected, found] of all) {
    const lines = differenceOf(expected, found)
    if (lines === undefined) continue
    const verb = what.startsWith('table') ? 'is' : 'are'
    return { kind, what: `${what} ${verb} not the same as when ${why}`, lines }
  }
  return undefined
}
