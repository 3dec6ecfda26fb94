/** `millrace log list|inspect|verify`: looks into the log, without a lock, while others write it; the rest is in ./log-topics.ts. */
import type { Command } from 'commander'
import { type VerifiedPartition, verifyTopic } from '../../log/inspect.ts'
import { partitionRange } from '../../log/lookup.ts'
import { readPartition } from '../../log/read-partition.ts'
import type { StoredRecord } from '../../log/records.ts'
import { listSegments, segmentPath } from '../../log/segment.ts'
import { listTopics, partitionDirectory, requireTopic } from '../../log/topics.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import type { Ports } from '../../ports/ports.ts'
import {
  type Declare,
  examples,
  type ProjectOptions,
  projectOptions,
  wholeNumber,
} from '../command.ts'
import { EXIT, type Io } from '../io.ts'
import { configure } from '../program-style.ts'
import { dataDirectoryOf } from '../project.ts'
import { bytesText, countOf, countText, timeText } from '../render/quantity.ts'
import { tableLines, visible } from '../render/table.ts'
import { declareTopics } from './log-topics.ts'

interface LogOptions extends ProjectOptions {
  readonly json?: boolean
}

interface InspectOptions extends LogOptions {
  readonly partition?: number
  readonly offset?: number
  readonly limit: number
}

const OFFSET_MAX = Number.MAX_SAFE_INTEGER

export const declareLog: Declare = (command, io) => {
  examples(
    command,
    'millrace log list',
    'millrace log inspect orders --limit 3',
    'millrace log verify',
  )
  subcommand(command, io, 'list', 'topics, their partitions, records and bytes')
    .option('--json', 'one JSON object a line and topic')
    .action((options: LogOptions) => list(io, options))
  const inspect = subcommand(command, io, 'inspect', 'records of a topic, the newest unless told')
    .argument('<topic>', 'the topic')
    .option('--partition <number>', 'one partition only', wholeNumber(0, 4095))
    .option('--offset <offset>', 'from this offset on, not the newest', wholeNumber(0, OFFSET_MAX))
    .option('--limit <count>', 'records of each partition', wholeNumber(1, 1_000_000), 10)
    .option('--json', 'one JSON object a line and record')
    .action((topic: string, options: InspectOptions) => inspectTopic(io, topic, options))
  examples(inspect, 'millrace log inspect orders --partition 0 --offset 100 --limit 5')
  const verify = subcommand(command, io, 'verify', 'read every batch and check its checksum')
    .argument('[topics...]', 'all if there are none')
    .option('--json', 'one JSON object a line and partition')
    .action((topics: string[], options: LogOptions) => verifyTopics(io, topics, options))
  examples(verify, 'millrace log verify orders')
  declareTopics(io, (name, summary) => subcommand(command, io, name, summary))
}

function subcommand(command: Command, io: Io, name: string, summary: string): Command {
  const sub = command.command(name).description(summary)
  configure(sub, io)
  return projectOptions(sub).helpOption('-h, --help', 'show this help')
}

async function list(io: Io, options: LogOptions): Promise<void> {
  const ports = nodePorts()
  const dataDirectory = await dataDirectoryOf(io, options)
  const topics = listTopics(ports, dataDirectory).map((name) =>
    summaryOf(ports, dataDirectory, name),
  )
  if (options.json) {
    for (const topic of topics) io.out(JSON.stringify(topic))
    return
  }
  if (topics.length === 0) {
    io.out(`no topics in ${dataDirectory}; \`millrace produce TOPIC --partitions 1\` makes one`)
    return
  }
  const columns = [
    { name: 'topic' },
    { name: 'partitions', align: 'right' as const },
    { name: 'records', align: 'right' as const },
    { name: 'size', align: 'right' as const },
    { name: 'cleanup' },
  ]
  const rows = topics.map(({ topic, partitions, records, bytes, cleanup }) => [
    topic,
    String(partitions),
    countText(records),
    bytesText(bytes),
    cleanup,
  ])
  for (const line of tableLines(columns, rows, io.style)) io.out(line)
}

