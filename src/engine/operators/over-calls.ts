/**
 * The calls of an OVER, over the columns that are kept of a row: aggregates, and what hangs on a row's place among the others.
 *
 * Arguments that are no columns are computed when a row comes, and kept with it: what leaves a frame is taken back as it came.
 */

import type { AggregateSet } from '../../compile/aggregates/aggregate-set.ts'
import { compileAggregates } from '../../compile/aggregates/compile-aggregates.ts'
import { compileExpression, compilePredicate } from '../../compile/expression.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import { type OverAggregate, schemaOf } from '../../plan/nodes.ts'
import { type KeptColumns, type KeyColumn, keptColumns } from './sort-order.ts'

export type OverCall =
  /** Number `index` among the aggregates. */
  | { readonly kind: 'aggregate'; readonly index: number }
  | { readonly kind: 'number' | 'rank' | 'dense-rank' }
  /** Column of the row `distance` before; of the row itself `otherwise`, where there is none. */
  | {
      readonly kind: 'lag'
      readonly column: number
      readonly distance: number
      readonly otherwise?: number
    }
  /** Column of the frame's first or last row in which it is not NULL, and column `filter` TRUE. */
  | { readonly kind: 'first' | 'last'; readonly column: number; readonly filter?: number }

export interface OverCalls {
  readonly kept: KeptColumns
  readonly keys: readonly KeyColumn[]
  /** Numbers of kept columns. */
  readonly partition: readonly number[]
  /** One a call of the plan. */
  readonly calls: readonly OverCall[]
  /** Over the kept columns. */
  aggregates(retracts: boolean): AggregateSet
  /** The most rows back that a LAG looks. */
  readonly lag: number
}

/** @throws SQL_UNSUPPORTED for what a stream can't tell */
export function overCalls(memory: LinearMemory, plan: OverAggregate): OverCalls {
  const kept = keptColumns(memory, schemaOf(plan.input))
  const columnOf = (expression: Expression): Expression => ({
    kind: 'column',
    index: kept.place(expression),
    type: expression.type,
  })
  const partition = plan.partition.map(kept.place)
  // By the clock rows are in the order in which they come.
  const keys = plan.timeDomain === 'processing' ? [] : plan.order.map(kept.keyOf)
  const aggregated: AggregateCall[] = []
  const calls = plan.aggregates.map((call): OverCall => {
    const placed = placedCall(call, kept)
    if (placed !== undefined) return placed
    const { filter } = call
    const over = { ...call, args: call.args.map(columnOf) }
    const index = aggregated.push(
      filter === undefined ? over : { ...over, filter: columnOf(filter) },
    )
    return { kind: 'aggregate', index: index - 1 }
  })
  return {
    kept,
    keys,
    partition,
    calls,
    lag: Math.max(0, ...calls.map((call) => (call.kind === 'lag' ? call.distance : 0))),
    aggregates: (retracts) =>
      compileAggregates(aggregated, {
        memory,
        expression: (expression) => compileExpression(expression, { memory }),
        predicate: (expression) => compilePredicate(expression, { memory }),
        retracts,
      }),
  }
}

/** Undefined for an aggregate. */
function placedCall(call: AggregateCall, { place }: KeptColumns): OverCall | undefined {
  const [value, distance, otherwise] = call.args
  switch (call.function.toUpperCase()) {
    case 'ROW_NUMBER':
      return { kind: 'number' }
    case 'RANK':
      return { kind: 'rank' }
    case 'DENSE_RANK':
      return { kind: 'dense-rank' }
    case 'FIRST_VALUE':
    case 'LAST_VALUE': {
      const kind = call.function.toUpperCase() === 'FIRST_VALUE' ? 'first' : 'last'
      const column = place(value!)
      return call.filter === undefined
        ? { kind, column }
        : { kind, column, filter: place(call.filter) }
    }
    case 'LAG':
      return {
        kind: 'lag',
        column: place(value!),
        distance: distance === undefined ? 1 : distanceOf(distance),
        ...(otherwise === undefined ? {} : { otherwise: place(otherwise) }),
      }
    case 'LEAD':
      throw noLead()
    default:
      return undefined
  }
}

function distanceOf(expression: Expression): number {
  const written = expression.kind === 'cast' ? expression.input : expression
  const distance = written.kind === 'literal' ? Number(written.value) : Number.NaN
  if (Number.isSafeInteger(distance) && distance >= 0) return distance
  throw new MillraceError('SQL_UNSUPPORTED', {
    message: 'how far LAG looks back must be written as a whole number from 0',
    hint: 'write LAG(value, 2)',
    facts: {},
  })
}

function noLead(): MillraceError {
  return new MillraceError('SQL_UNSUPPORTED', {
    message: 'LEAD looks at rows that are not there yet',
    hint: 'use LAG, which looks back; MATCH_RECOGNIZE can wait for the next row',
    facts: {},
  })
}
