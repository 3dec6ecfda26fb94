/** Values of scalar types as text and back, exactly: for formats that write text without types. */
import {
  dateText,
  parseDate,
  parseTime,
  parseTimestamp,
  timestampText,
  timeText,
} from '../data/civil.ts'
import type { CellValue } from '../data/nested-cells.ts'
import type { DataType } from '../data/types.ts'
import { decimalText } from '../data/values.ts'

/** A value that does not fit its column; its message is the reason that a dead row bears. */
export class TextRefused extends Error {}

const SHOWN_MAX = 60
const RANGES: Readonly<Partial<Record<DataType['kind'], bigint>>> = {
  tinyint: 2n ** 7n,
  smallint: 2n ** 15n,
  int: 2n ** 31n,
  bigint: 2n ** 63n,
}

/** True for types that have a text here. */
export function hasText({ kind }: DataType): boolean {
  return (
    kind !== 'row' &&
    kind !== 'array' &&
    kind !== 'map' &&
    !kind.startsWith('interval') &&
    kind !== 'null'
  )
}

/** @throws TextRefused */
export function textValue(type: DataType, text: string): CellValue {
  switch (type.kind) {
    case 'char':
    case 'varchar':
      return text
    case 'binary':
    case 'varbinary':
      return base64(text)
  }
  const trimmed = text.trim()
  const value = scalarValue(type, trimmed)
  if (value !== undefined) return value
  const shown = trimmed.length > SHOWN_MAX ? `${trimmed.slice(0, SHOWN_MAX)}…` : trimmed
  throw new TextRefused(`${JSON.stringify(shown)} is no ${type.kind.toUpperCase()}`)
}

function scalarValue(type: DataType, text: string): CellValue | undefined {
  switch (type.kind) {
    case 'boolean':
      return /^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint': {
      if (!/^[+-]?\d{1,40}$/.test(text)) return undefined
      const value = BigInt(text)
      const bound = RANGES[type.kind]!
      return value >= -bound && value < bound ? value : undefined
    }
    case 'float':
    case 'double': {
      const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^NaN$|^[+-]?Infinity$/.test(text)
        ? Number(text)
        : undefined
      return type.kind === 'float' && value !== undefined ? Math.fround(value) : value
    }
    case 'decimal':
      return decimalValue(text, type.precision, type.scale)
    case 'date': {
      const days = parseDate(text)
      return days === undefined ? undefined : BigInt(days)
    }
    case 'time':
      return parseTime(text)
    case 'timestamp':
      return parseTimestamp(text)
    case 'timestamp_ltz':
      return parseTimestamp(text.replace(/Z$/, ''))
    default:
      return undefined
  }
}

/** Unscaled; undefined if it does not fit without rounding. */
function decimalValue(text: string, precision: number, scale: number): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  if (match === null || `${match[2]}${match[3] ?? ''}` === '') return undefined
  const digits = `${match[2]}${match[3] ?? ''}`
  // Where the dot stands among the digits, counted from their end.
  const places = (match[3]?.length ?? 0) - Number(match[4] ?? 0)
  const shift = scale - places
  if (digits.length + Math.abs(shift) > 1000) return undefined
  const value = BigInt(digits) * 10n ** BigInt(Math.max(0, shift))
  const divisor = 10n ** BigInt(Math.max(0, -shift))
  if (value % divisor !== 0n) return undefined
  const unscaled = value / divisor
  if (unscaled >= 10n ** BigInt(precision)) return undefined
  return match[1] === '-' ? -unscaled : unscaled
}

function base64(text: string): Uint8Array {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new TextRefused('it is not base64')
  return Uint8Array.from(Buffer.from(text, 'base64'))
}

/** Of a value as cells hold it; not of null. */
export function valueText(type: DataType, value: CellValue): string {
  switch (type.kind) {
    case 'binary':
    case 'varbinary':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'decimal':
      return decimalText(value as bigint, type.scale)
    case 'date':
      return dateText(Number(value))
    case 'time':
      return timeText(value as bigint, type.precision)
    case 'timestamp':
      return timestampText(value as bigint, type.precision)
    case 'timestamp_ltz':
      return `${timestampText(value as bigint, type.precision)}Z`
    default:
      return String(value)
  }
}
