/** Operators on values: for the types that no kernel takes. */
import { civilFromDays, daysFromCivil, daysInMonth, US_PER_DAY } from '../../data/civil.ts'
import type { DataType } from '../../data/types.ts'
import type { EvaluationContext } from '../compiled.ts'
import { dividedHalfUp, fitting, powerOfTen, rescaled } from '../decimals.ts'
import { failRow, overflowed, RowFailure } from '../row-failure.ts'
import {
  type CallShape,
  type RowCall,
  type RowFunction,
  seesNulls,
  shaped,
  strict,
} from '../row-function.ts'
import type { Value } from '../value.ts'
import { compareExact, compareValues, equalValues } from '../value-order.ts'
import { instantOfLocal, localOfInstant } from '../zone.ts'
import { likePattern, similarPattern, type TextPattern } from './patterns.ts'

export const operatorFunctions: Readonly<Record<string, RowFunction>> = {
  PLUS: shaped((shape) => timeSum(shape, 1n) ?? decimalSum(shape, 1n)),
  MINUS: shaped((shape) => timeSum(shape, -1n) ?? decimalSum(shape, -1n)),
  TIMES: shaped(times),
  DIVIDE: shaped(divide),
  MOD: shaped(remainder),
  NEGATE: strict(([value]) => (typeof value === 'number' ? -value : -(value as bigint))),
  EQUALS: comparison((order) => order === 0),
  NOT_EQUALS: comparison((order) => order !== 0),
  LESS: comparison((order) => order < 0),
  LESS_OR_EQUAL: comparison((order) => order <= 0),
  GREATER: comparison((order) => order > 0),
  GREATER_OR_EQUAL: comparison((order) => order >= 0),
  IS_DISTINCT_FROM: seesNulls((shape) => (args) => !same(shape, args)),
  IS_NOT_DISTINCT_FROM: seesNulls((shape) => (args) => same(shape, args)),
  GREATEST: extreme(1),
  LEAST: extreme(-1),
  LIKE: patternTest(likePattern),
  SIMILAR_TO: patternTest(similarPattern),
  CONCAT: strict((args) => {
    if (typeof args[0] === 'string') return args.join('')
    return new Uint8Array(Buffer.concat(args as Uint8Array[]))
  }),
}

function scaleOf(type: DataType): number {
  return type.kind === 'decimal' ? type.scale : 0
}

/** Rounded to the result's scale; NULL, and counted, if it has too many digits; with 'error' the row fails. */
function decimalResult(
  unscaled: bigint,
  scale: number,
  type: DataType,
  context: EvaluationContext,
): bigint | null {
  if (type.kind !== 'decimal') return unscaled
  const result = fitting(rescaled(unscaled, scale, type.scale), type.precision)
  if (result === null) overflowed(context, type)
  return result
}

function decimalSum({ args: [a, b], type }: CallShape, sign: bigint): RowCall {
  const [left, right] = [scaleOf(a!), scaleOf(b!)]
  const scale = Math.max(left, right)
  const [up, across] = [powerOfTen(scale - left), powerOfTen(scale - right)]
  return ([x, y], context) =>
    decimalResult((x as bigint) * up + sign * (y as bigint) * across, scale, type, context)
}

function times({ args: [a, b], type }: CallShape): RowCall {
  const scale = scaleOf(a!) + scaleOf(b!)
  return ([x, y], context) => decimalResult((x as bigint) * (y as bigint), scale, type, context)
}

function divide({ args: [a, b], type }: CallShape): RowCall {
  const shift = scaleOf(type) + scaleOf(b!) - scaleOf(a!)
  return ([x, y], context) => {
    const divisor = y as bigint
    if (divisor === 0n) return failRow('Division by zero')
    const dividend = (x as bigint) * powerOfTen(Math.max(0, shift)) * (divisor < 0n ? -1n : 1n)
    const size = (divisor < 0n ? -divisor : divisor) * powerOfTen(Math.max(0, -shift))
    return decimalResult(dividedHalfUp(dividend, size), scaleOf(type), type, context)
  }
}

function remainder({ args: [a, b], type }: CallShape): RowCall {
  if (a!.kind === 'double' || a!.kind === 'float') return ([x, y]) => (x as number) % (y as number)
  const [left, right] = [scaleOf(a!), scaleOf(b!)]
  const scale = Math.max(left, right)
  const [up, across] = [powerOfTen(scale - left), powerOfTen(scale - right)]
  return ([x, y], context) => {
    if (y === 0n) return failRow('Division by zero')
    return decimalResult(((x as bigint) * up) % ((y as bigint) * across), scale, type, context)
  }
}

