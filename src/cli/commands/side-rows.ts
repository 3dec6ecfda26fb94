/**
 * `millrace late|dead list|replay`: rows that left a pipeline sideways, kept in the log topics `<sink>.late` and `<sink>.dead`.
 *
 * Replaying appends them to a topic, each under its place in the side topic as event id: repeated, it appends nothing twice.
 */
import type { Command } from 'commander'
import { z } from 'zod'
import { partitionRange } from '../../log/lookup.ts'
import { readPartition } from '../../log/read-partition.ts'
import type { StoredRecord } from '../../log/records.ts'
import { describeTopic, listTopics, requireTopic } from '../../log/topics.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import type { Ports } from '../../ports/ports.ts'
import {
  type Declare,
  examples,
  type ProjectOptions,
  projectOptions,
  wholeNumber,
} from '../command.ts'
import type { Io } from '../io.ts'
import { openTarget } from '../produce-rows.ts'
import { configure } from '../program-style.ts'
import { dataDirectoryOf, loadProject } from '../project.ts'
import { countOf, countText, durationText } from '../render/quantity.ts'
import { tableLines, visible } from '../render/table.ts'
import { timesForTopic } from '../replayed-times.ts'

type Side = 'late' | 'dead'

interface ListOptions extends ProjectOptions {
  readonly limit: number
  readonly json?: boolean
}

interface ReplayOptions extends ProjectOptions {
  readonly into: string
  readonly dryRun?: boolean
  readonly json?: boolean
}

/** Read and appended together. */
const CHUNK_ROWS = 5000

/** As the run layer writes them. */
const lateRow = z.object({
  node: z.string(),
  window_start: z.string(),
  window_end: z.string(),
  lateness_ms: z.number(),
  row: z.string(),
})
const deadRow = z.object({
  origin: z.string(),
  split: z.string(),
  position: z.string(),
  reason: z.string(),
  bytes: z.base64(),
})

export const declareLate: Declare = (command, io) => declareSide(command, io, 'late')
export const declareDead: Declare = (command, io) => declareSide(command, io, 'dead')

function declareSide(command: Command, io: Io, side: Side): void {
  examples(
    command,
    `millrace ${side} list`,
    `millrace ${side} list revenue`,
    `millrace ${side} replay revenue --into orders`,
  )
  const list = command
    .command('list')
    .description(`which sinks have ${side} rows, or the newest of one`)
    .argument('[sink]', 'the table that was written')
  configure(list, io)
  projectOptions(list)
    .option('--limit <count>', 'rows of each partition', wholeNumber(1, 1_000_000), 20)
    .option('--json', 'one JSON object a line')
    .helpOption('-h, --help', 'show this help')
    .action((sink: string | undefined, options: ListOptions) =>
      sink === undefined ? listSinks(io, side, options) : listRows(io, side, sink, options),
    )
  examples(list, `millrace ${side} list revenue --limit 5`)
  const replay = command
    .command('replay')
    .description(`append ${side} rows to a topic; repeated, none twice`)
    .argument('<sink>', 'the table that was written')
  configure(replay, io)
  projectOptions(replay)
    .requiredOption('--into <topic>', 'where to')
    .option('--dry-run', 'count them, append nothing')
    .option('--json', 'counts as one JSON object')
    .helpOption('-h, --help', 'show this help')
    .action((sink: string, options: ReplayOptions) => replayRows(io, side, sink, options))
  examples(replay, `millrace ${side} replay revenue --into orders`)
}

async function listSinks(io: Io, side: Side, options: ListOptions): Promise<void> {
  const ports = nodePorts()
  const dataDirectory = await dataDirectoryOf(io, options)
  const found = listTopics(ports, dataDirectory)
    .filter((name) => name.endsWith(`.${side}`))
    .map((name) => ({
      sink: name.slice(0, -side.length - 1),
      rows: rowsOf(ports, dataDirectory, name),
    }))
  if (options.json) {
    for (const each of found) io.out(JSON.stringify(each))
    return
  }
  if (found.every(({ rows }) => rows === 0)) {
    io.out(`no ${side} rows`)
    return
  }
  const columns = [{ name: 'sink' }, { name: `${side} rows`, align: 'right' as const }]
  const rows = found.map((each) => [each.sink, countText(each.rows)])
  for (const line of tableLines(columns, rows, io.style)) io.out(line)
}

