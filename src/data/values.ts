/**
 * Rows as JavaScript values, at the edges: the library's results, inline tables, printed rows. Not for hot paths.
 *
 *   BOOLEAN                      boolean
 *   TINYINT, SMALLINT, INT       number
 *   BIGINT                       bigint, or with `bigint: 'number'` a number, refused beyond 2^53 (VALUE_UNSAFE)
 *   FLOAT, DOUBLE                number
 *   DECIMAL(p, s)                string with s fraction digits, '-12.50'
 *   CHAR, VARCHAR, STRING        string
 *   BINARY, VARBINARY, BYTES     Uint8Array
 *   DATE                         string, '2026-01-31'
 *   TIME(p)                      string, '23:59:59.123'
 *   TIMESTAMP(p)                 string without a zone, '2026-01-31 23:59:59.123'
 *   TIMESTAMP_LTZ(p <= 3)        Date
 *   TIMESTAMP_LTZ(p > 3)         string in UTC, '2026-01-31T23:59:59.123456Z'
 *   INTERVAL                     bigint: µs, or months
 *   ROW                          object by field name
 *   ARRAY, MAP                   array; array of [key, value] pairs
 */
import { invariant, MillraceError } from '../errors.ts'
import { type Batch, ROW_KIND_TEXT, type Vector } from './batch.ts'
import { dateText, timestampText, timeText } from './civil.ts'
import type { LinearMemory } from './memory.ts'
import { type DataType, layoutOf, type Schema } from './types.ts'

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Date
  | Uint8Array
  | readonly Value[]
  | { readonly [field: string]: Value }

export type Row = Readonly<Record<string, Value>>
export type RowKindText = (typeof ROW_KIND_TEXT)[number]

export interface ValueOptions {
  /** How BIGINT is told; 'bigint' unless said. */
  readonly bigint?: 'bigint' | 'number'
  /** Reads the encoded cell of an ARRAY or MAP; without it they can't be told. */
  readonly nested?: (type: DataType, bytes: Uint8Array) => Value
}

/** A reader of rows of `schema`; `row` is a row number of the batch, not a place in its selection. */
export function rowReader(
  schema: Schema,
  options: ValueOptions = {},
): (memory: LinearMemory, columns: readonly Vector[], row: number) => Row {
  return (memory, columns, row) => {
    const out: Record<string, Value> = Object.create(null)
    for (let index = 0; index < schema.length; index++) {
      out[schema[index]!.name] = valueAt(memory, columns[index]!, row, options)
    }
    return out
  }
}

/** The row numbers that are in `batch`, in order. */
export function* selectedRows(memory: LinearMemory, batch: Batch): Generator<number> {
  for (let at = 0; at < batch.count; at++) {
    yield batch.selection === 0 ? at : memory.u32[(batch.selection >>> 2) + at]!
  }
}

export function rowKindAt(memory: LinearMemory, batch: Batch, row: number): RowKindText {
  return ROW_KIND_TEXT[batch.kinds === 0 ? 0 : memory.u8[batch.kinds + row]!]!
}

export function isNull(memory: LinearMemory, vector: Vector, row: number): boolean {
  if (vector.validity === 0) return vector.type.kind === 'null'
  return ((memory.u8[vector.validity + (row >>> 3)]! >> (row & 7)) & 1) === 0
}

/** @throws VALUE_UNSAFE if a BIGINT is to be a number and can't be one exactly */
export function valueAt(
  memory: LinearMemory,
  vector: Vector,
  row: number,
  options: ValueOptions = {},
): Value {
  if (isNull(memory, vector, row)) return null
  const { type } = vector
  switch (layoutOf(type)) {
    case 'row':
      return rowValue(memory, vector, row, options)
    case 'f64':
      return memory.f64[vector.cells / 8 + row]!
    case 'i128':
      return decimalText(wideAt(memory, vector, row), type.kind === 'decimal' ? type.scale : 0)
    case 'bytes':
      return bytesValue(type, bytesAt(memory, vector, row), options)
    default:
      return integerValue(type, memory.i64[vector.cells / 8 + row]!, options)
  }
}

/** A copy of a bytes cell's content. */
export function bytesAt(memory: LinearMemory, vector: Vector, row: number): Uint8Array {
  const at = vector.cells / 4 + row * 2
  const address = memory.u32[at]!
  return memory.u8.slice(address, address + memory.u32[at + 1]!)
}

/** Unscaled decimal to text with exactly `scale` fraction digits. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return unscaled < 0n ? `-${text}` : text
}

function wideAt(memory: LinearMemory, vector: Vector, row: number): bigint {
  const at = vector.cells / 8 + row * 2
  return (memory.i64[at + 1]! << 64n) | BigInt.asUintN(64, memory.i64[at]!)
}

function rowValue(memory: LinearMemory, vector: Vector, row: number, options: ValueOptions): Value {
  invariant(vector.type.kind === 'row' && vector.children !== undefined, 'a ROW has children')
  const out: Record<string, Value> = Object.create(null)
  vector.type.fields.forEach((field, index) => {
    out[field.name] = valueAt(memory, vector.children![index]!, row, options)
  })
  return out
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** What a cell of bytes holds, told as a value; an ARRAY or MAP by `options.nested`. */
export function bytesValue(type: DataType, bytes: Uint8Array, options: ValueOptions): Value {
  switch (type.kind) {
    case 'char':
    case 'varchar':
      return utf8.decode(bytes)
    case 'array':
    case 'map':
      invariant(options.nested !== undefined, `values of ${type.kind} need a nested reader`)
      return options.nested(type, bytes)
    default:
      return bytes
  }
}

/** What an i64 cell holds, told as a value. */
export function integerValue(type: DataType, cell: bigint, options: ValueOptions): Value {
  switch (type.kind) {
    case 'boolean':
      return cell !== 0n
    case 'tinyint':
    case 'smallint':
    case 'int':
      return Number(cell)
    case 'bigint':
      return options.bigint === 'number' ? safeNumber(cell) : cell
    case 'decimal':
      return decimalText(cell, type.scale)
    case 'date':
      return dateText(Number(cell))
    case 'time':
      return timeText(cell, type.precision)
    case 'timestamp':
      return timestampText(cell, type.precision)
    case 'timestamp_ltz':
      if (type.precision <= 3) return new Date(Number(cell / 1000n) - (cell % 1000n < 0n ? 1 : 0))
      return `${timestampText(cell, type.precision, 'T')}Z`
    default:
      return cell
  }
}

function safeNumber(cell: bigint): number {
  const number = Number(cell)
  if (Number.isSafeInteger(number)) return number
  throw new MillraceError('VALUE_UNSAFE', {
    message: `the BIGINT ${cell} can't be told as a number without rounding`,
    hint: "read BIGINT as bigint (leave out bigint: 'number'), or CAST it to STRING in the query",
    facts: { value: cell },
  })
}

/** JSON text of a value: a bigint keeps all its digits, a Date is ISO, bytes are base64; it neither throws nor rounds. */
export function jsonText(value: Value): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'number')
    return Number.isFinite(value) ? JSON.stringify(value) : `"${value}"`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (value instanceof Date) return JSON.stringify(value)
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  const members = Object.entries(value as Row)
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`).join(',')}}`
}
