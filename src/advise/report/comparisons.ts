/** The plan beside what it was weighed against: runners-up, what was ruled out and by what, the curve over freshness, other figures. */
import { ENGINE_SIZES } from '../capacity/engines.ts'
import { PLATFORM_SIZES } from '../capacity/platforms.ts'
import type { Book } from '../cost/book.ts'
import { figure } from '../cost/lines.ts'
import type { Needs } from '../needs/needs.ts'
import { type Evaluated, evaluateAll, situationOf } from '../plan/designs.ts'
import { loadOf } from '../plan/load.ts'
import { cheapestAt, type Plan, planFor } from '../plan/plan.ts'
import type { Planned } from '../plan/situation.ts'
import { secondsText, usd } from '../plan/words.ts'
import { CANDIDATES, RULES } from '../rules/rules.ts'
import { namesOf, pricedOf, pricedText, shortAvailability } from './priced.ts'
import type { Advice } from './shape.ts'

/** Seconds at which the cost is shown. */
export const CURVE_SECONDS = [1, 60, 900, 3600, 86_400] as const
const ALTERNATIVES_MAX = 5
const FLIPS_MAX = 3
const FLIP_CONSTRAINTS_MAX = 2
const NEAREST_MAX = 3

/** The best of each other pairing of platform and engine, and why it lost. */
export function alternativesOf({ chosen, evaluated }: Plan): Advice['alternatives'] {
  if (chosen === undefined) return []
  const seen = new Set([pairing(chosen)])
  const others = evaluated.filter((each) => {
    if (each.broken.length > 0 || seen.has(pairing(each))) return false
    seen.add(pairing(each))
    return true
  })
  return others
    .slice(0, ALTERNATIVES_MAX)
    .map((each) => ({ ...pricedOf(each), why: whyLost(each, chosen) }))
}

function pairing({ design }: Evaluated): string {
  return `${design.platform.platform}+${design.engine.engine}`
}

function whyLost(other: Evaluated, chosen: Evaluated): string {
  const more = usd(other.total - chosen.total)
  const hours = other.hours - chosen.hours
  const money = other.money - chosen.money
  const parts = [
    Math.abs(money) >= 1 && `${usd(Math.abs(money))} ${money > 0 ? 'more' : 'less'} for systems`,
    hours !== 0 && `${figure(Math.abs(hours))} operating hours ${hours > 0 ? 'more' : 'less'}`,
  ].filter((each) => each !== false)
  const against = [...other.design.platform.against, ...other.design.engine.against][0]
  return `${more} a month more: ${parts.join(', ')}${against === undefined ? '' : `; ${against}`}`
}

/** Every platform and engine that no design which can be had has in it, with the constraints of its best design. */
export function eliminatedOf({ evaluated }: Plan): Advice['eliminated'] {
  const possible = evaluated.filter(({ broken }) => broken.length === 0)
  const had = new Set(possible.flatMap(({ design }) => [design.platform.id, design.engine.id]))
  const fewest = [...evaluated].sort((left, right) => left.broken.length - right.broken.length)
  return [...CANDIDATES.platforms, ...CANDIDATES.engines]
    .filter(({ id }) => !had.has(id))
    .map(({ id, name }) => {
      const best = fewest.find(({ design }) => [design.platform.id, design.engine.id].includes(id))
      const own = best?.broken.filter(({ of }) => of === name) ?? []
      const told = own.length > 0 ? own : (best?.broken ?? [])
      const constraints = told.map((each) => ({
        id: each.id,
        says: each.of === name ? each.says : `${each.of}: ${each.says}`,
      }))
      return { candidate: name, constraints }
    })
}

/** Constraints without which something would cost less: what one pays for them. */
export function flipsOf({ chosen, evaluated }: Plan): Advice['flips'] {
  if (chosen === undefined) return []
  const seen = new Set<string>()
  return evaluated
    .filter(({ broken, total }) => broken.length > 0 && total < chosen.total)
    .flatMap((each) => {
      const without = [...new Set(each.broken.map(({ id }) => id))].sort()
      const key = without.join('+')
      // What another freshness costs is what the curve shows.
      if (without.length > FLIP_CONSTRAINTS_MAX || without.includes('freshness')) return []
      if (seen.has(key)) return []
      seen.add(key)
      const titles = without.map((id) => RULES.constraints.find((rule) => rule.id === id)!.title)
      const says = `without “${titles.join('” and “')}”`
      return [{ without, says, instead: pricedOf(each), saves: chosen.total - each.total }]
    })
    .slice(0, FLIPS_MAX)
}

