/** Window, watermark delay and checkpoint interval of a ready pipeline: together no longer than its result may be old. */
import type { Judged } from '../rules/verdict.ts'

export interface Times {
  /** All in seconds. */
  readonly window: number
  readonly delay: number
  readonly checkpoint: number
}

/** Lengths that divide an hour or a day, so that windows begin where people expect. */
const ROUND = [0.1, 0.25, 0.5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600]

/** However old results may be, a restart should not read hours again, and an hour is long to wait for late events. */
const CHECKPOINT_SECONDS_MAX = 600
const DELAY_SECONDS_MAX = 3600

export function timesOf({ output, verdict, plannedSeconds }: Judged): Times {
  const third = roundBelow(plannedSeconds / 3)
  const isBatch = verdict === 'batch'
  const patience = isBatch ? DELAY_SECONDS_MAX : third
  return {
    window: isBatch ? plannedSeconds : third,
    delay: Math.max(ROUND[0]!, Math.min(output.latenessSeconds, patience)),
    checkpoint: Math.min(CHECKPOINT_SECONDS_MAX, third),
  }
}

function roundBelow(seconds: number): number {
  return ROUND.findLast((each) => each <= seconds) ?? ROUND[0]!
}

const UNITS = [
  [86_400, 'DAY'],
  [3600, 'HOUR'],
  [60, 'MINUTE'],
] as const

/** INTERVAL '5' MINUTE; fractions are of seconds. */
export function intervalSql(seconds: number): string {
  const [size, unit] = UNITS.find(([each]) => seconds % each === 0) ?? [1, 'SECOND']
  return `INTERVAL '${seconds / size}' ${unit}`
}
