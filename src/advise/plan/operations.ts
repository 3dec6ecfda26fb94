/** Operating hours: what a small team spends on each system, by whether it runs already and whether somebody knows it. */

import type { Book } from '../cost/book.ts'
import { type CostLine, figure } from '../cost/lines.ts'
import type { Context } from '../needs/needs.ts'
import { CANDIDATES, type EngineCandidate, type PlatformCandidate } from '../rules/rules.ts'
import type { Design } from './situation.ts'

/** What the team runs already: a platform that is named without its tier is of the usual one. */
export function runsAlready(
  candidate: PlatformCandidate | EngineCandidate,
  { platforms, engines }: Context,
): boolean {
  if ('engine' in candidate) return engines.some((each) => each === candidate.engine)
  const { id, platform, isUsualTier } = candidate
  return platforms.some((each) => each === id || (isUsualTier && each === platform))
}

export function hoursOf({ platform, engine, batch }: Design, context: Context, book: Book): number {
  const all = [platform, engine, ...(batch === undefined ? [] : [batch])]
  const there = all.filter((each) => runsAlready(each, context)).map(({ vendor }) => vendor)
  const vendors = new Set(all.map(({ vendor }) => vendor).filter((each) => !there.includes(each)))
  vendors.delete(null)
  return (
    vendors.size * book.limit('vendor-hours') +
    hoursOfOne(platform, runsAlready(platform, context), context, book) +
    hoursOfOne(engine, runsAlready(engine, context), context, book) +
    (batch === undefined
      ? 0
      : hoursOfOne(
          batch,
          batch.engine === engine.engine || runsAlready(batch, context),
          context,
          book,
        ))
  )
}

function hoursOfOne(
  candidate: PlatformCandidate | EngineCandidate,
  runs: boolean,
  context: Context,
  book: Book,
): number {
  const { skills } = candidate
  const hours = book.hours(candidate.id) ?? candidate.hours
  if (runs) return hours.run
  const knows = skills.length === 0 || skills.some((skill) => context.skills.includes(skill))
  return hours.adopt + (knows ? 0 : hours.withoutSkill)
}

export function operationsLine(design: Design, context: Context, hours: number): CostLine {
  const { platform, engine, batch } = design
  const names = [platform, engine, batch].flatMap((each) =>
    each === undefined || each.hours.adopt === 0 ? [] : [each.name],
  )
  return {
    kind: 'operations',
    item: 'operating hours',
    quantity: hours,
    unit: 'hour',
    price: context.operatingHourPrice,
    monthly: hours * context.operatingHourPrice,
    how: `${figure(hours)} h for ${names.join(' and ')}`,
    source: CANDIDATES.hoursSource,
    asOf: '2026-11-23',
    confidence: 'C',
  }
}
