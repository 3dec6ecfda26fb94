/** Window table functions, and the GROUP BYs over them that are window aggregates. */
import { type Field, type Schema, types, withNullability } from '../../data/types.ts'
import { collectColumns, mapAggregate, mapColumns } from '../../plan/columns.ts'
import { aggregateText, expressionText } from '../../plan/expression-text.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import {
  type PlanNode,
  schemaOf,
  type Window,
  type WindowAggregate,
  type WindowTable,
} from '../../plan/nodes.ts'
import { timeAttributesOf } from '../../plan/time-attributes.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { ExpressionSyntax, WindowSyntax } from '../syntax.ts'
import { bindExpression } from './bind-expression.ts'
import { type Relation, resolveReference } from './scope.ts'

const WINDOW_COLUMNS = 3

/** @throws SQL_WINDOW_INVALID */
export function bindWindow(input: Relation, syntax: WindowSyntax, at: Place): Relation {
  const time = resolveReference(input, [syntax.time])
  if (time.kind !== 'column' || !timeAttributesOf(input.node).has(time.index)) {
    throw new SqlError('SQL_WINDOW_INVALID', syntax.time.at, {
      message: `\`${syntax.time.name}\` is no event time: no watermark follows it`,
      hint: `declare it in CREATE TABLE: WATERMARK FOR ${syntax.time.name} AS ${syntax.time.name} - INTERVAL '5' SECOND`,
    })
  }
  const window = windowOf(syntax, at)
  const schema = [...schemaOf(input.node), ...windowFields(time)]
  const node: WindowTable = {
    kind: 'window-table',
    input: input.node,
    window,
    time: time.index,
    schema,
  }
  const added = schema.slice(-WINDOW_COLUMNS).map(({ name }) => ({ name }))
  return { node, columns: [...input.columns, ...added] }
}

function windowFields(time: Expression): Schema {
  const bound: Field['type'] = withNullability(types.timestamp(3), false)
  return [
    { name: 'window_start', type: bound },
    { name: 'window_end', type: bound },
    { name: 'window_time', type: withNullability(time.type, false) },
  ]
}

function windowOf(syntax: WindowSyntax, at: Place): Window {
  const sizeUs = intervalUs(syntax.size, 'size')
  const offsetUs = syntax.offset === undefined ? 0 : intervalUs(syntax.offset, 'offset')
  if (sizeUs <= 0) throw invalid(syntax.size.at, 'a window has a size above zero', 'write INTERVAL')
  if (syntax.function === 'TUMBLE') return { kind: 'tumble', sizeUs, offsetUs }
  const slideUs = syntax.slide === undefined ? sizeUs : intervalUs(syntax.slide, 'slide')
  if (slideUs <= 0 || sizeUs % slideUs !== 0) {
    throw invalid(
      syntax.slide?.at ?? at,
      'the size of HOP windows is a multiple of their slide',
      "HOP(TABLE t, DESCRIPTOR(ts), slide, size): the slide comes first, as INTERVAL '2' SECOND, INTERVAL '10' SECOND",
    )
  }
  return { kind: 'hop', slideUs, sizeUs, offsetUs }
}

function intervalUs(syntax: ExpressionSyntax, what: string): number {
  const empty: Relation = { node: { kind: 'values', schema: [], rows: [] }, columns: [] }
  const bound = bindExpression(syntax, { relation: empty })
  if (bound.kind === 'literal' && bound.type.kind === 'interval_day_second')
    return Number(bound.value)
  throw invalid(
    syntax.at,
    `the ${what} of a window is an interval of days to seconds, not ${typeText(bound.type)}`,
    "write INTERVAL '1' MINUTE",
  )
}

function invalid(at: Place, message: string, hint: string): SqlError {
  return new SqlError('SQL_WINDOW_INVALID', at, { message, hint })
}

interface WindowColumn {
  readonly table: WindowTable
  /** 0 window_start, 1 window_end, 2 window_time. */
  readonly which: number
}

/** Where column `index` of `node` comes from, if it is a window's column carried through. */
function windowColumn(node: PlanNode, index: number): WindowColumn | undefined {
  switch (node.kind) {
    case 'window-table': {
      const which = index - (node.schema.length - WINDOW_COLUMNS)
      return which >= 0 ? { table: node, which } : undefined
    }
    case 'filter':
      return windowColumn(node.input, index)
    case 'project': {
      const expression = node.expressions[index]!
      return expression.kind === 'column' ? windowColumn(node.input, expression.index) : undefined
    }
    default:
      return undefined
  }
}

