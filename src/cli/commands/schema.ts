/** `millrace schema check FILE --subject S`: would the registry take it, and what of the project would it break? For CI: nothing is registered. */
import type { ResolvedSchema } from '../../formats/schema-source.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { incompatibilities, incompatibilityText } from '../../registry/compatibility/check.ts'
import { type CompatibilityLevel, LEVELS, readLevel } from '../../registry/compatibility/level.ts'
import { type SubjectHistory, subjectHistory } from '../../registry/confluent-source.ts'
import { levelOf } from '../../registry/registry.ts'
import { readRegistry } from '../../registry/store.ts'
import { type Declare, examples, type ProjectOptions, projectOptions } from '../command.ts'
import { EXIT, type Io } from '../io.ts'
import { configure } from '../program-style.ts'
import { loadProject } from '../project.ts'
import { ProjectError } from '../project-error.ts'
import { countOf } from '../render/quantity.ts'
import { readSchemaFile } from '../schema-file.ts'
import { type Impact, impactOf } from '../schema-impact.ts'
import { checkProject } from '../scripts.ts'

interface CheckOptions extends ProjectOptions {
  readonly subject: string
  readonly level?: string
  readonly against?: readonly string[]
  readonly registry?: string
  readonly json?: boolean
}

interface Checked {
  readonly level: CompatibilityLevel
  readonly versions: number
  readonly incompatible: readonly string[]
  readonly breaks: readonly Impact[]
}

export const declareSchema: Declare = (command, io) => {
  examples(
    command,
    'millrace schema check order.avsc --subject orders-value',
    'millrace schema check order.avsc --subject orders-value --against old.avsc --level FULL',
  )
  const check = command
    .command('check')
    .description(
      'hold a schema against the versions of its subject and against what the project reads and writes',
    )
    .argument('<file>', 'the new schema: .avsc, .proto or .json')
  configure(check, io)
  projectOptions(check)
    .helpOption('-h, --help', 'show this help')
    .requiredOption('--subject <name>', 'whose versions it is to follow')
    .option('--level <level>', `${LEVELS.join(', ')}; the subject's unless told`)
    .option(
      '--against <files...>',
      'earlier versions, oldest first, in place of those of the registry',
    )
    .option('--registry <url>', "a Confluent registry, in place of the project's own")
    .option('--json', 'one JSON object')
    .action((file: string, options: CheckOptions) => checkSchema(io, file, options))
  check.addHelpText(
    'after',
    `
Nothing is registered. A registry's credentials are in MILLRACE_REGISTRY_USER_INFO (user:password) or MILLRACE_REGISTRY_TOKEN. Exit code 1: the registry would refuse it, or a pipeline of the project would break.`,
  )
}

async function checkSchema(io: Io, file: string, options: CheckOptions): Promise<void> {
  const next = readSchemaFile(io.directory, file)
  const checked = await check(io, next, options)
  if (checked.incompatible.length + checked.breaks.length > 0) io.exitCode = EXIT.no
  if (options.json) {
    io.out(JSON.stringify({ subject: options.subject, ...checked }))
    return
  }
  const { style, errorStyle } = io
  for (const reason of checked.incompatible) io.err(`${errorStyle.bad('incompatible')}  ${reason}`)
  for (const { pipeline, table, how, reason } of checked.breaks)
    io.err(`${errorStyle.bad('breaks')}  ${pipeline} ${how} ${table}: ${reason}`)
  const against = `${countOf(checked.versions, 'earlier version')}, ${checked.level}`
  if (io.exitCode === EXIT.done)
    io.out(`${style.good('compatible')}  ${options.subject}: ${against}`)
  else io.err(`${options.subject}: ${against}`)
}

async function check(io: Io, next: ResolvedSchema, options: CheckOptions): Promise<Checked> {
  const project = await loadProject(io, options)
  const history = await historyOf(io, project.dataDirectory, options)
  const level = readLevel(options.level ?? history.level)
  const { versions } = history
  const incompatible = incompatibilities(level, next, versions).map(incompatibilityText)
  const { pipelines, findings } = await checkProject(project)
  if (findings.length > 0) throw new ProjectError(findings)
  return {
    level,
    versions: versions.length,
    incompatible,
    breaks: impactOf(next, options.subject, level, pipelines),
  }
}

/** The files that are named; else what the registry that is named has, else the project's own. */
async function historyOf(
  io: Io,
  dataDirectory: string,
  { subject, against, registry }: CheckOptions,
): Promise<SubjectHistory> {
  const ports = nodePorts()
  const { state } = readRegistry(ports, dataDirectory)
  const level = levelOf(state, subject)
  if (against !== undefined)
    return { level, versions: against.map((path) => readSchemaFile(io.directory, path)) }
  if (registry !== undefined) {
    const { MILLRACE_REGISTRY_USER_INFO: userInfo, MILLRACE_REGISTRY_TOKEN: token } = io.environment
    const access = {
      url: registry,
      ...(userInfo === undefined ? {} : { userInfo }),
      ...(token === undefined ? {} : { token }),
    }
    return subjectHistory(ports, access, subject)
  }
  const entries = state.versions(subject, false)
  return { level, versions: entries.flatMap((entry) => state.resolve(entry) ?? []) }
}
