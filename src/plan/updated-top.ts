/**
 * Top-N of rows that are updated, but only for the better: a count that grows, ordered descending. Then a row that is not among the
 * first N comes in by its own update alone, and no others need be kept.
 *
 * @see Flink, RankProcessStrategy.UpdateFastStrategy
 */
import type { AggregateCall } from './expressions.ts'
import { type PlanNode, type Rank, type SortKey, schemaOf } from './nodes.ts'
import { traitsOf } from './traits.ts'

/** Of a column, by updates of its row. */
type Drift = 'grows' | 'shrinks' | 'stays'

/** More are too many to look through for a row's key. */
const ROWS_MAX = 1000

/** The columns of `node`'s input that name a row, if it is such; undefined if rows must be taken back. */
export function updatedTopKey({
  input,
  partition,
  order,
  to,
}: Rank): readonly number[] | undefined {
  if (typeof to !== 'number' || to > ROWS_MAX || order.length === 0) return undefined
  const { changes, upsertKey } = traitsOf(input)
  if (changes !== 'update' || upsertKey === undefined) return undefined
  const isNamed = partition.every(
    (each) => each.kind === 'column' && upsertKey.includes(each.index),
  )
  return isNamed && order.every((key) => onlyRises(input, key)) ? upsertKey : undefined
}

/** Whether updates never move a row back. */
function onlyRises(input: PlanNode, { expression, descending, nullsFirst }: SortKey): boolean {
  if (expression.kind !== 'column') return false
  const drift = driftOf(input, expression.index)
  if (drift === undefined || drift === 'stays') return drift === 'stays'
  // A first value takes the place of NULL: that, too, must be a rise.
  const isLastNull = !nullsFirst || !schemaOf(input)[expression.index]!.type.nullable
  return isLastNull && (drift === 'grows') === descending
}

/** Undefined where rows may go, or nothing is known. */
function driftOf(node: PlanNode, column: number): Drift | undefined {
  if (node.kind === 'project') {
    const expression = node.expressions[column]!
    return expression.kind === 'column' ? driftOf(node.input, expression.index) : undefined
  }
  if (node.kind !== 'group-aggregate' || traitsOf(node.input).changes !== 'append') return undefined
  return column < node.keys.length
    ? 'stays'
    : driftOfCall(node.aggregates[column - node.keys.length]!)
}

function driftOfCall(call: AggregateCall): Drift | undefined {
  const name = call.function.toUpperCase()
  if (name === 'COUNT' || name === 'MAX') return 'grows'
  return name === 'MIN' ? 'shrinks' : undefined
}
