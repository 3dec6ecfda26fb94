/** Where the operators of a pipeline keep their state when it is given a bound: in memory and files, or in memory whatever it takes. */
import { graphOf } from '../engine/graph.ts'
import { spillable } from '../engine/spill/spillable.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import { settingsOf } from '../run/settings.ts'
import { nodeText } from './render/plan.ts'

/** A line an operator that keeps state; none if there is no bound. @throws SETTING_INVALID */
export function statePlaces({ sinks, settings }: Pipeline): string[] {
  if (settingsOf(settings).stateMemoryBytes === undefined) return []
  const graph = graphOf({ sinks })
  return graph.nodes.flatMap((node) => {
    if (node.kind !== 'operator' || node.plan.kind === 'sink') return []
    const how = spillable(graph, node)
    if (how === undefined) return []
    const where = how.kind === 'spills' ? 'may leave memory' : `stays in memory: ${how.because}`
    return [`${nodeText(node.plan)}: ${where}`]
  })
}
