/** The whole advice, from needs: plain data, the same for the same needs and prices. */
import type { Book } from '../cost/book.ts'
import type { CostLine } from '../cost/lines.ts'
import type { NeedsFinding } from '../needs/findings.ts'
import type { Needs } from '../needs/needs.ts'
import { type Plan, planFor } from '../plan/plan.ts'
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
}

export function advise({ needs, book, doubts, connectors }: Asked): Advice {
  const plan = planFor(needs, book)
  const saving = savingOf(needs, plan)
  const costs = plan.chosen?.lines ?? []
  return {
    schema: 'millrace-advice/1',
    name: needs.name,
    pricesAsOf: datesOf(costs),
    outputs: plan.judged.map(outputOf),
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
    risks: risksOf(needs, plan, connectors),
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

function outputOf({ output, verdict, cadence, plannedSeconds, rule }: Judged) {
  const { name, what, actor, ifOneHourOld, consequence, freshnessSeconds } = output
  const { id, title, because, source, asOf } = rule
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
    rule: { id, title, because, source, asOf },
    flips: rule.flips.map((flip) => ({ question: flip.question, verdict: flip.verdict })),
  }
}

function planOf(plan: Plan): Advice['plan'] {
  const { pattern, format, chosen } = plan
  const parts = chosen === undefined ? [] : [chosen.design.platform, chosen.design.engine]
  return {
    pattern: {
      name: pattern.pattern,
      rule: pattern.id,
      because: pattern.because,
      tradeOff: pattern.tradeOff,
      inYourFigures: patternFigures(plan),
      flip: pattern.flip,
    },
    format: { name: format.format, rule: format.id, because: format.because },
    ...(chosen === undefined ? {} : { design: pricedOf(chosen) }),
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
