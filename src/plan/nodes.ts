/**
 * A query as data: immutable, JSON all the way down, the same from SQL and from the typed API. It executes nothing.
 *
 * Subtrees that are equal (by their JSON) are run once: two sinks over one source read it once.
 */
import type { Field, Schema } from '../data/types.ts'
import type { AskedCall } from './asked-calls.ts'
import type { AggregateCall, Expression, LiteralValue } from './expressions.ts'
import type { MatchedPattern } from './patterns.ts'
import type { ProcessCall } from './process.ts'
import type { SinkChecks } from './sink-checks.ts'
import type { TableDefinition } from './tables.ts'
import type { OverFrame, TimeDomain, Window, WindowColumns, WindowEmit } from './windows.ts'

export type PlanNode =
  | Scan
  | Values
  | WatermarkAssigner
  | Filter
  | Project
  | WindowTable
  | WindowAggregate
  | WindowRank
  | WindowJoin
  | GroupAggregate
  | OverAggregate
  | Rank
  | Deduplicate
  | Join
  | IntervalJoin
  | TemporalJoin
  | Correlate
  | Process
  | AsyncCall
  | Expand
  | MatchRecognize
  | ChangelogNormalize
  | UnionAll
  | TemporalSort
  | Sort

/** Reads a table. `schema` holds the physical and metadata columns that are used, in the table's order. */
export interface Scan {
  readonly kind: 'scan'
  readonly table: TableDefinition
  readonly schema: Schema
  /** How its rows change, by its connector: taken back in full, or by their primary key alone. Absent: they only come. */
  readonly changes?: 'retract' | 'upsert'
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

/**
 * A window table function alone: each row once a window that it belongs to, with window_start, window_end, window_time appended.
 * A session's rows come out when it closes. `window` is not 'attached'. `timeDomain` absent: event.
 */
export interface WindowTable {
  readonly kind: 'window-table'
  readonly input: PlanNode
  readonly window: Window
  readonly time: number
  readonly timeDomain?: TimeDomain
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
  readonly timeDomain?: TimeDomain
  readonly keys: readonly Expression[]
  readonly aggregates: readonly AggregateCall[]
  /** Absent: each window is told once, and what comes behind is late. */
  readonly emit?: WindowEmit
  readonly schema: Schema
}

/** GROUP BY without a window: a changelog. Output: keys, aggregates. No keys: one row, from the first input on. SELECT DISTINCT: no aggregates. */
export interface GroupAggregate {
  readonly kind: 'group-aggregate'
  readonly input: PlanNode
  readonly keys: readonly Expression[]
  readonly aggregates: readonly AggregateCall[]
  /** STATE_TTL: µs for which a group is kept since it was last written; absent = for ever. */
  readonly ttlUs?: number
  readonly schema: Schema
}

/**
 * OVER: each row of the input with aggregates over the rows before it in its partition appended. All calls share one frame.
 * Ordered by a time attribute it fires with the watermark; by other columns its rows are updated as rows come between.
 */
export interface OverAggregate {
  readonly kind: 'over-aggregate'
  readonly input: PlanNode
  readonly partition: readonly Expression[]
  readonly order: readonly SortKey[]
  /** Column of the input that `order` begins with, where that is a time attribute. */
  readonly time?: number
  readonly timeDomain?: TimeDomain
  readonly frame: OverFrame
  /** Besides the aggregates: ROW_NUMBER, RANK, DENSE_RANK, LAG, LEAD, FIRST_VALUE, LAST_VALUE ... */
  readonly aggregates: readonly AggregateCall[]
  readonly schema: Schema
}

/**
 * Top-N: the rows whose number in their partition's order lies in [from, to], as a changelog. Without `partition`: of all rows;
 * without `order`: in order of arrival (LIMIT). Columns: the input's, then the number as BIGINT if `outputsNumber`.
 */
export interface Rank {
  readonly kind: 'rank'
  readonly input: PlanNode
  readonly function: 'ROW_NUMBER' | 'RANK' | 'DENSE_RANK'
  readonly partition: readonly Expression[]
  readonly order: readonly SortKey[]
  /** From 1. */
  readonly from: number
  /** A number, or a column of the input that gives it. */
  readonly to: number | { readonly column: number }
  readonly outputsNumber: boolean
  readonly schema: Schema
}

/** ROW_NUMBER() = 1 ordered by a time attribute alone: the first row of each partition (append-only if it arrives so), or the last. */
export interface Deduplicate {
  readonly kind: 'deduplicate'
  readonly input: PlanNode
  readonly partition: readonly Expression[]
  readonly time: number
  readonly timeDomain?: TimeDomain
  readonly keep: 'first' | 'last'
}

/** Top-N within windows that rows already bear: given once, when the watermark closes the window. */
export interface WindowRank {
  readonly kind: 'window-rank'
  readonly input: PlanNode
  readonly window: WindowColumns
  readonly timeDomain?: TimeDomain
  readonly function: Rank['function']
  /** Without the window's columns. */
  readonly partition: readonly Expression[]
  readonly order: readonly SortKey[]
  readonly from: number
  readonly to: number
  readonly outputsNumber: boolean
  readonly schema: Schema
}

export type JoinType = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti'

/** What all joins of two inputs share. */
interface TwoInputs {
  readonly type: JoinType
  readonly left: PlanNode
  readonly right: PlanNode
  /** Equal pairs, of one type: `leftKeys[i]` over left's columns, `rightKeys[i]` over right's. NULL equals nothing. */
  readonly leftKeys: readonly Expression[]
  readonly rightKeys: readonly Expression[]
  /** What else must hold, over left's columns, then right's. */
  readonly condition?: Expression
  /** Left's columns, then right's (nullable where outer); semi and anti: left's alone. */
  readonly schema: Schema
}

/** Of all rows there have been on either side, as a changelog. */
export interface Join extends TwoInputs {
  readonly kind: 'join'
  /** STATE_TTL: µs for which a side's rows are kept since they were last written; absent = for ever. */
  readonly leftTtlUs?: number
  readonly rightTtlUs?: number
}

/** Append-only rows with rightTime + lowerUs <= leftTime <= rightTime + upperUs; times are columns of their side. */
export interface IntervalJoin extends TwoInputs {
  readonly kind: 'interval-join'
  readonly leftTime: number
  readonly rightTime: number
  readonly timeDomain?: TimeDomain
  readonly lowerUs: number
  readonly upperUs: number
}

/**
 * FOR SYSTEM_TIME AS OF leftTime: each left row with the version of the right row that was valid then. `type`: inner or left;
 * the right side's key is `rightKeys`. Left rows wait for the watermark of both sides.
 */
export interface TemporalJoin extends TwoInputs {
  readonly kind: 'temporal-join'
  readonly leftTime: number
  /** Absent in the processing domain: the latest version. */
  readonly rightTime?: number
  readonly timeDomain?: TimeDomain
}

/** Rows of equal windows (and keys), when the watermark closes the window. */
export interface WindowJoin extends TwoInputs {
  readonly kind: 'window-join'
  readonly leftWindow: WindowColumns
  readonly rightWindow: WindowColumns
  readonly timeDomain?: TimeDomain
}

/**
 * Each row with the rows that a table function makes of it (CROSS JOIN UNNEST, LATERAL TABLE). 'left': with NULLs where it makes
 * none. Columns: the input's, then the function's. `condition` (LEFT JOIN ... ON) is over both.
 */
export interface Correlate {
  readonly kind: 'correlate'
  readonly input: PlanNode
  readonly type: 'inner' | 'left'
  /** UNNEST, UNNEST_WITH_ORDINALITY, REPLICATE_ROWS(count, columns ...), or a table function's name. */
  readonly function: string
  readonly args: readonly Expression[]
  readonly condition?: Expression
  readonly schema: Schema
}

/** A process table function: append-only in and out. Columns: the partition's, the function's, then the time, if there is `time`. */
export interface Process extends ProcessCall {
  readonly kind: 'process'
  readonly input: PlanNode
  readonly schema: Schema
}

/** Each row with what a user's asynchronous function gives for it, or a table. Columns: the input's, then the result. */
export interface AsyncCall extends AskedCall {
  readonly kind: 'async-call'
  readonly input: PlanNode
  readonly schema: Schema
}

/** Each row once a projection: GROUPING SETS, CUBE, ROLLUP. */
export interface Expand {
  readonly kind: 'expand'
  readonly input: PlanNode
  readonly projections: readonly (readonly Expression[])[]
  readonly schema: Schema
}

/**
 * MATCH_RECOGNIZE: rows of a partition, in order, that together fit a pattern. Append-only in and out. Columns: the partition's, then
 * the measures; with all rows of a match, columns of the input before and behind the measures.
 */
export interface MatchRecognize extends MatchedPattern {
  readonly kind: 'match-recognize'
  readonly input: PlanNode
  readonly partition: readonly Expression[]
  /** The first is the time attribute, ascending. */
  readonly order: readonly SortKey[]
  readonly schema: Schema
}

/** An upsert stream (+U, -D by key) made a changelog: +I, -U, +U, -D; of `eachVersion`, or of what a batch leaves. No repeated rows. */
export interface ChangelogNormalize {
  readonly kind: 'changelog-normalize'
  readonly input: PlanNode
  readonly keys: readonly number[]
  readonly eachVersion?: true
}

/** ORDER BY an ascending time attribute (then others) of append-only rows: each comes out when the watermark has passed it. */
export interface TemporalSort {
  readonly kind: 'temporal-sort'
  readonly input: PlanNode
  readonly time: number
  readonly timeDomain?: TimeDomain
  readonly keys: readonly SortKey[]
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
  /** Absent: a NULL in a column that is NOT NULL is an error, and nothing else is looked at. */
  readonly checks?: SinkChecks
  /** Rows of one primary key may come from several keys of the changelog: the sink keeps them all, to know which is left. */
  readonly materializes?: true
}

/** The columns that `node` gives. */
export function schemaOf(node: PlanNode): readonly Field[] {
  switch (node.kind) {
    case 'watermark-assigner':
    case 'filter':
    case 'deduplicate':
    case 'changelog-normalize':
    case 'temporal-sort':
    case 'sort':
      return schemaOf(node.input)
    default:
      return node.schema
  }
}
