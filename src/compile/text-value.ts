/** Texts as values, as Flink's CAST from STRING reads them. What can't be read fails the row. */
import { daysFromCivil, daysInMonth, US_PER_DAY } from '../data/civil.ts'
import type { DataType } from '../data/types.ts'
import type { EvaluationContext } from './compiled.ts'
import { fitting, parseDecimal } from './decimals.ts'
import { failRow } from './row-failure.ts'
import type { Value } from './value.ts'
import { instantOfLocal } from './zone.ts'

const TRUE_WORDS = new Set(['t', 'true', 'y', 'yes', '1'])
const FALSE_WORDS = new Set(['f', 'false', 'n', 'no', '0'])
const INTEGER_BITS: Partial<Record<DataType['kind'], number>> = {
  tinyint: 8,
  smallint: 16,
  int: 32,
  bigint: 64,
}

/** @throws RowFailure if the text is none of the type */
export function textValue(text: string, type: DataType, context: EvaluationContext): Value {
  switch (type.kind) {
    case 'boolean':
      return booleanOf(text)
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
      return integerOf(text, INTEGER_BITS[type.kind]!)
    case 'float':
    case 'double':
      return numberOf(text, type.kind === 'float')
    case 'decimal':
      return fitting(
        parseDecimal(text.trim(), type.scale) ?? failRow(`'${text}' is no DECIMAL`),
        type.precision,
      )
    case 'date':
      return BigInt(parseDateText(text) ?? failRow(`'${text}' is no DATE`))
    case 'time':
      return cut(parseTimeText(text) ?? failRow(`'${text}' is no TIME`), type.precision)
    case 'timestamp':
      return cut(parseTimestampText(text) ?? failRow(`'${text}' is no TIMESTAMP`), type.precision)
    case 'timestamp_ltz':
      return cut(instantOf(text, context.timeZone), type.precision)
    case 'binary':
    case 'varbinary':
      return new TextEncoder().encode(text)
    default:
      return failRow(`a text can't become ${type.kind.toUpperCase()}`)
  }
}

function booleanOf(text: string): boolean {
  const word = text.trim().toLowerCase()
  if (TRUE_WORDS.has(word)) return true
  if (FALSE_WORDS.has(word)) return false
  return failRow(`'${text}' is no BOOLEAN`)
}

/** A fraction is cut, as Flink does. */
function integerOf(text: string, bits: number): bigint {
  const match = /^([+-]?\d+)(?:\.\d*)?$/.exec(text.trim())
  if (match === null) return failRow(`'${text}' is no whole number`)
  const value = BigInt(match[1]!.replace('+', ''))
  return BigInt.asIntN(bits, value) === value
    ? value
    : failRow(`'${text}' does not fit into ${bits} bits`)
}

/** Java's Double.parseDouble: a trailing f or d is allowed. */
function numberOf(text: string, single: boolean): number {
  const match = /^([+-]?)(?:(NaN|Infinity)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?)$/.exec(
    text.trim(),
  )
  if (match === null) return failRow(`'${text}' is no number`)
  const value = Number(match[2] ?? match[3])
  const signed = match[1] === '-' ? -value : value
  return single ? Math.fround(signed) : signed
}

/** µs cut to `precision` fraction digits, toward the past. */
export function cut(micros: bigint, precision: number): bigint {
  if (precision >= 6) return micros
  const unit = 10n ** BigInt(6 - precision)
  const rest = micros % unit
  return micros - (rest < 0n ? rest + unit : rest)
}

/** Days since the epoch of 'yyyy[-M[-d]]', with a time of day behind it that is not looked at. */
export function parseDateText(text: string): number | undefined {
  const match = /^(\d{1,4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T].*)?)?)?$/.exec(text.trim())
  if (match === null) return undefined
  const [year, month, day] = [match[1], match[2] ?? '1', match[3] ?? '1'].map(Number) as [
    number,
    number,
    number,
  ]
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined
  return daysFromCivil({ year, month, day })
}

/** µs of the day of 'H[:m[:s[.f]]]'. */
export function parseTimeText(text: string): bigint | undefined {
  const match = /^(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?$/.exec(text.trim())
  if (match === null) return undefined
  const [hour, minute, second] = [match[1], match[2] ?? '0', match[3] ?? '0'].map(Number) as [
    number,
    number,
    number,
  ]
  if (hour > 23 || minute > 59 || second > 59) return undefined
  const micros = Number((match[4] ?? '').padEnd(6, '0').slice(0, 6))
  return BigInt((hour * 3600 + minute * 60 + second) * 1_000_000 + micros)
}

/** µs of 'yyyy-MM-dd[ HH:mm:ss[.f]]'. */
export function parseTimestampText(text: string): bigint | undefined {
  const trimmed = text.trim()
  const [datePart, timePart] = trimmed.split(/[ T]/, 2) as [string, string | undefined]
  const days = parseDateText(datePart)
  if (days === undefined || (!datePart.includes('-') && timePart === undefined)) return undefined
  const time = timePart === undefined ? 0n : parseTimeText(timePart)
  return time === undefined ? undefined : BigInt(days) * US_PER_DAY + time
}

function instantOf(text: string, zone: string): bigint {
  const match = /^(.*?)(Z|[+-]\d{2}:\d{2})?$/.exec(text.trim())!
  const offset = match[2]
  const local = parseTimestampText(offset === undefined ? text : match[1]!)
  if (local === undefined) return failRow(`'${text}' is no TIMESTAMP_LTZ`)
  return instantOfLocal(local, offset === undefined ? zone : offset === 'Z' ? 'UTC' : offset)
}