function rowsOf(ports: Ports, dataDirectory: string, topic: string): number {
  let rows = 0
  for (
    let partition = 0;
    partition < requireTopic(ports, dataDirectory, topic).partitions;
    partition++
  ) {
    const { startOffset, endOffset } = partitionRange(ports, dataDirectory, topic, partition)
    rows += endOffset - startOffset
  }
  return rows
}

async function listRows(io: Io, side: Side, sink: string, options: ListOptions): Promise<void> {
  const ports = nodePorts()
  const dataDirectory = await dataDirectoryOf(io, options)
  const topic = `${sink}.${side}`
  const described = describeTopic(ports, dataDirectory, topic)
  if (described === undefined) {
    if (!options.json) io.out(`no ${side} rows of ${sink}`)
    return
  }
  for (let partition = 0; partition < described.partitions; partition++) {
    const { startOffset, endOffset } = partitionRange(ports, dataDirectory, topic, partition)
    const from = Math.max(startOffset, endOffset - options.limit)
    for (const record of readPartition(
      { ports, dataDirectory, topic, partition },
      from,
      options.limit,
    ))
      io.out(
        options.json
          ? textOf(record)
          : side === 'late'
            ? lateLine(io, record)
            : deadLine(io, record),
      )
  }
}

function lateLine({ style }: Io, record: StoredRecord): string {
  const row = lateRow.parse(JSON.parse(textOf(record)))
  const lateness = style.warning(`${durationText(row.lateness_ms)} late`)
  return `${lateness} for ${row.window_start} to ${row.window_end}  ${visible(row.row)}`
}

function deadLine({ style }: Io, record: StoredRecord): string {
  const row = deadRow.parse(JSON.parse(textOf(record)))
  const place = style.faint(`${row.origin}[${row.split}] at ${row.position}`)
  return `${place}  ${style.warning(row.reason)}  ${visible(Buffer.from(row.bytes, 'base64').toString())}`
}

async function replayRows(io: Io, side: Side, sink: string, options: ReplayOptions): Promise<void> {
  const ports = nodePorts()
  const dataDirectory = await dataDirectoryOf(io, options)
  const topic = `${sink}.${side}`
  const { partitions } = requireTopic(ports, dataDirectory, topic)
  const timed = await timesForTopic(await loadProject(io, options), options.into)
  const sum = { appended: 0, duplicates: 0 }
  const target = options.dryRun
    ? undefined
    : await openTarget({ dataDirectory, topic: options.into, ports })
  try {
    for (let partition = 0; partition < partitions; partition++) {
      const place = { ports, dataDirectory, topic, partition }
      let offset = 0
      for (;;) {
        const records = readPartition(place, offset, CHUNK_ROWS)
        if (records.length === 0) break
        offset = records.at(-1)!.offset + 1
        const rows = records.map((record) => ({
          value: side === 'late' ? timed(lateText(record)) : deadText(record),
          eventId: `${topic}-${partition}-${record.offset}`,
        }))
        const told = (await target?.append(rows)) ?? { appended: rows.length, duplicates: 0 }
        sum.appended += told.appended
        sum.duplicates += told.duplicates
      }
    }
  } finally {
    await target?.close()
  }
  if (options.json) {
    io.out(JSON.stringify({ sink, into: options.into, dryRun: options.dryRun ?? false, ...sum }))
    return
  }
  const verb = options.dryRun ? 'would be appended' : 'appended'
  const already = sum.duplicates === 0 ? '' : `, ${countText(sum.duplicates)} there already`
  io.out(
    `${countOf(sum.appended, `${side} row`)} ${verb} to ${io.style.strong(options.into)}${already}`,
  )
}

function lateText(record: StoredRecord): string {
  return lateRow.parse(JSON.parse(textOf(record))).row
}

function deadText(record: StoredRecord): string {
  return Buffer.from(deadRow.parse(JSON.parse(textOf(record))).bytes, 'base64').toString()
}

function textOf({ value }: StoredRecord): string {
  return value === null ? '' : Buffer.from(value).toString()
}
