/** Conditions as lists of what must all hold. */
import { types } from '../data/types.ts'
import { collectColumns } from './columns.ts'
import type { Expression } from './expressions.ts'

/** What `condition` asks, one by one. */
export function conjunctsOf(condition: Expression): readonly Expression[] {
  const isAnd = condition.kind === 'call' && condition.function === 'AND'
  return isAnd ? condition.args.flatMap(conjunctsOf) : [condition]
}

/** All of them; undefined if there are none. */
export function conjunctionOf(conjuncts: readonly Expression[]): Expression | undefined {
  if (conjuncts.length < 2) return conjuncts[0]
  const nullable = conjuncts.some(({ type }) => type.nullable)
  return { kind: 'call', function: 'AND', args: conjuncts, type: { ...types.boolean, nullable } }
}

export function columnsIn(expression: Expression): ReadonlySet<number> {
  const columns = new Set<number>()
  collectColumns(expression, columns)
  return columns
}

export function isTrue(condition: Expression): boolean {
  return condition.kind === 'literal' && condition.value === true
}

/** Another value each time, for the same row: must be computed once, where it was written. */
export const UNSTEADY: ReadonlySet<string> = new Set([
  'RAND',
  'RAND_INTEGER',
  'UUID',
  'PROCTIME',
  'CURRENT_WATERMARK',
  'NOW',
  'CURRENT_ROW_TIMESTAMP',
  'UNIX_TIMESTAMP',
])

/** True if `expression` may be computed at another place, or twice. */
export function isSteady(expression: Expression): boolean {
  switch (expression.kind) {
    case 'column':
    case 'literal':
      return true
    case 'call':
      return !UNSTEADY.has(expression.function) && expression.args.every(isSteady)
    case 'cast':
    case 'field':
      return isSteady(expression.input)
    case 'case':
      return (
        expression.branches.every((branch) => isSteady(branch.when) && isSteady(branch.then)) &&
        isSteady(expression.otherwise)
      )
  }
}

/** Comparisons: NULL where either side is. */
const STRICT: ReadonlySet<string> = new Set([
  'EQUALS',
  'NOT_EQUALS',
  'LESS',
  'LESS_OR_EQUAL',
  'GREATER',
  'GREATER_OR_EQUAL',
])
const STRICT_ARITHMETIC: ReadonlySet<string> = new Set(['PLUS', 'MINUS', 'TIMES', 'NEGATE'])

/** True if `condition` does not hold wherever all columns that `isOf` says are NULL. */
export function refusesNulls(condition: Expression, isOf: (column: number) => boolean): boolean {
  if (condition.kind !== 'call') return false
  if (condition.function === 'IS_NOT_NULL') return isNullWith(condition.args[0]!, isOf)
  if (STRICT.has(condition.function)) return condition.args.some((arg) => isNullWith(arg, isOf))
  if (condition.function === 'AND') return condition.args.some((arg) => refusesNulls(arg, isOf))
  if (condition.function === 'OR') return condition.args.every((arg) => refusesNulls(arg, isOf))
  return false
}

function isNullWith(expression: Expression, isOf: (column: number) => boolean): boolean {
  switch (expression.kind) {
    case 'column':
      return isOf(expression.index)
    case 'cast':
    case 'field':
      return isNullWith(expression.input, isOf)
    case 'call':
      return (
        STRICT_ARITHMETIC.has(expression.function) &&
        expression.args.some((arg) => isNullWith(arg, isOf))
      )
    default:
      return false
  }
}
