/** Randomness, as told by the outside: a seed in simulations. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  bytes(count: number): Uint8Array
}
