/** `millrace audit [files...]`: what will go wrong with pipelines, ours or another engine's, from their text alone. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import type { MeasuredDelay } from '../../advise/audit/facts.ts'
import { type Audit, auditMarkdown, openFindings, sarifOf } from '../../advise/audit/report.ts'
import { MillraceError } from '../../errors.ts'
import { listTopics, requireTopic } from '../../log/topics.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { auditFiles, withEdits } from '../audit-files.ts'
import {
  type Declare,
  examples,
  type ProjectOptions,
  projectOptions,
  usageError,
} from '../command.ts'
import { EXIT, type Io } from '../io.ts'
import { measuredDelay } from '../measured-delay.ts'
import { loadProject, type Project, type SqlFile } from '../project.ts'
import { auditLines } from '../render/audit.ts'
import { VERSION } from '../version.ts'
import { auditKafka } from './audit-kafka.ts'

interface AuditOptions extends ProjectOptions {
  readonly format: string
  readonly json?: boolean
  readonly strict?: boolean
  readonly fix?: boolean
  readonly engine?: string
  readonly measured?: readonly string[]
  readonly kafka?: string
  readonly registry?: string
  readonly property?: readonly string[]
  readonly sample: string
}

const FORMATS = ['text', 'json', 'sarif', 'md'] as const

export const declareAudit: Declare = (command, io) => {
  projectOptions(command)
    .argument(
      '[files...]',
      'SQL files; all pipelines of the project if there are none; with --kafka topics, all if there are none',
    )
    .option('--format <form>', `one of ${FORMATS.join(', ')}`, 'text')
    .option('--json', 'the same as --format json')
    .option('--strict', 'exit with 1 if anything graver than a note is found')
    .option('--fix', 'mend in the files what can be mended without deciding anything')
    .option('--engine <engine>', 'flink or millrace, if the connectors do not tell')
    .option('--measured <files...>', 'what `millrace advise watermark --json` said')
    .option('--kafka <brokers>', 'audit a running Kafka instead, HOST:PORT,...; nothing is written')
    .option('--registry <url>', 'with --kafka: the schema registry that has its subjects')
    .option(
      '--property <name=value...>',
      "with --kafka: of Kafka's client, to authenticate: security.protocol=SASL_SSL; secrets by reference, as in tables",
    )
    .option(
      '--sample <records>',
      "with --kafka: of each topic's newest records so many are read, for their lateness",
      '20000',
    )
    .action((files: string[], options: AuditOptions) => audit(io, files, options))
  examples(
    command,
    'millrace audit',
    'millrace audit flink-job.sql --format md > audit.md',
    'millrace audit --strict --format sarif > audit.sarif',
    'millrace audit pipelines/revenue.sql --fix',
    'millrace audit --kafka broker:9092 --registry http://registry:8081',
  )
}

async function audit(io: Io, named: readonly string[], options: AuditOptions): Promise<void> {
  const format = options.json === true ? 'json' : options.format
  if (!FORMATS.some((known) => known === format))
    throw usageError(`--format can't be '${format}'`, `it is one of ${FORMATS.join(', ')}`)
  const { kafka } = options
  if (kafka !== undefined) return auditKafka(io, format, named, { ...options, kafka })
  const engine = engineOf(options.engine)
  const project = await loadProject(io, options)
  const files = named.length > 0 ? named.map((file) => readFile(io, file)) : pipelines(io, project)
  const tables = project.tables.map(({ name, text }) => ({ name: shown(io, project, name), text }))
  const found = auditFiles({
    files,
    tables,
    ...(engine && { engine }),
    measured: measuredDelays(io, options.measured ?? []),
    retentionUs: retentions(project.dataDirectory),
  })
  const texts = new Map([...tables, ...files].map(({ name, text }) => [name, text]))
  for (const line of written(io, format, found, texts)) io.out(line)
  if (options.fix) fix(io, found, texts)
  const isGrave = openFindings(found).some(({ severity }) => severity !== 'note')
  if (options.strict && isGrave) io.exitCode = EXIT.no
}

function written(
  io: Io,
  format: string,
  found: Audit,
  texts: ReadonlyMap<string, string>,
): string[] {
  switch (format) {
    case 'json':
      return [JSON.stringify(found)]
    case 'sarif':
      return [JSON.stringify(sarifOf(found, VERSION), undefined, 2)]
    case 'md':
      return [auditMarkdown(found).trimEnd()]
    default:
      return auditLines(found, (file) => texts.get(file) ?? '', io.style, io.columns())
  }
}

function fix(io: Io, found: Audit, texts: ReadonlyMap<string, string>): void {
  const edits = openFindings(found).flatMap(({ fix: edit }) => edit ?? [])
  for (const [file, text] of texts) {
    const own = edits.filter((edit) => edit.file === file)
    if (own.length === 0) continue
    writeFileSync(resolve(io.directory, file), withEdits(text, own))
    io.err(`${io.errorStyle.good('mended')} ${own.length} in ${file}`)
  }
}

/** The project's SQL pipelines; those in TypeScript have no text to point at, and are told. */
function pipelines(io: Io, project: Project): SqlFile[] {
  const files = project.pipelines.flatMap((file) => {
    if (file.kind === 'sql')
      return [{ name: shown(io, project, file.file.name), text: file.file.text }]
    io.err(io.errorStyle.faint(`${file.name} is left out: only SQL is audited`))
    return []
  })
  if (files.length > 0) return files
  throw new MillraceError('PROJECT_MISSING', {
    message: `there is no SQL pipeline in ${project.directory}`,
    hint: 'name a file: `millrace audit job.sql`; it may be of another engine',
    facts: { directory: project.directory },
  })
}

function shown(io: Io, project: Project, name: string): string {
  return relative(io.directory, resolve(project.directory, name))
}

function engineOf(engine: string | undefined): 'flink' | 'millrace' | undefined {
  if (engine === undefined || engine === 'flink' || engine === 'millrace') return engine
  throw usageError(`--engine can't be '${engine}'`, 'it is flink or millrace')
}

function readFile(io: Io, name: string): SqlFile {
  const path = resolve(io.directory, name)
  if (!name.endsWith('.sql') || !existsSync(path))
    throw new MillraceError('FILE_UNREADABLE', {
      message: `can't audit ${name}: ${existsSync(path) ? 'it is no .sql file' : 'there is no such file'}`,
      hint: 'name SQL files; those of other engines are read too',
      facts: { file: name },
    })
  return { name: relative(io.directory, path), text: readFileSync(path, 'utf8') }
}

function measuredDelays(io: Io, files: readonly string[]): ReadonlyMap<string, MeasuredDelay> {
  return new Map(
    files.map((file) => {
      const path = resolve(io.directory, file)
      return measuredDelay(file, existsSync(path) ? readFileSync(path, 'utf8') : '')
    }),
  )
}

function retentions(dataDirectory: string): (topic: string) => number | undefined {
  const ports = nodePorts()
  const topics = new Set(listTopics(ports, dataDirectory))
  return (topic) => {
    if (!topics.has(topic)) return undefined
    const { retentionMs } = requireTopic(ports, dataDirectory, topic).config
    return retentionMs < 0 ? undefined : retentionMs * 1000
  }
}
