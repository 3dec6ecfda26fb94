/**
 * Whether a pipeline's tables are a function of its events, and of their order of arrival besides. What is said here is on the safe
 * side: a query that is said to hang on the order may not do so for the events that it gets.
 */
import { aggregateColumns, visitCalls } from './columns.ts'
import type { AggregateCall, Expression } from './expressions.ts'
import { isUserFunction, userFunctionName } from './functions/user.ts'
import { inputsOf, type PlanNode, type SinkNode, schemaOf } from './nodes.ts'
import type { Pipeline } from './pipeline.ts'
import { columnsRead, handedOn } from './shape.ts'
import { traitsOf } from './traits.ts'

export interface Determinacy {
  /** Why the same events may give other tables another time; empty: they never do. */
  readonly clock: readonly string[]
  /** Why the order matters in which events of different splits are read, late rows aside; empty: it does not. */
  readonly arrival: readonly string[]
}

/** Another value each time that it is asked. UNIX_TIMESTAMP of a text is not among them. */
const NOW: ReadonlySet<string> = new Set([
  'CURRENT_DATE',
  'CURRENT_ROW_TIMESTAMP',
  'CURRENT_TIME',
  'CURRENT_TIMESTAMP',
  'LOCALTIMESTAMP',
  'NOW',
  'PROCTIME',
  'RAND',
  'RAND_INTEGER',
  'UUID',
])
const WATERMARK = 'CURRENT_WATERMARK is what a worker knows when a row comes'
const ORDERED: ReadonlySet<string> = new Set([
  'ARRAY_AGG',
  'FIRST_VALUE',
  'JSON_ARRAYAGG',
  'JSON_OBJECTAGG',
  'LAST_VALUE',
  'LISTAGG',
])

export function determinacyOf({ sinks }: Pick<Pipeline, 'sinks'>): Determinacy {
  const clock = new Set<string>()
  const arrival = new Set<string>()
  const visit = (node: PlanNode): void => {
    for (const reason of ordersOf(node)) arrival.add(reason)
    for (const input of inputsOf(node)) visit(input)
  }
  for (const sink of sinks) {
    visit(sink.input)
    for (const reason of clockOf(sink.input).rows) clock.add(reason)
    for (const reason of clockOf(sink.input).columns.values()) clock.add(reason)
    if (isLastWriter(sink))
      arrival.add(`of the rows of one key of ${sink.table.name} the last to come stays`)
  }
  return { clock: [...clock], arrival: [...arrival] }
}

/** What hangs on the clock: output columns, each with its reason, and which rows there are. */
interface Clocked {
  readonly columns: ReadonlyMap<number, string>
  readonly rows: readonly string[]
}

function clockOf(node: PlanNode): Clocked {
  const inputs = inputsOf(node).map(clockOf)
  const rows = inputs.flatMap((input) => input.rows)
  const columns = new Map<number, string>()
  const read = columnsRead(node)
  const isSorted = 'timeDomain' in node && node.timeDomain === 'processing'
  if (isSorted && isTimed(node)) rows.push('windows of PROCTIME() follow the clock')
  if (node.kind === 'project') {
    for (const [index, expression] of node.expressions.entries()) {
      const reason = clockIn(expression, inputs[0]!.columns)
      if (reason !== undefined) columns.set(index, reason)
    }
    return { columns, rows }
  }
  if (node.kind === 'union-all') {
    for (const input of inputs)
      for (const [index, reason] of input.columns) columns.set(index, reason)
    return { columns, rows }
  }
  // A time attribute of the clock that rows are sorted by is their order of arrival.
  for (const [input, indexes] of read.entries()) {
    for (const index of indexes) {
      const reason = inputs[input]!.columns.get(index)
      if (reason !== undefined && !(isSorted && isTimeOf(node, index))) rows.push(reason)
    }
  }
  for (const expression of expressionsOf(node)) {
    const reason = clockIn(expression, new Map())
    if (reason !== undefined) rows.push(reason)
  }
  let offset = 0
  for (const input of handedOn(node)) {
    for (const [index, reason] of inputs[input]!.columns) columns.set(offset + index, reason)
    offset += schemaOf(inputsOf(node)[input]!).length
  }
  return { columns, rows }
}

