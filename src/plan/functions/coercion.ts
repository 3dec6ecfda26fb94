/**
 * The type that two types have in common, and the decimals that arithmetic gives: Flink's rules.
 *
 * @see org.apache.flink.table.types.logical.utils.LogicalTypeMerging, and Calcite's leastRestrictive
 */
import {
  type DataType,
  type Field,
  STRING_LENGTH_MAX,
  types,
  withNullability,
} from '../../data/types.ts'

export const DECIMAL_PRECISION_MAX = 38
/** Fraction digits that survive when a result has more than 38 digits. */
const SCALE_KEPT = 6
const INTEGER_DIGITS = { tinyint: 3, smallint: 5, int: 10, bigint: 19 } as const
const INTEGER_ORDER = ['tinyint', 'smallint', 'int', 'bigint'] as const

export type IntegerKind = keyof typeof INTEGER_DIGITS
export type DecimalType = Extract<DataType, { kind: 'decimal' }>

export interface TimestampType {
  readonly kind: 'timestamp' | 'timestamp_ltz'
  readonly precision: number
  readonly nullable: boolean
}

export function isInteger(type: DataType): type is Extract<DataType, { kind: IntegerKind }> {
  return type.kind in INTEGER_DIGITS
}
export function isApproximate(type: DataType): boolean {
  return type.kind === 'float' || type.kind === 'double'
}
/** Integers and decimals. */
export function isExact(type: DataType): boolean {
  return isInteger(type) || type.kind === 'decimal'
}
export function isNumeric(type: DataType): boolean {
  return isExact(type) || isApproximate(type)
}
export function isText(type: DataType): type is Extract<DataType, { kind: 'char' | 'varchar' }> {
  return type.kind === 'char' || type.kind === 'varchar'
}
export function isBinary(
  type: DataType,
): type is Extract<DataType, { kind: 'binary' | 'varbinary' }> {
  return type.kind === 'binary' || type.kind === 'varbinary'
}
export function isTimestamp(type: DataType): type is TimestampType {
  return type.kind === 'timestamp' || type.kind === 'timestamp_ltz'
}
export function isInterval(type: DataType): boolean {
  return type.kind === 'interval_day_second' || type.kind === 'interval_year_month'
}

/** An exact number seen as a decimal: INT is DECIMAL(10, 0). */
export function asDecimal(type: DataType): DecimalType {
  if (type.kind === 'decimal') return type
  const precision = isInteger(type) ? INTEGER_DIGITS[type.kind] : DECIMAL_PRECISION_MAX
  return { kind: 'decimal', precision, scale: 0, nullable: type.nullable }
}

function decimal(precision: number, scale: number): DataType {
  if (precision <= DECIMAL_PRECISION_MAX) return types.decimal(precision, scale)
  const whole = precision - scale
  const kept = Math.max(DECIMAL_PRECISION_MAX - whole, Math.min(scale, SCALE_KEPT))
  return types.decimal(DECIMAL_PRECISION_MAX, kept)
}

export function decimalSum(a: DecimalType, b: DecimalType): DataType {
  const scale = Math.max(a.scale, b.scale)
  return decimal(Math.max(a.precision - a.scale, b.precision - b.scale) + scale + 1, scale)
}
export function decimalProduct(a: DecimalType, b: DecimalType): DataType {
  return decimal(a.precision + b.precision + 1, a.scale + b.scale)
}
export function decimalQuotient(a: DecimalType, b: DecimalType): DataType {
  const scale = Math.max(SCALE_KEPT, a.scale + b.precision + 1)
  return decimal(a.precision - a.scale + b.scale + scale, scale)
}
export function decimalRemainder(a: DecimalType, b: DecimalType): DataType {
  const scale = Math.max(a.scale, b.scale)
  return decimal(Math.min(a.precision - a.scale, b.precision - b.scale) + scale, scale)
}

/** The narrowest type that holds the values of all of `list`; undefined if there is none. */
export function commonTypeOf(list: readonly DataType[]): DataType | undefined {
  let common: DataType | undefined = list[0]
  for (const type of list.slice(1)) {
    if (common === undefined) return undefined
    common = commonType(common, type)
  }
  return common
}

/** As Flink's leastRestrictive; nullable if either is. */
export function commonType(a: DataType, b: DataType): DataType | undefined {
  const nullable = a.nullable || b.nullable
  if (a.kind === 'null') return withNullability(b, true)
  if (b.kind === 'null') return withNullability(a, true)
  const found = isNumeric(a) && isNumeric(b) ? commonNumber(a, b) : commonOther(a, b)
  return found === undefined ? undefined : withNullability(found, nullable)
}

function commonNumber(a: DataType, b: DataType): DataType {
  if (isApproximate(a) || isApproximate(b)) {
    if (a.kind === 'double' || b.kind === 'double') return types.double
    return a.kind === 'decimal' || b.kind === 'decimal' ? types.double : types.float
  }
  if (isInteger(a) && isInteger(b)) {
    return INTEGER_ORDER.indexOf(a.kind) >= INTEGER_ORDER.indexOf(b.kind) ? a : b
  }
  const [left, right] = [asDecimal(a), asDecimal(b)]
  const scale = Math.max(left.scale, right.scale)
  const whole = Math.max(left.precision - left.scale, right.precision - right.scale)
  return decimal(whole + scale, scale)
}

function commonOther(a: DataType, b: DataType): DataType | undefined {
  if (isText(a) && isText(b)) return commonLength(a, b, 'varchar')
  if (isBinary(a) && isBinary(b)) return commonLength(a, b, 'varbinary')
  if (a.kind === 'array' && b.kind === 'array') {
    const element = commonType(a.element, b.element)
    return element && { kind: 'array', element, nullable: true }
  }
  if (a.kind === 'map' && b.kind === 'map') {
    const [key, value] = [commonType(a.key, b.key), commonType(a.value, b.value)]
    return key && value && { kind: 'map', key, value, nullable: true }
  }
  if (a.kind === 'row' && b.kind === 'row') return commonRow(a.fields, b.fields)
  if (a.kind === 'time' && b.kind === 'time') return a.precision >= b.precision ? a : b
  if (a.kind === b.kind && !isTimestamp(a)) return a
  return commonMoment(a, b)
}

function commonLength<Kind extends 'varchar' | 'varbinary'>(
  a: { readonly kind: string; readonly length: number },
  b: { readonly kind: string; readonly length: number },
  varying: Kind,
): DataType {
  const length = Math.min(STRING_LENGTH_MAX, Math.max(a.length, b.length))
  if (a.kind === b.kind && a.length === b.length)
    return { ...a, length, nullable: true } as DataType
  return { kind: varying, length, nullable: true }
}

function commonRow(a: readonly Field[], b: readonly Field[]): DataType | undefined {
  if (a.length !== b.length) return undefined
  const fields: Field[] = []
  for (const [index, field] of a.entries()) {
    const type = commonType(field.type, b[index]!.type)
    if (type === undefined) return undefined
    fields.push({ name: field.name, type })
  }
  return { kind: 'row', fields, nullable: true }
}

function commonMoment(a: DataType, b: DataType): DataType | undefined {
  const moments = [a, b].filter(isTimestamp)
  if (moments.length === 0) return undefined
  if (moments.length === 1 && a.kind !== 'date' && b.kind !== 'date') return undefined
  const precision = Math.max(...moments.map((type) => type.precision))
  const local = moments.some((type) => type.kind === 'timestamp_ltz')
  return local ? types.timestampLtz(precision) : types.timestamp(precision)
}
