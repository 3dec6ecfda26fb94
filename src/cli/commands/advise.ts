/** `millrace advise [needs.yaml]`: is streaming warranted, how, and at what cost? */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Book, openBook } from '../../advise/cost/book.ts'
import { readOwnPrices } from '../../advise/cost/own-prices.ts'
import type { NeedsFinding } from '../../advise/needs/findings.ts'
import { type Measure, readNeeds } from '../../advise/needs/read.ts'
import { advise } from '../../advise/report/advice.ts'
import { htmlOf } from '../../advise/report/html.ts'
import { markdownOf } from '../../advise/report/markdown.ts'
import { SCHEMAS, schemaText } from '../../advise/report/schemas.ts'
import type { Advice } from '../../advise/report/shape.ts'
import { type ErrorCode, MillraceError } from '../../errors.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { CONNECTORS } from '../../run/connectors.ts'
import { nearest } from '../../sql/suggest.ts'
import {
  type Declare,
  examples,
  type ProjectOptions,
  projectOptions,
  usageError,
} from '../command.ts'
import { EXIT, type Io } from '../io.ts'
import { interview } from '../needs-interview.ts'
import { dataDirectoryOf } from '../project.ts'
import { ProjectError } from '../project-error.ts'
import { adviceLines } from '../render/advice.ts'
import { findingLines } from '../render/error.ts'
import { measureTopic } from '../topic-measure.ts'
import { declareAdviseWatermark } from './advise-watermark.ts'

interface AdviseOptions extends ProjectOptions {
  readonly format: string
  readonly json?: boolean
  readonly prices?: string
  readonly out?: string
  readonly write?: string
  readonly schema?: string
}

const FORMATS = ['text', 'md', 'html', 'json'] as const
type Format = (typeof FORMATS)[number]

export const declareAdvise: Declare = (command, io) => {
  projectOptions(command)
    .argument('[needs]', 'a file of needs, YAML or JSON; without one, a terminal is asked')
    .option('--format <form>', `one of ${FORMATS.join(', ')}`, 'text')
    .option('--json', 'the same as --format json')
    .option('--out <file>', 'write it there, not on stdout')
    .option('--prices <file>', 'prices, limits and hours of your own, over the shipped ones')
    .option('--write <directory>', 'write the ready tables, pipelines and timers there')
    .option('--schema <name>', `print a JSON Schema: ${Object.keys(SCHEMAS).join(', ')}`)
    .action((needs: string | undefined, options: AdviseOptions) => run(io, needs, options))
  examples(
    command,
    'millrace advise needs.yaml',
    'millrace advise needs.yaml --format html --out advice.html',
    'millrace advise needs.yaml --prices my-prices.json --write my-project',
  )
  // Options behind `watermark` are its own.
  command.enablePositionalOptions()
  declareAdviseWatermark(command, io)
}

async function run(io: Io, file: string | undefined, options: AdviseOptions): Promise<void> {
  if (options.schema !== undefined) return printSchema(io, options.schema)
  const format = formatOf(options)
  const book = bookOf(io, options)
  const { name, text } = await needsText(io, file)
  const measure = await measureOf(io, options)
  const { needs, findings } = readNeeds(name, text, { book, nearest, measure })
  if (needs === undefined) throw refused('NEEDS_INVALID', findings)
  const connectors = CONNECTORS.map((each) => each.name)
  const today = new Date(nodePorts().clock.nowMs()).toISOString().slice(0, 10)
  const advice = advise({ needs, book, doubts: findings, connectors, today })
  for (const { text: doubt } of findings)
    for (const line of findingLines(doubt, io.errorStyle)) io.err(line)
  const written = writtenAs(io, format, advice)
  if (options.out === undefined) for (const line of written) io.out(line)
  else writeFileSync(resolve(io.directory, options.out), `${written.join('\n')}\n`)
  if (options.write !== undefined) writeProject(io, options.write, advice)
  if (advice.plan.design === undefined) io.exitCode = EXIT.no
}