/** A moment and an interval, in either order; undefined for numbers. */
function timeSum({ args: [a, b] }: CallShape, sign: bigint): RowCall | undefined {
  const isInterval = (type: DataType) => type.kind.startsWith('interval')
  if (isInterval(a!) && !isInterval(b!)) {
    const moved = mover(b!, a!)
    return ([x, y], context) => moved(y as bigint, sign * (x as bigint), context.timeZone)
  }
  if (!isInterval(b!)) return undefined
  if (isInterval(a!)) return ([x, y]) => (x as bigint) + sign * (y as bigint)
  const moved = mover(a!, b!)
  return ([x, y], context) => moved(x as bigint, sign * (y as bigint), context.timeZone)
}

type Mover = (moment: bigint, interval: bigint, zone: string) => bigint

/** `moment` moved by µs or months. */
function mover(moment: DataType, interval: DataType): Mover {
  if (interval.kind === 'interval_year_month') {
    if (moment.kind === 'date')
      return (days, months) => BigInt(addMonths(Number(days), Number(months)))
    return (micros, months, zone) => {
      if (moment.kind !== 'timestamp_ltz') return monthsLater(micros, months)
      return instantOfLocal(monthsLater(localOfInstant(micros, zone), months), zone)
    }
  }
  if (moment.kind === 'date') return (days, micros) => days + micros / US_PER_DAY
  if (moment.kind === 'time')
    return (time, micros) => (((time + micros) % US_PER_DAY) + US_PER_DAY) % US_PER_DAY
  return (time, micros) => time + micros
}

function monthsLater(micros: bigint, months: bigint): bigint {
  const rest = ((micros % US_PER_DAY) + US_PER_DAY) % US_PER_DAY
  return BigInt(addMonths(Number((micros - rest) / US_PER_DAY), Number(months))) * US_PER_DAY + rest
}

/** What µs in 64 bits reach. */
const YEARS_MAX = 292_000

/** The same day of another month, or its last. */
export function addMonths(days: number, months: number): number {
  const { year, month, day } = civilFromDays(days)
  const total = year * 12 + month - 1 + months
  const [toYear, toMonth] = [Math.floor(total / 12), (((total % 12) + 12) % 12) + 1]
  if (Math.abs(toYear) > YEARS_MAX) return failRow('the date is out of range')
  return daysFromCivil({
    year: toYear,
    month: toMonth,
    day: Math.min(day, daysInMonth(toYear, toMonth)),
  })
}

function comparison(holds: (order: number) => boolean): RowFunction {
  return shaped(({ args: [a, b] }) => {
    if (a!.kind === 'double' || a!.kind === 'float') return ([x, y]) => floatHolds(holds, x, y)
    const [left, right] = [scaleOf(a!), scaleOf(b!)]
    return ([x, y]) => {
      if (typeof x === 'bigint') return holds(compareExact(x, left, y as bigint, right))
      return holds(compareValues(x!, y!, a!))
    }
  })
}

/** Comparisons with NaN are FALSE, but <> is TRUE, as in Java. */
function floatHolds(
  holds: (order: number) => boolean,
  x: Value | undefined,
  y: Value | undefined,
): boolean {
  const [a, b] = [x as number, y as number]
  if (Number.isNaN(a) || Number.isNaN(b)) return holds(1) && holds(-1)
  return holds(a < b ? -1 : a > b ? 1 : 0)
}

function same({ args: [a, b] }: CallShape, [x, y]: readonly Value[]): boolean {
  if (typeof x === 'bigint' && typeof y === 'bigint')
    return compareExact(x, scaleOf(a!), y, scaleOf(b!)) === 0
  return equalValues(x!, y!, a!)
}

function extreme(sign: number): RowFunction {
  return shaped(
    ({ type }) =>
      (args) =>
        args.reduce((best, value) => (compareValues(value, best, type) * sign > 0 ? value : best)),
  )
}

type MakePattern = (pattern: string, escapeBy: string | undefined) => TextPattern

/** undefined if the pattern is none: then each row that comes fails. */
function attempted(
  make: MakePattern,
  pattern: string,
  escapeBy: string | undefined,
): TextPattern | undefined {
  try {
    return make(pattern, escapeBy)
  } catch (error) {
    if (error instanceof RowFailure) return undefined
    throw error
  }
}

/** A pattern that is a literal is made once. */
function patternTest(make: MakePattern): RowFunction {
  return shaped(({ constants }) => {
    const [, pattern, escapeBy] = constants
    const isFixed =
      typeof pattern === 'string' && (constants.length < 3 || typeof escapeBy === 'string')
    const fixed = isFixed ? attempted(make, pattern, escapeBy as string | undefined) : undefined
    return ([text, told, by]) =>
      (fixed ?? make(told as string, by as string | undefined)).test(text as string)
  })
}
