/** Which rows an accumulator takes: those that pass the FILTER, whose arguments are not NULL, and, for DISTINCT, whose value is new. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { aggregateKernel } from '../../kernels/aggregate.ts'
import type { AggregateCall } from '../../plan/expressions.ts'
import type { CompiledExpression, CompiledPredicate, Frame } from '../compiled.ts'
import type { AddedRows } from './accumulator.ts'
import type { AggregateEnvironment } from './aggregate-set.ts'

export interface RowInput {
  readonly parts: readonly (CompiledExpression | CompiledPredicate)[]
  /** Undefined: no rows. In the arena. */
  rows(frame: Frame, entries: Pointer): Omit<AddedRows, 'groups'> | undefined
}

export function rowInput(
  { args, filter }: Pick<AggregateCall, 'args' | 'filter'>,
  environment: AggregateEnvironment,
  keepsNulls = false,
): RowInput {
  const { memory } = environment
  const kernel = aggregateKernel(memory)
  const predicate = filter === undefined ? undefined : environment.predicate(filter)
  const expressions = args.map(environment.expression)
  return {
    parts: predicate === undefined ? expressions : [predicate, ...expressions],
    rows(frame, entries) {
      let inside = { frame, entries }
      if (predicate !== undefined) {
        const selected = predicate.select(frame)
        if (selected.count < frame.count) {
          const kept = memory.arena.allocate(4 * selected.count)
          kernel.narrow(frame.selection, entries, selected.selection, selected.count, kept)
          inside = { frame: { ...frame, ...selected }, entries: kept }
        }
      }
      if (inside.frame.count === 0) return undefined
      const vectors = expressions.map((expression) => expression.evaluate(inside.frame))
      if (keepsNulls) {
        const { selection, count } = inside.frame
        return { selection, entries: inside.entries, count, vectors }
      }
      return withoutNulls(memory, inside.frame, inside.entries, vectors)
    },
  }
}

function withoutNulls(
  memory: LinearMemory,
  frame: Frame,
  entries: Pointer,
  vectors: readonly Vector[],
): Omit<AddedRows, 'groups'> | undefined {
  const kernel = aggregateKernel(memory)
  let rows = { selection: frame.selection, entries, count: frame.count }
  for (const { validity, type } of vectors) {
    if (type.kind === 'null') return undefined
    if (validity === 0) continue
    const selection = memory.arena.allocate(4 * rows.count)
    const kept = memory.arena.allocate(4 * rows.count)
    const count = kernel.dense(rows.selection, rows.entries, validity, rows.count, selection, kept)
    rows = { selection, entries: kept, count }
  }
  return rows.count === 0 ? undefined : { ...rows, vectors }
}
