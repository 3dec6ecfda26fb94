/** Durations as text that the compiler reads: '500ms', '5s', '1m', '2h', '1d'. */
import { MillraceError } from '../errors.ts'

export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Milliseconds, whole. @throws DURATION_INVALID */
export function durationMs(duration: Duration): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) ?? []
  const ms = Number(amount) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  if (Number.isSafeInteger(ms)) return ms
  throw new MillraceError('DURATION_INVALID', {
    message: `${JSON.stringify(duration)} is no duration of whole milliseconds`,
    hint: "write '500ms', '5s', '1m', '2h' or '1d'",
    facts: { duration },
  })
}

/** INTERVAL '5.000' SECOND, as SQL takes it whatever its length. */
export function intervalText(duration: Duration): string {
  const ms = durationMs(duration)
  const days = Math.floor(ms / 86_400_000)
  const clock = new Date(ms - days * 86_400_000).toISOString().slice(11, 23)
  return `INTERVAL '${days} ${clock}' DAY TO SECOND`
}
