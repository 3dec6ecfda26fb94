/**
 * Rows as lines that people read and write: golden files, and what a test expected beside what came.
 *
 *   NULL, numbers, true, texts ('in quotes' if they have spaces), times of 1970-01-01 as 00:00:05, others as 2026-01-31T00:00:05,
 *   bytes as 0x0aff, ROW, ARRAY and MAP as JSON in quotes
 */
import type { DataType, Schema } from '../data/types.ts'
import { jsonText, type Row, type Value } from '../data/values.ts'
import type { KeptChange } from './kept.ts'

export function rowText(schema: Schema, row: Row): string {
  return schema.map(({ name, type }) => valueText(type, row[name] ?? null)).join(' ')
}

/** A value however it is told: a BIGINT may be a number, a time a Date or text. */
export function valueText(type: DataType, value: Value): string {
  if (value === null) return 'NULL'
  switch (type.kind) {
    case 'timestamp':
    case 'timestamp_ltz':
      return timeText(value)
    case 'decimal':
      return decimalText(String(value), type.scale)
    case 'float':
    case 'double':
      return Object.is(value, -0) ? '0' : String(Number(value))
    case 'char':
    case 'varchar':
      return wordText(String(value))
    case 'row':
    case 'array':
    case 'map':
      return `'${jsonText(value)}'`
    case 'binary':
    case 'varbinary':
      return value instanceof Uint8Array ? `0x${Buffer.from(value).toString('hex')}` : `${value}`
    default:
      return String(value)
  }
}

/** What `valueText` tells, as the JSON that given tables decode. */
export function tokenJson(type: DataType, token: string): string {
  if (token === 'NULL') return 'null'
  const text = token.startsWith("'") ? token.slice(1, -1).replaceAll("''", "'") : token
  switch (type.kind) {
    case 'timestamp':
    case 'timestamp_ltz': {
      const time = /^\d\d:/.test(text) ? `1970-01-01 ${text}` : text.replace('T', ' ')
      return JSON.stringify(type.kind === 'timestamp' ? time : `${time}Z`)
    }
    case 'row':
    case 'array':
    case 'map':
      return text
    case 'binary':
    case 'varbinary':
      return JSON.stringify(Buffer.from(text.replace(/^0x/, ''), 'hex').toString('base64'))
    case 'char':
    case 'varchar':
      return JSON.stringify(text)
    default:
      return /^(-?\d+(\.\d+)?|true|false)$/.test(text) ? text : JSON.stringify(text)
  }
}

function timeText(value: Value): string {
  const text = value instanceof Date ? value.toISOString() : String(value)
  return text
    .replace(' ', 'T')
    .replace(/Z$/, '')
    .replace(/^1970-01-01T/, '')
    .replace(/(\.\d*?)0+$/, '$1')
    .replace(/\.$/, '')
    .replace(/(\.\d\d?)$/, (fraction) => fraction.padEnd(4, '0'))
}

function decimalText(text: string, scale: number): string {
  const [whole, fraction = ''] = text.split('.')
  return scale === 0 ? whole! : `${whole}.${fraction.padEnd(scale, '0')}`
}

function wordText(text: string): string {
  const isPlain = /^[^\s']+$/.test(text) && text !== 'NULL'
  return isPlain ? text : `'${text.replaceAll("'", "''")}'`
}

/** The rows that changes leave, by key where the table is written so, else each as often as it came. */
export function foldChanges(
  table: {
    readonly schema: Schema
    readonly primaryKey: readonly string[]
    readonly mode: string
  },
  changes: readonly KeptChange[],
): readonly Row[] {
  const keys = table.mode === 'upsert' ? table.primaryKey : table.schema.map(({ name }) => name)
  const key = table.schema.filter(({ name }) => keys.includes(name))
  const held = new Map<string, Row[]>()
  for (const { kind, row } of changes) {
    const text = rowText(key, row)
    const rows = held.get(text) ?? []
    if (kind === '+I' || kind === '+U') {
      if (table.mode === 'upsert') rows.length = 0
      rows.push(row)
    } else if (table.mode !== 'upsert' || kind === '-D') {
      if (rows.pop() === undefined && table.mode !== 'upsert') throw new TakenTwice(kind, text)
    }
    if (rows.length === 0) held.delete(text)
    else held.set(text, rows)
  }
  return [...held.values()].flat()
}

/** A changelog that takes away what is not there is a mistake of whoever made it. */
export class TakenTwice extends Error {
  override readonly name = 'TakenTwice'
  constructor(kind: string, text: string) {
    super(`${kind} ${text} takes away what is not there`)
  }
}

/** Lines that were expected and did not come, and those that came and were not expected; undefined where both are the same, in this order. */
export function differenceOf(
  expected: readonly string[],
  found: readonly string[],
): readonly string[] | undefined {
  if (expected.length === found.length && expected.every((line, at) => line === found[at]))
    return undefined
  const lines: string[] = []
  const common = commonLines(expected, found)
  let [left, right] = [0, 0]
  for (const [from, to] of [...common, [expected.length, found.length] as const]) {
    for (; left < from; left++) lines.push(`- ${expected[left]}`)
    for (; right < to; right++) lines.push(`+ ${found[right]}`)
    if (left < expected.length) lines.push(`  ${expected[left]}`)
    left++
    right++
  }
  return lines
}

/** Places of a longest common subsequence. */
function commonLines(
  left: readonly string[],
  right: readonly string[],
): readonly (readonly [number, number])[] {
  const lengths = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1))
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      lengths[i]![j] =
        left[i] === right[j]
          ? lengths[i + 1]![j + 1]! + 1
          : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!)
    }
  }
  const pairs: [number, number][] = []
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (left[i] === right[j]) pairs.push([i++, j++])
    else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) i++
    else j++
  }
  return pairs
}
