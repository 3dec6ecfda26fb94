/**
 * The oracle of expressions: one row, one value at a time, as plain as can be. It shares no code with the engine.
 * Values are those of test/builders/batch.ts.
 */
import type { DataType } from '../../src/data/types.ts'
import type { Expression, LiteralValue } from '../../src/plan/expressions.ts'
import type { Plain } from '../builders/batch.ts'
import { aligned, exactOf, quotient, told } from './exact.ts'

/** Thrown where Flink throws: the row goes to dead. */
export class NaiveFailure extends Error {}

export type NaiveRow = readonly Plain[]
type Call = Extract<Expression, { kind: 'call' }>

export function evaluate(expression: Expression, row: NaiveRow): Plain {
  switch (expression.kind) {
    case 'column':
      return row[expression.index]!
    case 'literal':
      return plainLiteral(expression.value, expression.type)
    case 'field': {
      const input = evaluate(expression.input, row)
      return input === null ? null : (input as readonly Plain[])[expression.index]!
    }
    case 'case': {
      for (const branch of expression.branches)
        if (evaluate(branch.when, row) === true) return evaluate(branch.then, row)
      return evaluate(expression.otherwise, row)
    }
    case 'cast': {
      const value = evaluate(expression.input, row)
      if (value === null) return null
      try {
        return cast(value, expression.input.type, expression.type)
      } catch (error) {
        if (expression.safe && error instanceof NaiveFailure) return null
        throw error
      }
    }
    case 'call':
      return call(expression, row)
  }
}

function plainLiteral(value: LiteralValue, type: DataType): Plain {
  if (value === null || typeof value === 'boolean') return value
  if (type.kind === 'float' || type.kind === 'double') return Number(value)
  if (type.kind === 'decimal') return told(exactOf(String(value)), type.precision, type.scale)
  if (type.kind === 'char' || type.kind === 'varchar') return String(value)
  return BigInt(String(value))
}

/** Functions that choose what they evaluate. */
function call(expression: Call, row: NaiveRow): Plain {
  const { args } = expression
  const at = (index: number) => evaluate(args[index]!, row)
  switch (expression.function) {
    case 'AND':
    case 'OR': {
      const decisive = expression.function === 'OR'
      let result: Plain = !decisive
      for (const arg of args) {
        const value = evaluate(arg, row)
        if (value === decisive) return decisive
        if (value === null) result = null
      }
      return result
    }
    case 'IS_NULL':
      return at(0) === null
    case 'IS_NOT_NULL':
      return at(0) !== null
    case 'IS_TRUE':
      return at(0) === true
    case 'IS_FALSE':
      return at(0) === false
    case 'IS_NOT_TRUE':
      return at(0) !== true
    case 'IS_NOT_FALSE':
      return at(0) !== false
    case 'IS_NOT_DISTINCT_FROM': {
      const [first, second] = [at(0), at(1)]
      if (first === null || second === null) return first === second
      return compare(first, second, args[0]!.type) === 0
    }
    case 'COALESCE':
    case 'IFNULL': {
      for (const arg of args) {
        const value = evaluate(arg, row)
        if (value !== null) return value
      }
      return null
    }
    case 'IF':
      return at(0) === true ? at(1) : at(2)
    case 'NULLIF': {
      const first = at(0)
      const second = at(1)
      if (first === null || second === null) return first
      return compare(first, second, args[0]!.type) === 0 ? null : first
    }
    default: {
      const values = args.map((arg) => evaluate(arg, row))
      if (values.includes(null)) return null
      return strictCall(expression, values)
    }
  }
}

