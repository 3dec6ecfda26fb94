/**
 * Seeds of simulations: MILLRACE_SEEDS says how many, from MILLRACE_SEED on. A seed that fails is told, and replays:
 *
 *   MILLRACE_SEED=17 MILLRACE_SEEDS=1 node scripts/test.ts test/simulate
 */

/** Tests each seed; `few` of them unless the environment says how many. @throws with the seed that failed */
export async function eachSeed(few: number, act: (seed: number) => Promise<void>): Promise<void> {
  const first = Number(process.env.MILLRACE_SEED ?? 1)
  const count = Number(process.env.MILLRACE_SEEDS ?? few)
  for (let seed = first; seed < first + count; seed++) {
    try {
      await act(seed)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`MILLRACE_SEED=${seed} MILLRACE_SEEDS=1: ${why}`, { cause })
    }
  }
}
