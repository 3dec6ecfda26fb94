/** CAST and TRY_CAST: kernels between numbers, values a row at a time for the rest. @see Flink's CastRuleProvider */
import { US_PER_DAY } from '../data/civil.ts'
import { type DataType, layoutOf, STRING_LENGTH_MAX } from '../data/types.ts'
import { arithmeticKernel } from '../kernels/arithmetic.ts'
import type { EvaluationContext, Frame } from './compiled.ts'
import { decimalNumber, decimalOfNumber, fitting, powerOfTen, rescaled } from './decimals.ts'
import { RowFailure } from './row-failure.ts'
import { compileRowFunction } from './row-function.ts'
import { cut, textValue } from './text-value.ts'
import type { Value } from './value.ts'
import { valueText } from './value-text.ts'
import { allocateCells, type Compiled, filled, marksOf } from './vectors.ts'
import { instantOfLocal, localOfInstant } from './zone.ts'

const BITS: Partial<Record<DataType['kind'], number>> = {
  tinyint: 8,
  smallint: 16,
  int: 32,
  bigint: 64,
}
const DIGITS: Partial<Record<DataType['kind'], number>> = {
  tinyint: 3,
  smallint: 5,
  int: 10,
  bigint: 19,
}

type Cast = (value: Value, context: EvaluationContext) => Value

/** `safe` is TRY_CAST: NULL where the cast fails. */
export function compileCast(input: Compiled, type: DataType, safe: boolean): Compiled {
  if (input.constant === null) return constantOf(type, null)
  if (keepsCells(input.type, type)) return retyped(input, type)
  const folded = foldedCast(input, type)
  if (folded !== undefined) return folded
  const kernel = castKernel(input, type)
  if (kernel !== undefined) return kernel
  const cast = castOf(input.type, type)
  const call = safe ? nullOnFailure(cast) : cast
  return compileRowFunction(
    {
      nulls: 'strict',
      prepare:
        () =>
        ([value], context) =>
          call(value!, context),
    },
    {
      name: `CAST(${input.type.kind} AS ${type.kind})`,
      args: [input.type],
      type,
      constants: [input.constant],
      expressions: [],
      random: () => 0,
    },
    [input],
  )
}

function constantOf(type: DataType, constant: Value): Compiled {
  return {
    type,
    mark: 'kernel',
    jsBecause: [],
    constant,
    evaluate: (frame) => filled(frame, type, constant),
  }
}

/** A literal number is cast when the query is compiled; one that can't be fails with its rows. */
function foldedCast({ constant, type: from }: Compiled, to: DataType): Compiled | undefined {
  const isNumber = typeof constant === 'bigint' || typeof constant === 'number'
  if (!isNumber || !isFoldable(from) || !isFoldable(to)) return undefined
  return constantOf(to, castOf(from, to)(constant, NO_CONTEXT))
}

function isFoldable({ kind }: DataType): boolean {
  return kind === 'decimal' || kind === 'float' || kind === 'double' || BITS[kind] !== undefined
}

/** Casts between numbers look at nothing of it. */
const NO_CONTEXT: EvaluationContext = {
  nowUs: () => 0n,
  timeZone: 'UTC',
  overflow: 'wrap',
  fail: () => undefined,
  count: () => undefined,
}

function nullOnFailure(cast: Cast): Cast {
  return (value, context) => {
    try {
      return cast(value, context)
    } catch (error) {
      if (error instanceof RowFailure) return null
      throw error
    }
  }
}

function retyped(input: Compiled, type: DataType): Compiled {
  return { ...input, type, evaluate: (frame) => ({ ...input.evaluate(frame), type }) }
}

/** Whether every value of `from` is, as cells, one of `to`. */
function keepsCells(from: DataType, to: DataType): boolean {
  if (from.kind === 'array' || from.kind === 'map' || from.kind === 'row') {
    return JSON.stringify({ ...from, nullable: true }) === JSON.stringify({ ...to, nullable: true })
  }
  const [fromBits, toBits] = [BITS[from.kind], BITS[to.kind]]
  if (fromBits !== undefined && toBits !== undefined) return fromBits <= toBits
  if (from.kind === 'float' && to.kind === 'double') return true
  if (to.kind === 'varchar' && (from.kind === 'char' || from.kind === 'varchar'))
    return from.length <= to.length
  if (to.kind === 'varbinary' && (from.kind === 'binary' || from.kind === 'varbinary'))
    return from.length <= to.length
  if (from.kind !== to.kind) return false
  switch (from.kind) {
    case 'decimal':
      return (
        to.kind === 'decimal' &&
        layoutOf(from) === layoutOf(to) &&
        from.scale === to.scale &&
        from.precision <= to.precision
      )
    case 'time':
    case 'timestamp':
    case 'timestamp_ltz':
      return 'precision' in to && Math.min(6, from.precision) <= to.precision
    case 'char':
    case 'binary':
      return 'length' in to && from.length === to.length
    default:
      return true
  }
}

