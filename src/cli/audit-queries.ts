/** What an audit wants to know of a query as written: tables, windows, groups and joins, with their places. */
import type { GroupFacts, InsertFacts, Span, WindowFacts } from '../advise/audit/facts.ts'
import { intervalLiteral } from '../sql/bind/interval.ts'
import type { Insert } from '../sql/statements.ts'
import type {
  CallSyntax,
  ExpressionSyntax,
  JoinSyntax,
  QuerySyntax,
  RelationSyntax,
  SelectSyntax,
} from '../sql/syntax.ts'

/** The group window functions of old, in GROUP BY. */
const GROUP_WINDOWS = new Set(['TUMBLE', 'HOP', 'SESSION'])
const WINDOW_COLUMNS = new Set(['window_start', 'window_end', 'window_time'])

/** Queries of views by name: they are read as if they stood where they are named. */
export type Views = ReadonlyMap<string, QuerySyntax>

export function insertFacts(insert: Insert, views: Views): InsertFacts {
  const found = readQuery(insert.query, views, new Set())
  const at = spanOf(insert.table.at)
  const sink = insert.table.parts.at(-1)!.name
  return { at, sink, ...found, named: new Map([...found.named, [sink, at]]) }
}

type QueryFacts = Omit<InsertFacts, 'at' | 'sink'>

function readQuery(query: QuerySyntax, views: Views, inside: ReadonlySet<string>): QueryFacts {
  const own = new Set(commonTables(query))
  const nodes = [...nodesIn(query)]
  const selects = nodes.filter(isSelect)
  const named = new Map(
    nodes.filter(isTable).map(({ name }) => [name.parts.at(-1)!.name, spanOf(name.at)] as const),
  )
  const names = [...named.keys()]
  const tableOf = (from: RelationSyntax) => onlyTable(from, views)
  const facts = {
    reads: names.filter((name) => !own.has(name) && !views.has(name)),
    named,
    windows: [
      ...nodes.filter(isWindow).map((window) => windowFacts(window, tableOf)),
      ...selects.flatMap((select) => groupWindows(select, tableOf)),
    ],
    groups: selects.flatMap((select) => groupFacts(select, query)),
    joins: nodes
      .filter(isJoin)
      .filter((join) => keepsAll(join, query))
      .map(({ at }) => spanOf(at)),
    hasTtl: selects.some(({ stateTtl }) => stateTtl.length > 0),
  }
  const viewed = names.flatMap((name) => {
    const view = views.get(name)
    if (view === undefined || inside.has(name)) return []
    return [readQuery(view, views, new Set([...inside, name]))]
  })
  return viewed.reduce<QueryFacts>(
    (sum, view) => ({
      reads: [...sum.reads, ...view.reads],
      named: new Map([...view.named, ...sum.named]),
      windows: [...sum.windows, ...view.windows],
      groups: [...sum.groups, ...view.groups],
      joins: [...sum.joins, ...view.joins],
      hasTtl: sum.hasTtl || view.hasTtl,
    }),
    facts,
  )
}

type Window = Extract<RelationSyntax, { kind: 'window' }>
type NamedTable = Extract<RelationSyntax, { kind: 'table' }>

type TableOf = (from: RelationSyntax) => string | undefined

function windowFacts({ window, at }: Window, tableOf: TableOf): WindowFacts {
  const { input, time, size } = window
  const sizeUs = intervalUs(size)
  const table = tableOf(input)
  return {
    at: spanOf(at),
    column: time.name,
    ...(table !== undefined && { table }),
    ...(sizeUs !== undefined && { sizeUs }),
  }
}

/** The one table that is read there, itself or within views and subqueries: its columns are likely to keep their names. */
function onlyTable(from: RelationSyntax, views: Views): string | undefined {
  const names = new Set<string>()
  const seen = new Set<string>()
  const collect = (within: unknown): void => {
    for (const { name } of [...nodesIn(within)].filter(isTable)) {
      const table = name.parts.at(-1)!.name
      const view = views.get(table)
      if (view === undefined) names.add(table)
      else if (!seen.has(table)) {
        seen.add(table)
        collect(view)
      }
    }
  }
  collect(from)
  return names.size === 1 ? [...names][0] : undefined
}

/** GROUP BY TUMBLE(time, INTERVAL ...). */
function groupWindows({ groupBy, from }: SelectSyntax, tableOf: TableOf): WindowFacts[] {
  const table = from === undefined ? undefined : tableOf(from)
  return groupWindowCalls(groupBy).flatMap(({ name, args }) => {
    const [time] = args
    if (time?.kind !== 'reference') return []
    const sizeUs = args.at(-1) === undefined ? undefined : intervalUs(args.at(-1)!)
    return [
      {
        at: spanOf(name.at),
        column: time.parts.at(-1)!.name,
        ...(table !== undefined && { table }),
        ...(sizeUs !== undefined && { sizeUs }),
      },
    ]
  })
}

