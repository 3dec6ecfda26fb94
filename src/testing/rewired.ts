/** A pipeline whose tables are those of a test: its plan stays as it is, only where rows come from and go to is another place. */
import type { Connector } from '../connectors/contract/connector.ts'
import { inputsOf, withInputs } from '../plan/inputs.ts'
import type { PlanNode, Scan, SinkNode } from '../plan/nodes.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import type { TableDefinition } from '../plan/tables.ts'
import { CONNECTORS } from '../run/connectors.ts'
import { connectorOf } from '../run/open-tables.ts'
import { type GivenOptions, type GivenTables, givenConnector } from './given.ts'
import { type KeptOptions, type KeptTables, keptTables } from './kept.ts'

const GIVEN = 'given'
const KEPT = 'kept'
/** Late and dead rows go to topics: they are kept too. */
const SIDE = 'log'

export interface Rewired {
  readonly pipeline: Pipeline
  readonly connectors: readonly Connector[]
  readonly sinks: KeptTables
  /** By topic: '<sink>.late' and '<sink>.dead'. */
  readonly side: KeptTables
}

/** Tables that say themselves what they hold keep it, unless they are among `given`. */
export function rewired(pipeline: Pipeline, given: GivenTables): Rewired {
  const sinks = keptTables(KEPT)
  const side = keptTables(SIDE)
  return {
    pipeline: { ...pipeline, sinks: pipeline.sinks.map((sink) => rewiredSink(sink, given)) },
    connectors: [
      ...CONNECTORS.filter(({ name }) => name !== SIDE),
      givenConnector(GIVEN, given),
      sinks.connector,
      side.connector,
    ],
    sinks,
    side,
  }
}

/** The tables that a pipeline reads or looks rows up in, each once, by name; those that hold their own rows are not among them. */
export function readTables(pipeline: Pick<Pipeline, 'sinks'>): ReadonlyMap<string, Scan> {
  const lookedUp = lookedUpTables(pipeline)
  const found = new Map(lookedUp.map((scan) => [scan.table.name, scan]))
  for (const node of nodesOf(pipeline)) if (node.kind === 'scan') found.set(node.table.name, node)
  return found
}

/** Of these no event is read. */
export function lookedUpTables(pipeline: Pick<Pipeline, 'sinks'>): readonly Scan[] {
  return nodesOf(pipeline).flatMap((node): Scan[] => {
    if (node.kind !== 'async-call' || node.lookup === undefined) return []
    const { table, schema } = node.lookup
    return [{ kind: 'scan', table, schema }]
  })
}

function nodesOf({ sinks }: Pick<Pipeline, 'sinks'>): readonly PlanNode[] {
  const below = (node: PlanNode): PlanNode[] => [node, ...inputsOf(node).flatMap(below)]
  return sinks.flatMap(({ input }) => below(input))
}

/** Those of them that a test gives rows. */
export function givenTableNames(pipeline: Pick<Pipeline, 'sinks'>): readonly string[] {
  return [...readTables(pipeline)]
    .filter(([, { table }]) => !holdsItsRows(table))
    .map(([name]) => name)
}

export function holdsItsRows({ options }: TableDefinition): boolean {
  return options.connector === 'values'
}

function rewiredSink(sink: SinkNode, given: GivenTables): SinkNode {
  const { table } = sink
  const hasKey = (table.primaryKey ?? []).length > 0
  const offered =
    table.options.connector === KEPT ? ['retract', 'append'] : sinkModes(table, hasKey)
  const options: KeptOptions & Record<string, string> = {
    connector: KEPT,
    modes: offered.join(','),
  }
  return { ...sink, table: { ...table, options }, input: rewiredNode(sink.input, given) }
}

function sinkModes(table: TableDefinition, hasKey: boolean): readonly string[] {
  return connectorOf(table, CONNECTORS).sink?.modes(table.options, hasKey) ?? []
}

function rewiredNode(node: PlanNode, given: GivenTables): PlanNode {
  if (node.kind === 'scan') return given.has(node.table.name) ? rewiredScan(node) : node
  const inputs = inputsOf(node).map((input) => rewiredNode(input, given))
  const over = withInputs(node, inputs)
  if (over.kind !== 'async-call' || over.lookup === undefined) return over
  const { lookup } = over
  const { schema, table } = lookup
  if (!given.has(table.name)) return over
  return {
    ...over,
    lookup: { ...lookup, table: rewiredScan({ kind: 'scan', table, schema }).table },
  }
}

function rewiredScan(scan: Scan): Scan {
  const { table } = scan
  const connector = CONNECTORS.find(({ name }) => name === table.options.connector)
  const options: GivenOptions & Record<string, string> = {
    connector: GIVEN,
    mode: scan.changes ?? 'append',
    bounded: connector?.source?.bounded(table.options) === true ? 'true' : 'false',
    'json.timestamp-format.standard': timestampsOf(table),
  }
  return { ...scan, table: { ...table, options } }
}

/** How a table's events write their times. */
export function timestampsOf({ options }: TableDefinition): 'SQL' | 'ISO-8601' {
  return options['json.timestamp-format.standard'] === 'ISO-8601' ? 'ISO-8601' : 'SQL'
}
