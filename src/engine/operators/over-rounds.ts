/**
 * Rows that are told together, in rounds: in a round each partition has one row (RANGE: one set of rows that tie), so that groups are
 * updated and read in bulk, and still one row of a partition after the other.
 */
import type { LinearMemory, Pointer } from '../../data/memory.ts'

export interface Rounds {
  readonly count: number
  /** Positions of round `round`, ascending, as u32s. */
  of(round: number): { readonly positions: Pointer; readonly count: number }
}

export interface RoundsOptions {
  readonly memory: LinearMemory
  /** u32 groups by position. */
  readonly groups: Pointer
  readonly count: number
  /** Offset of a scratch cell in a group: zero before and after. */
  readonly scratch: number
  /** Whether the row at a position ties with the one of its partition before it. */
  readonly isPeer: (position: number, before: number) => boolean
}

export function roundsOf({ memory, groups, count, scratch, isPeer }: RoundsOptions): Rounds {
  const rounds = memory.arena.allocate(4 * count)
  const { u32 } = memory
  let most = 0
  for (let at = 0; at < count; at++) {
    const cell = (u32[groups / 4 + at]! + scratch) / 4
    const before = u32[cell + 1]!
    if (before > 0 && isPeer(at, before - 1)) u32[rounds / 4 + at] = u32[rounds / 4 + before - 1]!
    else u32[rounds / 4 + at] = u32[cell]!++
    u32[cell + 1] = at + 1
    if (u32[cell]! > most) most = u32[cell]!
  }
  for (let at = 0; at < count; at++) {
    const cell = (u32[groups / 4 + at]! + scratch) / 4
    u32[cell] = 0
    u32[cell + 1] = 0
  }
  const starts = memory.arena.allocateCleared(4 * (most + 1))
  const positions = memory.arena.allocate(4 * count)
  const after = memory.u32
  for (let at = 0; at < count; at++) after[starts / 4 + after[rounds / 4 + at]! + 1]!++
  for (let round = 0; round < most; round++)
    after[starts / 4 + round + 1]! += after[starts / 4 + round]!
  const next = after.slice(starts / 4, starts / 4 + most)
  for (let at = 0; at < count; at++) after[positions / 4 + next[after[rounds / 4 + at]!]!++] = at
  return {
    count: most,
    of(round) {
      const start = memory.u32[starts / 4 + round]!
      const end = memory.u32[starts / 4 + round + 1]!
      return { positions: positions + 4 * start, count: end - start }
    },
  }
}
