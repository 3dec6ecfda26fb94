/** Scalars of Protobuf and the types of columns: what is read as what, and written. */
import type { CellValue } from '../../data/nested-cells.ts'
import type { DataType } from '../../data/types.ts'
import { TextRefused, textValue, valueText } from '../text-cells.ts'
import { type WireCursor, WireRefused } from './cursor.ts'

export interface ScalarCodec {
  readonly wireType: 0 | 1 | 2 | 5
  /** @param before what the same field had on the wire already: parts of a message that come apart are one */
  read(cursor: WireCursor, before?: CellValue): CellValue
  /** What is not on the wire stands for it, in proto3. */
  readonly absent: CellValue
}

const RANGES: Readonly<Partial<Record<DataType['kind'], bigint>>> = {
  tinyint: 2n ** 7n,
  smallint: 2n ** 15n,
  int: 2n ** 31n,
  date: 2n ** 31n,
  bigint: 2n ** 63n,
  time: 2n ** 63n,
}
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Undefined if the type of the column can't hold the scalar. */
export function scalarCodec(scalar: string, type: DataType): ScalarCodec | undefined {
  switch (scalar) {
    case 'bool':
      return type.kind === 'boolean'
        ? { wireType: 0, absent: false, read: (cursor) => cursor.varint() !== 0n }
        : undefined
    case 'float':
      return isFloating(type)
        ? { wireType: 5, absent: 0, read: (cursor) => cursor.fixed(4).getFloat32(0, true) }
        : undefined
    case 'double':
      return type.kind === 'double'
        ? { wireType: 1, absent: 0, read: (cursor) => cursor.fixed(8).getFloat64(0, true) }
        : undefined
    case 'string':
      return stringCodec(type)
    case 'bytes':
      return type.kind === 'binary' || type.kind === 'varbinary'
        ? { wireType: 2, absent: new Uint8Array(), read: (cursor) => cursor.block() }
        : undefined
    default:
      return integerCodec(scalar, type)
  }
}

function isFloating({ kind }: DataType): boolean {
  return kind === 'float' || kind === 'double'
}

function stringCodec(type: DataType): ScalarCodec | undefined {
  const text = (cursor: WireCursor): string => {
    try {
      return utf8.decode(cursor.block())
    } catch (error) {
      if (error instanceof WireRefused) throw error
      throw new WireRefused('a text is not valid UTF-8')
    }
  }
  if (type.kind === 'char' || type.kind === 'varchar')
    return { wireType: 2, absent: '', read: text }
  if (type.kind !== 'decimal') return undefined
  const value = (cursor: WireCursor): CellValue => {
    try {
      return textValue(type, text(cursor))
    } catch (error) {
      if (error instanceof TextRefused) throw new WireRefused(error.message)
      throw error
    }
  }
  return { wireType: 2, absent: null, read: value }
}

interface Integer {
  readonly wireType: 0 | 1 | 5
  read(cursor: WireCursor): bigint
}

const varintOf = (read: (value: bigint) => bigint): Integer => ({
  wireType: 0,
  read: (cursor) => read(cursor.varint()),
})
const unzigzag = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n)
const INTEGERS: Readonly<Record<string, Integer>> = {
  int32: varintOf((value) => BigInt.asIntN(32, value)),
  int64: varintOf((value) => BigInt.asIntN(64, value)),
  uint32: varintOf((value) => BigInt.asUintN(32, value)),
  uint64: varintOf((value) => value),
  sint32: varintOf(unzigzag),
  sint64: varintOf(unzigzag),
  fixed32: { wireType: 5, read: (cursor) => BigInt(cursor.fixed(4).getUint32(0, true)) },
  sfixed32: { wireType: 5, read: (cursor) => BigInt(cursor.fixed(4).getInt32(0, true)) },
  fixed64: { wireType: 1, read: (cursor) => cursor.fixed(8).getBigUint64(0, true) },
  sfixed64: { wireType: 1, read: (cursor) => cursor.fixed(8).getBigInt64(0, true) },
}

function integerCodec(scalar: string, type: DataType): ScalarCodec | undefined {
  const integer = INTEGERS[scalar]
  if (integer === undefined) return undefined
  const { wireType, read } = integer
  if (isFloating(type)) return { wireType, absent: 0, read: (cursor) => Number(read(cursor)) }
  const isDecimal = type.kind === 'decimal' && type.scale === 0
  const bound = isDecimal ? 10n ** BigInt(type.precision) : RANGES[type.kind]
  if (bound === undefined) return undefined
  return {
    wireType,
    absent: 0n,
    read(cursor) {
      const value = read(cursor)
      if (value >= -bound && value < bound) return value
      throw new WireRefused(`${value} is out of the range of ${type.kind.toUpperCase()}`)
    },
  }
}

/** How a value is written as a scalar: its wire type and bytes go to `out`. */
export function scalarText(type: DataType, value: CellValue): string {
  return type.kind === 'decimal' ? valueText(type, value) : String(value)
}
