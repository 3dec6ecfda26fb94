/** A golden file bound: the plan that it asks for, and the rows that each table is fed. */
import type { Field } from '../../data/types.ts'
import type { RowKindText } from '../../data/values.ts'
import type { Scan } from '../../plan/nodes.ts'
import type { Pipeline } from '../../plan/pipeline.ts'
import type { TableDefinition } from '../../plan/tables.ts'
import { CONNECTORS } from '../../run/connectors.ts'
import { loadUserFunctions } from '../../run/user-functions.ts'
import { bindText } from '../../sql/bind-text.ts'
import { functionsIn } from '../../sql/functions-in.ts'
import { pipelineOf } from '../bound.ts'
import { givenConnector } from '../given.ts'
import type { GivenRow } from '../given-rows.ts'
import { holdsItsRows, readTables } from '../rewired.ts'
import { tokenJson } from '../row-text.ts'
import type { Arrival } from '../simulate/steps.ts'
import { type GoldenFeed, type GoldenFile, goldenInvalid } from './golden-file.ts'

/** What a file sees besides its own tables. */
export interface GoldenProject {
  /** CREATE TABLE and CREATE VIEW statements. */
  readonly tables: string
  /** Where paths of functions start. */
  readonly directory: string
  /** @throws if there is no such pipeline, or it has errors */
  pipeline(name: string): Promise<Pipeline>
}

export interface Scenario extends GoldenFile {
  /** With the one sink that is looked at. */
  readonly pipeline: Pipeline
  /** By table, the rows of each split. */
  readonly fed: ReadonlyMap<string, readonly (readonly GivenRow[])[]>
}

/** The rows that tables are fed as events, split by split. */
export function arrivalsOf({ fed }: Pick<Scenario, 'fed'>): readonly Arrival[] {
  return [...fed].flatMap(([table, splits]) =>
    splits.flatMap((rows, split) =>
      rows.map(({ kind, bytes }): Arrival => {
        return { kind: 'event', table, split, change: kind, text: new TextDecoder().decode(bytes) }
      }),
    ),
  )
}

const SCRIPTED = 'scripted'
const KIND = /^(\+I|-U|\+U|-D)$/

/** @throws TEST_INVALID, and the errors of the SQL */
export async function bindGolden(file: GoldenFile, project: GoldenProject): Promise<Scenario> {
  const pipeline = await (file.asked.kind === 'query' ? boundQuery : sinkOf)(file, project)
  const tables = readTables(pipeline)
  const fed = new Map<string, GivenRow[][]>()
  for (const [name, { table }] of tables) if (!holdsItsRows(table)) fed.set(name, [])
  for (const feed of file.feeds) fedSplits(file, fed, tables, feed).push(rowsOf(file, feed, tables))
  for (const splits of fed.values()) if (splits.length === 0) splits.push([])
  return { ...file, pipeline, fed }
}

async function boundQuery(
  file: GoldenFile,
  { tables, directory }: GoldenProject,
): Promise<Pipeline> {
  const script = [
    `${tables}\n;`,
    ...file.sets.map((setting) => `SET ${setting};`),
    ...file.functions.map((text) => `CREATE FUNCTION ${text} LANGUAGE TYPESCRIPT;`),
    ...file.creates.map((create) => `CREATE TABLE ${create}${optionsOf(file, create)};`),
    ...file.views.map((view) => `CREATE VIEW ${view};`),
    file.asked.kind === 'query' ? file.asked.sql : '',
  ].join('\n')
  const connectors = [...CONNECTORS, scripted]
  const functions = await loadUserFunctions(functionsIn(script), directory)
  const { queries, errors, pipeline } = bindText(script, file.path, connectors, functions)
  const [error] = errors
  if (error !== undefined) throw goldenInvalid(file.path, error.message, error.hint)
  const [query] = queries
  if (query !== undefined && queries.length === 1 && pipeline === undefined)
    return { ...pipelineOf(query), settings: settingsIn(file) }
  throw goldenInvalid(file.path, 'its query is not one SELECT', "write 'query SELECT ...'")
}

