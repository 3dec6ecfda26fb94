/** Designs: a platform, an engine, and for what is batch perhaps a job beside it. Each is priced, and every constraint it breaks is named. */
import type { Sized } from '../capacity/sized.ts'
import type { Unit } from '../capacity/units.ts'
import type { Book } from '../cost/book.ts'
import { alreadyPaid, type CostLine, totalOf } from '../cost/lines.ts'
import type { Needs } from '../needs/needs.ts'
import type { EngineCandidate, Pattern, PlatformCandidate } from '../rules/rules.ts'
import { CANDIDATES } from '../rules/rules.ts'
import type { Judged } from '../rules/verdict.ts'
import { type Broken, brokenBy, isMisplaced } from './constraints.ts'
import { hoursOf, operationsLine, runsAlready } from './operations.ts'
import type { Design, Planned, Situation } from './situation.ts'
import { type Sizes, sizesOf } from './sizes.ts'

export interface Evaluated {
  readonly design: Design
  /** Empty: it can be had. */
  readonly broken: readonly Broken[]
  readonly lines: readonly CostLine[]
  readonly units: readonly { readonly of: string; readonly unit: Unit }[]
  /** Operating hours a month. */
  readonly hours: number
  /** USD a month, with and without operating hours. */
  readonly total: number
  readonly money: number
}

export function situationOf(
  needs: Needs,
  book: Book,
  pattern: Pattern,
  planned: readonly Planned[],
): Situation {
  const isLake = pattern === 'streaming-lakehouse' || pattern === 'lambda'
  const anyTable = planned.some(({ output }) => output.delivers === 'table')
  const tables = planned.filter(
    ({ output }) => output.delivers === 'table' || (isLake && !anyTable),
  )
  const history = Math.max(...planned.map(({ output }) => output.historyDays))
  const least = book.limit('retention-least')
  const logDays = pattern === 'kappa' ? Math.max(least, history) : least
  return { needs, book, pattern, planned, tables, logDays }
}

export function plannedOf(judged: readonly Judged[]): Planned[] {
  return judged.map(({ output, verdict, plannedSeconds }) => ({
    output,
    isBatch: verdict === 'batch',
    seconds: plannedSeconds,
  }))
}

/** Above so many batch outputs beside a stream, all of them are weighed together. */
const SUBSETS_OF_MAX = 4

/** Every design in which the engine reads the platform. */
export function designsFor(situation: Situation): Design[] {
  const { planned } = situation
  const batch = planned.filter(({ isBatch }) => isBatch).map(({ output }) => output.name)
  const isMixed = batch.length > 0 && batch.length < planned.length
  const jobs = isMixed ? CANDIDATES.engines.filter(({ form }) => form === 'scheduled') : []
  return CANDIDATES.platforms.flatMap((platform) =>
    CANDIDATES.engines
      .filter((engine) => canRead(engine, platform))
      .flatMap((engine): Design[] => [
        { platform, engine },
        // One process owns the embedded log: beside it no job can run, only in it.
        ...(engine.form === 'scheduled' || platform.platform === 'embedded' ? [] : jobs)
          .filter((job) => canRead(job, platform))
          .flatMap((job) => besides({ platform, engine, batch: job }, batch, situation)),
      ]),
  )
}

/** The design with each set of batch outputs given to its job; with all of them only, where it can't be had anyway. */
function besides(design: Design, batch: readonly string[], situation: Situation): Design[] {
  const all = [{ ...design, scheduled: batch }]
  if (batch.length > SUBSETS_OF_MAX || isMisplaced(design, situation)) return all
  const subsets = Array.from({ length: 2 ** batch.length - 1 }, (_, bits) =>
    batch.filter((_name, index) => ((bits + 1) >> index) & 1),
  )
  return subsets.map((scheduled) => ({ ...design, scheduled }))
}

function canRead(engine: EngineCandidate, platform: PlatformCandidate): boolean {
  return engine.reads.some((each) => platform.speaks.includes(each))
}

/** Those that can be had first, the cheapest first. */
export function evaluateAll(situation: Situation): Evaluated[] {
  const sizes = sizesOf(situation)
  return designsFor(situation)
    .map((design) => evaluate(design, situation, sizes))
    .sort(
      (left, right) =>
        Math.min(1, left.broken.length) - Math.min(1, right.broken.length) ||
        left.total - right.total,
    )
}

function evaluate(design: Design, situation: Situation, sizes: Sizes): Evaluated {
  const { needs, book, planned } = situation
  const { platform, engine, batch } = design
  const isScheduled = ({ output }: Planned) => design.scheduled?.includes(output.name) === true
  const carried = planned.filter((each) => !isScheduled(each))
  const scheduled = planned.filter(isScheduled)
  const log = sizes.log(platform, batch === undefined ? 1 : 2)
  const main = sizes.engine(engine, carried, platform)
  const job = batch === undefined ? undefined : sizes.engine(batch, scheduled, platform)
  const hours = hoursOf(design, needs.context, book)
  const money = [
    ...(runsAlready(platform, needs.context) ? log.standing.map(alreadyPaid) : log.standing),
    ...log.byUse,
    ...main.byUse,
    ...(job?.byUse ?? []),
    ...sizes.lake,
  ]
  const operations = operationsLine(design, needs.context, hours)
  const sized = { log, main, ...(job === undefined ? {} : { job }) }
  return {
    design,
    broken: brokenBy({ design, situation, carried, scheduled, hours, ...sized }),
    lines: [...money, operations],
    units: unitsOf(design, sized),
    hours,
    money: totalOf(money),
    total: totalOf(money) + operations.monthly,
  }
}

function unitsOf(
  { platform, engine, batch }: Design,
  { log, main, job }: { log: Sized; main: Sized; job?: Sized },
): Evaluated['units'] {
  const of = (name: string, { units }: Sized) => units.map((unit) => ({ of: name, unit }))
  return [
    ...of(platform.name, log),
    ...of(engine.name, main),
    ...(batch === undefined || job === undefined ? [] : of(batch.name, job)),
  ]
}
