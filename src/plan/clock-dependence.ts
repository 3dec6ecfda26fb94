/** Why the same events, in the same order, may give other tables another time: the query asks the clock, or chance. */
import { collectColumns, visitCalls } from './columns.ts'
import type { AggregateCall, Expression } from './expressions.ts'
import { inputsOf } from './inputs.ts'
import { type PlanNode, schemaOf } from './nodes.ts'
import type { Pipeline } from './pipeline.ts'
import { columnsRead, handedOn } from './shape.ts'

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

/** Each reason once; none: they never do. Of columns that no sink is told nothing hangs on. */
export function clockDependences({ sinks }: Pick<Pipeline, 'sinks'>): readonly string[] {
  const reasons = sinks.flatMap(({ input }) => {
    const { rows, columns } = clockOf(input)
    return [...rows, ...columns.values()]
  })
  return [...new Set(reasons)]
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
  collectColumns(expression, read)
  for (const index of read) reason ??= columns.get(index)
  return reason
}
