/** The project's SQL to plans: its tables first, each pipeline over them, all errors led back to their files. */
import { pathToFileURL } from 'node:url'
import { isPipelineDefinition, type PipelineDefinition, pipelineSql } from '../api/pipeline.ts'
import type { Schema } from '../data/types.ts'
import { MillraceError } from '../errors.ts'
import { type PlanNode, schemaOf } from '../plan/nodes.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import { CONNECTORS } from '../run/connectors.ts'
import { settingsOf } from '../run/settings.ts'
import { zonedWindows } from '../run/zoned-windows.ts'
import { isPipeline, planProblem } from './exported-plan.ts'
import { fileName, nameFromFile, type PipelineFile, type Project, type SqlFile } from './project.ts'
import { type Finding, ProjectError } from './project-error.ts'
import { plainError } from './render/error.ts'
import { type BoundScript, loadBind, loadFunctions } from './rooms.ts'
import type { NamedSchema } from './row-types.ts'
import { findingOf, joinScripts } from './script-text.ts'

export interface CompiledPipeline {
  readonly file: PipelineFile
  readonly pipeline: Pipeline
}

export interface CheckedProject {
  readonly tables: readonly NamedSchema[]
  readonly views: readonly NamedSchema[]
  readonly pipelines: readonly CompiledPipeline[]
  /** Everything that is wrong, each once. */
  readonly findings: readonly Finding[]
}

/** @throws ProjectError with all that is wrong in `files` and in the tables that they see */
export async function compilePipelines(
  project: Project,
  files: readonly PipelineFile[],
): Promise<readonly CompiledPipeline[]> {
  const { pipelines, findings } = await checkFiles(project, files)
  if (findings.length > 0) throw new ProjectError(findings)
  return pipelines
}

/** All tables, views and pipelines. Nothing is opened. */
export function checkProject(project: Project): Promise<CheckedProject> {
  return checkFiles(project, project.pipelines)
}

async function checkFiles(
  project: Project,
  files: readonly PipelineFile[],
): Promise<CheckedProject> {
  const findings = new Map<string, Finding>()
  const pipelines: CompiledPipeline[] = []
  const alone = await bindFiles(project)
  const told = [...alone.findings]
  for (const file of files) {
    const compiled =
      file.kind === 'sql' ? await bindPipeline(project, file.file) : await load(project, file)
    told.push(...compiled.findings)
    if (compiled.pipeline === undefined) continue
    pipelines.push({ file, pipeline: compiled.pipeline })
    told.push(...settingFindings(fileName(file), compiled.pipeline))
  }
  // An error in a table is met again by each pipeline that sees it.
  for (const finding of [...told, ...sameNames(pipelines)]) findings.set(finding.text, finding)
  const named = (kind: string) => (each: { readonly name: string; readonly schema: Schema }) => ({
    ...each,
    about: `${kind} ${each.name}`,
  })
  return {
    tables: alone.bound.tables.map(named('table')),
    views: alone.bound.views.map(named('view')),
    pipelines,
    findings: [...findings.values()],
  }
}

export interface CompiledQuery {
  readonly query: PlanNode
  readonly schema: Schema
}

/** One SELECT over the project's tables. @throws ProjectError */
export async function compileQuery(project: Project, sql: string): Promise<CompiledQuery> {
  const file = { name: 'the query', text: sql }
  const { bound, findings } = await bindFiles(project, file)
  if (findings.length > 0) throw new ProjectError(findings)
  const [query, ...more] = bound.queries
  if (query === undefined || more.length > 0 || bound.pipeline !== undefined)
    throw new ProjectError([
      findingFrom(
        'SQL_UNSUPPORTED',
        file.name,
        'it is not one SELECT',
        'write one SELECT; INSERTs are for `millrace run`',
      ),
    ])
  return { query, schema: schemaOf(query) }
}

interface BoundFiles {
  readonly bound: BoundScript
  readonly findings: readonly Finding[]
}

async function bindFiles(project: Project, file?: SqlFile): Promise<BoundFiles> {
  const bind = await loadBind()
  const files = file === undefined ? project.tables : [...project.tables, file]
  const joined = joinScripts(files)
  const fallback = file ?? { name: 'tables', text: '' }
  const functions = await loadFunctions(joined.text, project.directory)
  const bound = bind(joined.text, nameFromFile(fallback.name), CONNECTORS, functions)
  return { bound, findings: bound.errors.map((error) => findingOf(error, joined, fallback)) }
}

