/** The sequence of java.util.Random, so that RAND(seed) gives what Flink gives. @see java.util.Random */

const MULTIPLIER = 0x5deece66dn
const MASK = (1n << 48n) - 1n

export interface RandomSequence {
  /** In [0, 1). */
  nextDouble(): number
  /** In [0, bound). */
  nextInt(bound: number): number
}

export function javaRandom(seed: bigint): RandomSequence {
  let state = (seed ^ MULTIPLIER) & MASK
  const next = (bits: bigint): number => {
    state = (state * MULTIPLIER + 0xbn) & MASK
    return Number(BigInt.asIntN(32, state >> (48n - bits)))
  }
  return {
    nextDouble: () => (next(26n) * 2 ** 27 + next(27n)) / 2 ** 53,
    nextInt(bound) {
      if ((bound & -bound) === bound) return Number((BigInt(bound) * BigInt(next(31n))) >> 31n)
      for (;;) {
        const bits = next(31n)
        const value = bits % bound
        // The last, incomplete run of the range would favour small numbers.
        if (bits - value + (bound - 1) < 2 ** 31) return value
      }
    },
  }
}
