/**
 * Where a result depends on the order in which rows come. Elsewhere any order in which no row is late gives the same tables: a watermark
 * says when time has passed, and what is told then follows from the rows alone.
 */
import { unreachable } from '../errors.ts'
import { visitCalls } from './columns.ts'
import { columnsIn, UNSTEADY } from './conjuncts.ts'
import type { AggregateCall, Expression } from './expressions.ts'
import { isUserFunction, userFunctionName } from './functions/user.ts'
import { inputsOf } from './inputs.ts'
import { type PlanNode, type SinkNode, type SortKey, schemaOf } from './nodes.ts'
import { timeDomainOf } from './time-attributes.ts'
import { traitsOf } from './traits.ts'

/** 'always', or only between rows that 'tie'. `because` goes on behind 'depends on it ...: '. */
export interface ArrivalDependence {
  readonly when: 'always' | 'ties'
  readonly because: string
}

const CLOCK_TOLD = always('PROCTIME is another one each time')

/** From the sources up, each once. */
export function arrivalDependences(root: PlanNode | SinkNode): readonly ArrivalDependence[] {
  const found = new Map<string, ArrivalDependence>()
  const visit = (node: PlanNode | SinkNode): void => {
    for (const input of inputsOf(node)) visit(input)
    for (const each of node.kind === 'sink' ? ofSink(node) : ofNode(node))
      found.set(each.because, each)
  }
  visit(root)
  const result = root.kind === 'sink' ? root.input : root
  if ([...schemaOf(result).keys()].some((column) => isOfClock(result, column)))
    found.set(CLOCK_TOLD.because, CLOCK_TOLD)
  return [...found.values()]
}

function ofNode(node: PlanNode): readonly ArrivalDependence[] {
  if ('timeDomain' in node && node.timeDomain === 'processing')
    return [always(`the clock, not the rows, is the time of ${NAMES[node.kind] ?? node.kind}`)]
  switch (node.kind) {
    case 'values':
    case 'window-table':
    case 'union-all':
    case 'interval-join':
    case 'window-join':
    case 'changelog-normalize':
    case 'temporal-sort':
      return []
    case 'scan':
      return node.changes === undefined
        ? []
        : [always(`changes of ${node.table.name} are what they are in their order`)]
    case 'watermark-assigner':
      return ofExpressions([node.watermark])
    case 'filter':
      return ofExpressions([node.condition])
    case 'project':
      return [
        ...ofExpressions(node.expressions.filter(isMoreThanTheClock)),
        ...(node.expressions.some((each) => readsClock(node.input, each)) ? [CLOCK_TOLD] : []),
      ]
    case 'expand':
      return ofExpressions(node.projections.flat())
    case 'correlate':
      return ofExpressions(node.args)
    case 'async-call': {
      const { lookup } = node
      const asked =
        lookup && always(`${lookup.table.name} is asked for the rows it has when a row comes`)
      return [...ofExpressions(node.args), ...(asked === undefined ? [] : [asked])]
    }
    case 'window-aggregate':
      return node.aggregates.flatMap(ofAggregate)
    case 'group-aggregate':
      return [...ofTtl(node.ttlUs), ...node.aggregates.flatMap(ofAggregate)]
    case 'over-aggregate':
      return ofOver(node)
    case 'rank':
      return ofRank(node, node.partition)
    case 'window-rank':
      return ofRank(node, [
        ...node.partition,
        columnOf(node.input, node.window.start),
        columnOf(node.input, node.window.end),
      ])
    case 'sort':
      return node.limit === undefined ? [] : ofTies(node.input, [], node.keys, 'the first rows')
    case 'deduplicate':
      return [ties(`the ${node.keep} of rows that have one ${nameOf(node.input, node.time)}`)]
    case 'match-recognize':
      return ofTies(node.input, node.partition, node.order, 'rows of a pattern')
    case 'join':
      return ofTtl(node.leftTtlUs ?? node.rightTtlUs)
    case 'temporal-join':
      return [ties('versions of a row that have one time')]
    case 'process':
      return [always(`${userFunctionName(node.function)} is given rows as they come`)]
    default:
      return unreachable(node)
  }
}

const NAMES: Partial<Record<PlanNode['kind'], string>> = {
  'window-table': 'windows',
  'window-aggregate': 'windows',
  'window-rank': 'windows',
  'window-join': 'windows',
  'over-aggregate': 'OVER',
  deduplicate: 'the first or last row',
  'interval-join': 'a join',
  'temporal-join': 'a join',
  'match-recognize': 'a pattern',
  'temporal-sort': 'ORDER BY',
}

function always(because: string): ArrivalDependence {
  return { when: 'always', because }
}

function ties(because: string): ArrivalDependence {
  return { when: 'ties', because }
}

function ofTtl(ttlUs: number | undefined): readonly ArrivalDependence[] {
  return ttlUs === undefined ? [] : [always('state is forgotten by the clock (STATE_TTL)')]
}

