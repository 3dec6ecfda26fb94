/** INTERVAL '1' DAY, INTERVAL '1 12:30' DAY TO MINUTE, INTERVAL '2-6' YEAR TO MONTH. */
import type { Expression } from '../../plan/expressions.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { LiteralSyntax, TimeUnit } from '../syntax.ts'

type IntervalSyntax = Extract<LiteralSyntax, { kind: 'interval' }>

const UNIT_US: Readonly<Partial<Record<TimeUnit, number>>> = {
  WEEK: 604_800_000_000,
  DAY: 86_400_000_000,
  HOUR: 3_600_000_000,
  MINUTE: 60_000_000,
  SECOND: 1_000_000,
}
const UNIT_MONTHS: Readonly<Partial<Record<TimeUnit, number>>> = { YEAR: 12, QUARTER: 3, MONTH: 1 }
const DAY_UNITS: readonly TimeUnit[] = ['DAY', 'HOUR', 'MINUTE', 'SECOND']

/** @throws SQL_SYNTAX if the text is not of its units */
export function intervalLiteral(interval: IntervalSyntax, at: Place): Expression {
  const sign = interval.negative ? -1 : 1
  const months = monthsOf(interval)
  if (months !== undefined) {
    const type = { kind: 'interval_year_month', nullable: false } as const
    return { kind: 'literal', value: `${sign * months}`, type }
  }
  const micros = microsOf(interval)
  if (micros === undefined) {
    const units = interval.to === undefined ? interval.from : `${interval.from} TO ${interval.to}`
    throw new SqlError('SQL_SYNTAX', at, {
      message: `'${interval.text}' is no interval of ${units}`,
      hint: "write INTERVAL '5' SECOND, INTERVAL '1 12:30:00' DAY TO SECOND, INTERVAL '2-6' YEAR TO MONTH",
    })
  }
  const type = { kind: 'interval_day_second', nullable: false } as const
  return { kind: 'literal', value: `${sign * micros}`, type }
}

function monthsOf({ text, from, to }: IntervalSyntax): number | undefined {
  const unit = UNIT_MONTHS[from]
  if (unit === undefined) return undefined
  const sign = text.trim().startsWith('-') ? -1 : 1
  const bare = text.trim().replace(/^[+-]/, '')
  if (to === undefined) return /^\d+$/.test(bare) ? sign * Number(bare) * unit : undefined
  const match = /^(\d+)-(\d+)$/.exec(bare)
  return match === null ? undefined : sign * (Number(match[1]) * 12 + Number(match[2]))
}

function microsOf({ text, from, to }: IntervalSyntax): number | undefined {
  const sign = text.trim().startsWith('-') ? -1 : 1
  const bare = text.trim().replace(/^[+-]/, '')
  if (to === undefined) {
    const unit = UNIT_US[from]
    if (unit === undefined || !/^\d+(\.\d+)?$/.test(bare)) return undefined
    return sign * Math.round(Number(bare) * unit)
  }
  const units = DAY_UNITS.slice(DAY_UNITS.indexOf(from), DAY_UNITS.indexOf(to) + 1)
  const parts = bare.split(/[ :]/)
  if (units.length !== parts.length || parts.some((part) => !/^\d+(\.\d+)?$/.test(part)))
    return undefined
  return (
    sign *
    units.reduce((sum, unit, index) => sum + Math.round(Number(parts[index]) * UNIT_US[unit]!), 0)
  )
}
