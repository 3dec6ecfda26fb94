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
  const { of, line, chosen, curve } = advice ?? {}
  const points = Array.isArray(curve) ? curve.filter(isPoint) : []
  if (typeof of !== 'string' || typeof line !== 'string' || !isPoint(chosen) || points.length === 0)
    throw usageError(
      `${file} is no measured watermark`,
      'write it with `millrace advise watermark TABLE --json > file.json`',
    )
  // Between two measured delays at least as complete as at the shorter one.
  const known = [...points, chosen].sort((left, right) => left.delayUs - right.delayUs)
  return [
    of,
    {
      line,
      delayUs: chosen.delayUs,
      completeness: chosen.completeness,
      completenessAt: (delayUs) =>
        known.findLast((point) => point.delayUs <= delayUs)?.completeness ?? 0,
    },
  ]
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
