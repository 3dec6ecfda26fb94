/** What is said of a pipeline before it starts: its name, where that comes from, and what it promises. */
import type { Connector } from '../connectors/contract/connector.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import { guaranteeOf } from './guarantee.ts'
import type { Style } from './render/style.ts'

export function announcement(
  pipeline: Pipeline,
  connectors: readonly Connector[],
  style: Style,
): string[] {
  const { kind, because, notes } = guaranteeOf(pipeline, connectors)
  const promise = kind === 'exactly-once' ? style.good(kind) : style.warning(kind)
  const named = pipeline.nameIsDerived
    ? style.faint(
        `  (named after its file; SET 'pipeline.name' = '${pipeline.name}' keeps the name when the file moves)`,
      )
    : ''
  return [
    `${style.strong(pipeline.name)}  ${promise} end to end${named}`,
    ...because.map((line) => `  ${style.faint(line)}`),
    ...notes.map((line) => `  ${style.faint(line)}`),
  ]
}