interface Unwindowed {
  readonly node: PlanNode
  /** Old column to new; window columns have none. */
  readonly places: ReadonlyMap<number, number>
  /** The column of event time. */
  readonly time: number
}

/** `node` without its window table function; undefined if something in between computes with a window's columns. */
function withoutWindow(node: PlanNode): Unwindowed | undefined {
  if (node.kind === 'window-table') {
    const places = new Map(schemaOf(node.input).map((_, index) => [index, index]))
    return { node: node.input, places, time: node.time }
  }
  if (node.kind === 'filter') {
    const beneath = withoutWindow(node.input)
    const condition = beneath && moved(node.condition, beneath.places)
    if (beneath === undefined || condition === undefined) return undefined
    return { ...beneath, node: { kind: 'filter', input: beneath.node, condition } }
  }
  if (node.kind !== 'project') return undefined
  const beneath = withoutWindow(node.input)
  if (beneath === undefined) return undefined
  const places = new Map<number, number>()
  const expressions: Expression[] = []
  const schema: Field[] = []
  for (const [index, expression] of node.expressions.entries()) {
    if (windowColumn(node, index) !== undefined) continue
    const at = moved(expression, beneath.places)
    if (at === undefined) return undefined
    places.set(index, expressions.push(at) - 1)
    schema.push(node.schema[index]!)
  }
  const kept = expressions.findIndex(
    (expression) => expression.kind === 'column' && expression.index === beneath.time,
  )
  if (kept >= 0) {
    const node: PlanNode = { kind: 'project', input: beneath.node, expressions, schema }
    return { node, places, time: kept }
  }
  const timeField = schemaOf(beneath.node)[beneath.time]!
  const time = expressions.push({ kind: 'column', index: beneath.time, type: timeField.type }) - 1
  schema.push({ name: '$time', type: timeField.type })
  return { node: { kind: 'project', input: beneath.node, expressions, schema }, places, time }
}

function moved(
  expression: Expression,
  places: ReadonlyMap<number, number>,
): Expression | undefined {
  let isWhole = true
  const result = mapColumns(expression, (column) => {
    const index = places.get(column.index)
    if (index === undefined) isWhole = false
    return { ...column, index: index ?? 0 }
  })
  return isWhole ? result : undefined
}

/** A GROUP BY as a node whose columns are its keys, in order, then its aggregates. */
export function aggregateNode(
  input: PlanNode,
  keys: readonly Expression[],
  aggregates: readonly AggregateCall[],
): PlanNode {
  return windowAggregate(input, keys, aggregates) ?? groupAggregate(input, keys, aggregates)
}

/** Columns keep their names, others are named by what they compute. */
function groupFields(
  keys: readonly Expression[],
  aggregates: readonly AggregateCall[],
  input: Schema,
): Field[] {
  const taken = new Set<string>()
  const unique = (name: string, type: Field['type']): Field => {
    let free = name
    for (let count = 0; taken.has(free); count++) free = `${name}${count}`
    taken.add(free)
    return { name: free, type }
  }
  return [
    ...keys.map((key) => unique(expressionText(key, input), key.type)),
    ...aggregates.map((call) => unique(aggregateText(call, input), call.type)),
  ]
}

function groupAggregate(
  input: PlanNode,
  keys: readonly Expression[],
  aggregates: readonly AggregateCall[],
): PlanNode {
  const schema = groupFields(keys, aggregates, schemaOf(input))
  return { kind: 'group-aggregate', input, keys, aggregates, schema }
}

