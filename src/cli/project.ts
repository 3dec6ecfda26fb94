/**
 * A project is a folder:
 *
 *   tables/*.sql        CREATE TABLE and CREATE VIEW, seen by every pipeline and query
 *   pipelines/*.sql     one pipeline each; *.ts default-export one
 *   millrace.config.ts  optional
 *   .millrace/          the owner's data: checkpoints, the log
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { MillraceError } from '../errors.ts'
import type { ProjectOptions } from './command.ts'
import { CONFIG_FILE, type Config, loadConfig } from './config.ts'
import type { Io } from './io.ts'

export interface Project {
  readonly directory: string
  readonly dataDirectory: string
  readonly config: Config
  /** By name of file. */
  readonly tables: readonly SqlFile[]
  readonly pipelines: readonly PipelineFile[]
}

export interface SqlFile {
  /** Relative to the project, as it is shown. */
  readonly name: string
  readonly text: string
}

export type PipelineFile =
  | { readonly kind: 'sql'; readonly file: SqlFile }
  | { readonly kind: 'typescript'; readonly name: string; readonly path: string }

/** @throws PROJECT_MISSING, CONFIG_INVALID, FILE_UNREADABLE */
export async function loadProject(io: Io, options: ProjectOptions): Promise<Project> {
  const directory = resolve(io.directory, options.project ?? '.')
  if (!existsSync(directory)) throw missing(directory)
  const config = await loadConfig(directory)
  const dataDirectory =
    options.data === undefined
      ? resolve(directory, config.data)
      : resolve(io.directory, options.data)
  return {
    directory,
    dataDirectory,
    config,
    tables: namesIn(directory, 'tables', /\.sql$/).map((name) => sqlFile(directory, name)),
    pipelines: namesIn(directory, 'pipelines', /\.(sql|ts|mts|js|mjs)$/)
      .filter((name) => !/\.(d\.ts|test\.ts)$/.test(name))
      .map((name) => pipelineFile(directory, name)),
  }
}

/** Only where the data is: for commands that need no tables. */
export async function dataDirectoryOf(io: Io, options: ProjectOptions): Promise<string> {
  if (options.data !== undefined) return resolve(io.directory, options.data)
  const directory = resolve(io.directory, options.project ?? '.')
  return resolve(directory, (await loadConfig(directory)).data)
}

/**
 * The pipeline files that `paths` name (relative to the working directory); all of the project's if there are none.
 * @throws FILE_UNREADABLE, PROJECT_MISSING if there is no pipeline at all
 */
export function pipelineFiles(project: Project, io: Io, paths: readonly string[]): PipelineFile[] {
  if (paths.length > 0) return paths.map((path) => namedFile(project, io, path))
  if (project.pipelines.length > 0) return [...project.pipelines]
  throw new MillraceError('PROJECT_MISSING', {
    message: `there is no pipeline in ${project.directory}`,
    hint: 'put one into pipelines/NAME.sql, name a file, or make a project with `millrace init`',
    facts: { directory: project.directory },
  })
}

/** Name of the file without folder and ending: what a pipeline is called when it does not say. */
export function nameFromFile(name: string): string {
  return basename(name).replace(/\.[^.]+$/, '')
}

function namedFile(project: Project, io: Io, path: string): PipelineFile {
  const full = resolve(io.directory, path)
  // `millrace run revenue` is what people type for pipelines/revenue.sql.
  const known = project.pipelines.find((each) => nameFromFile(fileName(each)) === path)
  if (!existsSync(full) && known !== undefined) return known
  return pipelineFile(project.directory, relative(project.directory, full))
}

/** As shown: relative to the project. */
export function fileName(file: PipelineFile): string {
  return file.kind === 'sql' ? file.file.name : file.name
}

function pipelineFile(directory: string, name: string): PipelineFile {
  if (name.endsWith('.sql')) return { kind: 'sql', file: sqlFile(directory, name) }
  const path = join(directory, name)
  if (/\.(ts|mts|js|mjs)$/.test(name) && existsSync(path)) return { kind: 'typescript', name, path }
  throw unreadable(name, existsSync(path) ? 'it is neither .sql nor .ts' : 'there is no such file')
}

function sqlFile(directory: string, name: string): SqlFile {
  try {
    return {
      name,
      text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(join(directory, name))),
    }
  } catch (error) {
    throw unreadable(name, reasonOf(error))
  }
}

function namesIn(directory: string, folder: string, pattern: RegExp): string[] {
  const path = join(directory, folder)
  if (!existsSync(path) || !statSync(path).isDirectory()) return []
  return readdirSync(path)
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => join(folder, name))
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EISDIR') return 'it is a directory'
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'it is no valid UTF-8'
  return error instanceof Error ? error.message : String(error)
}

function unreadable(name: string, reason: string): MillraceError {
  return new MillraceError('FILE_UNREADABLE', {
    message: `can't read ${name}: ${reason}`,
    hint: 'name a .sql or .ts file, or a pipeline of the project by its name',
    facts: { file: name },
  })
}

function missing(directory: string): MillraceError {
  return new MillraceError('PROJECT_MISSING', {
    message: `there is no folder ${directory}`,
    hint: `a project is a folder with tables/, pipelines/ and perhaps ${CONFIG_FILE}: \`millrace init\` makes one`,
    facts: { directory },
  })
}
