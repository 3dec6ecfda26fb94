/** How much memory the state of a worker's operators may take, all together, and who goes when it is more. */

/** A part of an operator's state that is in memory, and may leave it. */
export interface Resident {
  readonly bytesUsed: number
  /** How much it is asked for: who has least goes first. */
  readonly score: number
  /** Its operator is at work. */
  readonly isBusy: boolean
  leave(): void
}

export interface StateMemory {
  readonly bytesMax: number
  readonly bytesUsed: number
  enter(resident: Resident): void
  left(resident: Resident): void
  /**
   * Lets residents leave until the others have room, or so many have left as one batch may wait for: the others do at the next call,
   * for many grow in the same moment. More than half as much again is never left.
   */
  settle(): void
}

const LEAVING_BYTES = 2 << 20
const BYTES_OVER = 1.5

export function stateMemory(bytesMax: number): StateMemory {
  const residents = new Set<Resident>()
  const bytesUsed = (): number => {
    let sum = 0
    for (const resident of residents) sum += resident.bytesUsed
    return sum
  }

  return {
    bytesMax,
    get bytesUsed() {
      return bytesUsed()
    },
    enter: (resident) => void residents.add(resident),
    left: (resident) => void residents.delete(resident),
    settle() {
      let used = bytesUsed()
      const enough = Math.min(used - LEAVING_BYTES, BYTES_OVER * bytesMax)
      while (used > bytesMax && used > enough) {
        const least = leastOf(residents)
        if (least === undefined) return
        used -= least.bytesUsed
        least.leave()
      }
    },
  }
}

function leastOf(residents: Iterable<Resident>): Resident | undefined {
  let least: Resident | undefined
  for (const resident of residents) {
    if (resident.isBusy) continue
    if (least === undefined || resident.score < least.score) least = resident
  }
  return least
}