function castKernel(input: Compiled, type: DataType): Compiled | undefined {
  const from = input.type
  const compute = cellKernel(from, type)
  if (compute === undefined) return undefined
  return {
    type,
    ...marksOf([input]),
    evaluate(frame) {
      const { cells, validity } = input.evaluate(frame)
      const out = allocateCells(frame, type)
      compute(frame, cells, out)
      return { type, cells: out, validity }
    },
  }
}

type CellKernel = (frame: Frame, cells: number, out: number) => void

function cellKernel(from: DataType, to: DataType): CellKernel | undefined {
  const [fromBits, toBits] = [BITS[from.kind], BITS[to.kind]]
  if (fromBits !== undefined && toBits !== undefined) return narrowing(toBits)
  if (to.kind === 'double' || to.kind === 'float') return toFloating(from, to.kind === 'float')
  if ((from.kind === 'double' || from.kind === 'float') && toBits !== undefined)
    return toWhole(toBits)
  if (to.kind === 'decimal' && fromBits !== undefined) return wholeToDecimal(from, to)
  const isMoment =
    from.kind === 'timestamp' || from.kind === 'timestamp_ltz' || from.kind === 'time'
  if (isMoment && from.kind === to.kind) {
    const size = powerOfTen(6 - to.precision)
    return ({ memory, selection, count }, cells, out) =>
      arithmeticKernel(memory).floorTo(cells, size, 0n, selection, count, out)
  }
  return undefined
}

function narrowing(bits: number): CellKernel {
  return ({ memory, selection, count }, cells, out) => {
    arithmeticKernel(memory).narrow(cells, BigInt(64 - bits), selection, count, out)
  }
}

function toFloating(from: DataType, single: boolean): CellKernel | undefined {
  if (from.kind === 'double' && single) {
    return ({ memory, selection, count }, cells, out) =>
      arithmeticKernel(memory).toSingle(cells, selection, count, out)
  }
  const scale = from.kind === 'decimal' ? from.scale : 0
  if (layoutOf(from) !== 'i64' || (from.kind !== 'decimal' && BITS[from.kind] === undefined))
    return undefined
  return ({ memory, selection, count }, cells, out) => {
    const kernel = arithmeticKernel(memory)
    kernel.toF64(cells, 10 ** scale, selection, count, out)
    if (single) kernel.toSingle(out, selection, count, out)
  }
}

/** Java's: through INT for the smaller ones, which then wrap. */
function toWhole(bits: number): CellKernel {
  const [least, most] = bits === 64 ? [-(2 ** 63), 2 ** 63] : [-(2 ** 31), 2 ** 31 - 1]
  return ({ memory, selection, count }, cells, out) => {
    const kernel = arithmeticKernel(memory)
    kernel.toI64(cells, least, most, selection, count, out)
    if (bits < 32) kernel.narrow(out, BigInt(64 - bits), selection, count, out)
  }
}

function wholeToDecimal(
  from: DataType,
  to: Extract<DataType, { kind: 'decimal' }>,
): CellKernel | undefined {
  // Where digits could be too many the row is NULL: not a kernel's matter.
  if (to.precision - to.scale < DIGITS[from.kind]!) return undefined
  const factor = powerOfTen(to.scale)
  if (to.scale > 18) return undefined
  return ({ memory, selection, count }, cells, out) => {
    const kernel = arithmeticKernel(memory)
    const constant = memory.arena.allocate(8)
    memory.i64[constant / 8] = factor
    if (layoutOf(to) === 'i64') kernel.multiplyI64(cells, 8, constant, 0, selection, count, out)
    else kernel.multiplyWide(cells, 8, constant, 0, selection, count, out)
  }
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
  return (value) => {
    if (typeof value === 'boolean') return fitting(value ? powerOfTen(to.scale) : 0n, to.precision)
    const unscaled =
      typeof value === 'number'
        ? decimalOfNumber(value, to.scale)
        : rescaled(value as bigint, scaleOf(from), to.scale)
    return unscaled === undefined ? null : fitting(unscaled, to.precision)
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
