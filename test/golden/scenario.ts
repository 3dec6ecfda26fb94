/**
 * Golden scenarios: a query, what it is fed, and what must come out, in one small text file.
 *
 *   create   shops (city STRING)                 a table of the scenario; may stand several times
 *   function weighted                            one of user-functions.ts; may stand several times
 *   set      'sql.overflow' = 'error'           as in SET; may stand several times
 *   query    SELECT ...                          may go on in lines that begin with spaces, as everything may
 *   feed     shops  +I oslo  -D oslo             rows of a table, in order
 *   changes  +I oslo 1  -U oslo 1  +U oslo 2     the changelog with one-row batches
 *   table    oslo 2                              what every way must fold to, sorted; rows stand two spaces or a line apart
 *   late     00:00:05 00:00:03 00:00:12          window start, event time and watermark of each row and window that missed each other
 *
 * Values: NULL, numbers, true, texts ('in quotes' if they have spaces), times of 1970-01-01 as 00:00:05, others as 2026-01-31T00:00:05.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import type { DataType } from '../../src/data/types.ts'
import { type PlanNode, schemaOf } from '../../src/plan/nodes.ts'
import { loadUserFunctions } from '../../src/run/user-functions.ts'
import { bindText } from '../../src/sql/bind-text.ts'
import type { Plain, RowKindText } from '../builders/batch.ts'
import {
  type Changed,
  type Fed,
  type FedRow,
  type Ran,
  runWay,
  type Way,
} from '../builders/engine-run.ts'
import { runWorkers, type WorkersWay } from '../builders/workers-run.ts'

const MODULE = resolve('test/golden/user-functions.ts')
const FUNCTIONS = await loadUserFunctions(
  Object.keys(await import(MODULE)).map((name) => ({ module: MODULE, export: name })),
  '.',
)

export interface Scenario {
  readonly path: string
  readonly name: string
  /** The lines above the answers, as they stand. */
  readonly head: string
  /** What stands behind CREATE TABLE, one a table. */
  readonly creates: readonly string[]
  /** What stands behind SET. */
  readonly sets: readonly string[]
  readonly views: readonly string[]
  readonly query: string
  readonly plan: PlanNode
  readonly fed: Fed
  readonly changes: readonly string[]
  readonly table: readonly string[]
  readonly late: readonly string[]
}

export interface Answers {
  readonly changes: readonly string[]
  readonly table: readonly string[]
  readonly late: readonly string[]
}

export function readScenarios(): Scenario[] {
  return globSync('test/golden/*.golden').sort().map(readScenario)
}

export async function replay(scenario: Scenario, way: Way): Promise<Answers> {
  return answersOf(scenario.plan, await runWay(scenario.plan, scenario.fed, way))
}

/** By several workers that take turns in one thread, in an order that the seed decides. */
export async function replayWorkers(scenario: Scenario, way: WorkersWay): Promise<Answers> {
  const { changes, lateValues } = await runWorkers(scenario.plan, scenario.fed, way)
  return answersOf(scenario.plan, { changes, late: lateValues })
}

/** Nodes for which rows may come too late. */
const TIMED =
  /"kind":"(window-aggregate|window-rank|over-aggregate|deduplicate|interval-join|temporal-join|window-join)"/

/** The scenario's file with these answers. */
export function withAnswers({ head, plan }: Scenario, { changes, table, late }: Answers): string {
  const isTimed = TIMED.test(JSON.stringify(plan))
  return [
    head,
    section('changes', changes),
    section('table', table),
    ...(isTimed ? [section('late', late)] : []),
    '',
  ].join('\n')
}

function section(name: string, rows: readonly string[]): string {
  const lines: string[] = []
  for (const row of rows) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + row.length < 88) lines[lines.length - 1] += `   ${row}`
    else lines.push(row)
  }
  return `${name.padEnd(9)}${lines.join(`\n${' '.repeat(9)}`)}`.trimEnd()
}

function readScenario(path: string): Scenario {
  const text = readFileSync(path, 'utf8')
  const sections = sectionsOf(text)
  const all = (name: string) => sections.filter((each) => each.name === name)
  const feeds = all('feed').map(({ text: rows }) => rows)
  const script = [
    ...all('function').map(
      ({ text: name }) => `CREATE FUNCTION ${name} AS '${MODULE}#${name}' LANGUAGE TYPESCRIPT;`,
    ),
    ...all('set').map(({ text: option }) => `SET ${option};`),
    ...all('create').map(({ text: table }) => {
      const isChanging = feeds.some(
        (feed) => feed.startsWith(`${table.split(' ')[0]} `) && /(-U|\+U|-D) /.test(feed),
      )
      return `CREATE TABLE ${table} WITH ('connector' = 'scripted', 'changelog' = '${isChanging}');`
    }),
    ...all('view').map(({ text: view }) => `CREATE VIEW ${view};`),
    ...all('query').map(({ text: query }) => query),
  ].join('\n')
  const { queries, errors, tables } = bindText(script, path, [], FUNCTIONS)
  assert.deepEqual(
    errors.map((error) => `${path}: ${error.message}`),
    [],
  )
  const answers = (name: string) =>
    all(name)
      .flatMap(({ text: rows }) => rows.split(/ {2,}|\n/))
      .map((row) => row.trim())
      .filter((row) => row !== '')
  const headEnd = text.search(/^changes/m)
  return {
    path,
    name: basename(path, '.golden').replaceAll('-', ' '),
    head: (headEnd < 0 ? text : text.slice(0, headEnd)).trimEnd(),
    creates: all('create').map(({ text: table }) => table),
    sets: all('set').map(({ text: option }) => option),
    views: all('view').map(({ text: view }) => view),
    query: all('query')[0]!.text,
    plan: queries[0]!,
    fed: new Map(feeds.map((feed) => fedTable(feed, tables))),
    changes: rowsOfChanges(answers('changes').join('  ')),
    table: answers('table'),
    late: answers('late'),
  }
}

