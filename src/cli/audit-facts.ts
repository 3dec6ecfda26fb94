/** The facts of a SQL file, with the project's tables before it: read as it stands, whether or not it would run here. */

import { durationMs } from '../advise/audit/detect-operation.ts'
import type {
  InsertFacts,
  MeasuredDelay,
  OptionFacts,
  PipelineFacts,
  Span,
  TableFacts,
} from '../advise/audit/facts.ts'
import type { Connector } from '../connectors/contract/connector.ts'
import { lex } from '../sql/parse/lexer.ts'
import { parseScript } from '../sql/parse/parse-script.ts'
import type { CreateTable, Insert, Statement } from '../sql/statements.ts'
import type { OptionSyntax, QuerySyntax } from '../sql/syntax.ts'
import { insertFacts, intervalUs, nodesIn, spanOf, type Views } from './audit-queries.ts'

export interface FactsRequest {
  readonly file: string
  /** The project's tables, then the file. */
  readonly text: string
  /** Where the file's own text begins. */
  readonly start: number
  readonly connectors: readonly Connector[]
  /** 'flink' or 'millrace'; absent: what the connectors say. */
  readonly engine?: 'flink' | 'millrace'
  readonly measured: ReadonlyMap<string, MeasuredDelay>
  /** How long a topic of the embedded log keeps events: µs; undefined if it is not there, or keeps them for ever. */
  retentionUs(topic: string): number | undefined
}

export function pipelineFacts(request: FactsRequest): PipelineFacts {
  const { file, text, start, connectors, engine, measured } = request
  const { statements, errors } = parseScript(text)
  const views: Views = new Map(
    statements.flatMap((statement): [string, QuerySyntax][] =>
      statement.kind === 'create-view'
        ? [[statement.name.parts.at(-1)!.name, statement.query]]
        : [],
    ),
  )
  const tables = new Map<string, TableFacts>()
  for (const statement of statements)
    if (statement.kind === 'create-table') {
      const table = tableFacts(statement, text, connectors, request.retentionUs, tables)
      tables.set(table.name, table)
    }
  const inserts = statements
    .flatMap(insertsOf)
    .map((insert): InsertFacts => insertFacts(insert, views))
  const used = new Set(inserts.flatMap(({ reads, sink }) => [...reads, sink]))
  for (const name of [...tables.keys()]) if (!used.has(name)) tables.delete(name)
  const undeclared = new Map(
    inserts.flatMap(({ reads, sink, named }) =>
      [...reads, sink].flatMap((name): [string, Span][] => {
        const at = named.get(name)
        return tables.has(name) || at === undefined ? [] : [[name, at]]
      }),
    ),
  )
  const own = text.slice(start)
  const replay = /^\s*--\s*replay:\s*(.+)$/im.exec(own)?.[1]
  const replayMs = replay === undefined ? undefined : durationMs(replay)
  const need = /^\s*--\s*need:\s*(\S.*)$/im.exec(own)?.[1]
  return {
    file,
    tables,
    undeclared,
    inserts,
    settings: settingsOf(statements),
    start,
    isForeign:
      engine === undefined
        ? tables.size === 0 || [...tables.values()].some(({ isKnown }) => !isKnown)
        : engine === 'flink',
    isOnTimer: /^\s*--.*--until now\b/m.test(own),
    ...(need !== undefined && { need }),
    ...(replayMs !== undefined && { replayUs: replayMs * 1000 }),
    unread: errors.map(({ place, message }) => ({ at: spanOf(place), message })),
    measured,
  }
}

function insertsOf(statement: Statement): readonly Insert[] {
  if (statement.kind === 'insert') return [statement]
  return statement.kind === 'statement-set' ? statement.inserts : []
}

function settingsOf(statements: readonly Statement[]): ReadonlyMap<string, OptionFacts> {
  return new Map(
    statements.flatMap((statement): [string, OptionFacts][] =>
      statement.kind === 'set' && statement.option !== undefined
        ? [[statement.option.key, optionFacts(statement.option)]]
        : [],
    ),
  )
}

