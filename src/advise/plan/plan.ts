/** The plan for all outputs: pattern, table format, and the design that costs least of those that break no constraint. */
import type { Book } from '../cost/book.ts'
import type { Needs } from '../needs/needs.ts'
import { type FormatRule, firstThatHolds, type PatternRule, RULES } from '../rules/rules.ts'
import { type Judged, judge } from '../rules/verdict.ts'
import { type Evaluated, evaluateAll, plannedOf, situationOf } from './designs.ts'
import type { Planned, Situation } from './situation.ts'

export interface Plan {
  readonly judged: readonly Judged[]
  readonly pattern: PatternRule
  readonly format: FormatRule
  readonly situation: Situation
  /** Absent: nothing meets all constraints. */
  readonly chosen?: Evaluated
  /** All designs, those that can be had first, then by cost. */
  readonly evaluated: readonly Evaluated[]
}

export function planFor(needs: Needs, book: Book): Plan {
  const judged = needs.outputs.map(judge)
  const anyContinuous = judged.some(({ verdict }) => verdict !== 'batch')
  const pattern = patternFor(needs, anyContinuous)
  const situation = situationOf(needs, book, pattern.pattern, plannedOf(judged))
  const evaluated = evaluateAll(situation)
  const first = evaluated[0]
  return {
    judged,
    pattern,
    format: formatFor(needs, situation),
    situation,
    evaluated,
    ...(first !== undefined && first.broken.length === 0 ? { chosen: first } : {}),
  }
}

function patternFor(needs: Needs, anyContinuous: boolean): PatternRule {
  return firstThatHolds(RULES.patterns, {
    anyContinuous: anyContinuous ? 'yes' : 'no',
    anyTable: needs.outputs.some(({ delivers }) => delivers === 'table') ? 'yes' : 'no',
    batchLayer: needs.context.batchLayer,
    historyDays: Math.max(...needs.outputs.map(({ historyDays }) => historyDays)),
  })
}

function formatFor({ context }: Needs, { tables }: Situation): FormatRule {
  return firstThatHolds(RULES.formats, {
    anyTable: tables.length > 0 ? 'yes' : 'no',
    tableFormat: context.tableFormat,
    uses: [...context.readers, ...context.engines, ...context.clouds],
  })
}

/** The cheapest design that can be had if every result might be `seconds` old, whatever the verdicts say. */
export function cheapestAt(needs: Needs, book: Book, seconds: number): Evaluated | undefined {
  const isBatch = seconds >= RULES.cadence.hourlySeconds
  const { pattern } = patternFor(needs, !isBatch)
  const planned: Planned[] = needs.outputs.map((output) => ({
    output,
    isBatch,
    seconds,
  }))
  const [first] = evaluateAll(situationOf(needs, book, pattern, planned))
  return first === undefined || first.broken.length > 0 ? undefined : first
}