/** Rows of other operators that follow the clock are sorted by it, no more. */
function isTimed(node: PlanNode): boolean {
  return (
    node.kind === 'window-table' ||
    node.kind === 'window-aggregate' ||
    node.kind === 'window-rank' ||
    node.kind === 'window-join' ||
    node.kind === 'interval-join' ||
    (node.kind === 'over-aggregate' &&
      node.frame.kind === 'range' &&
      node.frame.preceding !== undefined) ||
    (node.kind === 'match-recognize' && node.withinUs !== undefined)
  )
}

function isTimeOf(node: PlanNode, index: number): boolean {
  return ('time' in node && node.time === index) || ('leftTime' in node && node.leftTime === index)
}

function expressionsOf(node: PlanNode): readonly Expression[] {
  switch (node.kind) {
    case 'filter':
      return [node.condition]
    case 'join':
    case 'interval-join':
    case 'temporal-join':
    case 'window-join':
      return node.condition === undefined ? [] : [node.condition]
    case 'correlate':
    case 'process':
      return node.kind === 'process' ? node.values : node.args
    case 'group-aggregate':
    case 'window-aggregate':
      return [...node.keys, ...node.aggregates.flatMap(partsOf)]
    case 'over-aggregate':
      return node.aggregates.flatMap(partsOf)
    case 'expand':
      return node.projections.flat()
    default:
      return []
  }
}

function partsOf({ args, filter }: AggregateCall): readonly Expression[] {
  return filter === undefined ? args : [...args, filter]
}

function clockIn(expression: Expression, columns: ReadonlyMap<number, string>): string | undefined {
  let reason: string | undefined
  visitCalls(expression, ({ function: name, args }) => {
    if (NOW.has(name) || (name === 'UNIX_TIMESTAMP' && args.length === 0))
      reason ??= `${name}() is another each time`
    if (name === 'CURRENT_WATERMARK') reason ??= WATERMARK
  })
  const read = new Set<number>()
  aggregateColumns(
    { function: '', args: [expression], distinct: false, type: expression.type },
    read,
  )
  for (const index of read) reason ??= columns.get(index)
  return reason
}

/** Why `node` itself gives other rows for another order of arrival. */
function ordersOf(node: PlanNode): readonly string[] {
  switch (node.kind) {
    case 'deduplicate':
      return [`of rows of one time the ${node.keep} to come is kept`]
    case 'rank':
      if (node.order.length === 0) return ['LIMIT takes what comes first']
      return node.function === 'ROW_NUMBER' ? [TIES] : []
    case 'window-rank':
      return node.function === 'ROW_NUMBER' ? [TIES] : []
    case 'over-aggregate':
      return node.frame.kind === 'rows' ? [TIES] : node.aggregates.flatMap(callOrders)
    case 'sort':
    case 'temporal-sort':
    case 'match-recognize':
      return ['rows of one time are taken as they come']
    case 'process':
      return [`${userFunctionName(node.function)} is told rows as they come`]
    case 'temporal-join':
      return ['rows meet the version that is there']
    case 'group-aggregate':
      return [...(node.ttlUs === undefined ? [] : [TTL]), ...node.aggregates.flatMap(callOrders)]
    case 'join':
      return node.leftTtlUs === undefined && node.rightTtlUs === undefined ? [] : [TTL]
    case 'window-aggregate':
      return node.aggregates.flatMap(callOrders)
    default:
      return []
  }
}

const TIES = 'rows that are equal in ORDER BY are numbered as they come'
const TTL = 'STATE_TTL forgets by the clock'

function callOrders({ function: name, args }: AggregateCall): readonly string[] {
  if (isUserFunction(name)) return [`${userFunctionName(name)} is told rows as they come`]
  if (ORDERED.has(name)) return [`${name} takes values as they come`]
  const isRounded = args.some(({ type }) => type.kind === 'float' || type.kind === 'double')
  const isSummed = ['SUM', 'AVG'].includes(name) && isRounded
  return isSummed || /^(STDDEV|VAR)/.test(name) ? [`${name} is rounded as values come`] : []
}

/** The sink's key is none of the changes': rows of one key overwrite each other. */
function isLastWriter({ table, input }: SinkNode): boolean {
  const { primaryKey = [] } = table
  if (primaryKey.length === 0) return false
  const columns = table.columns.filter(({ kind }) => kind !== 'computed')
  const places = primaryKey.map((key) => columns.findIndex(({ name }) => name === key))
  const key = traitsOf(input).upsertKey
  return key === undefined || !key.every((column) => places.includes(column))
}
