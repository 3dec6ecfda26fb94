/** A design with its price and what one gets for it: no price stands without its availability. */
import { LOSSES } from '../needs/needs.ts'
import type { Evaluated } from '../plan/designs.ts'
import { secondsText, usd } from '../plan/words.ts'
import type { Priced } from './shape.ts'

export function pricedOf({ design, total, money, hours }: Evaluated): Priced {
  const { platform, engine, batch } = design
  // A log of the engine's own is where that runs; a job on a timer leaves it on one machine.
  const isOne = platform.followsEngine && engine.form === 'continuous'
  const parts = isOne ? [engine] : [platform, engine]
  const weakest = parts.reduce((left, right) =>
    LOSSES.indexOf(right.survives) < LOSSES.indexOf(left.survives) ? right : left,
  )
  return {
    platform: platform.platform,
    engine: engine.engine,
    ...(batch === undefined ? {} : { batchEngine: batch.engine }),
    names: namesOf({ design }),
    total,
    money,
    hours,
    availability: {
      class: weakest.availability,
      survives: weakest.survives,
      rtoSeconds: Math.max(...parts.map(({ rtoSeconds }) => rtoSeconds)),
      rpoSeconds: Math.max(...parts.map(({ rpoSeconds }) => rpoSeconds)),
      isHighlyAvailable: weakest.survives !== 'process',
    },
  }
}

export function namesOf({ design }: Pick<Evaluated, 'design'>): string {
  const { platform, engine, batch } = design
  // The engine's name says it where the log is its own.
  const isOne = platform.platform === 'embedded' && engine.form === 'continuous'
  const first = isOne ? [] : [platform.name]
  const job = batch === undefined ? [] : [batch.name]
  return [...first, engine.name, ...job].join(' + ')
}

/** What stands beside every price. */
export function availabilityText({ availability }: Priced): string {
  const { survives, rtoSeconds, rpoSeconds, isHighlyAvailable } = availability
  const label = isHighlyAvailable ? `survives the loss of a ${survives}` : 'not highly available'
  return `${availability.class} (${label}, RTO ${secondsText(rtoSeconds)}, RPO ${rpoSeconds === 0 ? '0' : secondsText(rpoSeconds)})`
}

/** The same in a few words. */
export function shortAvailability({ availability }: Priced): string {
  const { survives, rtoSeconds, rpoSeconds, isHighlyAvailable } = availability
  const label = isHighlyAvailable ? `survives a ${survives}` : 'not highly available'
  return `${label}, RTO ${secondsText(rtoSeconds)}, RPO ${rpoSeconds === 0 ? '0' : secondsText(rpoSeconds)}`
}

/** A price with what one gets for it: $780 (survives a machine, RTO 10 min, RPO 0). */
export function pricedText(design: Priced): string {
  return `${usd(design.total)} (${shortAvailability(design)})`
}