function sectionsOf(text: string): { name: string; text: string }[] {
  const sections: { name: string; text: string }[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('#') || line.trim() === '') continue
    if (line.startsWith(' ')) sections.at(-1)!.text += `\n${line.trim()}`
    else {
      const [name] = line.split(' ')
      sections.push({ name: name!, text: line.slice(name!.length).trim() })
    }
  }
  return sections
}

type Tables = ReturnType<typeof bindText>['tables']

const KIND = /^(\+I|-U|\+U|-D)$/

/** Each row begins with its kind; computed columns, which stand last, have no values. */
function fedTable(feed: string, tables: Tables): [string, FedRow[][]] {
  const [name, ...tokens] = feed.match(/'[^']*'|\S+/g) ?? []
  const table = tables.find((each) => each.name === name)
  assert.ok(table, `${name} is created`)
  const rows: FedRow[] = []
  for (let at = 0; at < tokens.length; ) {
    const kind = tokens[at++] as RowKindText
    const row: Record<string, Plain> = {}
    for (const field of table.schema) {
      if (at >= tokens.length || KIND.test(tokens[at]!)) break
      row[field.name] = plainOf(tokens[at++]!, field.type)
    }
    assert.ok(at >= tokens.length || KIND.test(tokens[at]!), `${name}: ${tokens[at]} is too much`)
    rows.push({ kind, row })
  }
  return [table.name, [rows]]
}

function plainOf(token: string, type: DataType): Plain {
  if (token === 'NULL') return null
  const text = token.startsWith("'") ? token.slice(1, -1) : token
  switch (type.kind) {
    case 'char':
    case 'varchar':
    case 'decimal':
      return text
    case 'boolean':
      return text === 'true'
    case 'float':
    case 'double':
      return Number(text)
    case 'timestamp':
    case 'timestamp_ltz':
      return BigInt(Date.parse(text.includes('T') ? `${text}Z` : `1970-01-01T${text}Z`)) * 1000n
    case 'date':
      return BigInt(Date.parse(`${text}T00:00:00Z`) / 86_400_000)
    default:
      return BigInt(text)
  }
}

function answersOf(plan: PlanNode, ran: Pick<Ran, 'changes' | 'late'>): Answers {
  const schema = schemaOf(plan)
  const textOf = (row: readonly Plain[]) =>
    row.map((value, index) => textOfValue(value, schema[index]!.type)).join(' ')
  const timeText = (value: unknown) =>
    textOfValue(value as bigint, { kind: 'timestamp', precision: 3, nullable: true })
  return {
    changes: ran.changes.map(({ kind, row }) => `${kind} ${textOf(row)}`),
    table: tableRows(ran.changes, textOf),
    late: ran.late
      .map(([start, , time, watermark]) => [start, time, watermark].map(timeText).join(' '))
      .sort(),
  }
}

function tableRows(
  changes: readonly Changed[],
  textOf: (row: readonly Plain[]) => string,
): string[] {
  const rows: string[] = []
  for (const { kind, row } of changes) {
    const text = textOf(row)
    if (kind === '+I' || kind === '+U') rows.push(text)
    else {
      const at = rows.indexOf(text)
      assert.ok(at >= 0, `${kind} ${text} takes away what is not there`)
      rows.splice(at, 1)
    }
  }
  return rows.sort()
}

function textOfValue(value: Plain, type: DataType): string {
  if (value === null) return 'NULL'
  if (type.kind === 'timestamp' || type.kind === 'timestamp_ltz') {
    const text = new Date(Number((value as bigint) / 1000n)).toISOString().slice(0, -1)
    return text.replace(/^1970-01-01T/, '').replace(/\.000$/, '')
  }
  if (type.kind === 'date') return new Date(Number(value) * 86_400_000).toISOString().slice(0, 10)
  const text = String(value)
  const isPlain = /^[^\s']+$/.test(text) && text !== 'NULL'
  return (type.kind === 'char' || type.kind === 'varchar') && !isPlain ? `'${text}'` : text
}

function rowsOfChanges(text: string): string[] {
  return text
    .split(/ +(?=(?:\+I|-U|\+U|-D) )/)
    .map((row) => row.trim())
    .filter((row) => row !== '')
}
