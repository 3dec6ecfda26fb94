/** STATE_TTL('orders' = '1 d') hints: how long rows of a table are kept. */
import { SqlError } from '../sql-error.ts'
import type { StateTtlHint } from '../syntax.ts'
import { durationUs } from './duration.ts'

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
