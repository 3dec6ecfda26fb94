/** What `millrace advise watermark --json` said of a table, read back. */
import type { MeasuredDelay } from '../advise/audit/facts.ts'
import { usageError } from './command.ts'

interface Point {
  readonly delayUs: number
  readonly completeness: number
}

/** The table's name, and its delay. @throws USAGE_INVALID */
export function measuredDelay(file: string, text: string): readonly [string, MeasuredDelay] {
  const advice = parsed(text)
  const { of, line, chosen, distribution } = advice ?? {}
  const points = Array.isArray(distribution) ? distribution.filter(isPoint) : []
  if (typeof of !== 'string' || typeof line !== 'string' || !isPoint(chosen) || points.length === 0)
    throw usageError(
      `${file} is no measured watermark`,
      'write it with `millrace advise watermark TABLE --json > file.json`',
    )
  const { delayUs, completeness } = chosen
  const known = [...points, chosen].sort((left, right) => left.delayUs - right.delayUs)
  return [
    of,
    { line, delayUs, completeness, completenessAt: (asked) => completenessAt(known, asked) },
  ]
}

/** Between two measured delays on the straight line between them; below the first, what it keeps at most. */
function completenessAt(known: readonly Point[], delayUs: number): number {
  const above = known.findIndex((point) => point.delayUs > delayUs)
  if (above < 0) return known.at(-1)!.completeness
  const to = known[above]!
  const from = known[above - 1]
  if (from === undefined) return to.completeness
  const part = (delayUs - from.delayUs) / (to.delayUs - from.delayUs)
  return from.completeness + part * (to.completeness - from.completeness)
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function isPoint(value: unknown): value is Point {
  return (
    typeof value === 'object' &&
    value !== null &&
    'delayUs' in value &&
    typeof value.delayUs === 'number' &&
    'completeness' in value &&
    typeof value.completeness === 'number'
  )
}