function tableFacts(
  statement: CreateTable,
  text: string,
  connectors: readonly Connector[],
  retentionUs: FactsRequest['retentionUs'],
  before: ReadonlyMap<string, TableFacts>,
): TableFacts {
  const base =
    statement.like === undefined ? undefined : before.get(statement.like.parts.at(-1)!.name)
  const options = new Map([
    ...(base?.options ?? []),
    ...statement.options.map((option) => [option.key, optionFacts(option)] as const),
  ])
  const values = Object.fromEntries([...options].map(([key, { value }]) => [key, value]))
  const name = values.connector ?? values['connector.type'] ?? ''
  const connector = connectors.find((each) => each.name === name)
  const topic = name === 'log' ? retentionUs(values.topic ?? '') : undefined
  const last = statement.options.at(-1)?.valueAt
  const end = columnsEnd(statement, text)
  const watermark = watermarkFacts(statement) ?? base?.watermark
  const guarantee = connector?.sink?.guaranteeOf?.(values) ?? connector?.sink?.guarantee
  return {
    name: statement.name.parts.at(-1)!.name,
    at: spanOf(statement.name.at),
    ...(end !== undefined && { columnsEnd: end }),
    ...(last !== undefined && { optionsEnd: last.offset + last.length }),
    ...columnFacts(statement, base),
    ...(watermark !== undefined && { watermark }),
    hasPrimaryKey:
      statement.primaryKey !== undefined ||
      statement.columns.some((column) => column.kind === 'physical' && column.primaryKey) ||
      base?.hasPrimaryKey === true,
    options,
    connector: name,
    isKnown: connector !== undefined && values.connector !== undefined,
    isBounded: isBounded(name, values, connector),
    ...(guarantee !== undefined && { guarantee }),
    ...(topic !== undefined && { retentionUs: topic }),
  }
}

type ColumnNames = Pick<TableFacts, 'timeColumns' | 'clockColumns' | 'booleanColumns'>

function columnFacts({ columns }: CreateTable, base: TableFacts | undefined): ColumnNames {
  const clocks = columns.filter(
    (column) =>
      column.kind === 'computed' &&
      [...nodesIn(column.expression)].some(
        (node) =>
          'call' in node && JSON.stringify(node.call).toUpperCase().includes('"NAME":"PROCTIME"'),
      ),
  )
  const typed = (kinds: RegExp) =>
    columns.flatMap((column) =>
      column.kind !== 'computed' && kinds.test(column.type.kind) ? [column.name.name] : [],
    )
  return {
    timeColumns: [...(base?.timeColumns ?? []), ...typed(/^timestamp/)],
    clockColumns: [...(base?.clockColumns ?? []), ...clocks.map(({ name }) => name.name)],
    booleanColumns: [...(base?.booleanColumns ?? []), ...typed(/^boolean$/)],
  }
}

function watermarkFacts({ watermark }: CreateTable): TableFacts['watermark'] {
  if (watermark === undefined) return undefined
  const { column, expression, at } = watermark
  const delay =
    expression.kind === 'reference'
      ? 0
      : expression.kind === 'operator' && expression.symbol === '-' && expression.args.length === 2
        ? intervalUs(expression.args[1]!)
        : undefined
  return {
    column: column.parts.map(({ name }) => name).join('.'),
    at: spanOf(at),
    ...(delay !== undefined && { delayUs: delay }),
  }
}

const BOUNDED_ELSEWHERE = new Set([
  'jdbc',
  'values',
  'hive',
  'iceberg',
  'paimon',
  'hudi',
  'hbase-2.2',
])

function isBounded(
  name: string,
  values: Readonly<Record<string, string>>,
  connector: Connector | undefined,
): boolean {
  if (connector?.source !== undefined) return connector.source.bounded(values)
  const mode = values['scan.bounded.mode']
  return BOUNDED_ELSEWHERE.has(name) || (mode !== undefined && mode !== 'unbounded')
}

function optionFacts({ value, keyAt, valueAt }: OptionSyntax): OptionFacts {
  return { value, keyAt: spanOf(keyAt), valueAt: spanOf(valueAt) }
}

/** Behind the last thing in the parentheses of the columns. */
export function columnsEnd({ at }: CreateTable, text: string): number | undefined {
  let depth = 0
  let last = 0
  const { tokens } = lex(text.slice(at.offset))
  for (const { kind, text: symbol, at: token } of tokens) {
    if (kind === 'symbol' && symbol === '(') depth++
    if (kind === 'symbol' && symbol === ')') {
      depth--
      if (depth === 0) return at.offset + last
    }
    if (kind === 'symbol' && symbol === ';') return undefined
    last = token.offset + token.length
  }
  return undefined
}