function strictCall({ function: name, type, args }: Call, values: readonly Plain[]): Plain {
  const [a, b] = values
  switch (name) {
    case 'PLUS':
    case 'MINUS':
    case 'TIMES':
    case 'DIVIDE':
    case 'MOD':
      return arithmetic(name, a!, b!, type)
    case 'NEGATE':
      return arithmetic('MINUS', typeof a === 'number' ? -0 : 0n, a!, type)
    case 'EQUALS':
      return compare(a!, b!, args[0]!.type) === 0
    case 'NOT_EQUALS':
      return compare(a!, b!, args[0]!.type) !== 0
    case 'LESS':
      return compare(a!, b!, args[0]!.type) < 0
    case 'LESS_OR_EQUAL':
      return compare(a!, b!, args[0]!.type) <= 0
    case 'GREATER':
      return compare(a!, b!, args[0]!.type) > 0
    case 'GREATER_OR_EQUAL':
      return compare(a!, b!, args[0]!.type) >= 0
    case 'NOT':
      return a !== true
    case 'UPPER':
      return String(a).toUpperCase()
    case 'LOWER':
      return String(a).toLowerCase()
    case 'CHAR_LENGTH':
      return BigInt(Array.from(String(a)).length)
    case 'CONCAT':
      return values.map(String).join('')
    case 'SUBSTRING':
      return Array.from(String(a))
        .slice(Number(b) - 1, Number(b) - 1 + Number(values[2] ?? 1e9))
        .join('')
    case 'GREATEST':
      return values.reduce((best, value) => (compare(value, best, type) > 0 ? value : best))
    case 'EXTRACT':
      return extract(String(a), b as bigint)
    case 'FLOOR':
      return args.length === 2 ? floorTo(a as bigint, String(b)) : Math.floor(a as number)
    default:
      throw new Error(`the oracle does not know ${name}`)
  }
}

const BITS: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, int: 32 }

function arithmetic(name: string, a: Plain, b: Plain, type: DataType): Plain {
  if (typeof a === 'number' && typeof b === 'number') {
    const result =
      name === 'PLUS'
        ? a + b
        : name === 'MINUS'
          ? a - b
          : name === 'TIMES'
            ? a * b
            : name === 'DIVIDE'
              ? a / b
              : a % b
    return type.kind === 'float' ? Math.fround(result) : result
  }
  const [x, y] = [exactOf(a as string | bigint), exactOf(b as string | bigint)]
  if (type.kind !== 'decimal')
    return wholeArithmetic(name, a as bigint, b as bigint, BITS[type.kind] ?? 64)
  const { precision, scale } = type
  const [left, right, common] = aligned(x, y)
  if ((name === 'DIVIDE' || name === 'MOD') && right === 0n)
    throw new NaiveFailure('division by zero')
  switch (name) {
    case 'PLUS':
      return told({ digits: left + right, scale: common }, precision, scale)
    case 'MINUS':
      return told({ digits: left - right, scale: common }, precision, scale)
    case 'TIMES':
      return told({ digits: x.digits * y.digits, scale: x.scale + y.scale }, precision, scale)
    case 'DIVIDE':
      return told({ digits: quotient(left, right, scale), scale }, precision, scale)
    default:
      return told({ digits: left % right, scale: common }, precision, scale)
  }
}

function wholeArithmetic(name: string, a: bigint, b: bigint, bits: number): bigint {
  if ((name === 'DIVIDE' || name === 'MOD') && b === 0n) throw new NaiveFailure('division by zero')
  const result =
    name === 'PLUS'
      ? a + b
      : name === 'MINUS'
        ? a - b
        : name === 'TIMES'
          ? a * b
          : name === 'DIVIDE'
            ? a / b
            : a % b
  return BigInt.asIntN(bits, result)
}

/** Negative, 0 or positive; NaN (neither) for NaN. Texts by their bytes. */
export function compare(a: Plain, b: Plain, type: DataType): number {
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 0 : a - b
  if (typeof a === 'boolean') return Number(a) - Number(b)
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0
  if (type.kind === 'char' || type.kind === 'varchar') return compareTexts(String(a), String(b))
  const [left, right] = aligned(exactOf(a as string | bigint), exactOf(b as string | bigint))
  return left < right ? -1 : left > right ? 1 : 0
}