/** Where nothing meets all constraints. */
export function nearestOf({ chosen, evaluated }: Plan): Advice['plan']['nearest'] {
  if (chosen !== undefined) return []
  return [...evaluated]
    .sort(
      (left, right) =>
        left.broken.length - right.broken.length ||
        left.design.engine.latencySecondsLeast - right.design.engine.latencySecondsLeast ||
        left.total - right.total,
    )
    .slice(0, NEAREST_MAX)
    .map((each) => ({
      ...pricedOf(each),
      breaks: each.broken.map(({ of, says }) => `${of}: ${says}`),
    }))
}

export function curveOf(needs: Needs, book: Book): Advice['curve'] {
  return CURVE_SECONDS.map((seconds) => {
    const best = cheapestAt(needs, book, seconds)
    const managed = managedAt(needs, book, seconds)
    return {
      seconds,
      ...(best === undefined ? {} : { best: pricedOf(best) }),
      ...(managed === undefined ? {} : { managed: pricedOf(managed) }),
    }
  })
}

const MANAGED_PLATFORMS = ['msk', 'confluent-cloud']
const MANAGED_ENGINES = ['flink-aws', 'flink-confluent']

/** A managed Kafka with a managed Flink, what is often bought: priced whether or not it is allowed here, as long as it carries the load. */
export function managedAt(needs: Needs, book: Book, seconds: number): Evaluated | undefined {
  const planned: Planned[] = needs.outputs.map((output) => ({ output, isBatch: false, seconds }))
  const pattern = planned.some(({ output }) => output.delivers === 'table')
    ? 'streaming-lakehouse'
    : 'kappa'
  return evaluateAll(situationOf(needs, book, pattern, planned))
    .filter(
      ({ design, broken }) =>
        MANAGED_PLATFORMS.includes(design.platform.platform) &&
        MANAGED_ENGINES.includes(design.engine.engine) &&
        broken.every(({ id }) => id !== 'throughput' && id !== 'survives'),
    )
    .sort((left, right) => left.total - right.total)[0]
}

/** Units of every platform for the whole load, with the limit that binds. */
export function capacityOf({ situation, chosen }: Plan): Advice['capacity'] {
  const { book, planned, logDays } = situation
  const load = loadOf(planned.map(({ output }) => output))
  const others = CANDIDATES.platforms
    .filter(({ id }) => id !== chosen?.design.platform.id)
    .map(({ name, sizing }) => {
      const log = { ...load, readers: 1, days: logDays, crossesZones: false }
      const { units, exceeds } = PLATFORM_SIZES[sizing]!(log, book)
      return { of: name, units: [...units], ...(exceeds === undefined ? {} : { exceeds }) }
    })
    .filter(({ units }) => units.length > 0)
  const engines = CANDIDATES.engines
    .filter(({ id, form }) => form === 'continuous' && id !== chosen?.design.engine.id)
    .map(({ name, sizing }) => {
      const running = { ...load, intervalSeconds: RULES.cadence.hourlySeconds, holdsLog: false }
      const { units, exceeds } = ENGINE_SIZES[sizing]!(running, book)
      return { of: name, units: [...units], ...(exceeds === undefined ? {} : { exceeds }) }
    })
  const ours = new Map<string, Advice['capacity'][number]['units']>()
  for (const { of, unit } of chosen?.units ?? []) ours.set(of, [...(ours.get(of) ?? []), unit])
  return [...[...ours].map(([of, units]) => ({ of, units })), ...others, ...engines]
}

/** What other figures would give. */
export function sensitivityOf(needs: Needs, plan: Plan): Advice['sensitivity'] {
  const { book } = plan.situation
  return VARIATIONS.map(({ change, vary }) => {
    const { chosen } = planFor(vary(needs), book)
    const changes =
      chosen === undefined || plan.chosen === undefined
        ? chosen !== plan.chosen
        : pairing(chosen) !== pairing(plan.chosen)
    return { change, changes, ...(chosen === undefined ? {} : { design: pricedOf(chosen) }) }
  })
}

const VARIATIONS: readonly { readonly change: string; readonly vary: (needs: Needs) => Needs }[] = [
  { change: 'half the events', vary: withEvents(0.5) },
  { change: 'twice the events', vary: withEvents(2) },
  { change: 'ten times the events', vary: withEvents(10) },
  { change: 'an operating hour at half the price', vary: withHourPrice(0.5) },
  { change: 'an operating hour at twice the price', vary: withHourPrice(2) },
  { change: 'a zone must be survived', vary: withSurvival('zone') },
  { change: 'a machine must be survived', vary: withSurvival('machine') },
]

