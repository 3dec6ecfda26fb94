/** STATE_TTL('orders' = '1 d') hints: how long rows of a table are kept. */
import { SqlError } from '../sql-error.ts'
import type { StateTtlHint } from '../syntax.ts'

const UNIT_US: readonly (readonly [RegExp, number])[] = [
  [/^(ns|nanos?|nanoseconds?)$/, 0.001],
  [/^(us|µs|micros?|microseconds?)$/, 1],
  [/^(|ms|millis?|milliseconds?)$/, 1000],
  [/^(s|sec|secs|seconds?)$/, 1_000_000],
  [/^(m|min|mins|minutes?)$/, 60_000_000],
  [/^(h|hours?)$/, 3_600_000_000],
  [/^(d|days?)$/, 86_400_000_000],
]

/** Table or alias to µs; 0, for ever, is left out. @throws SQL_OPTION_INVALID */
export function stateTtls(hints: readonly StateTtlHint[]): ReadonlyMap<string, number> {
  const ttls = new Map<string, number>()
  for (const { times } of hints) {
    for (const { key, value, valueAt } of times) {
      const us = durationUs(value)
      if (us === undefined) {
        throw new SqlError('SQL_OPTION_INVALID', valueAt, {
          message: `'${value}' is no duration`,
          hint: "write a number and its unit: STATE_TTL('orders' = '1 d')",
          facts: { option: key, value },
        })
      }
      if (us > 0) ttls.set(key, us)
    }
  }
  return ttls
}

function durationUs(text: string): number | undefined {
  const match = /^\s*(\d+)\s*([a-zµ]*)\s*$/i.exec(text)
  const unit = match && UNIT_US.find(([name]) => name.test(match[2]!.toLowerCase()))
  return match && unit ? Math.ceil(Number(match[1]) * unit[1]) : undefined
}
