/** The cast of one value, for what has no kernel. @see Flink's CastRuleProvider */
import { US_PER_DAY } from '../data/civil.ts'
import { type DataType, layoutOf, STRING_LENGTH_MAX } from '../data/types.ts'
import type { EvaluationContext } from './compiled.ts'
import { decimalNumber, decimalOfNumber, fitting, powerOfTen, rescaled } from './decimals.ts'
import { overflowed } from './row-failure.ts'
import { cut, textValue } from './text-value.ts'
import type { Value } from './value.ts'
import { valueText } from './value-text.ts'
import { instantOfLocal, localOfInstant } from './zone.ts'

/** Of a value that is not NULL. @throws RowFailure */
export type Cast = (value: Value, context: EvaluationContext) => Value

/** Of the integer types. */
export const BITS: Partial<Record<DataType['kind'], number>> = {
  tinyint: 8,
  smallint: 16,
  int: 32,
  bigint: 64,
}

/** The cast of one value; NULLs within stay. */
export function castOf(from: DataType, to: DataType): Cast {
  if (to.kind === 'char' || to.kind === 'varchar') return toText(from, to)
  if (to.kind === 'binary' || to.kind === 'varbinary') return toBytes(from, to)
  if (from.kind === 'char' || from.kind === 'varchar') {
    return (value, context) => textValue(value as string, to, context)
  }
  if (from.kind === 'row' || from.kind === 'array' || from.kind === 'map')
    return nestedCast(from, to)
  if (to.kind === 'boolean')
    return (value) => (typeof value === 'boolean' ? value : Number(value) !== 0)
  if (to.kind === 'decimal') return toDecimal(from, to)
  const bits = BITS[to.kind]
  if (bits !== undefined) return toInteger(from, bits)
  if (to.kind === 'float' || to.kind === 'double') return toNumber(from, to.kind === 'float')
  return momentCast(from, to)
}

function toText(from: DataType, to: Extract<DataType, { length: number }>): Cast {
  return (value, context) => {
    const text = valueText(value, from, context)
    if (to.length === STRING_LENGTH_MAX) return text
    const points = [...text]
    if (points.length > to.length) return points.slice(0, to.length).join('')
    return to.kind === 'char' ? text + ' '.repeat(to.length - points.length) : text
  }
}

function toBytes(from: DataType, to: Extract<DataType, { length: number }>): Cast {
  return (value) => {
    const bytes =
      typeof value === 'string' ? new TextEncoder().encode(value) : (value as Uint8Array)
    if (bytes.length > to.length) return bytes.slice(0, to.length)
    if (
      to.kind !== 'binary' ||
      bytes.length === to.length ||
      (from.kind === 'varbinary' && to.length === bytes.length)
    )
      return bytes
    const padded = new Uint8Array(to.length)
    padded.set(bytes)
    return padded
  }
}

function nestedCast(from: DataType, to: DataType): Cast {
  if (from.kind === 'row' && to.kind === 'row') {
    const casts = to.fields.map((field, index) => castOf(from.fields[index]!.type, field.type))
    return (value, context) =>
      (value as readonly Value[]).map((each, index) =>
        each === null ? null : casts[index]!(each, context),
      )
  }
  if (from.kind === 'array' && to.kind === 'array') {
    const cast = castOf(from.element, to.element)
    return (value, context) =>
      (value as readonly Value[]).map((each) => (each === null ? null : cast(each, context)))
  }
  if (from.kind === 'map' && to.kind === 'map') {
    const [key, item] = [castOf(from.key, to.key), castOf(from.value, to.value)]
    return (value, context) =>
      (value as readonly (readonly [Value, Value])[]).map(([k, v]) => [
        k === null ? null : key(k, context),
        v === null ? null : item(v, context),
      ])
  }
  return (value) => value
}

function scaleOf(type: DataType): number {
  return type.kind === 'decimal' ? type.scale : 0
}

function toDecimal(from: DataType, to: Extract<DataType, { kind: 'decimal' }>): Cast {
  return (value, context) => {
    if (typeof value === 'boolean') return fitting(value ? powerOfTen(to.scale) : 0n, to.precision)
    const unscaled =
      typeof value === 'number'
        ? decimalOfNumber(value, to.scale)
        : rescaled(value as bigint, scaleOf(from), to.scale)
    const result = unscaled === undefined ? null : fitting(unscaled, to.precision)
    if (result === null) overflowed(context, to)
    return result
  }
}

function toInteger(from: DataType, bits: number): Cast {
  const divisor = powerOfTen(scaleOf(from))
  return (value) => {
    if (typeof value === 'boolean') return value ? 1n : 0n
    if (typeof value === 'number') return wholeOfNumber(value, bits)
    return BigInt.asIntN(bits, (value as bigint) / divisor)
  }
}

/** Java's: NaN is 0, too large is the largest; through INT for the smaller types, which then wrap. */
function wholeOfNumber(value: number, bits: number): bigint {
  if (Number.isNaN(value)) return 0n
  const limit = 1n << (bits === 64 ? 63n : 31n)
  if (value >= Number(limit)) return BigInt.asIntN(bits, limit - 1n)
  if (value <= -Number(limit)) return BigInt.asIntN(bits, -limit)
  return BigInt.asIntN(bits, BigInt(Math.trunc(value)))
}

function toNumber(from: DataType, single: boolean): Cast {
  const scale = scaleOf(from)
  // Flink divides the long of a short decimal: not always the nearest double.
  const ofBigint = (value: bigint) =>
    layoutOf(from) === 'i64' ? Number(value) / 10 ** scale : decimalNumber(value, scale)
  return (value) => {
    const number = typeof value === 'bigint' ? ofBigint(value) : Number(value)
    return single ? Math.fround(number) : number
  }
}

/** Between DATE, TIME, TIMESTAMP and TIMESTAMP_LTZ, through the local clock. */
function momentCast(from: DataType, to: DataType): Cast {
  return (value, context) => {
    const local = localMicros(value as bigint, from, context)
    switch (to.kind) {
      case 'date':
        return (local - (((local % US_PER_DAY) + US_PER_DAY) % US_PER_DAY)) / US_PER_DAY
      case 'time':
        return cut(((local % US_PER_DAY) + US_PER_DAY) % US_PER_DAY, to.precision)
      case 'timestamp':
        return cut(local, to.precision)
      case 'timestamp_ltz':
        return cut(
          from.kind === 'timestamp_ltz'
            ? (value as bigint)
            : instantOfLocal(local, context.timeZone),
          to.precision,
        )
      default:
        return value
    }
  }
}

function localMicros(value: bigint, from: DataType, context: EvaluationContext): bigint {
  if (from.kind === 'date') return value * US_PER_DAY
  return from.kind === 'timestamp_ltz' ? localOfInstant(value, context.timeZone) : value
}
