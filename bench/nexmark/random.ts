/** A seeded generator of random numbers (xoshiro128**), so that the same seed gives the same events on every machine. */
export interface SeededRandom {
  /** Uniform in [0, bound), bound <= 2^32. */
  below(bound: number): number
  /** Uniform in [0, 1). */
  unit(): number
}

export function seededRandom(seed: number): SeededRandom {
  let [a, b, c, d] = [1, 2, 3, 4].map((lane) => splitmix(seed * 4 + lane)) as [
    number,
    number,
    number,
    number,
  ]
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result >>> 0
  }
  return {
    below: (bound) => Math.floor((next() / 4294967296) * bound),
    unit: () => next() / 4294967296,
  }
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}

function splitmix(seed: number): number {
  let z = (seed + 0x9e3779b9) | 0
  z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
  z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
  return z ^ (z >>> 16)
}
