/**
 * GROUP BY, HAVING and SELECT over groups: aggregates are computed below, what stands around them above.
 *
 * Expressions are bound over the input's columns, aggregate calls standing in as columns beyond them; then each part that is a
 * group key becomes that key's column, and a column that is neither is refused.
 */
import { withNullability } from '../../data/types.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import { aggregateNamed } from '../../plan/functions/registry.ts'
import type { PlanNode } from '../../plan/nodes.ts'
import { OUTER_COLUMNS } from '../../plan/outer-columns.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { CallSyntax, ExpressionSyntax, GroupItem } from '../syntax.ts'
import { deviationOf } from './bind-deviation.ts'
import {
  bindExpression,
  castTo,
  type ExpressionEnvironment,
  requireBoolean,
} from './bind-expression.ts'
import { groupWindow } from './bind-group-window.ts'
import { groupingSets } from './bind-grouping-sets.ts'
import { jsonAggregateOf } from './bind-json-aggregate.ts'
import { isLate } from './bind-late.ts'
import { type EachOnce, eachOnce } from './each-once.ts'
import type { Relation } from './scope.ts'
import { userState } from './user-state.ts'

/** Columns from this index on are aggregates, in the order of their first appearance. */
const AGGREGATE_BASE = 1_000_000

export interface Grouping {
  /** The rows that are grouped: the relation's, perhaps with windows, or once a grouping set. */
  readonly node: PlanNode
  readonly keys: readonly Expression[]
  readonly aggregates: readonly AggregateCall[]
  /** Binds an expression over the groups: columns are keys, then aggregates. */
  bind(syntax: ExpressionSyntax, env: GroupEnvironment): Expression
  /** A column of the relation as one of the groups. @throws SQL_COLUMN_UNGROUPED */
  lower(column: Expression, at: Place): Expression
}

/** What a grouped expression may hold beside aggregates. */
export type GroupEnvironment = Pick<ExpressionEnvironment, 'over' | 'query' | 'unknownIsFalse'>

export function groupingOf(
  relation: Relation,
  groupBy: readonly GroupItem[],
  outer: Relation | undefined,
): Grouping {
  const windowed = groupWindow(relation, groupBy)
  const rows = windowed?.relation ?? relation
  const sets = groupingSets(rows, windowed?.groupBy ?? groupBy, windowed?.keys ?? [], outer)
  const keyTexts = sets.originals.map((key) => JSON.stringify(key))
  const aggregates = eachOnce<AggregateCall>()
  const places = new Map<Expression, { at: Place; name: string }>()
  const over = (bound: Expression, at: Place): Expression =>
    overGroups(bound, keyTexts, sets.keys, places, at)
  return {
    node: sets.node,
    keys: sets.keys,
    aggregates: aggregates.all,
    bind(syntax, env) {
      const bound = bindExpression(syntax, {
        ...env,
        ...(outer === undefined ? {} : { outer }),
        relation: rows,
        aggregate: (call, at) => addAggregate(rows, aggregates, call, at),
        grouping: (call, at) => windowed?.call(call, at) ?? sets.call(call, at),
        onColumn: (column, at, name) => places.set(columnOf(column), { at, name }),
      })
      return over(bound, syntax.at)
    },
    lower: over,
  }
}

function addAggregate(
  relation: Relation,
  aggregates: EachOnce<AggregateCall>,
  call: CallSyntax,
  at: Place,
): Expression {
  const bound = aggregateOf(relation, call, at)
  const add = (each: AggregateCall): Expression => {
    return { kind: 'column', index: AGGREGATE_BASE + aggregates.numberOf(each), type: each.type }
  }
  return deviationOf(bound, add, at) ?? jsonAggregateOf(bound, add, at) ?? add(bound)
}

/** `override` as in an expression's environment. */
export function aggregateOf(
  relation: Relation,
  call: CallSyntax,
  at: Place,
  override?: ExpressionEnvironment['override'],
): AggregateCall {
  const env = { relation, ...(override && { override }) }
  const signature = aggregateNamed(call.name.name)!
  // Within an aggregate there is no other: no `aggregate` in the environment.
  const args = call.args.map((each) => bindExpression(each, env))
  const resolved = signature.resolve(
    args.map(({ type }) => type),
    args.map((arg) => (arg.kind === 'literal' ? arg.value : undefined)),
  )
  if (typeof resolved === 'string') {
    throw new SqlError('SQL_TYPE_MISMATCH', at, { message: resolved, hint: signature.summary })
  }
  const filter =
    call.filter === undefined
      ? undefined
      : requireBoolean(bindExpression(call.filter, env), call.filter.at)
  return {
    function: signature.name,
    args: args.map((arg, index) => castTo(arg, resolved.args[index]!, at)),
    distinct: call.distinct,
    type: signature.name === 'COUNT' ? withNullability(resolved.type, false) : resolved.type,
    ...(filter === undefined ? {} : { filter }),
    ...userState(call, at),
  }
}

function overGroups(
  expression: Expression,
  keyTexts: readonly string[],
  keys: readonly Expression[],
  places: ReadonlyMap<Expression, { at: Place; name: string }>,
  at: Place,
): Expression {
  const key = keyTexts.indexOf(JSON.stringify(expression))
  if (key >= 0) return { kind: 'column', index: key, type: keys[key]!.type }
  const over = (each: Expression): Expression => overGroups(each, keyTexts, keys, places, at)
  switch (expression.kind) {
    case 'literal':
      return expression
    case 'column': {
      if (expression.index >= OUTER_COLUMNS || isLate(expression.index)) return expression
      if (expression.index >= AGGREGATE_BASE) {
        const index = keys.length + expression.index - AGGREGATE_BASE
        return { ...expression, index }
      }
      throw ungrouped(places.get(expression), at)
    }
    case 'call':
      return { ...expression, args: expression.args.map(over) }
    case 'cast':
    case 'field':
      return { ...expression, input: over(expression.input) }
    case 'case':
      return {
        ...expression,
        branches: expression.branches.map((branch) => ({
          when: over(branch.when),
          // biome-ignore lint/suspicious/noThenProperty: SQL's own word, and no promise
          then: over(branch.then),
        })),
        otherwise: over(expression.otherwise),
      }
  }
}

/** The column that a reference reads, its fields left out. */
function columnOf(reference: Expression): Expression {
  return reference.kind === 'field' ? columnOf(reference.input) : reference
}

function ungrouped(known: { at: Place; name: string } | undefined, at: Place): SqlError {
  const name = known?.name ?? 'a column'
  return new SqlError('SQL_COLUMN_UNGROUPED', known?.at ?? at, {
    message: `\`${name}\` must appear in GROUP BY or inside an aggregate`,
    hint: `add it to GROUP BY, or say which of a group's values is meant: MAX(${name})`,
    facts: { column: name },
  })
}