function withEvents(factor: number) {
  return (needs: Needs): Needs => ({
    ...needs,
    outputs: needs.outputs.map((output) => ({
      ...output,
      rate: output.rate * factor,
      peak: output.peak * factor,
    })),
  })
}

function withHourPrice(factor: number) {
  return (needs: Needs): Needs => ({
    ...needs,
    context: {
      ...needs.context,
      operatingHourPrice: needs.context.operatingHourPrice * factor,
    },
  })
}

function withSurvival(survives: 'zone' | 'machine') {
  return (needs: Needs): Needs => ({
    ...needs,
    context: { ...needs.context, availability: { ...needs.context.availability, survives } },
  })
}

/** What batch saves, or what it would save. */
export function savingOf(needs: Needs, plan: Plan): Advice['saving'] {
  const { book, planned } = plan.situation
  const atAnHour = cheapestAt(needs, book, RULES.cadence.hourlySeconds)
  const freshest = Math.min(...needs.outputs.map(({ freshnessSeconds }) => freshnessSeconds))
  const stated = needs.outputs.reduce(
    (sum, { lossIfOneHourOld }) => sum + (lossIfOneHourOld ?? 0),
    0,
  )
  const common = {
    ...(atAnHour === undefined ? {} : { batch: atAnHour.total }),
    ...(plan.chosen === undefined ? {} : { planned: plan.chosen.total }),
    ...(stated === 0 ? {} : { stated }),
  }
  if (plan.chosen === undefined || atAnHour === undefined)
    return { says: "there is nothing to compare: one of the two can't be had", ...common }
  if (planned.every(({ isBatch }) => isBatch)) {
    const managed = managedAt(needs, book, Math.min(freshest, 1))
    if (managed === undefined) return { says: 'batch is what is advised', ...common }
    const saved = managed.total - plan.chosen.total
    if (saved <= 0) return { says: 'batch is what is advised', asked: managed.total, ...common }
    const share = Math.round((saved / managed.total) * 100)
    return {
      says: `batch saves ${usd(saved)} a month, ${share} % of what ${namesOf(managed)} would cost: ${pricedText(pricedOf(managed))}`,
      asked: managed.total,
      ...common,
    }
  }
  const more = plan.chosen.total - atAnHour.total
  return {
    says: `data an hour old would cost ${usd(atAnHour.total)} a month (${shortAvailability(pricedOf(atAnHour))}), ${usd(more)} less: fresher than that is worth it if an hour's age costs more than ${usd(more)} a month`,
    breakEven: more,
    ...common,
  }
}

/** The pattern's trade-off in the user's figures. */
export function patternFigures(plan: Plan): string[] {
  const { situation, chosen } = plan
  const { book, planned, logDays, pattern } = situation
  const load = loadOf(planned.map(({ output }) => output))
  const days = Math.max(...planned.map(({ output }) => output.historyDays))
  const events = load.events * days * 86_400
  const isEmbedded = chosen === undefined || chosen.design.engine.engine === 'embedded'
  const cores = chosen?.units.find(({ unit }) => unit.name === 'parallelism')?.unit.count ?? 1
  const seconds = isEmbedded
    ? events / book.limit('replay-embedded')
    : (load.in * days * 86_400) / (book.limit('replay-core') * cores)
  const replay = `computing ${figure(days)} days anew reads ${figure(events / 1e6)} M events: about ${secondsText(Math.max(60, seconds))} ${isEmbedded ? 'on one core' : `at parallelism ${cores}`}`
  const gb = (load.in * 86_400 * days) / 1000
  const compressed = gb / book.limit('lake-compression')
  const disk = book.price('ebs-gp3').price
  const lake = book.price('s3-standard').price
  const kept = `those days are ${figure(gb)} GB in a log (${usd(gb * disk)} a month on one volume) or ${figure(compressed)} GB as Parquet (${usd(compressed * lake)})`
  const log = `the log keeps ${figure(logDays)} days`
  if (pattern === 'lambda')
    return [
      replay,
      kept,
      'two codebases for one result drift apart: let one definition run as both layers',
    ]
  return pattern === 'plain-batch' ? [replay, kept] : [replay, kept, log]
}
