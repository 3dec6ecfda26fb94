/** `millrace query "SELECT ..."`: a bounded query over topics and tables, by the same engine, while pipelines run. */
import { nestedValue } from '../../data/nested-values.ts'
import { type Schema, withNullability } from '../../data/types.ts'
import type { Row } from '../../data/values.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import { CONNECTORS } from '../../run/connectors.ts'
import {
  type Declare,
  examples,
  type ProjectOptions,
  projectOptions,
  usageError,
} from '../command.ts'
import type { Io } from '../io.ts'
import { loadProject } from '../project.ts'
import { countOf, durationText } from '../render/quantity.ts'
import { cellText, csvLine, jsonLine, tableLines } from '../render/table.ts'
import { loadRun } from '../rooms.ts'
import { compileQuery } from '../scripts.ts'

interface QueryOptions extends ProjectOptions {
  readonly json?: boolean
  readonly csv?: boolean
}

/** A table is aligned over so many rows; more rows begin another one. */
const ROWS_ALIGNED_MAX = 10_000

const NUMERIC = new Set(['tinyint', 'smallint', 'int', 'bigint', 'float', 'double', 'decimal'])

export const declareQuery: Declare = (command, io) => {
  projectOptions(command)
    .argument('<sql>', 'a SELECT; it sees the tables of the project')
    .option('--json', 'one JSON object a line and row')
    .option('--csv', 'a header and comma-separated rows; NULL is empty, empty text is ""')
    .action((sql: string, options: QueryOptions) => runSelect(io, sql, options))
  examples(
    command,
    'millrace query "SELECT shop, SUM(revenue) FROM revenue GROUP BY shop"',
    'millrace query "SELECT * FROM orders LIMIT 5" --json',
  )
  command.addHelpText('after', '\nReads each source to where it ends now, and needs no owner.')
}

async function runSelect(io: Io, sql: string, options: QueryOptions): Promise<void> {
  if (options.json && options.csv) throw usageError('--json and --csv', 'give one of them')
  const project = await loadProject(io, options)
  const { query, schema } = await compileQuery(project, sql)
  const { runQuery } = await loadRun()
  const names = schema.map(({ name }) => name)
  const ports = nodePorts()
  const startedMs = ports.clock.monotonicMs()
  const held: Row[] = []
  if (options.csv) io.out(csvLine(names))
  let count = 0
  let tables = 0
  const showTable = () => {
    for (const line of tableOf(schema, held, io)) io.out(line)
    held.length = 0
    tables++
  }
  for await (const row of runQuery({
    query,
    connectors: CONNECTORS,
    ports,
    dataDirectory: project.dataDirectory,
    baseDirectory: project.directory,
    environment: process.env,
    values: { nested: nestedValue },
    onSideRows: (counts) => tellSideRows(io, counts),
  })) {
    count++
    if (options.json) io.out(jsonLine(row))
    else if (options.csv) io.out(csvLine(names.map((name) => row[name]!)))
    else if (held.push(row) === ROWS_ALIGNED_MAX) showTable()
  }
  if (options.json || options.csv) return
  if (held.length > 0 || tables === 0) showTable()
  const took = durationText(ports.clock.monotonicMs() - startedMs)
  io.out(io.style.faint(`${countOf(count, 'row')}, ${took}`))
}

/** On stderr: a result that lacks rows must not look as if it had all. */
function tellSideRows(
  io: Io,
  { dead, late }: { readonly dead: number; readonly late: number },
): void {
  const { errorStyle } = io
  const parts = [
    ...(dead > 0 ? [`${countOf(dead, 'row')} could not be used`] : []),
    ...(late > 0 ? [`${countOf(late, 'row')} came after the window`] : []),
  ]
  io.err(errorStyle.warning(`not in the result: ${parts.join(', ')}`))
}

function tableOf(schema: Schema, rows: readonly Row[], { style }: Io): string[] {
  const columns = schema.map(({ name, type }) => ({
    name,
    type: typeText(withNullability(type, true)),
    align: NUMERIC.has(type.kind) ? ('right' as const) : ('left' as const),
  }))
  const cells = rows.map((row) => schema.map(({ name }) => cellText(row[name]!, style)))
  return tableLines(columns, cells, style)
}
