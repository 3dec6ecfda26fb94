/** Randomness that a seed decides: the same seed, the same run. */
import type { Random } from '../ports/random.ts'

export interface SimulatedRandom extends Random {
  /** A whole number in [0, limit). */
  below(limit: number): number
  pick<Value>(values: readonly Value[]): Value
}

export function simulatedRandom(seed: number): SimulatedRandom {
  // Mulberry32: 32 bits of state are plenty for choosing among failures.
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    bytes: (count) => Uint8Array.from({ length: count }, () => below(256)),
    below,
    pick: (values) => values[below(values.length)]!,
  }
}
