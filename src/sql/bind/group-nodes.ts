/** GROUP BY as a node: of windows where it groups by one, else a changelog. */
import type { Field, Schema } from '../../data/types.ts'
import { collectColumns, mapAggregate, mapColumns } from '../../plan/columns.ts'
import { conjunctsOf } from '../../plan/conjuncts.ts'
import { aggregateText, expressionText } from '../../plan/expression-text.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import { type PlanNode, type Project, schemaOf, type WindowAggregate } from '../../plan/nodes.ts'
import { traitsOf } from '../../plan/traits.ts'
import {
  carriedWindows,
  WINDOW_COLUMNS,
  windowColumn,
  windowSpec,
} from '../../plan/window-columns.ts'
import type { TimeDomain, Window } from '../../plan/windows.ts'

interface Unwindowed {
  readonly node: PlanNode
  /** Old column to new; window columns have none. */
  readonly places: ReadonlyMap<number, number>
  /** The column of event time. */
  readonly time: number
  /** Over `node`. */
  readonly window: Window
}

/** `node` without its window table function; undefined if something in between computes with a window's columns. */
function withoutWindow(node: PlanNode): Unwindowed | undefined {
  if (node.kind === 'window-table') {
    const places = new Map(schemaOf(node.input).map((_, index) => [index, index]))
    return { node: node.input, places, time: node.time, window: node.window }
  }
  if (node.kind === 'filter') {
    const beneath = withoutWindow(node.input)
    // A session is of all rows, those that are taken away behind it too.
    if (beneath === undefined || beneath.window.kind === 'session') return undefined
    const condition = moved(node.condition, beneath.places)
    if (condition === undefined) return undefined
    return { ...beneath, node: { kind: 'filter', input: beneath.node, condition } }
  }
  return node.kind === 'project' ? projectWithoutWindow(node) : undefined
}

function projectWithoutWindow(node: Project): Unwindowed | undefined {
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
  // What the window needs is kept beside what was selected.
  const keep = (expression: Expression, name: string): number => {
    const text = JSON.stringify(expression)
    const known = expressions.findIndex((each) => JSON.stringify(each) === text)
    if (known >= 0) return known
    schema.push({ name, type: expression.type })
    return expressions.push(expression) - 1
  }
  const { type } = schemaOf(beneath.node)[beneath.time]!
  const time = keep({ kind: 'column', index: beneath.time, type }, '$time')
  const { window } = beneath
  const kept: Window =
    window.kind === 'session'
      ? {
          ...window,
          partition: window.partition.map((key, number): Expression => {
            return { kind: 'column', index: keep(key, `$session${number}`), type: key.type }
          }),
        }
      : window
  return {
    node: { kind: 'project', input: beneath.node, expressions, schema },
    places,
    time,
    window: kept,
  }
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
  return (
    windowAggregate(input, keys, aggregates) ??
    attachedAggregate(input, keys, aggregates) ??
    groupAggregate(input, keys, aggregates)
  )
}

/** Each row of `node` once. */
export function distinctNode(node: PlanNode): PlanNode {
  const schema = schemaOf(node)
  const keys = schema.map(({ type }, index): Expression => ({ kind: 'column', index, type }))
  const aggregated = aggregateNode(node, keys, [])
  return aggregated.kind === 'group-aggregate' ? { ...aggregated, schema } : aggregated
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
  const { origin } = found[0]!
  if (beneath === undefined || found.some((column) => column.origin !== origin)) return undefined
  const own = keys.filter((_, index) => columns[index] === undefined)
  const ownKeys = own.map((key) => moved(key, beneath.places))
  const calls = aggregates.map((call) => movedCall(call, beneath.places))
  if (ownKeys.includes(undefined) || calls.includes(undefined)) return undefined
  const { window } = beneath
  // Sessions of other keys than the groups' end at other times.
  if (window.kind === 'session' && !sameSet(window.partition, ownKeys as Expression[]))
    return undefined
  const schema = [
    ...groupFields(ownKeys as Expression[], calls as AggregateCall[], schemaOf(beneath.node)),
    ...origin.schema.slice(-WINDOW_COLUMNS),
  ]
  const node: WindowAggregate = {
    kind: 'window-aggregate',
    input: beneath.node,
    window,
    time: beneath.time,
    ...domainOf(origin.timeDomain),
    keys: ownKeys as Expression[],
    aggregates: calls as AggregateCall[],
    schema,
  }
  const which = columns.map((column) => column?.which)
  return inKeyOrder(node, filteredWindows(node, ofWindow), which, aggregates.length)
}

function domainOf(timeDomain: TimeDomain | undefined): { readonly timeDomain?: TimeDomain } {
  return timeDomain === 'processing' ? { timeDomain } : {}
}

function sameSet(left: readonly Expression[], right: readonly Expression[]): boolean {
  const texts = (all: readonly Expression[]) => [
    ...new Set(all.map((each) => JSON.stringify(each))),
  ]
  const [a, b] = [texts(left), texts(right)]
  return a.length === b.length && a.every((text) => b.includes(text))
}

/** Rows bear their window from further below: a window rank or join, another aggregate, or a window that something stands above. */
function attachedAggregate(
  input: PlanNode,
  keys: readonly Expression[],
  aggregates: readonly AggregateCall[],
): PlanNode | undefined {
  const [window] = carriedWindows(input, keys)
  // A session's rows come together, when it has closed: they are grouped as any rows are.
  if (window === undefined || windowSpec(window.origin).kind === 'session') return undefined
  if (traitsOf(input).changes === 'update') return undefined
  const columns = keys.map((key) =>
    key.kind === 'column' ? windowColumn(input, key.index) : undefined,
  )
  const which = columns.map((column) =>
    column?.origin === window.origin ? column.which : undefined,
  )
  const times = schemaOf(input).flatMap((_, index) => {
    const column = windowColumn(input, index)
    return column?.which === 2 && column.origin === window.origin ? [index] : []
  })
  const own = keys.filter((_, index) => which[index] === undefined)
  const schema = [
    ...groupFields(own, aggregates, schemaOf(input)),
    ...window.origin.schema.slice(-WINDOW_COLUMNS),
  ]
  const node: WindowAggregate = {
    kind: 'window-aggregate',
    input,
    window: { kind: 'attached', ...window.columns },
    time: times[0] ?? window.columns.end,
    ...domainOf(window.timeDomain),
    keys: own,
    aggregates,
    schema,
  }
  return inKeyOrder(node, node, which, aggregates.length)
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
  which: readonly (number | undefined)[],
  aggregateCount: number,
): PlanNode {
  const first = node.keys.length + aggregateCount
  let own = 0
  const order = [
    ...which.map((column) => (column === undefined ? own++ : first + column)),
    ...Array.from({ length: aggregateCount }, (_, index) => node.keys.length + index),
  ]
  return {
    kind: 'project',
    input,
    expressions: order.map((index) => ({ kind: 'column', index, type: node.schema[index]!.type })),
    schema: order.map((index) => node.schema[index]!),
  }
}
