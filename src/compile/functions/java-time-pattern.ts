/** Date and time patterns of Java's DateTimeFormatter: 'yyyy-MM-dd HH:mm:ss.SSS'. */
import {
  civilFromDays,
  daysFromCivil,
  daysInMonth,
  splitMicros,
  US_PER_DAY,
} from '../../data/civil.ts'

interface Part {
  /** A pattern letter, or '' for text to be taken as it is. */
  readonly letter: string
  readonly width: number
  readonly text: string
}

const MONTHS =
  'January February March April May June July August September October November December'.split(' ')
const DAYS = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')
/** Parsed patterns kept; then the cache starts anew. */
const PATTERNS_MAX = 500
const parsed = new Map<string, readonly Part[] | null>()

function partsOf(pattern: string): readonly Part[] | null {
  const known = parsed.get(pattern)
  if (known !== undefined) return known
  if (parsed.size >= PATTERNS_MAX) parsed.clear()
  const parts = split(pattern)
  parsed.set(pattern, parts)
  return parts
}

/** null if a letter is not known. */
function split(pattern: string): readonly Part[] | null {
  const parts: Part[] = []
  for (const [all, quoted, letter, other] of pattern.matchAll(
    /'((?:[^']|'')*)'|([A-Za-z])\2*|([^A-Za-z']+)/g,
  )) {
    if (letter !== undefined) {
      if (!'yuMLdHhKkmsSaEeDn'.includes(letter)) return null
      parts.push({ letter, width: all.length, text: '' })
    } else {
      const text =
        quoted === undefined ? (other ?? '') : quoted === '' ? "'" : quoted.replaceAll("''", "'")
      parts.push({ letter: '', width: 0, text })
    }
  }
  return parts
}

const MINUTE_US = 60_000_000n
/** Letters that tell less than a minute. */
const FINE = /[sSAn]/

/**
 * As formatLocal, of one pattern, for times that mostly are in order: what was told for the minute before, or the day, is told again.
 */
export function localFormatter(pattern: string): (micros: bigint) => string | null {
  const parts = partsOf(pattern)
  const letters = (parts ?? []).map(({ letter }) => letter).join('')
  if (parts === null || FINE.test(letters)) return (micros) => formatLocal(micros, pattern)
  const stepUs = /[mHhKka]/.test(letters) ? MINUTE_US : US_PER_DAY
  let startUs = 0n
  let endUs = 0n
  let text: string | null = null
  return (micros) => {
    if (micros >= startUs && micros < endUs) return text
    const into = micros % stepUs
    startUs = micros - (into < 0n ? into + stepUs : into)
    endUs = startUs + stepUs
    text = formatLocal(micros, pattern)
    return text
  }
}

/** µs since the epoch, on local clocks; null if the pattern is none. */
export function formatLocal(micros: bigint, pattern: string): string | null {
  const parts = partsOf(pattern)
  if (parts === null) return null
  const fields = fieldsOf(micros)
  let text = ''
  for (const part of parts) text += part.letter === '' ? part.text : fieldText(part, fields)
  return text
}

interface Fields {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly days: number
  readonly hour: number
  /** Of the day. */
  readonly second: number
  readonly micros: number
}

function fieldsOf(local: bigint): Fields {
  const { days, rest } = splitMicros(local)
  const { year, month, day } = civilFromDays(days)
  const ofDay = Number(rest)
  const second = Math.floor(ofDay / 1_000_000)
  const hour = Math.floor(second / 3600)
  return { year, month, day, days, hour, second, micros: ofDay % 1_000_000 }
}

