/** The machine's randomness. */
import { randomBytes } from 'node:crypto'
import type { Random } from '../random.ts'

export function nodeRandom(): Random {
  return {
    next: () => Math.random(),
    bytes: (count) => new Uint8Array(randomBytes(count)),
  }
}