function groupWindowCalls(groupBy: SelectSyntax['groupBy']): CallSyntax[] {
  return (groupBy ?? []).flatMap((item) =>
    item.kind === 'plain' && item.expression.kind === 'call'
      ? GROUP_WINDOWS.has(item.expression.call.name.name.toUpperCase())
        ? [item.expression.call]
        : []
      : [],
  )
}

function groupFacts(
  { groupBy, distinct, items, from, at }: SelectSyntax,
  query: QuerySyntax,
): GroupFacts[] {
  if (groupBy === undefined && !distinct) return aggregateOfAll(items, at)
  const isWindowRead = from !== undefined && [...nodesIn(from)].some(isWindow)
  if (groupBy === undefined) return [{ at: spanOf(at), isWindowed: isWindowRead }]
  const expressions = groupBy.map((item) => (item.kind === 'plain' ? item.expression : undefined))
  const names = expressions.map(nameOf)
  const byWindow = names.some((name) => name !== undefined && WINDOW_COLUMNS.has(name))
  const calls = groupWindowCalls(groupBy)
  const keys = names.filter(
    (name, index) =>
      !(name !== undefined && WINDOW_COLUMNS.has(name)) &&
      !isGroupWindow(expressions[index], calls),
  )
  const place = expressions.find((each) => each !== undefined)?.at ?? query.at
  return [
    {
      at: spanOf(place),
      isWindowed: byWindow || calls.length > 0,
      ...(keys.every((key) => key !== undefined) && { keys: keys as string[] }),
    },
  ]
}

/** SELECT COUNT(*) FROM t: one group of all rows. */
function aggregateOfAll(items: SelectSyntax['items'], at: SelectSyntax['at']): GroupFacts[] {
  const aggregates = new Set(['COUNT', 'SUM', 'MIN', 'MAX', 'AVG'])
  const isAggregate = items.some(
    (item) =>
      item.kind === 'expression' &&
      item.expression.kind === 'call' &&
      item.expression.call.over === undefined &&
      aggregates.has(item.expression.call.name.name.toUpperCase()),
  )
  return isAggregate ? [{ at: spanOf(at), isWindowed: false, keys: [] }] : []
}

function isGroupWindow(
  expression: ExpressionSyntax | undefined,
  calls: readonly CallSyntax[],
): boolean {
  return expression?.kind === 'call' && calls.includes(expression.call)
}

function nameOf(expression: ExpressionSyntax | undefined): string | undefined {
  return expression?.kind === 'reference' ? expression.parts.at(-1)!.name : undefined
}

/** Whether nothing in the join or its query bounds it in time, or against a version. */
function keepsAll(join: JoinSyntax, query: QuerySyntax): boolean {
  const { right } = join
  if (right.kind === 'unnest' || right.kind === 'lateral' || right.kind === 'function') return false
  if (right.kind === 'table' && right.asOf !== undefined) return false
  const conditions = [join.on, ...[...nodesIn(query)].filter(isSelect).map(({ where }) => where)]
  return !conditions.some(
    (condition) =>
      condition !== undefined &&
      [...nodesIn(condition)].some(
        (node) => isInterval(node) || (isReference(node) && WINDOW_COLUMNS.has(nameOf(node) ?? '')),
      ),
  )
}

/** µs; undefined for months, and for what is no literal. */
export function intervalUs(expression: ExpressionSyntax): number | undefined {
  if (expression.kind !== 'literal' || expression.literal.kind !== 'interval') return undefined
  try {
    const bound = intervalLiteral(expression.literal, expression.at)
    const isTime = bound.kind === 'literal' && bound.type.kind === 'interval_day_second'
    return isTime ? Number(bound.value) : undefined
  } catch {
    return undefined
  }
}

export function spanOf({ offset, length }: Span): Span {
  return { offset, length }
}

interface Node {
  readonly kind: string
}

/** Every syntax node within `value` that has a kind, itself first. */
export function* nodesIn(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return
  if (isNode(value)) yield value
  for (const inner of Object.values(value)) yield* nodesIn(inner)
}

/** Names that WITH gives, anywhere within. */
function* commonTables(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  if (isQuery(value)) for (const { name } of value.with) yield name.name
  for (const inner of Object.values(value)) yield* commonTables(inner)
}

const isQuery = (value: object): value is QuerySyntax => 'with' in value && 'body' in value

function isNode(value: object): value is Node {
  return 'kind' in value && typeof value.kind === 'string'
}

const isSelect = (node: Node): node is SelectSyntax => node.kind === 'select' && 'items' in node
const isTable = (node: Node): node is NamedTable => node.kind === 'table' && 'name' in node
const isWindow = (node: Node): node is Window => node.kind === 'window' && 'window' in node
const isJoin = (node: Node): node is JoinSyntax => node.kind === 'join' && 'left' in node
const isReference = (node: Node): node is Extract<ExpressionSyntax, { kind: 'reference' }> =>
  node.kind === 'reference' && 'parts' in node
const isInterval = (node: Node): boolean => node.kind === 'interval'
