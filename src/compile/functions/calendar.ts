/** Fields, floors and steps of dates and times by calendar units. Local µs since the epoch throughout. */
import { civilFromDays, daysFromCivil, splitMicros, US_PER_DAY } from '../../data/civil.ts'
import { addMonths } from './operators.ts'

const UNIT_US: Readonly<Record<string, bigint>> = {
  MICROSECOND: 1n,
  MILLISECOND: 1000n,
  SECOND: 1_000_000n,
  MINUTE: 60_000_000n,
  HOUR: 3_600_000_000n,
  DAY: US_PER_DAY,
  WEEK: 7n * US_PER_DAY,
}
const UNIT_MONTHS: Readonly<Record<string, number>> = {
  MONTH: 1,
  QUARTER: 3,
  YEAR: 12,
  DECADE: 120,
  CENTURY: 1200,
  MILLENNIUM: 12000,
}

function modulo(value: number, size: number): number {
  return ((value % size) + size) % size
}

/** EXTRACT of a field, but EPOCH. */
export function fieldOf(field: string, local: bigint): bigint {
  const { days, rest } = splitMicros(local)
  const micros = Number(rest % 1_000_000n)
  switch (field) {
    case 'HOUR':
      return rest / UNIT_US.HOUR!
    case 'MINUTE':
      return (rest / UNIT_US.MINUTE!) % 60n
    case 'SECOND':
      return (rest / UNIT_US.SECOND!) % 60n
    case 'MILLISECOND':
      return BigInt(Math.floor(micros / 1000))
    case 'MICROSECOND':
      return BigInt(micros)
    case 'NANOSECOND':
      return BigInt(micros * 1000)
    case 'DOW':
      return BigInt(modulo(days + 4, 7) + 1)
    case 'ISODOW':
      return BigInt(modulo(days + 3, 7) + 1)
    default:
      return BigInt(dateField(field, days))
  }
}

function dateField(field: string, days: number): number {
  const { year, month, day } = civilFromDays(days)
  switch (field) {
    case 'MONTH':
      return month
    case 'DAY':
      return day
    case 'QUARTER':
      return Math.floor((month + 2) / 3)
    case 'DOY':
      return days - daysFromCivil({ year, month: 1, day: 1 }) + 1
    case 'WEEK':
      return isoWeek(days).week
    case 'ISOYEAR':
      return isoWeek(days).year
    case 'DECADE':
      return Math.floor(year / 10)
    case 'CENTURY':
      return Math.floor((year + 99) / 100)
    case 'MILLENNIUM':
      return Math.floor((year + 999) / 1000)
    default:
      return year
  }
}

/** Weeks begin on Monday and belong to the year of their Thursday. */
function isoWeek(days: number): { readonly year: number; readonly week: number } {
  const thursday = days - modulo(days + 3, 7) + 3
  const { year } = civilFromDays(thursday)
  const first = daysFromCivil({ year, month: 1, day: 1 })
  return { year, week: Math.floor((thursday - first) / 7) + 1 }
}

export function floorLocal(local: bigint, unit: string): bigint {
  if (unit === 'WEEK') {
    const { days } = splitMicros(local)
    return BigInt(days - modulo(days + 4, 7)) * US_PER_DAY
  }
  const size = UNIT_US[unit]
  if (size !== undefined) return local - (((local % size) + size) % size)
  const { year, month } = civilFromDays(splitMicros(local).days)
  return BigInt(daysFromCivil(firstOf(unit, year, month))) * US_PER_DAY
}

/** Centuries and millennia begin with year 1. */
function firstOf(unit: string, year: number, month: number) {
  const first = { year, month: 1, day: 1 }
  switch (unit) {
    case 'MONTH':
      return { year, month, day: 1 }
    case 'QUARTER':
      return { year, month: month - ((month - 1) % 3), day: 1 }
    case 'DECADE':
      return { ...first, year: year - modulo(year, 10) }
    case 'CENTURY':
      return { ...first, year: year - modulo(year - 1, 100) }
    case 'MILLENNIUM':
      return { ...first, year: year - modulo(year - 1, 1000) }
    default:
      return first
  }
}

export function ceilLocal(local: bigint, unit: string): bigint {
  const floor = floorLocal(local, unit)
  return floor === local ? local : movedLocal(floor, unit, 1n)
}

export function movedLocal(local: bigint, unit: string, count: bigint): bigint {
  const size = UNIT_US[unit]
  if (size !== undefined) return local + count * size
  const { days, rest } = splitMicros(local)
  return BigInt(addMonths(days, Number(count) * UNIT_MONTHS[unit]!)) * US_PER_DAY + rest
}

/** Whole units from `a` to `b`, toward zero. */
export function unitsBetween(a: bigint, b: bigint, unit: string): bigint {
  const size = UNIT_US[unit]
  if (size !== undefined) return (b - a) / size
  const [from, to] = [civilFromDays(splitMicros(a).days), civilFromDays(splitMicros(b).days)]
  let months = (to.year - from.year) * 12 + to.month - from.month
  const reached = movedLocal(a, 'MONTH', BigInt(months))
  if (months > 0 && reached > b) months--
  else if (months < 0 && reached < b) months++
  return BigInt(Math.trunc(months / UNIT_MONTHS[unit]!))
}
