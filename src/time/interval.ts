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
 * have them. A bad hour has bad neighbours, a season more of them: neighbours are taken together, two, four, eight ..., and what
 * differs most decides. With fewer than 8 parts: all of them.
 *
 * @see Law, Kelton, "Simulation Modeling and Analysis", the method of batch means
 */
export function effectiveEvents(parts: readonly Part[]): number {
  const { events } = summed(parts)
  let factor = 1
  for (let groups = parts; groups.length >= PARTS_LEAST; groups = inPairs(groups))
    factor = Math.max(factor, dispersion(groups))
  return events / factor
}

/** The variance of the parts' shares over what chance alone would make it; greater by what so few parts leave open. */
function dispersion(parts: readonly Part[]): number {
  const { share } = summed(parts)
  const chance = share * (1 - share)
  if (chance === 0) return 1
  const spread = parts.reduce((sum, part) => sum + part.events * (part.share - share) ** 2, 0)
  const freedom = parts.length - 1
  return (spread / freedom / chance) * (studentT(freedom) / Z) ** 2
}

/** The like of `Z` for a variance from so many degrees of freedom; to 0.5 % from 7 on. @see Abramowitz, Stegun, 26.7.5 */
function studentT(freedom: number): number {
  const first = (Z ** 3 + Z) / 4
  const second = (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / 96
  return Z + first / freedom + second / freedom ** 2
}

function inPairs(parts: readonly Part[]): Part[] {
  const pairs: Part[] = []
  for (let at = 0; at < parts.length; at += 2) pairs.push(summed(parts.slice(at, at + 2)))
  return pairs
}

function summed(parts: readonly Part[]): Part {
  const events = parts.reduce((sum, part) => sum + part.events, 0)
  const complete = parts.reduce((sum, part) => sum + part.events * part.share, 0)
  return { events, share: complete / events }
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
