/** JSON_ARRAYAGG and JSON_OBJECTAGG: an array or a map of a group's values, as JSON. */
import { types, withNullability } from '../../data/types.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import type { Place } from '../place.ts'
import { callOf } from './bind-expression.ts'

/** `add` gives the column of an aggregate. undefined for other aggregates. */
export function jsonAggregateOf(
  call: AggregateCall,
  add: (call: AggregateCall) => Expression,
  at: Place,
): Expression | undefined {
  const isArray = call.function === 'JSON_ARRAYAGG'
  if (!isArray && call.function !== 'JSON_OBJECTAGG') return undefined
  const [onNull, ...values] = call.args
  const value = values.at(-1)!
  const asked = isArray ? undefined : callOf('IS_NOT_NULL', [values[0]!], at)
  const given =
    onNull?.kind === 'literal' && onNull.value === 'NULL'
      ? undefined
      : callOf('IS_NOT_NULL', [value], at)
  const conditions = [call.filter, asked, given].filter((each) => each !== undefined)
  const filter = conditions.length < 2 ? conditions[0] : callOf('AND', conditions, at)
  const type = isArray
    ? ({ kind: 'array', element: value.type, nullable: true } as const)
    : ({
        kind: 'map',
        key: withNullability(types.string, false),
        value: value.type,
        nullable: true,
      } as const)
  const { filter: _, ...plain } = call
  const gathered = add({
    ...plain,
    function: isArray ? 'ARRAY_AGG' : 'MAP_AGG',
    args: values,
    type,
    ...(filter === undefined ? {} : { filter }),
  })
  const empty: Expression = {
    kind: 'literal',
    value: isArray ? '[]' : '{}',
    type: { kind: 'char', length: 2, nullable: false },
  }
  return callOf('COALESCE', [callOf('JSON_STRING', [gathered], at), empty], at)
}
