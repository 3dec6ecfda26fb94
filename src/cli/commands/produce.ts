/** `millrace produce TOPIC [FILES]`: JSON lines into a topic, answered when they are on the disk. */
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { MillraceError } from '../../errors.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import type { LineSchema } from '../../registry/line-schema.ts'
import { localSchemas } from '../../registry/local-source.ts'
import type { ProducedRecord } from '../../serve/protocol.ts'
import {
  type Declare,
  examples,
  type ProjectOptions,
  projectOptions,
  usageError,
  wholeNumber,
} from '../command.ts'
import { FSYNC_HELP, fsyncPolicy } from '../fsync.ts'
import { EXIT, type Io } from '../io.ts'
import { type Line, type LineFields, readLines } from '../produce-lines.ts'
import { openTarget, type RowTarget } from '../produce-rows.ts'
import { dataDirectoryOf } from '../project.ts'
import { countOf, countText } from '../render/quantity.ts'
import { readSchemaFile } from '../schema-file.ts'

interface ProduceOptions extends ProjectOptions, LineFields {
  readonly partitions?: number
  readonly fsync: string
  readonly schema?: string
  readonly subject?: string
  readonly json?: boolean
}

interface BadLine {
  readonly file: string
  readonly line: number
  readonly reason: string
}

interface Tally {
  appended: number
  duplicates: number
  badCount: number
  readonly bad: BadLine[]
}

const BATCH_ROWS = 10_000
const BATCH_BYTES = 1 << 20
const PARTITIONS_MAX = 4096
/** So many bad lines are told one by one; all are counted. */
const BAD_TOLD_MAX = 100

export const declareProduce: Declare = (command, io) => {
  projectOptions(command)
    .argument('<topic>', 'where to')
    .argument('[files...]', 'JSON lines; stdin if there are none, or for -')
    .option(
      '--key <field>',
      'the field that is the key: equal keys stay in order, in one partition',
    )
    .option(
      '--event-time <field>',
      'the field that is the event time: ms since 1970, ISO 8601 or SQL text',
    )
    .option(
      '--event-id <field>',
      'the field that names the event: an event that is there is not appended again',
    )
    .option(
      '--batch-id <name>',
      'for events without an id: the line number under this name is their id',
    )
    .option(
      '--partitions <count>',
      'create the topic if it is missing',
      wholeNumber(1, PARTITIONS_MAX),
    )
    .option(
      '--schema <file>',
      'an .avsc, .proto or .json schema that the lines must fit, registered before the first',
    )
    .option('--subject <name>', 'of the schema, if not TOPIC-value')
    .option('--fsync <when>', `${FSYNC_HELP}; while an owner runs, as it was started`, 'batch')
    .option('--json', 'counts and bad lines as one JSON object')
    .action((topic: string, files: string[], options: ProduceOptions) =>
      produce(io, topic, files, options),
    )
  examples(
    command,
    'millrace produce orders orders.jsonl --key shop --event-id id --partitions 4',
    `echo '{"shop":"oslo","amount":12.5}' | millrace produce orders`,
  )
  command.addHelpText(
    'after',
    `
Every answer comes after the rows are on the disk, unless --fsync says otherwise. With --event-id or --batch-id the same command can be
repeated after an interruption: what is there already is counted as a duplicate and not appended. Lines
that are no JSON object, or do not fit the topic's schema, are told with their number, the others are appended, and the exit code is 1.`,
  )
}

async function produce(
  io: Io,
  topic: string,
  files: readonly string[],
  options: ProduceOptions,
): Promise<void> {
  if (options.eventId !== undefined && options.batchId !== undefined)
    throw usageError('--event-id and --batch-id both name the event', 'give one of them')
  const inputs = files.length === 0 ? ['-'] : files
  if (inputs[0] === '-' && io.stdin.isTTY)
    io.err(io.errorStyle.faint('reading JSON lines from the terminal; Ctrl-D ends'))
  const tally: Tally = { appended: 0, duplicates: 0, badCount: 0, bad: [] }
  const target = await openTarget({
    dataDirectory: await dataDirectoryOf(io, options),
    topic,
    fsync: fsyncPolicy(options.fsync),
    ...(options.partitions === undefined ? {} : { partitions: options.partitions }),
  })
  try {
    const schema = await lineSchema(io, target, topic, options)
    for (const file of inputs)
      await produceFile(io, { target, schema }, file, fieldsFor(file, inputs, options), tally)
  } finally {
    await target.close()
  }
  report(io, topic, options, tally)
}

