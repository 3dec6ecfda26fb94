/** Units of capacity: how many, and which of their limits decided it. */
import { figure } from '../cost/lines.ts'

export interface Unit {
  /** 'shards', 'brokers', ... */
  readonly name: string
  readonly count: number
  /** The limit that decided, in words and figures. */
  readonly binding: string
}

export interface Demand {
  readonly what: string
  readonly needed: number
  /** Of one unit. */
  readonly each: number
  readonly unit: string
}

/** So that 6,000 / 1,000 is six, whatever the floating point says. */
const SLACK = 1e-9

/** The fewest units that meet all demands, `least` of them at least. */
export function unitsFor(name: string, demands: readonly Demand[], least = 1): Unit {
  let count = least
  let binding = 'the fewest that there can be'
  for (const { what, needed, each, unit } of demands) {
    const wanted = Math.ceil(needed / each - SLACK)
    if (wanted <= count) continue
    count = wanted
    binding = `${what}: ${figure(needed)} ${unit}, ${figure(each)} each`
  }
  return { name, count, binding }
}

/** The next multiple of `step`: brokers stand in as many zones. */
export function inZones(unit: Unit, step: number): Unit {
  return { ...unit, count: Math.ceil(unit.count / step) * step }
}
