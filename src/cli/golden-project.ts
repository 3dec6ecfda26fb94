/** What golden files see of a project. */
import { readFileSync } from 'node:fs'
import { MillraceError } from '../errors.ts'
import type { GoldenProject } from '../testing/golden/scenario.ts'
import type { Io } from './io.ts'
import { type Project, pipelineFiles } from './project.ts'
import { joinScripts } from './script-text.ts'
import { compilePipelines } from './scripts.ts'

/** Its tables are seen by every file, its pipelines are compiled when they are asked for. */
export function goldenProject(io: Io, project: Project): GoldenProject {
  return {
    tables: joinScripts(project.tables).text,
    directory: project.directory,
    async pipeline(name) {
      const [compiled] = await compilePipelines(project, pipelineFiles(project, io, [name]))
      return compiled!.pipeline
    },
  }
}

/** @throws FILE_UNREADABLE */
export function readGolden(path: string, file: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const message = `can't read ${file}`
    const hint = 'name a .golden file'
    throw new MillraceError('FILE_UNREADABLE', { message, hint, facts: { file }, cause })
  }
}
