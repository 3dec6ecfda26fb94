/** OVER: which rows before a row an aggregate is of, and the nodes that compute it. */
import { aggregateText } from '../../plan/expression-text.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import { overNamed, overNames } from '../../plan/functions/registry.ts'
import { type OverAggregate, type PlanNode, type SortKey, schemaOf } from '../../plan/nodes.ts'
import { timeDomainOf } from '../../plan/time-attributes.ts'
import type { OverFrame } from '../../plan/windows.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import { suggestion } from '../suggest.ts'
import type {
  CallSyntax,
  ExpressionSyntax,
  FrameBound,
  FrameSyntax,
  Identifier,
  OrderItem,
  OverSyntax,
} from '../syntax.ts'
import { castTo, requireBoolean } from './bind-expression.ts'
import { eachOnce } from './each-once.ts'
import { insteadOf } from './instead.ts'
import { userState } from './user-state.ts'

export interface BoundOver {
  readonly call: AggregateCall
  readonly partition: readonly Expression[]
  readonly order: readonly SortKey[]
  readonly frame: OverFrame
}

type Bind = (syntax: ExpressionSyntax) => Expression

/** An expression with columns that were computed beside its rows in their places. */
export type Placed = (expression: Expression) => Expression

export type NamedWindows = readonly { readonly name: Identifier; readonly over: OverSyntax }[]

/** `bind` gives an expression over the rows. @throws SqlError */
export function bindOver(
  call: CallSyntax,
  at: Place,
  windows: NamedWindows,
  bind: Bind,
): BoundOver {
  const over = resolved(call.over!, windows)
  const bound = boundCall(call, at, bind)
  const isNumbering = WHOLE_PARTITION.has(bound.function)
  if (over.order.length === 0) {
    throw new SqlError('SQL_UNSUPPORTED', over.at, {
      message: 'OVER without ORDER BY is not supported: of a stream not all rows are there',
      hint: 'write which rows stand before a row: OVER (PARTITION BY a ORDER BY ts)',
    })
  }
  return {
    call: bound,
    partition: over.partition.map(bind),
    order: over.order.map((item) => sortKeyOf(item, bind(item.expression))),
    frame: isNumbering ? { kind: 'rows' } : frameOf(over.frame, bind),
  }
}

/** What they give hangs on a row's place alone: a frame says nothing. */
const WHOLE_PARTITION: ReadonlySet<string> = new Set([
  'ROW_NUMBER',
  'RANK',
  'DENSE_RANK',
  'LAG',
  'LEAD',
])

export function sortKeyOf({ descending, nullsFirst }: OrderItem, expression: Expression): SortKey {
  // Flink's default: NULL is smaller than all values.
  return { expression, descending, nullsFirst: nullsFirst ?? !descending }
}

function resolved(over: OverSyntax, windows: NamedWindows): OverSyntax {
  if (over.name === undefined) return over
  const { name, at } = over.name
  const found = windows.find((window) => window.name.name === name)
  if (found === undefined) {
    const names = windows.map((window) => window.name.name)
    throw new SqlError('SQL_WINDOW_INVALID', at, {
      message: `there is no window \`${name}\``,
      hint:
        names.length === 0
          ? `write what it is: WINDOW ${name} AS (PARTITION BY a ORDER BY ts)`
          : suggestion(name, names, 'windows'),
      facts: { window: name },
    })
  }
  const base = resolved(found.over, windows)
  const frame = over.frame ?? base.frame
  return {
    partition: over.partition.length > 0 ? over.partition : base.partition,
    order: over.order.length > 0 ? over.order : base.order,
    ...(frame && { frame }),
    at: over.at,
  }
}

function boundCall(call: CallSyntax, at: Place, bind: Bind): AggregateCall {
  const signature = overNamed(call.name.name)
  if (signature === undefined) {
    throw new SqlError('SQL_FUNCTION_UNKNOWN', call.name.at, {
      message: `there is no function ${call.name.name.toUpperCase()} to stand with OVER`,
      hint:
        insteadOf(call.name.name.toUpperCase()) ??
        suggestion(call.name.name.toUpperCase(), overNames(), 'functions'),
      facts: { function: call.name.name },
    })
  }
  const args = call.args.map(bind)
  const found = signature.resolve(
    args.map(({ type }) => type),
    args.map((arg) => (arg.kind === 'literal' ? arg.value : undefined)),
  )
  if (typeof found === 'string')
    throw new SqlError('SQL_TYPE_MISMATCH', at, { message: found, hint: signature.summary })
  const filter =
    call.filter === undefined ? undefined : requireBoolean(bind(call.filter), call.filter.at)
  return {
    function: signature.name,
    args: args.map((arg, index) => castTo(arg, found.args[index]!, at)),
    distinct: call.distinct,
    type: found.type,
    ...(filter === undefined ? {} : { filter }),
    ...userState(call, at),
  }
}

