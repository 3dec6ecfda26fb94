/** What the order in which rows come changes, in a pipeline's tables: told by `explain`. */
import { arrivalDependences } from '../plan/arrival-order.ts'
import type { Pipeline } from '../plan/pipeline.ts'

export function arrivalLines({ sinks }: Pick<Pipeline, 'sinks'>): string[] {
  const dependences = sinks.flatMap((sink) =>
    arrivalDependences(sink).map(
      ({ when, because }) =>
        `${sink.table.name} depends on it${when === 'ties' ? ' where rows tie' : ''}: ${because}`,
    ),
  )
  if (dependences.length > 0) return dependences
  return ['changes nothing: the tables are the same in every order in which no row is late']
}
