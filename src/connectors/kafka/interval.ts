/** Durations in Kafka tables' options. */
import { DURATION_HINT, durationMs } from '../durations.ts'
import { optionInvalid } from './properties.ts'

/** @throws KAFKA_OPTION_INVALID */
export function intervalMs(table: string, option: string, text: string): number {
  const ms = durationMs(text)
  if (ms === undefined) throw optionInvalid(table, option, DURATION_HINT)
  return ms
}
