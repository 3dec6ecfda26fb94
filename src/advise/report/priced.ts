/** A design with its price and what one gets for it: no price stands without its availability. */
import { LOSSES } from '../needs/needs.ts'
import type { Evaluated } from '../plan/designs.ts'
import type { Priced } from './shape.ts'

export function pricedOf({ design, total, money, hours }: Evaluated): Priced {
  const { platform, engine, batch } = design
  const parts =
    platform.followsEngine || engine.form === 'scheduled' ? [engine] : [platform, engine]
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