interface FoundPipeline {
  readonly pipeline?: Pipeline
  readonly findings: readonly Finding[]
}

async function bindPipeline(project: Project, file: SqlFile): Promise<FoundPipeline> {
  const { bound, findings } = await bindFiles(project, file)
  if (findings.length > 0) return { findings }
  if (bound.pipeline !== undefined) return { pipeline: bound.pipeline, findings }
  return {
    findings: [
      findingFrom(
        'SQL_UNSUPPORTED',
        file.name,
        'it has no INSERT INTO',
        'a pipeline writes: INSERT INTO a_table SELECT ...',
      ),
    ],
  }
}

/** The default export of a module: a plan, as the library makes it. */
async function load(
  project: Project,
  file: Extract<PipelineFile, { kind: 'typescript' }>,
): Promise<FoundPipeline> {
  try {
    const module: { readonly default?: unknown } = await import(pathToFileURL(file.path).href)
    if (isPipelineDefinition(module.default)) return bindDefinition(project, file, module.default)
    if (isPipeline(module.default)) return exported(file, module.default)
    const hint = 'default-export a pipeline: export default pipeline(...)'
    return {
      findings: [
        findingFrom('FILE_UNREADABLE', file.name, 'its default export is no pipeline', hint),
      ],
    }
  } catch (error) {
    if (error instanceof MillraceError)
      return { findings: [findingFrom(error.code, file.name, error.message, error.hint)] }
    const message = error instanceof Error ? error.message : String(error)
    return {
      findings: [
        findingFrom(
          'FILE_UNREADABLE',
          file.name,
          message,
          'the module must load without running anything',
        ),
      ],
    }
  }
}

function exported({ name }: { readonly name: string }, pipeline: Pipeline): FoundPipeline {
  const problem = planProblem(pipeline, CONNECTORS)
  if (problem === undefined) return { pipeline, findings: [] }
  const code = pipeline.sinks.length === 0 ? 'PIPELINE_EMPTY' : 'FILE_UNREADABLE'
  const hint = 'make it with pipeline(...), which checks it, or write it in SQL'
  return { findings: [findingFrom(code, name, problem, hint)] }
}

/** The typed API's pipelines are scripts: bound as those are, behind the project's tables. */
async function bindDefinition(
  project: Project,
  file: Extract<PipelineFile, { kind: 'typescript' }>,
  definition: PipelineDefinition,
): Promise<FoundPipeline> {
  const bind = await loadBind()
  const before = project.tables.map(({ text }) => `${text}\n;\n`).join('')
  const functions = await loadFunctions(before, project.directory)
  const describe = (tables: string, select: string): Schema => {
    const { queries, errors } = bind(
      before + tables + select,
      definition.name,
      CONNECTORS,
      functions,
    )
    const [error] = errors
    if (error !== undefined) throw error
    return schemaOf(queries[0]!)
  }
  const text = pipelineSql(definition, describe)
  return bindPipeline(project, { name: file.name, text })
}

/** Settings that can't be, and windows that can't be as the settings say. */
function settingFindings(file: string, { settings, sinks }: Pipeline): Finding[] {
  try {
    const { timeZone } = settingsOf(settings)
    for (const { input } of sinks) zonedWindows(input, timeZone)
    return []
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return [findingFrom(error.code, file, error.message, error.hint)]
  }
}

/** Two pipelines of one name would share their checkpoints. */
function sameNames(pipelines: readonly CompiledPipeline[]): Finding[] {
  const first = new Map<string, PipelineFile>()
  return pipelines.flatMap(({ file, pipeline }) => {
    const other = first.get(pipeline.name)
    if (other === undefined) first.set(pipeline.name, file)
    if (other === undefined || fileName(other) === fileName(file)) return []
    const message = `'${pipeline.name}' is also the name of ${fileName(other)}`
    const hint = "give each pipeline its own: SET 'pipeline.name' = '...'"
    return [findingFrom('PIPELINE_EXISTS', fileName(file), message, hint)]
  })
}

function findingFrom(code: Finding['code'], file: string, message: string, hint: string): Finding {
  return {
    code,
    message,
    hint,
    file,
    text: plainError(new MillraceError(code, { message, hint }), file),
  }
}
