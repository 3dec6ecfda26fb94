/**
 * A query as data: immutable, JSON all the way down, the same from SQL and from the typed API. It executes nothing.
 *
 * Subtrees that are equal (by their JSON) are run once: two sinks over one source read it once.
 */
import type { Field, Schema } from '../data/types.ts'
import { unreachable } from '../errors.ts'
import type { AggregateCall, Expression, LiteralValue } from './expressions.ts'
import type { TableDefinition } from './tables.ts'

export type PlanNode =
  | Scan
  | Values
  | WatermarkAssigner
  | Filter
  | Project
  | WindowTable
  | WindowAggregate
  | GroupAggregate
  | UnionAll
  | Sort

/** Reads a table. `schema` holds the physical and metadata columns that are used, in the table's order. */
export interface Scan {
  readonly kind: 'scan'
  readonly table: TableDefinition
  readonly schema: Schema
}

/** Rows that the query itself lists. */
export interface Values {
  readonly kind: 'values'
  readonly schema: Schema
  readonly rows: readonly (readonly LiteralValue[])[]
}

/**
 * Declares the event time. A split's watermark is the maximum of `watermark` over its row prefix; NULL counts as no value.
 * Stands above scans and the projection of computed columns, never above a filter: every row that was read moves it.
 */
export interface WatermarkAssigner {
  readonly kind: 'watermark-assigner'
  readonly input: PlanNode
  readonly rowtime: number
  readonly watermark: Expression
}

export interface Filter {
  readonly kind: 'filter'
  readonly input: PlanNode
  readonly condition: Expression
}

export interface Project {
  readonly kind: 'project'
  readonly input: PlanNode
  readonly expressions: readonly Expression[]
  readonly schema: Schema
}

export type Window =
  | { readonly kind: 'tumble'; readonly sizeUs: number; readonly offsetUs: number }
  /** `sizeUs` is a multiple of `slideUs`. */
  | {
      readonly kind: 'hop'
      readonly slideUs: number
      readonly sizeUs: number
      readonly offsetUs: number
    }

/** A window table function alone: each row once a window that it belongs to, with window_start, window_end, window_time appended. */
export interface WindowTable {
  readonly kind: 'window-table'
  readonly input: PlanNode
  readonly window: Window
  readonly time: number
  readonly schema: Schema
}

/**
 * GROUP BY keys, window_start, window_end over a window table function. Output: keys, aggregates, window_start, window_end, window_time.
 * A window fires when the watermark reaches its end - 1 ms; an input row is late for each of its windows that has fired.
 */
export interface WindowAggregate {
  readonly kind: 'window-aggregate'
  readonly input: PlanNode
  readonly window: Window
  /** Column of the input: timestamp or timestamp_ltz. */
  readonly time: number
  readonly keys: readonly Expression[]
  readonly aggregates: readonly AggregateCall[]
  readonly schema: Schema
}

/** GROUP BY without a window: a changelog. Output: keys, aggregates. No keys: one row, from the first input on. SELECT DISTINCT: no aggregates. */
export interface GroupAggregate {
  readonly kind: 'group-aggregate'
  readonly input: PlanNode
  readonly keys: readonly Expression[]
  readonly aggregates: readonly AggregateCall[]
  readonly schema: Schema
}

/** Inputs of equal schemas but for names and nullability. */
export interface UnionAll {
  readonly kind: 'union-all'
  readonly inputs: readonly PlanNode[]
  readonly schema: Schema
}

/** Bounded queries only: ORDER BY, LIMIT, OFFSET. Empty `keys` is a bare LIMIT. */
export interface Sort {
  readonly kind: 'sort'
  readonly input: PlanNode
  readonly keys: readonly SortKey[]
  readonly limit?: number
  readonly offset?: number
}

export interface SortKey {
  readonly expression: Expression
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** INSERT INTO: `input` has the sink table's persisted columns in its order, cast to its types. */
export interface SinkNode {
  readonly kind: 'sink'
  readonly table: TableDefinition
  readonly input: PlanNode
}

/** What runs as one unit, with one identity and one checkpoint line. */
export interface Pipeline {
  readonly name: string
  /** True when the name was derived, not SET 'pipeline.name'. */
  readonly nameIsDerived: boolean
  readonly settings: Readonly<Record<string, string>>
  readonly sinks: readonly SinkNode[]
}

/** The inputs of `node`, left to right. A new kind does not compile until it is listed here. */
export function inputsOf(node: PlanNode | SinkNode): readonly PlanNode[] {
  switch (node.kind) {
    case 'scan':
    case 'values':
      return []
    case 'watermark-assigner':
    case 'filter':
    case 'project':
    case 'window-table':
    case 'window-aggregate':
    case 'group-aggregate':
    case 'sort':
    case 'sink':
      return [node.input]
    case 'union-all':
      return node.inputs
    default:
      return unreachable(node)
  }
}

/** The columns that `node` gives. */
export function schemaOf(node: PlanNode): readonly Field[] {
  switch (node.kind) {
    case 'watermark-assigner':
    case 'filter':
    case 'sort':
      return schemaOf(node.input)
    default:
      return node.schema
  }
}
