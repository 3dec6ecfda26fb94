/** PRINTF: the part of Java's format strings that values of SQL need. */
import { timestampText } from '../../data/civil.ts'
import type { DataType } from '../../data/types.ts'
import { decimalNumber, decimalText } from '../decimals.ts'
import type { Value } from '../value.ts'
import { doubleText, floatText } from '../value-text.ts'

const SPECIFIER = /%(?:(\d+)\$)?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g

/** NULL if a value does not fit its specifier or is missing. */
export function printf(
  format: string,
  values: readonly Value[],
  types: readonly DataType[],
): string | null {
  let next = 0
  let fits = true
  const out = format.replace(SPECIFIER, (_, position, flags, width, precision, conversion) => {
    if (conversion === '%') return '%'
    if (conversion === 'n') return '\n'
    const index = position === undefined ? next++ : Number(position) - 1
    const type = types[index]
    const body = type && told(values[index]!, type, conversion, precision, flags)
    if (body === undefined) {
      fits = false
      return ''
    }
    return widened(body, flags, Number(width ?? 0))
  })
  return fits ? out : null
}

function told(
  value: Value,
  type: DataType,
  conversion: string,
  precision: string | undefined,
  flags: string,
): string | undefined {
  const lower = conversion.toLowerCase()
  if (lower === 's' || lower === 'b') {
    const text =
      lower === 'b' && typeof value !== 'boolean' ? String(value !== null) : javaString(value, type)
    const cut = precision === undefined ? text : text.slice(0, Number(precision))
    return conversion === lower ? cut : cut.toUpperCase()
  }
  if (value === null) return 'null'
  const isWhole = typeof value === 'bigint' && type.kind !== 'decimal'
  const plus = flags.includes('+') ? '+' : ''
  if (lower === 'd' && isWhole) return value < 0n ? String(value) : plus + String(value)
  if (lower === 'x' && isWhole) {
    const hex = BigInt.asUintN(type.kind === 'bigint' ? 64 : 32, value).toString(16)
    return conversion === 'X' ? hex.toUpperCase() : hex
  }
  if (lower === 'c' && isWhole) return String.fromCodePoint(Number(value))
  const number =
    typeof value === 'number'
      ? value
      : type.kind === 'decimal'
        ? decimalNumber(value as bigint, type.scale)
        : undefined
  if (number === undefined) return undefined
  const sign = number >= 0 ? plus : ''
  if (lower === 'f') return sign + number.toFixed(Number(precision ?? 6))
  if (lower !== 'e') return undefined
  const text = number.toExponential(Number(precision ?? 6))
  return sign + text.replace(/e([+-])(\d)$/, 'e$10$2')
}

/** Object.toString of Flink's internal value. */
function javaString(value: Value, type: DataType): string {
  if (value === null) return 'null'
  switch (type.kind) {
    case 'decimal':
      return decimalText(value as bigint, type.scale)
    case 'float':
      return floatText(value as number)
    case 'double':
      return doubleText(value as number)
    case 'time':
    case 'interval_day_second':
      return String((value as bigint) / 1000n)
    case 'timestamp':
    case 'timestamp_ltz':
      return timestampText(value as bigint, 6, 'T').replace(/(\.\d{3})000$|\.000000$/, '$1')
    default:
      return String(value)
  }
}

function widened(body: string, flags: string, width: number): string {
  if (flags.includes('-')) return body.padEnd(width)
  if (!flags.includes('0')) return body.padStart(width)
  const sign = /^[+-]/.exec(body)?.[0] ?? ''
  return sign + body.slice(sign.length).padStart(width - sign.length, '0')
}
