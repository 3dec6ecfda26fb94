/** The whole advice, from needs: plain data, the same for the same needs and prices. */
import type { Book } from '../cost/book.ts'
import type { CostLine } from '../cost/lines.ts'
import type { NeedsFinding } from '../needs/findings.ts'
import type { Needs } from '../needs/needs.ts'
import { type Plan, planFor } from '../plan/plan.ts'
import type { EngineCandidate } from '../rules/rules.ts'
import type { Judged } from '../rules/verdict.ts'
import {
  alternativesOf,
  capacityOf,
  curveOf,
  eliminatedOf,
  flipsOf,
  nearestOf,
  patternFigures,
  savingOf,
  sensitivityOf,
} from './comparisons.ts'
import { prioritiesOf, risksOf } from './concerns.ts'
import { pricedOf } from './priced.ts'
import { type Connectors, nextStepsOf } from './project.ts'
import type { Advice } from './shape.ts'

export interface Asked {
  readonly needs: Needs
  readonly book: Book
  /** Doubts about the needs, shown beside the advice. */
  readonly doubts: readonly NeedsFinding[]
  /** Of this version, by name: ready files use only these. */
  readonly connectors: Connectors
  /** By which prices are called old, as 2026-11-24; absent: their age is not judged. */
  readonly today?: string
}

export function advise({ needs, book, doubts, connectors, today }: Asked): Advice {
  const plan = planFor(needs, book)
  const saving = savingOf(needs, plan)
  const costs = plan.chosen?.lines ?? []
  return {
    schema: 'millrace-advice/1',
    name: needs.name,
    pricesAsOf: datesOf(costs),
    outputs: plan.judged.map((each) => outputOf(each, plan)),
    plan: planOf(plan),
    costs: costs.filter(({ monthly, alreadyPaid }) => monthly > 0 || alreadyPaid !== undefined),
    capacity: capacityOf(plan),
    curve: curveOf(needs, book),
    saving,
    alternatives: alternativesOf(plan),
    eliminated: eliminatedOf(plan),
    flips: flipsOf(plan),
    sensitivity: sensitivityOf(needs, plan),
    priorities: prioritiesOf(needs, plan, saving, doubts),
    risks: [...risksOf(needs, plan, connectors), ...agedPrices(costs, today)],
    assumptions: [...needs.assumptions],
    doubts: doubts.map(({ message, hint, file, line, column }) => ({
      message,
      hint,
      file,
      line,
      column,
    })),
    nextSteps: nextStepsOf(plan, connectors),
  }
}

function outputOf({ output, verdict, cadence, plannedSeconds, rule }: Judged, plan: Plan) {
  const { name, what, actor, ifOneHourOld, consequence, freshnessSeconds } = output
  const design = plan.chosen?.design
  const carrier = design?.scheduled?.includes(name) === true ? design.batch : design?.engine
  return {
    name,
    what,
    actor,
    ifOneHourOld,
    consequence,
    freshnessSeconds,
    verdict,
    ...(cadence === undefined ? {} : { cadence }),
    plannedSeconds,
    rule: rule.id,
    because: rule.because,
    source: `${rule.source}, ${rule.asOf}`,
    ...(carrier === undefined ? {} : { runsOn: runsOn(carrier, verdict) }),
    flips: rule.flips.map((flip) => ({ question: flip.question, verdict: flip.verdict })),
  }
}

function runsOn({ name, form }: EngineCandidate, verdict: Judged['verdict']): string {
  if (verdict !== 'batch' || form === 'scheduled') return name
  return `${name}, which runs anyway: a job of its own would cost more`
}

function planOf(plan: Plan): Advice['plan'] {
  const { pattern, format, chosen } = plan
  const parts = chosen === undefined ? [] : [chosen.design.platform, chosen.design.engine]
  const design = chosen === undefined ? undefined : pricedOf(chosen)
  const { id, because, tradeOff, flip } = pattern
  return {
    pattern: pattern.pattern,
    format: format.format,
    ...(design === undefined
      ? {}
      : { platform: design.platform, engine: design.engine, total: design.total }),
    reasons: {
      pattern: { rule: id, because, tradeOff, inYourFigures: patternFigures(plan), flip },
      format: { rule: format.id, because: format.because },
    },
    ...(design === undefined ? {} : { design }),
    for: parts.flatMap((each) => each.for),
    against: parts.flatMap((each) => each.against),
    nearest: nearestOf(plan),
  }
}

function datesOf(lines: readonly CostLine[]): Advice['pricesAsOf'] {
  const dates = lines.flatMap(({ asOf, monthly }) =>
    asOf === undefined || monthly === 0 ? [] : [asOf],
  )
  const sorted = dates.sort()
  return { oldest: sorted[0] ?? '', newest: sorted.at(-1) ?? '' }
}

const PRICE_DAYS_MAX = 365

function agedPrices(lines: readonly CostLine[], today: string | undefined): string[] {
  if (today === undefined) return []
  const oldest = Date.parse(today) - PRICE_DAYS_MAX * 86_400_000
  const aged = lines.filter(
    ({ asOf, monthly }) => monthly > 0 && asOf !== undefined && Date.parse(asOf) < oldest,
  )
  const names = [...new Set(aged.map(({ item, asOf }) => `${item} (${asOf})`))]
  if (names.length === 0) return []
  return [
    `Prices older than a year: ${names.join(', ')}. Look them up, and give them with --prices.`,
  ]
}