function settingsIn({ sets }: GoldenFile): Readonly<Record<string, string>> {
  const pairs = sets.flatMap((text) => {
    const [, name, value] = /^'([^']*)'\s*=\s*'([^']*)'$/.exec(text) ?? []
    return name === undefined || value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(pairs)
}

/** Stands for the connectors of tables that a scenario makes: they are never opened. */
const scripted = {
  ...givenConnector(SCRIPTED, new Map()),
  options: [{ name: 'mode', kind: 'string' as const, required: false, summary: '' }],
}

/** A table whose rows are taken back, by what it is fed, is one that changes. */
function optionsOf(file: GoldenFile, create: string): string {
  if (/\)\s*WITH\s*\(/i.test(create)) return ''
  const name = create.split(/[\s(]/)[0]
  const isChanging = file.feeds.some(
    ({ table, tokens }) => table === name && tokens.some((token) => /^(-U|\+U|-D)$/.test(token)),
  )
  return ` WITH ('connector' = '${SCRIPTED}', 'mode' = '${isChanging ? 'retract' : 'append'}')`
}

async function sinkOf(file: GoldenFile, project: GoldenProject): Promise<Pipeline> {
  const { asked } = file
  if (asked.kind !== 'pipeline') throw goldenInvalid(file.path, 'it asks for no pipeline', '')
  const pipeline = await project.pipeline(asked.name)
  const names = pipeline.sinks.map(({ table }) => table.name)
  const sinks = pipeline.sinks.filter(
    ({ table }) => asked.sink === undefined || table.name === asked.sink,
  )
  if (sinks.length === 1) return { ...pipeline, sinks }
  throw goldenInvalid(
    file.path,
    asked.sink === undefined
      ? `pipeline ${asked.name} writes ${names.length} tables`
      : `pipeline ${asked.name} writes no table ${asked.sink}`,
    `name one of them: 'pipeline ${asked.name} ${names[0]}'; it writes ${names.join(', ')}`,
  )
}

function fedSplits(
  file: GoldenFile,
  fed: Map<string, GivenRow[][]>,
  tables: ReadonlyMap<string, Scan>,
  { table }: GoldenFeed,
): GivenRow[][] {
  const splits = fed.get(table)
  if (splits !== undefined) return splits
  const known = [...fed.keys()].join(', ')
  throw goldenInvalid(
    file.path,
    tables.has(table) ? `table ${table} holds its own rows` : `nothing reads table ${table}`,
    known === '' ? 'leave the feed out' : `feed one of ${known}`,
  )
}

/** Each row begins with its kind; columns that are not given are NULL. */
function rowsOf(
  file: GoldenFile,
  { table, tokens }: GoldenFeed,
  tables: ReadonlyMap<string, Scan>,
): GivenRow[] {
  const columns = givenColumns(tables.get(table)!.table)
  const rows: GivenRow[] = []
  for (let at = 0; at < tokens.length; ) {
    const kind = tokens[at]!
    if (!isKind(kind)) {
      const hint = `a row begins with its kind: feed ${table}  +I ...`
      throw goldenInvalid(file.path, `${table}: ${kind} is no row, or a value too much`, hint)
    }
    at++
    const members: string[] = []
    for (const { name, type } of columns) {
      if (at >= tokens.length || KIND.test(tokens[at]!)) break
      members.push(`${JSON.stringify(name)}:${tokenJson(type, tokens[at++]!)}`)
    }
    rows.push({ kind, bytes: new TextEncoder().encode(`{${members.join(',')}}`) })
  }
  return rows
}

function isKind(token: string): token is RowKindText {
  return KIND.test(token)
}

function givenColumns({ columns }: TableDefinition): readonly Field[] {
  return columns.filter(({ kind }) => kind !== 'computed')
}
