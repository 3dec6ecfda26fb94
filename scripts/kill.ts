/** Kills a pipeline N times (1,000 unless told) and prints what an independent reader then finds, in one line. */
import { killRounds } from '../test/simulate/kill-rounds.ts'

/** A life feeds about two hundred events before it is killed: there must be enough for all of them. */
const EVENTS_A_LIFE = 300

const wanted = Number(process.argv[2] ?? 1000)
const { kills, found, expected } = await killRounds(wanted, wanted * EVENTS_A_LIFE)
const isExact = found.join() === expected.join()
console.log(
  `${kills} SIGKILLs: ${found.length} of ${expected.length} windows, ${isExact ? 'each once and right' : 'NOT each once'}`,
)
process.exitCode = isExact ? 0 : 1
