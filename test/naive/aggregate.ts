/** The oracle of aggregates: over the rows of one group. */
import type { DataType } from '../../src/data/types.ts'
import type { AggregateCall } from '../../src/plan/expressions.ts'
import type { Plain } from '../builders/batch.ts'
import { type Exact, exactOf, quotient, told } from './exact.ts'
import { compare, evaluate, type NaiveRow } from './expression.ts'

const BITS: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, int: 32 }

export function aggregate(call: AggregateCall, rows: readonly NaiveRow[]): Plain {
  const { filter, args, distinct, type } = call
  const counted = filter === undefined ? rows : rows.filter((row) => evaluate(filter, row) === true)
  const [arg] = args
  if (arg === undefined) return BigInt(counted.length)
  let values = counted.map((row) => evaluate(arg, row)).filter((value) => value !== null)
  if (distinct) {
    values = values.filter(
      (value, at) => values.findIndex((other) => same(value, other, arg.type)) === at,
    )
  }
  if (call.function === 'COUNT') return BigInt(values.length)
  if (values.length === 0) return null
  switch (call.function) {
    case 'MIN':
      return values.reduce((best, value) => (compare(value, best, type) < 0 ? value : best))
    case 'MAX':
      return values.reduce((best, value) => (compare(value, best, type) > 0 ? value : best))
    case 'SUM':
      return sum(values, type)
    case 'AVG':
      return average(values, type)
    default:
      throw new Error(`the oracle does not know ${call.function}`)
  }
}

function same(a: Plain, b: Plain, type: DataType): boolean {
  return Object.is(a, b) || compare(a, b, type) === 0
}

function sum(values: readonly Plain[], type: DataType): Plain {
  if (type.kind === 'double' || type.kind === 'float') {
    return values.reduce<number>((total, value) => total + (value as number), 0)
  }
  const total = exactSum(values)
  if (type.kind === 'decimal') return told(total, type.precision, type.scale)
  return BigInt.asIntN(BITS[type.kind] ?? 64, total.digits)
}

function exactSum(values: readonly Plain[]): Exact {
  const all = values.map((value) => exactOf(value as string | bigint))
  const scale = Math.max(...all.map((value) => value.scale))
  const digits = all.reduce(
    (total, value) => total + value.digits * 10n ** BigInt(scale - value.scale),
    0n,
  )
  return { digits, scale }
}

function average(values: readonly Plain[], type: DataType): Plain {
  if (type.kind === 'double' || type.kind === 'float') {
    return (sum(values, type) as number) / values.length
  }
  const total = exactSum(values)
  const count = BigInt(values.length)
  if (type.kind !== 'decimal') return BigInt.asIntN(BITS[type.kind] ?? 64, total.digits / count)
  const digits = quotient(total.digits, count * 10n ** BigInt(total.scale), type.scale)
  return told({ digits, scale: type.scale }, type.precision, type.scale)
}