function ofExpressions(expressions: readonly Expression[]): readonly ArrivalDependence[] {
  const found: ArrivalDependence[] = []
  for (const expression of expressions) {
    visitCalls(expression, ({ function: name }) => {
      if (name === 'CURRENT_WATERMARK')
        found.push(always('CURRENT_WATERMARK is that of the rows before'))
      else if (UNSTEADY.has(name)) found.push(always(`${name} is another one each time`))
    })
  }
  return found
}

/** As a time attribute PROCTIME() says nothing by itself; who uses it does. */
function isMoreThanTheClock(expression: Expression): boolean {
  return !(expression.kind === 'call' && expression.function === 'PROCTIME')
}

function readsClock(input: PlanNode, expression: Expression): boolean {
  if (expression.kind === 'column') return false
  return [...columnsIn(expression)].some((column) => isOfClock(input, column))
}

function isOfClock(node: PlanNode, column: number): boolean {
  return timeDomainOf(node, column) === 'processing'
}

/** Those that tell rows in the order in which they came, or the first or last of them. */
const ORDERED: ReadonlySet<string> = new Set([
  'FIRST_VALUE',
  'LAST_VALUE',
  'LISTAGG',
  'ARRAY_AGG',
  'JSON_ARRAYAGG',
  'JSON_OBJECTAGG',
])

function ofAggregate(call: AggregateCall): readonly ArrivalDependence[] {
  const found = [...ofExpressions(call.args), ...ofExpressions(call.filter ? [call.filter] : [])]
  if (ORDERED.has(call.function))
    found.push(always(`${call.function} takes rows in the order in which they come`))
  if (isUserFunction(call.function))
    found.push(always(`${userFunctionName(call.function)} is given rows as they come`))
  return [...found, ...ofRounding(call)]
}

function ofRounding({ function: name, args }: AggregateCall): readonly ArrivalDependence[] {
  const kind = args[0]?.type.kind
  if ((kind !== 'double' && kind !== 'float') || !/^(SUM|AVG|STDDEV|VAR)/.test(name)) return []
  return [always(`${name} of ${kind.toUpperCase()} rounds in the order in which rows come`)]
}

/** By value or by time, rows have an order of their own; but rows that tie in it. */
function ofOver(node: Extract<PlanNode, { kind: 'over-aggregate' }>): readonly ArrivalDependence[] {
  const isByRow = (call: AggregateCall): boolean =>
    ORDERED.has(call.function) ||
    isUserFunction(call.function) ||
    /^(ROW_NUMBER|LAG|LEAD)$/.test(call.function) ||
    (node.frame.kind === 'rows' && !/^(RANK|DENSE_RANK)$/.test(call.function))
  const names = node.aggregates
    .filter(isByRow)
    .map((call) =>
      isUserFunction(call.function) ? userFunctionName(call.function) : call.function,
    )
  return [
    ...node.aggregates.flatMap(ofRounding),
    ...(names.length === 0
      ? []
      : ofTies(node.input, node.partition, node.order, [...new Set(names)].join(', '))),
  ]
}

function ofRank(
  node: Extract<PlanNode, { kind: 'rank' | 'window-rank' }>,
  partition: readonly Expression[],
): readonly ArrivalDependence[] {
  if (typeof node.to !== 'number' && !reads(partition, node.to.column))
    return [always('how many rows there are is told by whichever came first')]
  if (node.function !== 'ROW_NUMBER') return []
  return ofTies(node.input, partition, node.order, 'the first rows')
}

/** None where the order, with the partition, names a row, or all of it. */
function ofTies(
  input: PlanNode,
  partition: readonly Expression[],
  order: readonly SortKey[],
  what: string,
): readonly ArrivalDependence[] {
  const keys = order.map(({ expression }) => expression)
  const ordered = [...partition, ...keys]
  const { upsertKey } = traitsOf(input)
  const names = upsertKey ?? [...schemaOf(input).keys()]
  if (names.length > 0 && names.every((column) => reads(ordered, column))) return []
  const by = keys.map((key) => (key.kind === 'column' ? nameOf(input, key.index) : 'an expression'))
  if (by.length === 0) return [always(`${what} are those that come first`)]
  return [ties(`${what}, of rows that have one ${by.join(' and ')}`)]
}

function reads(expressions: readonly Expression[], column: number): boolean {
  return expressions.some((each) => each.kind === 'column' && each.index === column)
}

function nameOf(node: PlanNode, column: number): string {
  return schemaOf(node)[column]!.name
}

function columnOf(node: PlanNode, index: number): Expression {
  return { kind: 'column', index, type: schemaOf(node)[index]!.type }
}

/** Rows of one key, by the sink, that are of several by the query: the last to come stays. */
function ofSink({ table, input }: SinkNode): readonly ArrivalDependence[] {
  const { primaryKey = [] } = table
  if (primaryKey.length === 0) return []
  const schema = schemaOf(input)
  const { upsertKey } = traitsOf(input)
  const isNamed = upsertKey?.every((column) => primaryKey.includes(schema[column]!.name))
  if (isNamed && upsertKey!.length > 0) return []
  return [always(`of rows that ${table.name} has under one key, the last to come stays`)]
}
