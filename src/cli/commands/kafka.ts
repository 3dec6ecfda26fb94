/** `millrace kafka`: what a project's tables find at their brokers, and transactions that its pipelines have left open there. */
import { diagnose, type Finding } from '../../connectors/kafka/diagnosis.ts'
import {
  abortTransaction,
  type LingeringRequest,
  type OpenTransaction,
  openTransactions,
} from '../../connectors/kafka/lingering.ts'
import type { TableDefinition } from '../../plan/tables.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { CONNECTORS } from '../../run/connectors.ts'
import { openedOptions } from '../../run/options.ts'
import {
  type Declare,
  examples,
  type ProjectOptions,
  projectOptions,
  usageError,
} from '../command.ts'
import { scansOf } from '../guarantee.ts'
import { EXIT, type Io } from '../io.ts'
import { configure } from '../program-style.ts'
import { loadProject } from '../project.ts'
import { durationText } from '../render/quantity.ts'
import { tableLines } from '../render/table.ts'
import { compilePipelines } from '../scripts.ts'

interface TxnOptions extends ProjectOptions {
  readonly json?: boolean
}

/** A pipeline's way to the cluster that it writes exactly once. */
interface Written {
  readonly pipeline: string
  readonly prefix: string
  readonly request: LingeringRequest
}

export const declareKafka: Declare = (command, io) => {
  examples(command, 'millrace kafka txn list', 'millrace kafka txn abort millrace-revenue-0')
  const txn = command
    .command('txn')
    .description("transactions that the project's pipelines have open")
  configure(txn, io)
  projectOptions(txn)
    .helpOption('-h, --help', 'show this help')
    .argument(
      '<what>',
      'list: those that are neither committed nor aborted; abort: end one, and fence whoever has it',
    )
    .argument('[id]', 'to abort: its transactional id, as list shows it')
    .option('--json', 'one JSON object a line and transaction')
    .action((what: string, id: string | undefined, options: TxnOptions) => {
      if (what === 'list' && id === undefined) return listOpen(io, options)
      if (what === 'abort' && id !== undefined) return abortOne(io, id, options)
      throw usageError('`millrace kafka txn` takes `list`, or `abort` and an id', 'see --help')
    })
  examples(txn, 'millrace kafka txn list --json', 'millrace kafka txn abort millrace-revenue-0')
  const doctor = command
    .command('doctor')
    .description("hold the project's tables against their brokers")
  configure(doctor, io)
  projectOptions(doctor)
    .helpOption('-h, --help', 'show this help')
    .option('--json', 'one JSON object a line and finding')
    .action((options: TxnOptions) => examine(io, options))
  examples(doctor, 'millrace kafka doctor')
}

/** Exit code 1 if something is wrong. */
async function examine(io: Io, options: TxnOptions): Promise<void> {
  const project = await loadProject(io, options)
  const pipelines = await compilePipelines(project, project.pipelines)
  const told = new Set<string>()
  const tell = (pipeline: string, table: string, finding: Finding) => {
    const { severity, text } = finding
    if (severity === 'error') io.exitCode = EXIT.no
    if (told.has(`${table} ${text}`)) return
    told.add(`${table} ${text}`)
    if (options.json) io.out(JSON.stringify({ pipeline, table, ...finding }))
    else io.out(`${marked(io, severity)}  ${table}: ${text}`)
  }
  const exact = new Set<string>()
  for (const { pipeline } of pipelines)
    for (const { table } of pipeline.sinks) if (isExact(table)) exact.add(placeOf(table))
  for (const { pipeline } of pipelines) {
    const read = scansOf(pipeline).map(({ table }) => table)
    const written = pipeline.sinks.map(({ table }) => table)
    for (const table of [...read, ...written].filter(isKafka)) {
      const request = {
        ...requestOf(io, table),
        reads: read.includes(table),
        writes: written.includes(table),
      }
      for (const finding of await diagnose(request)) tell(pipeline.name, table.name, finding)
      const isLoose = table.options['properties.isolation.level'] === 'read_uncommitted'
      if (request.reads && isLoose && exact.has(placeOf(table)))
        tell(pipeline.name, table.name, {
          severity: 'warning',
          text: `it reads uncommitted rows of a topic that is written exactly once: rows of aborted transactions come twice`,
        })
    }
  }
  if (told.size === 0 && options.json !== true) io.out('no pipeline of the project uses Kafka')
}

