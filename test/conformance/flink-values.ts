/** Types and tagged values of the Flink conformance files, as the engine's. */

import { parseDecimal } from '../../src/compile/decimals.ts'
import { parseDateText, parseTimestampText, parseTimeText } from '../../src/compile/text-value.ts'
import type { Value } from '../../src/compile/value.ts'
import {
  type DataType,
  type Field,
  STRING_LENGTH_MAX,
  withNullability,
} from '../../src/data/types.ts'

/** undefined for what Millrace has no type for (MULTISET, RAW, STRUCTURED ...). */
export function parseType(text: string): DataType | undefined {
  const cursor = { text, at: 0 }
  const type = readType(cursor)
  return type !== undefined && cursor.text.slice(cursor.at).trim() === '' ? type : undefined
}

interface Cursor {
  readonly text: string
  at: number
}

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  const sticky = new RegExp(`\\s*(?:${pattern.source})`, 'iy')
  sticky.lastIndex = cursor.at
  const match = sticky.exec(cursor.text)
  if (match === null) return undefined
  cursor.at = sticky.lastIndex
  return match
}

function readType(cursor: Cursor): DataType | undefined {
  const bare = bareType(cursor)
  if (bare === undefined) return undefined
  if (take(cursor, /NOT\s+NULL/) !== undefined) return withNullability(bare, false)
  take(cursor, /NULL/)
  return bare
}

function bareType(cursor: Cursor): DataType | undefined {
  if (take(cursor, /INTERVAL\b/) !== undefined) return intervalType(cursor)
  const name = take(cursor, /TIMESTAMP_LTZ|TIMESTAMP|DOUBLE PRECISION|[A-Z_]+/)?.[0]
    .trim()
    .toUpperCase()
  const numbers = /^(ARRAY|MAP|ROW)$/.test(name ?? '')
    ? []
    : (take(cursor, /\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)/)?.slice(1) ?? []).map(Number)
  const [first, second] = numbers
  const nullable = true
  switch (name) {
    case 'BOOLEAN':
    case 'TINYINT':
    case 'SMALLINT':
    case 'INT':
    case 'BIGINT':
    case 'FLOAT':
    case 'DOUBLE':
    case 'DATE':
      return { kind: name.toLowerCase(), nullable } as DataType
    case 'INTEGER':
      return { kind: 'int', nullable }
    case 'DECIMAL':
      return { kind: 'decimal', precision: first || 10, scale: second || 0, nullable }
    case 'STRING':
      return { kind: 'varchar', length: STRING_LENGTH_MAX, nullable }
    case 'BYTES':
      return { kind: 'varbinary', length: STRING_LENGTH_MAX, nullable }
    case 'CHAR':
    case 'VARCHAR':
    case 'BINARY':
    case 'VARBINARY':
      return { kind: name.toLowerCase(), length: first || 1, nullable } as DataType
    case 'TIME':
    case 'TIMESTAMP':
    case 'TIMESTAMP_LTZ':
      return {
        kind: name.toLowerCase(),
        precision: first ?? (name === 'TIME' ? 0 : 6),
        nullable,
      } as DataType
    default:
      return nestedType(name, cursor)
  }
}

function intervalType(cursor: Cursor): DataType {
  const match = take(cursor, /(\w+)(?:\(\d+\))?(?:\s+TO\s+\w+(?:\(\d+\))?)?/)
  const months = /^(YEAR|MONTH)/i.test(match?.[1] ?? '')
  return { kind: months ? 'interval_year_month' : 'interval_day_second', nullable: true }
}

function nestedType(name: string | undefined, cursor: Cursor): DataType | undefined {
  const open = take(cursor, /[<(]/)
  if (open === undefined) return undefined
  if (name === 'ARRAY') {
    const element = readType(cursor)
    take(cursor, />/)
    return element && { kind: 'array', element, nullable: true }
  }
  if (name === 'MAP') {
    const key = readType(cursor)
    take(cursor, /,/)
    const value = readType(cursor)
    take(cursor, />/)
    return key && value && { kind: 'map', key, value, nullable: true }
  }
  if (name !== 'ROW') return undefined
  const fields: Field[] = []
  do {
    const field = take(cursor, /`([^`]+)`|(\w+)/)
    const type = readType(cursor)
    if (type === undefined || field === undefined) return undefined
    fields.push({ name: field[1] ?? field[2]!, type })
    take(cursor, /'(?:[^']|'')*'/)
  } while (take(cursor, /,/) !== undefined)
  take(cursor, /[>)]/)
  return { kind: 'row', fields, nullable: true }
}

/** A value of the file as the engine's, of a type. */
export function taggedValue(told: unknown, type: DataType): Value {
  if (told === null || told === undefined) return null
  if (Array.isArray(told)) {
    return told.map((each, index) =>
      taggedValue(
        each,
        type.kind === 'array'
          ? type.element
          : type.kind === 'row'
            ? type.fields[index]!.type
            : type,
      ),
    )
  }
  if (typeof told !== 'object') return scalar(told as string | number | boolean, type)
  if ('row' in told) return taggedValue(told.row, type)
  const [[tag, content]] = Object.entries(told) as [[string, unknown]]
  switch (tag) {
    case '$row':
      return taggedValue(content, type)
    case '$map':
      return (content as readonly (readonly [unknown, unknown])[]).map(([key, value]) =>
        type.kind === 'map'
          ? [taggedValue(key, type.key), taggedValue(value, type.value)]
          : [null, null],
      )
    case '$ApiExpression':
      // What the extraction of the cases could not tell: a NULL of some type.
      return null
    case '$bytes':
      return new Uint8Array(Buffer.from(String(content), 'base64'))
    case '$Duration':
      return durationMicros(String(content))
    case '$Period': {
      const [, years, months] = /^P(?:(-?\d+)Y)?(?:(-?\d+)M)?/.exec(String(content))!
      return BigInt(Number(years ?? 0) * 12 + Number(months ?? 0))
    }
    default:
      return scalar(String(content), type)
  }
}

function scalar(told: string | number | boolean, type: DataType): Value {
  const text = String(told)
  switch (type.kind) {
    case 'boolean':
      return told === true
    case 'float':
      return Math.fround(Number(told))
    case 'double':
      return Number(told)
    case 'decimal':
      return parseDecimal(text, type.scale) ?? null
    case 'char':
    case 'varchar':
      return text
    case 'date':
      return BigInt(parseDateText(text)!)
    case 'time':
      return parseTimeText(text)!
    case 'timestamp':
    case 'timestamp_ltz':
      return parseTimestampText(text.replace(/Z$/, ''))!
    case 'null':
      return null
    default:
      return BigInt(text)
  }
}

function durationMicros(text: string): bigint {
  const [, sign, days, hours, minutes, seconds] =
    /^(-?)P(?:(-?\d+)D)?T?(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?[\d.]+)S)?$/.exec(text)!
  const total =
    Number(days ?? 0) * 86400 +
    Number(hours ?? 0) * 3600 +
    Number(minutes ?? 0) * 60 +
    Number(seconds ?? 0)
  return BigInt(Math.round(total * 1e6)) * (sign === '-' ? -1n : 1n)
}