function frameOf(frame: FrameSyntax | undefined, bind: Bind): OverFrame {
  if (frame === undefined) return { kind: 'range' }
  const { unit, start, end } = frame
  if (end.kind !== 'current')
    throw invalid(end, 'a frame ends with the current row: later rows are not there yet')
  if (start.kind === 'following') throw invalid(start, 'a frame does not begin behind its end')
  if (start.kind === 'current') return { kind: unit, preceding: 0 }
  if (start.distance === undefined) return { kind: unit }
  return { kind: unit, preceding: distanceOf(start, unit, bind) }
}

function distanceOf(bound: FrameBound, unit: OverFrame['kind'], bind: Bind): number {
  const distance = bind(bound.distance!)
  const isLiteral = distance.kind === 'literal' && distance.value !== null
  const isInterval = distance.type.kind === 'interval_day_second'
  const value = isLiteral ? Number(distance.value) : Number.NaN
  const fits = unit === 'range' ? isInterval : !isInterval && Number.isInteger(value)
  if (fits && value >= 0) return value
  throw invalid(
    bound,
    unit === 'rows' ? 'ROWS are counted by a whole number' : 'RANGE is told by an interval of time',
  )
}

function invalid({ at }: FrameBound, message: string): SqlError {
  return new SqlError('SQL_WINDOW_INVALID', at, {
    message,
    hint: "write ROWS BETWEEN 10 PRECEDING AND CURRENT ROW, RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW, or UNBOUNDED PRECEDING",
  })
}

const RANKS: ReadonlySet<string> = new Set(['ROW_NUMBER', 'RANK', 'DENSE_RANK'])

interface LateCall {
  readonly index: number
  readonly over: BoundOver
}

/** `node` with a column for each call, which `places` is told; calls over the same rows are one node. */
export function attachOver(
  node: PlanNode,
  calls: readonly LateCall[],
  places: Map<number, Expression>,
  placed: Placed,
): PlanNode {
  const groups = new Map<string, LateCall[]>()
  for (const late of calls) {
    const { partition, order, frame } = late.over
    const key = JSON.stringify([partition, order, frame])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [late])
    else group.push(late)
  }
  let rows = node
  // Numbers come last: a filter on them makes a top-N of the rows beneath.
  const isNumber = (group: readonly LateCall[]): boolean =>
    RANKS.has(group[0]!.over.call.function) && group.length === 1
  const ordered = [...groups.values()].sort((a, b) => Number(isNumber(a)) - Number(isNumber(b)))
  for (const group of ordered) rows = overNode(rows, group, places, placed)
  return rows
}

function overNode(
  input: PlanNode,
  group: readonly LateCall[],
  places: Map<number, Expression>,
  placed: Placed,
): OverAggregate {
  const { partition, order, frame } = group[0]!.over
  const aggregates = eachOnce<AggregateCall>()
  for (const { index, over } of group) {
    const { filter } = over.call
    const call: AggregateCall = {
      ...over.call,
      args: over.call.args.map(placed),
      ...(filter === undefined ? {} : { filter: placed(filter) }),
    }
    const column = schemaOf(input).length + aggregates.numberOf(call)
    places.set(index, { kind: 'column', index: column, type: call.type })
  }
  const keys = order.map((key) => ({ ...key, expression: placed(key.expression) }))
  return {
    kind: 'over-aggregate',
    input,
    partition: partition.map(placed),
    order: keys,
    ...timeOf(input, keys[0]),
    frame,
    aggregates: aggregates.all,
    schema: withAggregates(input, aggregates.all),
  }
}

/** Only rows that come in order of time are done when time has passed them. */
function timeOf(
  input: PlanNode,
  key: SortKey | undefined,
): Pick<OverAggregate, 'time' | 'timeDomain'> {
  if (key === undefined || key.descending || key.expression.kind !== 'column') return {}
  const time = key.expression.index
  const timeDomain = timeDomainOf(input, time)
  if (timeDomain === undefined) return {}
  return timeDomain === 'event' ? { time } : { time, timeDomain }
}

function withAggregates(input: PlanNode, aggregates: readonly AggregateCall[]) {
  const schema = [...schemaOf(input)]
  for (const call of aggregates) {
    const text = aggregateText(call, schemaOf(input))
    let name = text
    for (let count = 0; schema.some((field) => field.name === name); count++)
      name = `${text}${count}`
    schema.push({ name, type: call.type })
  }
  return schema
}
