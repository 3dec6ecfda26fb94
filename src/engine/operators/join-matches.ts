/**
 * Finding the entries of the other side that a batch's rows meet: pairs of equal keys, at most so many at a time, less those for which
 * the condition does not hold.
 */
import { compilePredicate } from '../../compile/expression.ts'
import type { Batch, Vector } from '../../data/batch.ts'
import type { Pointer } from '../../data/memory.ts'
import { collectColumns } from '../../plan/columns.ts'
import type { Expression } from '../../plan/expressions.ts'
import { type PlanNode, schemaOf } from '../../plan/nodes.ts'
import { pairsOfAtMost, type RowLists } from '../../state/row-lists.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import { rowsAt, vectorAt } from './joined-rows.ts'

export const PAIRS_MAX = 8192

export interface Pairs {
  /** u32, ascending: positions in the batch's selection, of each pair. */
  readonly positions: Pointer
  /** u32: the batch's row, of each pair. */
  readonly rows: Pointer
  /** u32: the other side's entry, of each pair. */
  readonly entries: Pointer
  readonly count: number
}

export interface Matches extends Pairs {
  /** All pairs of positions below this have been told. */
  readonly complete: number
}

/** Calls `visit` again and again until all positions are complete. `lists`: u32 a position, 0 = it meets nothing. */
export type Matcher = (batch: Batch, lists: Pointer, visit: (matches: Matches) => void) => void

export interface MatcherOptions {
  readonly left: PlanNode
  readonly right: PlanNode
  readonly condition?: Expression
  /** The batches are of the left side. */
  readonly isLeft: boolean
  /** Read anew for every batch. */
  readonly other: RowLists
  /** Pairs that count no more (their entry's time has run out) leave: compacts the pairs, returns how many stay. */
  readonly filter?: (pairs: Pairs) => number
}

export function matcherOf(options: MatcherOptions, context: OperatorContext): Matcher {
  const { memory } = context
  const { filter } = options
  const holds = options.condition === undefined ? undefined : conditionOf(options, context)
  return (batch, lists, visit) => {
    let from = pairsOfAtMost(PAIRS_MAX)
    while (from.position < batch.count) {
      const mark = memory.arena.mark()
      const positions = memory.arena.allocate(4 * PAIRS_MAX)
      const entries = memory.arena.allocate(4 * PAIRS_MAX)
      from = options.other.pairs(lists, batch.count, from, positions, entries)
      const rows = rowsOf(batch, positions, from.count)
      const pairs = { positions, rows, entries }
      let { count } = from
      if (filter !== undefined && count > 0) count = filter({ ...pairs, count })
      if (holds !== undefined && count > 0) count = holds({ ...pairs, count }, batch)
      visit({ ...pairs, count, complete: from.position })
      memory.arena.release(mark)
    }
  }

  function rowsOf({ selection }: Batch, positions: Pointer, count: number): Pointer {
    // Compacting moves positions and rows alike: they must not be one.
    const rows = memory.arena.allocate(4 * count)
    const { u32 } = memory
    if (selection === 0) u32.copyWithin(rows / 4, positions / 4, positions / 4 + count)
    else
      for (let at = 0; at < count; at++)
        u32[rows / 4 + at] = u32[selection / 4 + u32[positions / 4 + at]!]!
    return rows
  }
}

/** Evaluates the condition on pairs, moves those for which it holds to the front; how many. */
function conditionOf(
  options: MatcherOptions,
  context: OperatorContext,
): (pairs: Pairs, batch: Batch) => number {
  const { left, right, condition, isLeft } = options
  const { memory } = context
  const schema = [...schemaOf(left), ...schemaOf(right)]
  const leftWidth = schemaOf(left).length
  const predicate = compilePredicate(condition!, context)
  const evaluation = evaluationOf(context, schema)
  const read = new Set<number>()
  collectColumns(condition!, read)
  return (pairs, batch) => {
    const { rows, entries, count } = pairs
    const columnOf = (index: number): Vector => {
      const isOfInput = index < leftWidth === isLeft
      const ofSide = index < leftWidth ? index : index - leftWidth
      if (isOfInput) return vectorAt(memory, batch.columns[ofSide]!, rows, count)
      return options.other.columnOf(entries, count, ofSide)
    }
    const columns = schema.map(({ type }, index) =>
      read.has(index) ? columnOf(index) : { type, cells: 0, validity: 0 },
    )
    const selected = predicate.select(
      evaluation.frameOf({ rowCount: count, columns, kinds: 0, selection: 0, count }),
    )
    const held = evaluation.withoutFailed({
      rowCount: count,
      ...selected,
      kinds: kindsOfPairs(batch, rows, count),
      // Only rows that failed are read whole.
      get columns() {
        const ofInput = rowsAt(memory, batch.columns, rows, count)
        const ofOther = options.other.columnsOf(entries, count)
        return isLeft ? [...ofInput, ...ofOther] : [...ofOther, ...ofInput]
      },
    })
    keepPairs(pairs, held.selection, held.count)
    return held.count
  }

  function kindsOfPairs(batch: Batch, rows: Pointer, count: number): Pointer {
    if (batch.kinds === 0) return 0
    const kinds = memory.arena.allocate(count)
    const { u8, u32 } = memory
    for (let at = 0; at < count; at++) u8[kinds + at] = u8[batch.kinds + u32[rows / 4 + at]!]!
    return kinds
  }

  function keepPairs({ positions, rows, entries }: Pairs, selection: Pointer, count: number): void {
    if (selection === 0) return
    const { u32 } = memory
    for (const column of [positions / 4, rows / 4, entries / 4]) {
      for (let at = 0; at < count; at++) u32[column + at] = u32[column + u32[selection / 4 + at]!]!
    }
  }
}
