/** Compiled pipelines, ready to be started in the owner's process. */

import { CONNECTORS } from '../run/connectors.ts'
import type { RunEvent } from '../run/handle.ts'
import type { Launch } from '../serve/service.ts'
import type { Project } from './project.ts'
import { loadRun } from './rooms.ts'
import type { CompiledPipeline } from './scripts.ts'
import { withStateMemory } from './state-memory.ts'

export interface LaunchSettings {
  readonly project: Project
  readonly workers: number
  /** Instead of what the pipeline's SET says. */
  readonly stateMemory?: string
  readonly until?: 'now' | 'end'
  readonly fresh?: boolean
  readonly fromSavepoint?: string
  readonly allowDuplicates?: boolean
  readonly onEvent: (pipeline: string, event: RunEvent) => void
}

export function launchesOf(
  compiled: readonly CompiledPipeline[],
  settings: LaunchSettings,
): Launch[] {
  const { project, onEvent, stateMemory, ...start } = settings
  const given = compiled.map(({ pipeline }) => withStateMemory(pipeline, stateMemory))
  return given.map((pipeline) => ({
    name: pipeline.name,
    start: async (ports) => {
      const { startPipeline } = await loadRun()
      return startPipeline({
        ...start,
        pipeline,
        ports,
        connectors: CONNECTORS,
        dataDirectory: project.dataDirectory,
        baseDirectory: project.directory,
        threads: true,
        environment: process.env,
        onEvent: (event) => onEvent(pipeline.name, event),
      })
    },
  }))
}
