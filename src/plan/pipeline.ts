/** A pipeline: its sinks, and how it is to be run. */
import type { SinkNode } from './nodes.ts'

/** What runs as one unit, with one identity and one checkpoint line. */
export interface Pipeline {
  readonly name: string
  /** True when the name was derived, not SET 'pipeline.name'. */
  readonly nameIsDerived: boolean
  readonly settings: Readonly<Record<string, string>>
  readonly sinks: readonly SinkNode[]
}