function marked({ style }: Io, severity: Finding['severity']): string {
  if (severity === 'ok') return style.good('ok     ')
  return severity === 'warning' ? style.warning('warning') : style.bad('error  ')
}

/** Cluster and topic, as written. */
function placeOf({ options }: TableDefinition): string {
  return `${options['properties.bootstrap.servers']} ${options.topic}`
}

async function listOpen(io: Io, options: TxnOptions): Promise<void> {
  const found: (OpenTransaction & { readonly pipeline: string })[] = []
  for (const { pipeline, prefix, request } of await writtenExactly(io, options))
    for (const each of await openTransactions(request, prefix)) found.push({ ...each, pipeline })
  if (options.json) {
    for (const each of found) io.out(JSON.stringify(each))
    return
  }
  if (found.length === 0) {
    io.out('no pipeline of the project has a transaction open')
    return
  }
  const nowMs = Date.now()
  const rows = found.map((each) => [
    each.id,
    each.pipeline,
    each.state,
    each.startedMs < 0 ? '' : durationText(Math.max(nowMs - each.startedMs, 0)),
    durationText(each.timeoutMs),
    each.partitions.join(' '),
  ])
  const columns = ['id', 'pipeline', 'state', 'open for', 'time-out', 'partitions']
  for (const line of tableLines(
    columns.map((name) => ({ name })),
    rows,
    io.style,
  ))
    io.out(line)
}

async function abortOne(io: Io, id: string, options: TxnOptions): Promise<void> {
  const written = await writtenExactly(io, options)
  const owner = written.find(({ prefix }) => id === `${prefix}-0` || id === `${prefix}-1`)
  if (owner === undefined)
    throw usageError(
      `${id} is no transactional id of a pipeline of the project`,
      written.length === 0
        ? "no pipeline writes to Kafka with 'sink.delivery-guarantee' = 'exactly-once'"
        : `they are ${written.map(({ prefix }) => `${prefix}-0, ${prefix}-1`).join(', ')}`,
    )
  const open = await openTransactions(owner.request, id)
  const found = open.find((each) => each.id === id)
  if (found === undefined) {
    if (options.json !== true) io.out(`${id} has no transaction open`)
    io.exitCode = EXIT.no
    return
  }
  await abortTransaction(owner.request, id)
  if (options.json) io.out(JSON.stringify({ ...found, state: 'aborted' }))
  else
    io.out(
      `aborted the transaction of ${id}; a run of ${owner.pipeline} goes back to its last checkpoint`,
    )
}

async function writtenExactly(io: Io, options: ProjectOptions): Promise<Written[]> {
  const project = await loadProject(io, options)
  const pipelines = await compilePipelines(project, project.pipelines)
  return pipelines.flatMap(({ pipeline }) => {
    const table = pipeline.sinks.map((sink) => sink.table).find(isExact)
    if (table === undefined) return []
    const prefix = table.options['sink.transactional-id-prefix'] ?? `millrace-${pipeline.name}`
    return [{ pipeline: pipeline.name, prefix, request: requestOf(io, table) }]
  })
}

function isKafka({ options }: TableDefinition): boolean {
  return options.connector === 'kafka' || options.connector === 'upsert-kafka'
}

function isExact(table: TableDefinition): boolean {
  return isKafka(table) && table.options['sink.delivery-guarantee'] === 'exactly-once'
}

function requestOf(io: Io, table: TableDefinition): LingeringRequest {
  const ports = nodePorts()
  const declared = CONNECTORS.find(({ name }) => name === table.options.connector)!.options
  const secrets = { environment: io.environment, files: ports.files }
  return {
    table: table.name,
    options: openedOptions(table.name, table.options, declared, secrets),
    ports,
  }
}
