/** `millrace kafka txn list|abort`: transactions that pipelines have left open, which keep readers of committed rows waiting. */
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

function isExact({ options }: TableDefinition): boolean {
  const { connector } = options
  const isKafka = connector === 'kafka' || connector === 'upsert-kafka'
  return isKafka && options['sink.delivery-guarantee'] === 'exactly-once'
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