function compareTexts(a: string, b: string): number {
  const [x, y] = [new TextEncoder().encode(a), new TextEncoder().encode(b)]
  for (let at = 0; at < Math.min(x.length, y.length); at++)
    if (x[at] !== y[at]) return x[at]! - y[at]!
  return x.length - y.length
}

function cast(value: Plain, from: DataType, to: DataType): Plain {
  if (to.kind === 'varchar') return castText(value)
  if (to.kind === 'boolean') return typeof value === 'boolean' ? value : Number(value) !== 0
  if (to.kind === 'double' || to.kind === 'float') {
    const number = from.kind === 'decimal' ? numberOfDecimal(String(value), from) : Number(value)
    return to.kind === 'float' ? Math.fround(number) : number
  }
  if (to.kind === 'decimal') return castDecimal(value, to)
  if (from.kind === 'varchar') return parsedWhole(String(value), BITS[to.kind] ?? 64)
  if (typeof value === 'number') return wholeOfNumber(value, BITS[to.kind] ?? 64)
  if (from.kind === 'decimal') {
    const { digits, scale } = exactOf(value as string)
    return BigInt.asIntN(BITS[to.kind] ?? 64, digits / 10n ** BigInt(scale))
  }
  if (to.kind.startsWith('timestamp') || to.kind.startsWith('interval')) return value
  return BigInt.asIntN(BITS[to.kind] ?? 64, BigInt(value as bigint | boolean))
}

/** Flink divides the unscaled long of a short decimal: not always the nearest double. */
function numberOfDecimal(text: string, from: Extract<DataType, { kind: 'decimal' }>): number {
  return from.precision > 18 ? Number(text) : Number(text.replace('.', '')) / 10 ** from.scale
}

function castText(value: Plain): string {
  return typeof value === 'boolean' ? (value ? 'TRUE' : 'FALSE') : String(value)
}

function castDecimal(value: Plain, to: Extract<DataType, { kind: 'decimal' }>): Plain {
  if (typeof value === 'string' && !/^-?\d+(\.\d+)?$/.test(value))
    throw new NaiveFailure('no decimal')
  const text = typeof value === 'boolean' ? String(Number(value)) : String(value)
  return told(exactOf(text), to.precision, to.scale)
}

function parsedWhole(text: string, bits: number): bigint {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw new NaiveFailure('no number')
  const value = BigInt(text.trim().replace('+', ''))
  if (BigInt.asIntN(bits, value) !== value) throw new NaiveFailure('too large')
  return value
}

/** Through INT for the smaller types, which then wrap; NaN is 0. */
function wholeOfNumber(value: number, bits: number): bigint {
  if (Number.isNaN(value)) return 0n
  const limit = 2n ** BigInt(bits === 64 ? 63 : 31)
  const whole = Number.isFinite(value) ? BigInt(Math.trunc(value)) : value > 0 ? limit : -limit
  const held = whole >= limit ? limit - 1n : whole < -limit ? -limit : whole
  return BigInt.asIntN(bits, held)
}

const UNIT_US: Readonly<Record<string, bigint>> = {
  SECOND: 1_000_000n,
  MINUTE: 60_000_000n,
  HOUR: 3_600_000_000n,
  DAY: 86_400_000_000n,
}

function floorTo(micros: bigint, unit: string): bigint {
  const size = UNIT_US[unit]!
  let floor = micros - (micros % size)
  if (floor > micros) floor -= size
  return floor
}

function extract(field: string, micros: bigint): bigint {
  const date = new Date(Number(floorTo(micros, 'SECOND') / 1000n))
  const parts: Readonly<Record<string, number>> = {
    SECOND: date.getUTCSeconds(),
    MINUTE: date.getUTCMinutes(),
    HOUR: date.getUTCHours(),
    DAY: date.getUTCDate(),
    MONTH: date.getUTCMonth() + 1,
    YEAR: date.getUTCFullYear(),
  }
  return BigInt(parts[field]!)
}
