/** Kills a pipeline N times (1,000 unless told) and prints what an independent reader then finds, in one line. */
import { killRounds } from '../test/simulate/kill-rounds.ts'

const { kills, found, expected } = await killRounds(Number(process.argv[2] ?? 1000), 20_000)
const isExact = found.join() === expected.join()
console.log(
  `${kills} SIGKILLs: ${found.length} of ${expected.length} windows, ${isExact ? 'each once and right' : 'NOT each once'}`,
)
process.exitCode = isExact ? 0 : 1
