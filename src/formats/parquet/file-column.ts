/** A column of a file as it is read: its schema elements, and integers out of what it holds. */
import type { SchemaElement } from 'hyparquet'
import type { DataType } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'

/** What the values are of, for conversion and for messages. */
export interface FileColumn {
  readonly file: string
  readonly path: string
  /** The column's schema elements in the file, annotations included, the top one first. */
  readonly elements: readonly SchemaElement[]
}

/** Cells of `type` (integers, decimals, times) from the column's values. @throws PARQUET_INVALID */
export function integerReader(type: DataType, column: FileColumn): (value: unknown) => bigint {
  const scale = microsPer(type, column)
  return scale === undefined
    ? (value) => integerOf(value, column)
    : (value) => scale(integerOf(value, column))
}

export function integerOf(value: unknown, column: FileColumn): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value)
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (value instanceof Uint8Array) return bigEndian(value)
  throw wrongType(column, typeof value)
}

/** Two's complement, high byte first: how decimals lie in byte arrays. */
function bigEndian(bytes: Uint8Array): bigint {
  let value = 0n
  for (const byte of bytes) value = (value << 8n) | BigInt(byte)
  return BigInt.asIntN(8 * bytes.length, value)
}

/** To µs from the unit that the file says; undefined where the value is taken as it is (INT96 comes as µs). */
export function microsPer(
  type: DataType,
  column: FileColumn,
): ((value: bigint) => bigint) | undefined {
  if (type.kind !== 'timestamp' && type.kind !== 'timestamp_ltz' && type.kind !== 'time') {
    return undefined
  }
  const element = column.elements[0]
  const logical = element?.logical_type
  const unit =
    logical?.type === 'TIMESTAMP' || logical?.type === 'TIME'
      ? logical.unit
      : element?.converted_type === 'TIMESTAMP_MILLIS' || element?.converted_type === 'TIME_MILLIS'
        ? 'MILLIS'
        : 'MICROS'
  if (unit === 'MILLIS') return (millis) => millis * 1000n
  if (unit === 'NANOS') return floorThousandth
  return undefined
}

function floorThousandth(nanos: bigint): bigint {
  const micros = nanos / 1000n
  return nanos % 1000n < 0n ? micros - 1n : micros
}

/** The nth child, from 1, of the column's top element; one without elements if the file has no such. */
export function childAt(column: FileColumn, nth: number): FileColumn {
  let index = 1
  for (let child = 1; index < column.elements.length; child++) {
    const end = skip(column.elements, index)
    if (child === nth) {
      const elements = column.elements.slice(index, end)
      return { ...column, path: `${column.path}.${elements[0]!.name}`, elements }
    }
    index = end
  }
  return { ...column, elements: [] }
}

export function childNamed(column: FileColumn, name: string): FileColumn {
  const children = column.elements[0]?.num_children ?? 0
  for (let nth = 1; nth <= children; nth++) {
    const found = childAt(column, nth)
    if (found.elements[0]?.name === name) return found
  }
  return { ...column, path: `${column.path}.${name}`, elements: [] }
}

function skip(elements: readonly SchemaElement[], index: number): number {
  let end = index + 1
  for (let child = 0; child < (elements[index]?.num_children ?? 0); child++) {
    end = skip(elements, end)
  }
  return end
}

export function wrongType(column: FileColumn, found: string): MillraceError {
  return new MillraceError('PARQUET_INVALID', {
    message: `column '${column.path}' of '${column.file}' holds ${found}, not what the table's schema says`,
    hint: 'the file does not fit the table: rewrite it with the tool that wrote it',
    facts: { column: column.path, file: column.file, found },
  })
}
