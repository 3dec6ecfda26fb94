/** Durations in options: '500 ms', '5 s', '1min'; a bare number is ms, as in Flink. */

const UNITS_MS = new Map([
  ['', 1],
  ['ms', 1],
  ['s', 1000],
  ['sec', 1000],
  ['second', 1000],
  ['min', 60_000],
  ['minute', 60_000],
  ['h', 3_600_000],
  ['hour', 3_600_000],
  ['d', 86_400_000],
  ['day', 86_400_000],
])

/** What is said of a text that is no duration. */
export const DURATION_HINT = "a duration: '500 ms', '5 s', '1 min', '2 h'"

/** Undefined if it is no duration. */
export function durationMs(text: string): number | undefined {
  const match = /^\s*(\d+)\s*([a-z]*)\s*$/i.exec(text)
  const unit = match?.[2]?.toLowerCase()
  if (match === null || unit === undefined) return undefined
  const ms = UNITS_MS.get(unit) ?? UNITS_MS.get(unit.replace(/s$/, ''))
  return ms === undefined ? undefined : Number(match[1]) * ms
}
