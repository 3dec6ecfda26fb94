/**
 * Days and microseconds to the text of dates and times, and back: the proleptic Gregorian calendar, years 0000 to 9999.
 *
 * @see Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", sections days_from_civil and civil_from_days
 */

export const US_PER_SECOND = 1_000_000n
export const US_PER_DAY = 86_400_000_000n

export interface CivilDate {
  readonly year: number
  /** 1..12 */
  readonly month: number
  /** 1..31 */
  readonly day: number
}

/** Days since 1970-01-01. `month` and `day` must be real ones. */
export function daysFromCivil({ year, month, day }: CivilDate): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146097 + dayOfEra - 719468
}

export function civilFromDays(days: number): CivilDate {
  const z = days + 719468
  const era = Math.floor(z / 146097)
  const dayOfEra = z - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36524) -
      Math.floor(dayOfEra / 146096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const month = shifted + (shifted < 10 ? 3 : -9)
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return { year, month, day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1 }
}

export function daysInMonth(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** 'YYYY-MM-DD'. */
export function dateText(days: number): string {
  const { year, month, day } = civilFromDays(days)
  const sign = year < 0 ? '-' : ''
  return `${sign}${pad(Math.abs(year), 4)}-${pad(month, 2)}-${pad(day, 2)}`
}

/** 'HH:MM:SS' of µs of the day, then exactly `precision` fractional digits (0..6; more are zeros). */
export function timeText(microsOfDay: bigint, precision: number): string {
  const total = Number(microsOfDay)
  const seconds = Math.floor(total / 1_000_000)
  const text = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`
  if (precision === 0) return text
  const fraction = pad(total % 1_000_000, 6)
    .padEnd(9, '0')
    .slice(0, precision)
  return `${text}.${fraction}`
}

/** 'YYYY-MM-DD<separator>HH:MM:SS[.fff]' of µs since the epoch. */
export function timestampText(
  micros: bigint,
  precision: number,
  separator: ' ' | 'T' = ' ',
): string {
  const { days, rest } = splitMicros(micros)
  return `${dateText(days)}${separator}${timeText(rest, precision)}`
}

/** Whole days, toward minus infinity, and the µs of the day that remain. */
export function splitMicros(micros: bigint): { readonly days: number; readonly rest: bigint } {
  let days = micros / US_PER_DAY
  let rest = micros % US_PER_DAY
  if (rest < 0n) {
    days -= 1n
    rest += US_PER_DAY
  }
  return { days: Number(days), rest }
}

/** Days since the epoch of 'YYYY-MM-DD'; undefined if it is not a real date. */
export function parseDate(text: string): number | undefined {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text)
  if (match === null) return undefined
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  return daysFromCivil({ year, month, day })
}

/** µs of the day of 'HH:MM[:SS[.f...]]'; digits beyond µs are cut. */
export function parseTime(text: string): bigint | undefined {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/.exec(text)
  if (match === null) return undefined
  const [hours, minutes, seconds] = [match[1], match[2], match[3] ?? '0'].map(Number) as [
    number,
    number,
    number,
  ]
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined
  const micros = Number((match[4] ?? '').padEnd(6, '0').slice(0, 6))
  return BigInt((hours * 3600 + minutes * 60 + seconds) * 1_000_000 + micros)
}

/** µs since the epoch of 'YYYY-MM-DD[( |T)HH:MM[:SS[.f...]]]'; undefined if it is not a real moment. */
export function parseTimestamp(text: string): bigint | undefined {
  const days = parseDate(text.slice(0, 10))
  if (days === undefined) return undefined
  const midnight = BigInt(days) * US_PER_DAY
  if (text.length === 10) return midnight
  if (text[10] !== ' ' && text[10] !== 'T') return undefined
  const time = parseTime(text.slice(11))
  return time === undefined ? undefined : midnight + time
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0')
}
