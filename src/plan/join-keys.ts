/** Equalities between two sides of a join, as pairs of keys: those that take NULL for NULL too. */
import { type DataType, types, withNullability } from '../data/types.ts'
import { columnsIn, isSteady } from './conjuncts.ts'
import type { Expression, LiteralValue } from './expressions.ts'
import { isOuter } from './outer-columns.ts'

/** Over left's columns, and over right's behind them. */
export type KeyPair = readonly [left: Expression, right: Expression]

/** The side whose columns alone `expression` reads; undefined for both, or none. */
export function sideOf(expression: Expression, width: number): 'left' | 'right' | undefined {
  const columns = [...columnsIn(expression)]
  if (columns.length === 0 || isOuter(expression)) return undefined
  if (columns.every((column) => column < width)) return 'left'
  return columns.every((column) => column >= width) ? 'right' : undefined
}

/** The two sides of `left = right`. */
export function equalPair(conjunct: Expression, width: number): KeyPair | undefined {
  return comparedPair(conjunct, 'EQUALS', width)
}

/** Pairs that are equal where `conjunct` holds, and nowhere else; undefined if it says something else. */
export function keyPairs(conjunct: Expression, width: number): readonly KeyPair[] | undefined {
  const plain = equalPair(conjunct, width)
  if (plain !== undefined) return [plain]
  const [left, right] = nullSafePair(conjunct, width) ?? []
  if (left === undefined || right === undefined) return undefined
  const zero = zeroOf(left.type)
  if (zero === undefined) return undefined
  // Equal as they are, or both NULL: no value stands for NULL, which a column of its own tells.
  return [
    [isNull(left), isNull(right)],
    [orZero(left, zero), orZero(right, zero)],
  ]
}

function comparedPair(conjunct: Expression, by: string, width: number): KeyPair | undefined {
  if (conjunct.kind !== 'call' || conjunct.function !== by) return undefined
  const [first, second] = conjunct.args as [Expression, Expression]
  if (!isSteady(first) || !isSteady(second)) return undefined
  if (sideOf(first, width) === 'left' && sideOf(second, width) === 'right') return [first, second]
  if (sideOf(first, width) === 'right' && sideOf(second, width) === 'left') return [second, first]
  return undefined
}

/** a IS NOT DISTINCT FROM b, or a = b OR (a IS NULL AND b IS NULL). */
function nullSafePair(conjunct: Expression, width: number): KeyPair | undefined {
  const named = comparedPair(conjunct, 'IS_NOT_DISTINCT_FROM', width)
  if (named !== undefined) return named
  if (conjunct.kind !== 'call' || conjunct.function !== 'OR' || conjunct.args.length !== 2)
    return undefined
  for (const [equal, nulls] of [conjunct.args, conjunct.args.toReversed()]) {
    const pair = equalPair(equal!, width)
    if (pair === undefined || nulls?.kind !== 'call' || nulls.function !== 'AND') continue
    const asked = nulls.args.map((arg) =>
      arg.kind === 'call' && arg.function === 'IS_NULL' ? JSON.stringify(arg.args[0]) : '',
    )
    const isBoth = pair.every((side) => asked.includes(JSON.stringify(side)))
    if (isBoth && asked.length === 2) return pair
  }
  return undefined
}

function zeroOf({ kind }: DataType): LiteralValue | undefined {
  switch (kind) {
    case 'boolean':
      return false
    case 'char':
    case 'varchar':
      return ''
    case 'float':
    case 'double':
      return 0
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'decimal':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamp_ltz':
      return '0'
    default:
      return undefined
  }
}

function isNull(value: Expression): Expression {
  const type = withNullability(types.boolean, false)
  return { kind: 'call', function: 'IS_NULL', args: [value], type }
}

function orZero(value: Expression, zero: LiteralValue): Expression {
  const type = withNullability(value.type, false)
  const literal: Expression = { kind: 'literal', value: zero, type }
  return { kind: 'call', function: 'COALESCE', args: [value, literal], type }
}
