/** `--state-memory`, instead of what a pipeline's SET says. */
import type { Pipeline } from '../plan/pipeline.ts'

/** As it is if no bound is given. */
export function withStateMemory(pipeline: Pipeline, stateMemory: string | undefined): Pipeline {
  if (stateMemory === undefined) return pipeline
  return { ...pipeline, settings: { ...pipeline.settings, 'state.memory': stateMemory } }
}