function fieldText({ letter, width }: Part, fields: Fields): string {
  const padded = (value: number) => String(value).padStart(width, '0')
  switch (letter) {
    case 'y':
    case 'u':
      return width === 2 ? String(fields.year % 100).padStart(2, '0') : padded(fields.year)
    case 'M':
    case 'L': {
      const name = MONTHS[fields.month - 1]!
      return width <= 2 ? padded(fields.month) : width === 3 ? name.slice(0, 3) : name
    }
    case 'd':
      return padded(fields.day)
    case 'D':
      return padded(fields.days - daysFromCivil({ year: fields.year, month: 1, day: 1 }) + 1)
    case 'E': {
      const name = DAYS[(((fields.days + 4) % 7) + 7) % 7]!
      return width <= 3 ? name.slice(0, 3) : name
    }
    case 'e':
      return padded(((((fields.days + 4) % 7) + 7) % 7) + 1)
    case 'H':
      return padded(fields.hour)
    case 'k':
      return padded(fields.hour === 0 ? 24 : fields.hour)
    case 'K':
      return padded(fields.hour % 12)
    case 'h':
      return padded(fields.hour % 12 === 0 ? 12 : fields.hour % 12)
    case 'm':
      return padded(Math.floor(fields.second / 60) % 60)
    case 's':
      return padded(fields.second % 60)
    case 'S':
      return String(fields.micros).padStart(6, '0').padEnd(width, '0').slice(0, width)
    case 'n':
      return padded(fields.micros * 1000)
    default:
      return fields.hour < 12 ? 'AM' : 'PM'
  }
}

/** µs since the epoch on local clocks; undefined if the text does not fit, or tells no real moment. Missing fields are those of 1970-01-01. */
export function parseLocal(text: string, pattern: string): bigint | undefined {
  const parts = partsOf(pattern)
  if (parts === null) return undefined
  const found: Record<string, number> = {}
  let at = 0
  for (const [index, part] of parts.entries()) {
    if (part.letter === '') {
      if (!text.startsWith(part.text, at)) return undefined
      at += part.text.length
      continue
    }
    const next = parts[index + 1]
    const match = fieldPattern(part, next !== undefined && next.letter !== '').exec(text.slice(at))
    if (match === null) return undefined
    const value = fieldValue(part, match[0])
    if (value === undefined) return undefined
    found[part.letter] = value
    at += match[0].length
  }
  return at === text.length ? momentOf(found) : undefined
}

function fieldPattern({ letter, width }: Part, adjacent: boolean): RegExp {
  if (letter === 'a') return /^[AaPp][Mm]/
  if ((letter === 'M' || letter === 'L') && width > 2) return /^[A-Za-z]+/
  if (letter === 'E') return /^[A-Za-z]+/
  if (letter === 'S' || adjacent || width === 2) return new RegExp(`^\\d{${width}}`)
  if (letter === 'y' || letter === 'u') return new RegExp(`^\\d{${width},10}`)
  return new RegExp(width === 1 ? '^\\d+' : `^\\d{${width}}`)
}

function fieldValue({ letter, width }: Part, text: string): number | undefined {
  if (letter === 'a') return text.toUpperCase() === 'PM' ? 1 : 0
  if (letter === 'E') return 0
  if ((letter === 'M' || letter === 'L') && width > 2) {
    const month = MONTHS.findIndex(
      (name) => (width === 3 ? name.slice(0, 3) : name).toLowerCase() === text.toLowerCase(),
    )
    return month < 0 ? undefined : month + 1
  }
  if (letter === 'S') return Number(text.padEnd(6, '0').slice(0, 6))
  if ((letter === 'y' || letter === 'u') && width === 2) return 2000 + Number(text)
  return Number(text)
}

function momentOf(found: Readonly<Record<string, number>>): bigint | undefined {
  const year = found.y ?? found.u ?? 1970
  const month = found.M ?? found.L ?? 1
  const day = found.d ?? 1
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  const half = found.h ?? found.K
  const hour = found.H ?? found.k ?? (half === undefined ? 0 : (half % 12) + 12 * (found.a ?? 0))
  const [minute, second] = [found.m ?? 0, found.s ?? 0]
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const days = daysFromCivil({ year, month, day }) + (found.D === undefined ? 0 : found.D - 1)
  const seconds = hour * 3600 + minute * 60 + second
  return BigInt(days) * US_PER_DAY + BigInt(seconds * 1_000_000 + (found.S ?? 0))
}
