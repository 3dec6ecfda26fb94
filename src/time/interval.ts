/** How sure a share is that was counted over parts of a stream, whose events are not independent: late ones come in droves. */

export interface Interval {
  readonly low: number
  readonly high: number
}

/** What a part of the stream has: events, and the share of them that is complete. */
export interface Part {
  readonly events: number
  readonly share: number
}

/** Of the normal distribution, for 95 %. */
const Z = 1.96
/** Fewer parts tell nothing of how much they differ. */
const PARTS_LEAST = 8

/**
 * How many independent events tell as much as these do: fewer than there are by as much as the parts differ more than chance would
 * have them. With fewer than 8 parts: all of them.
 */
export function effectiveEvents(parts: readonly Part[]): number {
  const events = parts.reduce((sum, part) => sum + part.events, 0)
  const share = parts.reduce((sum, part) => sum + part.events * part.share, 0) / events
  const chance = share * (1 - share)
  if (parts.length < PARTS_LEAST || chance === 0) return events
  const spread = parts.reduce((sum, part) => sum + part.events * (part.share - share) ** 2, 0)
  const factor = spread / (parts.length - 1) / chance
  return events / Math.max(1, factor)
}

/** The 95 % interval of a share over `events` independent events. @see Wilson, "Probable inference", JASA 1927 */
export function wilson(share: number, events: number): Interval {
  if (events === 0) return { low: 0, high: 1 }
  const z2 = Z * Z
  const centre = share + z2 / (2 * events)
  const half = Z * Math.sqrt((share * (1 - share) + z2 / (4 * events)) / events)
  const scale = 1 + z2 / events
  return {
    low: Math.max(0, (centre - half) / scale),
    high: Math.min(1, (centre + half) / scale),
  }
}

/** Events that must have been late at a delay of `completeness` before it is believed. */
export const LATE_LEAST = 10

/** The sample-size rule: ten events have to be beyond the delay for it to be told from its neighbours. */
export function eventsNeeded(completeness: number): number {
  return Math.ceil(LATE_LEAST / Math.max(1 - completeness, 1e-9) - 1e-6)
}