function formatOf({ format, json }: AdviseOptions): Format {
  const asked = json === true ? 'json' : format
  const known = FORMATS.find((each) => each === asked)
  if (known === undefined)
    throw usageError(`--format can't be '${format}'`, `it is one of ${FORMATS.join(', ')}`)
  return known
}

function printSchema(io: Io, name: string): void {
  const known = Object.keys(SCHEMAS).find((each) => each === name)
  if (known === undefined)
    throw usageError(
      `there is no schema '${name}'`,
      `it is one of ${Object.keys(SCHEMAS).join(', ')}`,
    )
  io.out(schemaText(known).trimEnd())
}

function bookOf(io: Io, { prices }: AdviseOptions): Book {
  const shipped = openBook()
  if (prices === undefined) return shipped
  const { own, findings } = readOwnPrices(prices, readText(io, prices), shipped, nearest)
  if (own === undefined) throw refused('PRICES_INVALID', findings)
  return openBook(own)
}

async function needsText(
  io: Io,
  file: string | undefined,
): Promise<{ readonly name: string; readonly text: string }> {
  if (file !== undefined) return { name: file, text: readText(io, file) }
  if (io.stdin.isTTY !== true || !io.isTerminal)
    throw usageError(
      'there is no file of needs, and no terminal to ask',
      'write one: `millrace advise needs.yaml`; examples are in examples/needs',
    )
  const text = await interview(io)
  const name = 'needs.yaml'
  const path = join(io.directory, name)
  if (existsSync(path))
    io.err(io.errorStyle.faint(`${name} is there already: answers are not kept`))
  else {
    writeFileSync(path, text, { flag: 'wx' })
    io.err(`${io.errorStyle.good('wrote')} ${name}`)
  }
  return { name, text }
}

async function measureOf(io: Io, options: ProjectOptions): Promise<Measure> {
  const dataDirectory = await dataDirectoryOf(io, options)
  const ports = nodePorts()
  return (topic, field) => measureTopic(ports, dataDirectory, topic, field)
}

function writtenAs(io: Io, format: Format, advice: Advice): string[] {
  switch (format) {
    case 'json':
      return [JSON.stringify(advice)]
    case 'md':
      return [markdownOf(advice).trimEnd()]
    case 'html':
      return [htmlOf(advice).trimEnd()]
    case 'text':
      return adviceLines(advice, io.style, io.columns())
  }
}

/** Never overwrites: what is there stays, and is told. */
function writeProject(io: Io, directory: string, { nextSteps }: Advice): void {
  const root = resolve(io.directory, directory)
  const taken = nextSteps.files.filter(({ path }) => existsSync(join(root, path)))
  if (taken.length > 0)
    throw new MillraceError('PROJECT_EXISTS', {
      message: `${root} has ${taken.map(({ path }) => path).join(', ')} already`,
      hint: 'choose an empty folder: --write my-project',
      facts: { directory: root },
    })
  for (const { path, text } of nextSteps.files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text, { flag: 'wx' })
  }
  io.err(`${io.errorStyle.good('wrote')} ${nextSteps.files.length} files to ${directory}`)
}

function readText(io: Io, file: string): string {
  try {
    const bytes = readFileSync(resolve(io.directory, file))
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no valid UTF-8'
    throw new MillraceError('FILE_UNREADABLE', {
      message: `can't read ${file}: ${code === 'ENOENT' ? 'there is no such file' : code}`,
      hint: 'name a file of YAML or JSON; examples are in examples/needs',
      facts: { file },
      cause,
    })
  }
}

function refused(code: ErrorCode, findings: readonly NeedsFinding[]): ProjectError {
  return new ProjectError(
    findings.map(({ message, hint, file, line, column, text }) => ({
      code,
      message,
      hint,
      file,
      line,
      column,
      text,
    })),
  )
}
