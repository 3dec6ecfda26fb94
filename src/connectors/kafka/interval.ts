/** Durations in options: '500 ms', '5 s', '1min'; a bare number is ms, as in Flink. */
import { optionInvalid } from './properties.ts'

const UNITS_MS: Readonly<Record<string, number>> = {
  '': 1,
  ms: 1,
  s: 1000,
  sec: 1000,
  second: 1000,
  min: 60_000,
  minute: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
}

/** @throws KAFKA_OPTION_INVALID */
export function intervalMs(table: string, option: string, text: string): number {
  const match = /^\s*(\d+)\s*([a-z]*?)s?\s*$/i.exec(text)
  const unit = UNITS_MS[match?.[2]?.toLowerCase() ?? '?'] ?? UNITS_MS[`${match?.[2]}s`]
  if (match === null || unit === undefined)
    throw optionInvalid(table, option, "a duration: '500 ms', '5 s', '1 min', '2 h'")
  return Number(match[1]) * unit
}