function summaryOf(ports: Ports, dataDirectory: string, name: string) {
  const topic = requireTopic(ports, dataDirectory, name)
  let records = 0
  let bytes = 0
  for (let partition = 0; partition < topic.partitions; partition++) {
    const { startOffset, endOffset } = partitionRange(ports, dataDirectory, name, partition)
    const directory = partitionDirectory(dataDirectory, name, partition)
    records += endOffset - startOffset
    for (const base of listSegments(ports.files, directory))
      bytes += ports.files.stat(segmentPath(directory, base, 'log'))?.bytes ?? 0
  }
  const { partitions, config } = topic
  return { topic: name, partitions, records, bytes, cleanup: config.cleanupPolicy }
}

async function inspectTopic(io: Io, name: string, options: InspectOptions): Promise<void> {
  const ports = nodePorts()
  const dataDirectory = await dataDirectoryOf(io, options)
  const topic = requireTopic(ports, dataDirectory, name)
  for (let partition = 0; partition < topic.partitions; partition++) {
    if (options.partition !== undefined && options.partition !== partition) continue
    const { startOffset, endOffset } = partitionRange(ports, dataDirectory, name, partition)
    const from = options.offset ?? Math.max(startOffset, endOffset - options.limit)
    const place = { ports, dataDirectory, topic: name, partition }
    const records = readPartition(place, from, options.limit)
    if (!options.json)
      io.out(
        io.style.strong(`${name}[${partition}]`) +
          io.style.faint(`  offsets ${countText(startOffset)} to ${countText(endOffset)}`),
      )
    for (const record of records)
      io.out(options.json ? recordJson(partition, record) : recordLine(io, record))
  }
}

function recordLine(
  { style }: Io,
  { offset, timestampMs, key, value, headers }: StoredRecord,
): string {
  const keyText = key === null ? '' : `${style.name(visible(text(key)))} `
  const valueText = value === null ? style.faint('(tombstone)') : visible(text(value))
  const told = headers.map(
    (header) => `${header.key}=${header.value === null ? '' : text(header.value)}`,
  )
  const headerText = told.length === 0 ? '' : style.faint(`  ${visible(told.join(' '))}`)
  return `  ${style.faint(`${String(offset).padStart(6)}  ${timeText(timestampMs)}`)}  ${keyText}${valueText}${headerText}`
}

function recordJson(partition: number, record: StoredRecord): string {
  const { offset, timestampMs, appendTimeMs, key, value, headers } = record
  return JSON.stringify({
    partition,
    offset,
    timestampMs,
    appendTimeMs,
    key: key === null ? null : text(key),
    value: value === null ? null : text(value),
    headers: headers.map((header) => [
      header.key,
      header.value === null ? null : text(header.value),
    ]),
  })
}

const decoder = new TextDecoder()

function text(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

async function verifyTopics(io: Io, names: readonly string[], options: LogOptions): Promise<void> {
  const ports = nodePorts()
  const dataDirectory = await dataDirectoryOf(io, options)
  let faults = 0
  let records = 0
  let bytes = 0
  for (const name of names.length > 0 ? names : listTopics(ports, dataDirectory)) {
    for (const verified of verifyTopic(ports, dataDirectory, name)) {
      faults += verified.damages.length
      records += verified.records
      bytes += verified.bytes
      report(io, name, verified, options)
    }
  }
  if (faults > 0) io.exitCode = EXIT.no
  if (options.json) return
  const read = `${countOf(records, 'record')}, ${bytesText(bytes)} read`
  io.out(
    faults === 0
      ? io.style.good(`no fault: ${read}`)
      : io.style.bad(`${countOf(faults, 'fault')}: ${read}`),
  )
}

function report(io: Io, topic: string, verified: VerifiedPartition, { json }: LogOptions): void {
  if (json) {
    io.out(JSON.stringify({ topic, ...verified }))
    return
  }
  const { partition, segments, batches, records, damages } = verified
  const what = `${countOf(segments, 'segment')}, ${countOf(batches, 'batch', 'batches')}, ${countOf(records, 'record')}`
  const verdict = damages.length === 0 ? io.style.good('ok') : io.style.bad('damaged')
  io.out(`${topic}[${partition}]  ${verdict}  ${io.style.faint(what)}`)
  for (const damage of damages) io.out(`  ${damage.path}, byte ${damage.byte}: ${damage.what}`)
}