/** Several files under one batch id: each numbers its own lines. */
function fieldsFor(file: string, files: readonly string[], options: ProduceOptions): LineFields {
  if (options.batchId === undefined || files.length === 1) return options
  return { ...options, batchId: `${options.batchId}:${file}` }
}

async function produceFile(
  io: Io,
  { target, schema }: { readonly target: RowTarget; readonly schema: LineSchema | undefined },
  file: string,
  fields: LineFields,
  tally: Tally,
): Promise<void> {
  const input: Readable = file === '-' ? io.stdin : createReadStream(resolve(io.directory, file))
  let records: ProducedRecord[] = []
  let lineNumbers: number[] = []
  let bytes = 0
  const flush = async () => {
    if (records.length === 0) return
    const fitting = fittingRecords(schema, records, lineNumbers, (bad) => noteBad(tally, file, bad))
    const { appended, duplicates } = await target.append(fitting)
    tally.appended += appended
    tally.duplicates += duplicates
    records = []
    lineNumbers = []
    bytes = 0
  }
  try {
    for await (const lines of readLines(input, fields)) {
      for (const told of lines) {
        if (told.kind === 'bad') noteBad(tally, file, told)
        else {
          records.push(told.record)
          lineNumbers.push(told.line)
          bytes += told.bytes
        }
        if (records.length >= BATCH_ROWS || bytes >= BATCH_BYTES) await flush()
      }
      // What someone types, or a slow program writes, is appended as it comes.
      if (input.readableLength === 0) await flush()
    }
    await flush()
  } catch (error) {
    throw readFailed(file, error)
  }
}

/** By the file that is named; else by what the topic's subject has, if it has any. */
async function lineSchema(
  io: Io,
  target: RowTarget,
  topic: string,
  options: ProduceOptions,
): Promise<LineSchema | undefined> {
  const subject = options.subject ?? `${topic}-value`
  const { openLineSchema } = await import('../../registry/line-schema.ts')
  if (options.schema !== undefined) {
    const given = readSchemaFile(io.directory, options.schema)
    return openLineSchema({ ...given, id: await target.register(subject, given) })
  }
  const dataDirectory = await dataDirectoryOf(io, options)
  const known = await localSchemas(nodePorts(), dataDirectory).latest(subject)
  return known && openLineSchema(known)
}

/** As they are to be appended. */
function fittingRecords(
  schema: LineSchema | undefined,
  records: readonly ProducedRecord[],
  lines: readonly number[],
  tell: (bad: Extract<Line, { kind: 'bad' }>) => void,
): readonly ProducedRecord[] {
  if (schema === undefined) return records
  return schema.convert(records.map(({ value }) => value)).flatMap((each, index) => {
    if ('bytes' in each) {
      const value = Buffer.from(each.bytes).toString('base64')
      return [{ ...records[index]!, value, encoding: 'base64' as const }]
    }
    tell({ kind: 'bad', line: lines[index]!, reason: each.reason })
    return []
  })
}

function noteBad(
  tally: Tally,
  file: string,
  { line, reason }: Extract<Line, { kind: 'bad' }>,
): void {
  tally.badCount++
  if (tally.bad.length < BAD_TOLD_MAX) tally.bad.push({ file, line, reason })
}

function readFailed(file: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  return new MillraceError('FILE_UNREADABLE', {
    message: `can't read ${file}: ${error.message}`,
    hint: 'what came before it was appended; with --event-id or --batch-id the command can be repeated',
    facts: { file },
    cause: error,
  })
}

function report(io: Io, topic: string, options: ProduceOptions, tally: Tally): void {
  if (tally.badCount > 0) io.exitCode = EXIT.no
  if (options.json) {
    io.out(JSON.stringify({ topic, ...tally }))
    return
  }
  const { errorStyle } = io
  for (const { file, line, reason } of tally.bad)
    io.err(
      `${errorStyle.warning(`${file === '-' ? 'stdin' : file}:${line}`)} not appended: ${reason}`,
    )
  const more = tally.badCount - tally.bad.length
  if (more > 0) io.err(`and ${countOf(more, 'bad line')} more`)
  const duplicates = tally.duplicates === 0 ? '' : `, ${countText(tally.duplicates)} there already`
  const bad = tally.badCount === 0 ? '' : `, ${countOf(tally.badCount, 'bad line')}`
  io.out(
    `${countOf(tally.appended, 'row')} appended to ${io.style.strong(topic)}${duplicates}${bad}`,
  )
}
