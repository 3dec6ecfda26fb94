/** State that nothing bounds, and what would: told by `explain`. */
import { growthsOf } from '../plan/growth.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import { nodeText } from './render/plan.ts'

export function growthLines({ sinks }: Pick<Pipeline, 'sinks'>): string[] {
  const lines = sinks.flatMap((sink) =>
    growthsOf(sink).flatMap(({ node, grows, bound }) => {
      const what = node.kind === 'sink' ? `table ${node.table.name}` : nodeText(node)
      return [`${what}: ${grows}, for ever`, `  bound it: ${bound}`]
    }),
  )
  return [...new Set(lines)]
}