/** Only if both window_start and window_end of one window are among the keys, as in Flink. */
function windowAggregate(
  input: PlanNode,
  keys: readonly Expression[],
  aggregates: readonly AggregateCall[],
): PlanNode | undefined {
  const columns = keys.map((key) =>
    key.kind === 'column' ? windowColumn(input, key.index) : undefined,
  )
  const found = columns.filter((column) => column !== undefined)
  if (![0, 1].every((wanted) => found.some(({ which }) => which === wanted))) return undefined
  const { node: kept, ofWindow } = withoutWindowConditions(input)
  const beneath = withoutWindow(kept)
  const window = found[0]!.table
  if (beneath === undefined || found.some(({ table }) => table !== window)) return undefined
  const own = keys.filter((_, index) => columns[index] === undefined)
  const ownKeys = own.map((key) => moved(key, beneath.places))
  const calls = aggregates.map((call) => movedCall(call, beneath.places))
  if (ownKeys.includes(undefined) || calls.includes(undefined)) return undefined
  const schema = [
    ...groupFields(ownKeys as Expression[], calls as AggregateCall[], schemaOf(beneath.node)),
    ...window.schema.slice(-WINDOW_COLUMNS),
  ]
  const node: WindowAggregate = {
    kind: 'window-aggregate',
    input: beneath.node,
    window: window.window,
    time: beneath.time,
    keys: ownKeys as Expression[],
    aggregates: calls as AggregateCall[],
    schema,
  }
  return inKeyOrder(node, filteredWindows(node, ofWindow), columns, aggregates.length)
}

function movedCall(
  call: AggregateCall,
  places: ReadonlyMap<number, number>,
): AggregateCall | undefined {
  let isWhole = true
  const result = mapAggregate(call, (column) => {
    const index = places.get(column.index)
    if (index === undefined) isWhole = false
    return { ...column, index: index ?? 0 }
  })
  return isWhole ? result : undefined
}

/** A condition on nothing but the window: `columns` says which of its columns each reads. */
interface WindowCondition {
  readonly condition: Expression
  /** Column of the condition's input to 0 window_start, 1 window_end, 2 window_time. */
  readonly columns: ReadonlyMap<number, number>
}

/** A group has one window: conditions on it hold as well for the group, and are taken from the filter on top. */
function withoutWindowConditions(node: PlanNode): {
  readonly node: PlanNode
  readonly ofWindow: readonly WindowCondition[]
} {
  if (node.kind !== 'filter') return { node, ofWindow: [] }
  const { input } = node
  const ofWindow: WindowCondition[] = []
  const others = conjunctsOf(node.condition).filter((condition) => {
    const columns = windowColumnsOf(condition, input)
    if (columns !== undefined) ofWindow.push({ condition, columns })
    return columns === undefined
  })
  const rest = others.reduce(
    (below: PlanNode, condition): PlanNode => ({ kind: 'filter', input: below, condition }),
    input,
  )
  return { node: ofWindow.length === 0 ? node : rest, ofWindow }
}

function conjunctsOf(condition: Expression): readonly Expression[] {
  const isAnd = condition.kind === 'call' && condition.function === 'AND'
  return isAnd ? condition.args.flatMap(conjunctsOf) : [condition]
}

/** undefined if `condition` reads anything else, or nothing. */
function windowColumnsOf(
  condition: Expression,
  input: PlanNode,
): ReadonlyMap<number, number> | undefined {
  const read = new Set<number>()
  collectColumns(condition, read)
  const columns = new Map<number, number>()
  for (const index of read) {
    const column = windowColumn(input, index)
    if (column !== undefined) columns.set(index, column.which)
  }
  return read.size > 0 && columns.size === read.size ? columns : undefined
}

function filteredWindows(node: WindowAggregate, conditions: readonly WindowCondition[]): PlanNode {
  const first = node.schema.length - WINDOW_COLUMNS
  return conditions.reduce((input: PlanNode, { condition, columns }): PlanNode => {
    const moved = mapColumns(condition, (column) => ({
      ...column,
      index: first + columns.get(column.index)!,
    }))
    return { kind: 'filter', input, condition: moved }
  }, node)
}

/** Window columns stand last in the node, and where they were written in the query. */
function inKeyOrder(
  node: WindowAggregate,
  input: PlanNode,
  columns: readonly (WindowColumn | undefined)[],
  aggregateCount: number,
): PlanNode {
  const first = node.keys.length + aggregateCount
  let own = 0
  const order = [
    ...columns.map((column) => (column === undefined ? own++ : first + column.which)),
    ...Array.from({ length: aggregateCount }, (_, index) => node.keys.length + index),
  ]
  return {
    kind: 'project',
    input,
    expressions: order.map((index) => ({ kind: 'column', index, type: node.schema[index]!.type })),
    schema: order.map((index) => node.schema[index]!),
  }
}
