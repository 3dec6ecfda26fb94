/** Opens the tables that a pipeline reads and writes: the one place where plans, the engine and connectors meet. */
import type { Connector } from '../connectors/contract/connector.ts'
import type { Lookup } from '../connectors/contract/lookup.ts'
import type { ChangelogMode, Sink } from '../connectors/contract/sink.ts'
import type { Consumer, Source } from '../connectors/contract/source.ts'
import type { LinearMemory } from '../data/memory.ts'
import type { Field, Schema } from '../data/types.ts'
import { MillraceError } from '../errors.ts'
import type { TableLookup } from '../plan/asked-calls.ts'
import { changesBecause } from '../plan/changes-because.ts'
import type { Scan, SinkNode } from '../plan/nodes.ts'
import type { ColumnDefinition, TableDefinition } from '../plan/tables.ts'
import type { Ports } from '../ports/ports.ts'
import { openedOptions } from './options.ts'

export interface TableOpening {
  readonly connectors: readonly Connector[]
  readonly ports: Ports
  readonly dataDirectory: string
  readonly baseDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** @throws CONNECTOR_UNKNOWN, CONNECTOR_CANNOT_READ, and what the connector throws */
export function openSource(
  { table, schema }: Scan,
  opening: TableOpening,
  consumer?: Consumer,
): Promise<Source> {
  const connector = connectorOf(table, opening.connectors)
  if (connector.source === undefined) throw cannot(table, connector, 'read')
  const { ports, dataDirectory, baseDirectory } = opening
  return connector.source.open({
    table: table.name,
    options: optionsOf(table, connector, opening),
    schema,
    metadataKeys: schema.map(({ name }) => metadataKey(table, name)),
    physical: table.columns.filter(({ kind }) => kind === 'physical').map(fieldOf),
    ...(table.primaryKey === undefined ? {} : { primaryKey: table.primaryKey }),
    ports,
    dataDirectory,
    baseDirectory,
    ...(consumer === undefined ? {} : { consumer }),
  })
}

/** @throws CONNECTOR_UNKNOWN, CONNECTOR_CANNOT_READ, and what the connector throws */
export function openLookup(
  { table, schema, key }: TableLookup,
  opening: TableOpening,
  memory: LinearMemory,
): Promise<Lookup> {
  const connector = connectorOf(table, opening.connectors)
  if (connector.lookup === undefined) throw cannot(table, connector, 'read')
  const { ports, dataDirectory } = opening
  const options = optionsOf(table, connector, opening)
  return connector.lookup.open({
    table: table.name,
    options,
    schema,
    key,
    ports,
    dataDirectory,
    memory,
  })
}

/** True if the table's rows may be updates of others: what its connector says. */
export function givesChanges({ table }: Scan, connectors: readonly Connector[]): boolean {
  const { source } = connectorOf(table, connectors)
  return (source?.mode?.(table.options) ?? 'append') !== 'append'
}

export interface OpenedSink {
  readonly sink: Sink
  readonly mode: ChangelogMode
}

/** @throws CONNECTOR_UNKNOWN, CONNECTOR_CANNOT_WRITE, CHANGELOG_REFUSED, and what the connector throws */
export async function openSink(
  { table, input }: SinkNode,
  pipeline: string,
  updates: boolean,
  opening: TableOpening,
): Promise<OpenedSink> {
  const connector = connectorOf(table, opening.connectors)
  if (connector.sink === undefined) throw cannot(table, connector, 'write')
  const { ports, dataDirectory, baseDirectory } = opening
  const options = optionsOf(table, connector, opening)
  const primaryKey = table.primaryKey ?? []
  const mode = sinkMode(
    table,
    connector.sink.modes(options, primaryKey.length > 0),
    updates,
    changesBecause(input),
  )
  const schema = writtenSchema(table)
  const sink = await connector.sink.open({
    table: table.name,
    pipeline,
    options,
    schema,
    primaryKey,
    partitionedBy: table.partitionedBy ?? [],
    mode,
    metadataKeys: schema.map(({ name }) => metadataKey(table, name)),
    ports,
    dataDirectory,
    baseDirectory,
  })
  return { sink, mode }
}

/**
 * The mode a sink is written in, whose input `updates` rows `because` of something: with its primary key by key, if it takes that; else whatever its input needs.
 * @throws CHANGELOG_REFUSED
 */
export function sinkMode(
  table: TableDefinition,
  offered: readonly ChangelogMode[],
  updates: boolean,
  because: string | undefined,
): ChangelogMode {
  const hasKey = (table.primaryKey ?? []).length > 0
  if (hasKey && offered.includes('upsert')) return 'upsert'
  if (!updates && offered.includes('append')) return 'append'
  if (offered.includes('retract')) return 'retract'
  throw new MillraceError('CHANGELOG_REFUSED', {
    message: `table ${table.name} takes rows that stay, and the query updates rows that it gave before, because of ${because ?? 'a table that is a changelog'}`,
    hint: hasKey
      ? `its connector '${table.options.connector}' can't update: write to one that can, or aggregate over a window`
      : 'declare its PRIMARY KEY (...) NOT ENFORCED if its connector can update by key, or aggregate over a window',
    facts: { table: table.name, connector: table.options.connector },
  })
}

export function connectorOf(table: TableDefinition, connectors: readonly Connector[]): Connector {
  const name = table.options.connector
  const connector = connectors.find((each) => each.name === name)
  if (connector !== undefined) return connector
  throw new MillraceError('CONNECTOR_UNKNOWN', {
    message:
      name === undefined
        ? `table ${table.name} names no connector`
        : `table ${table.name}: there is no connector '${name}'`,
    hint: `WITH ('connector' = ...) takes ${connectors.map((each) => `'${each.name}'`).join(', ')}`,
    facts: { table: table.name, connector: name },
  })
}

/** The columns that are written: physical ones and metadata that is not VIRTUAL. */
export function writtenSchema({ columns }: TableDefinition): Schema {
  return columns
    .filter(
      (column) => column.kind === 'physical' || (column.kind === 'metadata' && !column.virtual),
    )
    .map(fieldOf)
}

function optionsOf(
  table: TableDefinition,
  connector: Connector,
  { environment, ports }: TableOpening,
): Readonly<Record<string, string>> {
  const secrets = { environment, files: ports.files }
  return openedOptions(table.name, table.options, connector.options, secrets)
}

function metadataKey({ columns }: TableDefinition, name: string): string | undefined {
  const column = columns.find((each) => each.name === name)
  return column?.kind === 'metadata' ? column.key : undefined
}

function fieldOf({ name, type }: ColumnDefinition): Field {
  return { name, type }
}

function cannot(
  table: TableDefinition,
  connector: Connector,
  what: 'read' | 'write',
): MillraceError {
  const { name } = connector
  return new MillraceError(what === 'read' ? 'CONNECTOR_CANNOT_READ' : 'CONNECTOR_CANNOT_WRITE', {
    message: `table ${table.name}: the connector '${name}' can't ${what}`,
    hint: hintOf(connector, what),
    facts: { table: table.name, connector: name },
  })
}

function hintOf({ lookup }: Connector, what: 'read' | 'write'): string {
  if (lookup !== undefined)
    return 'it is asked for rows by key: JOIN it FOR SYSTEM_TIME AS OF a column that is PROCTIME()'
  return what === 'read' ? 'it is a sink: INSERT INTO it' : 'it is a source: SELECT from it'
}
