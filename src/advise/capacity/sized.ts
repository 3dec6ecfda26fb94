/** What sizing a platform takes and gives. */
import type { Book } from '../cost/book.ts'
import type { CostLine } from '../cost/lines.ts'
import type { Load } from '../plan/load.ts'
import { type Unit, unitsFor } from './units.ts'

export interface LogLoad extends Load {
  /** How many read all of it. */
  readonly readers: number
  /** Days that events are kept. */
  readonly days: number
  /** Clients are in several zones, and pay for what crosses them. */
  readonly crossesZones: boolean
}

export interface Sized {
  readonly units: readonly Unit[]
  /** Paid for being there; nothing more for who runs it already. */
  readonly standing: readonly CostLine[]
  readonly byUse: readonly CostLine[]
  /** Why it can't carry the load, if it can't. */
  readonly exceeds?: string
}

export type Size = (load: LogLoad, book: Book) => Sized

/** Limit on partitions of a topic, from what one carries. */
export function partitionsFor(load: LogLoad, book: Book): Unit {
  const each = book.limit('kafka-partition-in')
  const least = book.limit('kafka-partitions-least')
  const demand = { what: 'peak ingress', needed: load.inPeak, each, unit: 'MB/s' }
  return unitsFor('partitions', [demand], least)
}
