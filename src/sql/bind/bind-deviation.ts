/**
 * Variances and standard deviations, of sums: (SUM(x²) - SUM(x)² / n) / n, or / (n - 1) of a sample, in double precision.
 *
 * @see Flink, AggregateReduceFunctionsRule of Calcite
 */
import { types, withNullability } from '../../data/types.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import type { Place } from '../place.ts'
import { callOf, castTo } from './bind-expression.ts'

/** `add` gives the column of an aggregate. undefined for other aggregates. */
export function deviationOf(
  call: AggregateCall,
  add: (call: AggregateCall) => Expression,
  at: Place,
): Expression | undefined {
  const match = /^(STDDEV|VAR)_(POP|SAMP)$/.exec(call.function)
  if (match === null) return undefined
  const x = castTo(call.args[0]!, withNullability(types.double, call.args[0]!.type.nullable), at)
  const of = (name: string, args: readonly Expression[], type: AggregateCall['type']) =>
    add({ ...call, function: name, args, type })
  const count = of('COUNT', [x], withNullability(types.bigint, false))
  const sum = of('SUM', [x], types.double)
  const squares = of('SUM', [callOf('TIMES', [x, x], at)], types.double)
  const n = castTo(count, withNullability(types.double, false), at)
  const mean = callOf('DIVIDE', [callOf('TIMES', [sum, sum], at), n], at)
  const one: Expression = {
    kind: 'literal',
    value: 1,
    type: withNullability(types.double, false),
  }
  const divisor = match[2] === 'POP' ? n : orNull(callOf('MINUS', [n, one], at), at)
  // What rounding leaves below zero is zero.
  const spread = callOf('GREATEST', [callOf('MINUS', [squares, mean], at), ZERO], at)
  const variance = callOf('DIVIDE', [spread, divisor], at)
  const result = match[1] === 'VAR' ? variance : callOf('SQRT', [variance], at)
  return castTo(result, call.type, at)
}

const ZERO: Expression = {
  kind: 'literal',
  value: 0,
  type: withNullability(types.double, false),
}

/** NULL for 0: a sample of one has no variance. */
function orNull(value: Expression, at: Place): Expression {
  return callOf('NULLIF', [value, ZERO], at)
}
