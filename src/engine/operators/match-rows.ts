/** The rows of a match, by their numbers in the partition: what PREV and NEXT look beyond. */
import type { Pointer } from '../../data/memory.ts'
import type { MatchRecognize } from '../../plan/nodes.ts'
import { endOf, type Run, rowsOfTerm, type Thread } from './pattern-runs.ts'
import type { MatchRows } from './pattern-values.ts'

/** Those of `thread` before row `limit`. `rows` of the partition from number `first` on are at hand. */
export function matchRows(
  { pattern }: Pick<MatchRecognize, 'pattern'>,
  { rows, first }: { readonly rows: readonly Pointer[]; readonly first: number },
  run: Run,
  thread: Thread,
  limit = Number.POSITIVE_INFINITY,
  number = 0n,
): MatchRows {
  const upTo = ([from, end]: readonly [number, number]): readonly [number, number] => [
    from,
    Math.max(from, Math.min(end, limit)),
  ]
  return {
    number,
    of(variable) {
      if (variable === undefined) return upTo([run.start, endOf(run, thread)])
      const term = pattern.findIndex((each) => each.variable === variable)
      return upTo(rowsOfTerm(run, thread, term))
    },
    entryAt: (row) => rows[row - first],
    variableOf(row) {
      const term = pattern.findIndex((_, index) => row < rowsOfTerm(run, thread, index)[1])
      return pattern[term]!.variable
    },
  }
}
