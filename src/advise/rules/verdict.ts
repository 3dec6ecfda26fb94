/** The verdict on one output: batch, micro-batch or streaming, the rule that gave it, and what would change it. */
import type { Output } from '../needs/needs.ts'
import { firstThatHolds, RULES, type Verdict, type VerdictRule } from './rules.ts'

export interface Judged {
  readonly output: Output
  readonly verdict: Verdict
  /** Of batch. */
  readonly cadence?: 'hourly' | 'daily'
  readonly rule: VerdictRule
  /** How old its result is planned to be, at most: an hour at least for batch, a minute for micro-batch. */
  readonly plannedSeconds: number
}

export function judge(output: Output): Judged {
  const { consequence, freshnessSeconds } = output
  const rule = firstThatHolds(RULES.verdicts, { consequence, freshnessSeconds })
  const { verdict } = rule
  const { dailyFromSeconds, hourlySeconds, microBatchSecondsLeast } = RULES.cadence
  if (verdict === 'streaming') return { output, verdict, rule, plannedSeconds: freshnessSeconds }
  if (verdict === 'micro-batch')
    return {
      output,
      verdict,
      rule,
      plannedSeconds: Math.max(freshnessSeconds, microBatchSecondsLeast),
    }
  const cadence = freshnessSeconds >= dailyFromSeconds ? 'daily' : 'hourly'
  const least = cadence === 'daily' ? dailyFromSeconds : hourlySeconds
  return { output, verdict, rule, cadence, plannedSeconds: least }
}

/** The verdict if the answer to a flip's question were the other one. */
export function judgeFlipped(output: Output, change: VerdictRule['flips'][number]['change']) {
  return judge({
    ...output,
    consequence: change.consequence ?? output.consequence,
    freshnessSeconds: change.freshness ?? output.freshnessSeconds,
  })
}
