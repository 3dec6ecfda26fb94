/** SQL as written: statements, queries and expressions with their places. Names are not looked up yet. */
import type { DataType } from '../data/types.ts'
import type { Place } from './place.ts'

export interface Identifier {
  readonly name: string
  readonly at: Place
}

/** `a`, `a.b` or `a.b.c`; the last part is the table. */
export interface QualifiedName {
  readonly parts: readonly Identifier[]
  readonly at: Place
}

export interface OptionSyntax {
  readonly key: string
  readonly keyAt: Place
  readonly value: string
  readonly valueAt: Place
}

export type LiteralSyntax =
  /** Digits with at most one point, no sign. */
  | { readonly kind: 'exact'; readonly text: string }
  /** With an exponent: DOUBLE. */
  | { readonly kind: 'approximate'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  /** Hexadecimal digits, an even number of them. */
  | { readonly kind: 'binary'; readonly digits: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'null' }
  | { readonly kind: 'date' | 'time' | 'timestamp' | 'timestamp_ltz'; readonly text: string }
  | {
      readonly kind: 'interval'
      readonly negative: boolean
      readonly text: string
      readonly from: TimeUnit
      readonly to?: TimeUnit
    }

export const TIME_UNITS = [
  'YEAR',
  'QUARTER',
  'MONTH',
  'WEEK',
  'DAY',
  'HOUR',
  'MINUTE',
  'SECOND',
] as const
export type TimeUnit = (typeof TIME_UNITS)[number]

export type ExpressionSyntax =
  | { readonly kind: 'literal'; readonly literal: LiteralSyntax; readonly at: Place }
  /** A column, or a field in a column: which, the binder finds out. */
  | { readonly kind: 'reference'; readonly parts: readonly Identifier[]; readonly at: Place }
  | { readonly kind: 'call'; readonly call: CallSyntax; readonly at: Place }
  /** `function` is the id of a call: PLUS, AND, IS_NULL ... */
  | {
      readonly kind: 'operator'
      readonly function: string
      readonly symbol: string
      readonly args: readonly ExpressionSyntax[]
      readonly at: Place
    }
  | {
      readonly kind: 'case'
      readonly operand?: ExpressionSyntax
      readonly branches: readonly {
        readonly when: ExpressionSyntax
        readonly then: ExpressionSyntax
      }[]
      readonly otherwise?: ExpressionSyntax
      readonly at: Place
    }
  | {
      readonly kind: 'cast'
      readonly input: ExpressionSyntax
      readonly type: DataType
      readonly safe: boolean
      readonly at: Place
    }
  | {
      readonly kind: 'in'
      readonly input: ExpressionSyntax
      readonly list: readonly ExpressionSyntax[]
      readonly negated: boolean
      readonly at: Place
    }
  | {
      readonly kind: 'between'
      readonly input: ExpressionSyntax
      readonly low: ExpressionSyntax
      readonly high: ExpressionSyntax
      readonly negated: boolean
      readonly symmetric: boolean
      readonly at: Place
    }
  | {
      readonly kind: 'constructor'
      readonly of: 'ARRAY' | 'MAP' | 'ROW'
      readonly items: readonly ExpressionSyntax[]
      readonly at: Place
    }
  | {
      readonly kind: 'field'
      readonly input: ExpressionSyntax
      readonly field: Identifier
      readonly at: Place
    }
  | QueryExpression

/** What a subquery says as a value. */
export type QueryExpression =
  | { readonly kind: 'scalar-query'; readonly query: QuerySyntax; readonly at: Place }
  | { readonly kind: 'exists'; readonly query: QuerySyntax; readonly at: Place }
  | {
      readonly kind: 'in-query'
      readonly input: ExpressionSyntax
      readonly query: QuerySyntax
      readonly negated: boolean
      readonly at: Place
    }

export interface CallSyntax {
  readonly name: Identifier
  readonly args: readonly ExpressionSyntax[]
  /** COUNT(*); with an argument COUNT(A.*). */
  readonly star: boolean
  readonly distinct: boolean
  readonly filter?: ExpressionSyntax
  readonly over?: OverSyntax
}

/** OVER (...), or what a name in the WINDOW clause stands for. `name` is the window that it begins with. */
export interface OverSyntax {
  readonly name?: Identifier
  readonly partition: readonly ExpressionSyntax[]
  readonly order: readonly OrderItem[]
  readonly frame?: FrameSyntax
  readonly at: Place
}

/** ROWS or RANGE BETWEEN start AND end; without BETWEEN the end is the current row. */
export interface FrameSyntax {
  readonly unit: 'rows' | 'range'
  readonly start: FrameBound
  readonly end: FrameBound
  readonly at: Place
}

export interface FrameBound {
  readonly kind: 'preceding' | 'current' | 'following'
  /** Absent: unbounded, or the current row. */
  readonly distance?: ExpressionSyntax
  readonly at: Place
}

export type SelectItem =
  | { readonly kind: 'star'; readonly qualifier?: Identifier; readonly at: Place }
  | {
      readonly kind: 'expression'
      readonly expression: ExpressionSyntax
      readonly alias?: Identifier
      readonly at: Place
    }

export interface AliasSyntax {
  readonly name: Identifier
  readonly columns?: readonly Identifier[]
}

export type RelationSyntax =
  | {
      readonly kind: 'table'
      readonly name: QualifiedName
      readonly options: readonly OptionSyntax[]
      /** FOR SYSTEM_TIME AS OF. */
      readonly asOf?: ExpressionSyntax
      readonly alias?: AliasSyntax
      readonly at: Place
    }
  | {
      readonly kind: 'subquery'
      readonly query: QuerySyntax
      readonly alias?: AliasSyntax
      readonly at: Place
    }
  /** A query that names columns of what stands before it. */
  | {
      readonly kind: 'lateral'
      readonly query: QuerySyntax
      readonly alias?: AliasSyntax
      readonly at: Place
    }
  | {
      readonly kind: 'window'
      readonly window: WindowSyntax
      readonly alias?: AliasSyntax
      readonly at: Place
    }
  | {
      readonly kind: 'unnest'
      readonly collection: ExpressionSyntax
      readonly ordinality: boolean
      readonly alias?: AliasSyntax
      readonly at: Place
    }
  /** TABLE(f(...)), LATERAL TABLE(f(...)). */
  | {
      readonly kind: 'function'
      readonly call: CallSyntax
      readonly alias?: AliasSyntax
      readonly at: Place
    }
  /** f(input => TABLE t PARTITION BY k, on_time => DESCRIPTOR(ts)). */
  | {
      readonly kind: 'process'
      readonly name: QualifiedName
      readonly args: readonly ProcessArgument[]
      readonly alias?: AliasSyntax
      readonly at: Place
    }
  | {
      readonly kind: 'match'
      readonly input: RelationSyntax
      readonly match: MatchSyntax
      readonly alias?: AliasSyntax
      readonly at: Place
    }
  | JoinSyntax

/** Of a process function; without `name` by its place. */
export type ProcessArgument = { readonly name?: Identifier; readonly at: Place } & (
  | {
      readonly kind: 'table'
      readonly relation: RelationSyntax
      readonly partition?: readonly ExpressionSyntax[]
    }
  | { readonly kind: 'descriptor'; readonly column: Identifier }
  | { readonly kind: 'value'; readonly value: ExpressionSyntax }
  | { readonly kind: 'default' }
)

export interface JoinSyntax {
  readonly kind: 'join'
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross'
  readonly left: RelationSyntax
  readonly right: RelationSyntax
  readonly on?: ExpressionSyntax
  readonly using?: readonly Identifier[]
  readonly natural: boolean
  readonly alias?: AliasSyntax
  readonly at: Place
}

/**
 * TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset]), HOP(..., slide, size [, offset]), CUMULATE(..., step, size [, offset]),
 * SESSION(TABLE t [PARTITION BY ...], DESCRIPTOR(ts), gap).
 */
export interface WindowSyntax {
  readonly function: 'TUMBLE' | 'HOP' | 'CUMULATE' | 'SESSION'
  readonly input: RelationSyntax
  readonly partition: readonly ExpressionSyntax[]
  readonly time: Identifier
  /** Of CUMULATE the step. */
  readonly slide?: ExpressionSyntax
  /** Of SESSION the gap. */
  readonly size: ExpressionSyntax
  readonly offset?: ExpressionSyntax
}

/** One item of GROUP BY. The sets of all items are multiplied. */
export type GroupItem =
  | { readonly kind: 'plain'; readonly expression: ExpressionSyntax }
  | {
      readonly kind: 'rollup' | 'cube'
      readonly items: readonly (readonly ExpressionSyntax[])[]
      readonly at: Place
    }
  | { readonly kind: 'sets'; readonly sets: readonly GroupItem[][]; readonly at: Place }

/** Of the hints behind SELECT those that say something of the result: OPTIONS are of tables. */
export interface StateTtlHint {
  /** Table or alias to a duration. */
  readonly times: readonly OptionSyntax[]
  readonly at: Place
}

/** EMIT('allow-lateness' = '1 min'): when the windows of GROUP BY are told. */
export interface EmitHint {
  readonly options: readonly OptionSyntax[]
  readonly at: Place
}

export interface SelectSyntax {
  readonly kind: 'select'
  readonly distinct: boolean
  readonly items: readonly SelectItem[]
  readonly from?: RelationSyntax
  readonly where?: ExpressionSyntax
  readonly groupBy?: readonly GroupItem[]
  readonly having?: ExpressionSyntax
  readonly qualify?: ExpressionSyntax
  /** WINDOW w AS (...). */
  readonly windows: readonly { readonly name: Identifier; readonly over: OverSyntax }[]
  readonly stateTtl: readonly StateTtlHint[]
  readonly emit?: EmitHint
  readonly at: Place
}

export type BodySyntax =
  | SelectSyntax
  | {
      readonly kind: 'values'
      readonly rows: readonly (readonly ExpressionSyntax[])[]
      readonly at: Place
    }
  /** UNION ALL, or with `distinct` UNION; INTERSECT and EXCEPT have two inputs. */
  | {
      readonly kind: 'union' | 'intersect' | 'except'
      readonly inputs: readonly BodySyntax[]
      readonly distinct: boolean
      readonly at: Place
    }
  | { readonly kind: 'nested'; readonly query: QuerySyntax; readonly at: Place }

export interface QuerySyntax {
  readonly with: readonly CommonTable[]
  readonly body: BodySyntax
  readonly orderBy: readonly OrderItem[]
  readonly limit?: ExpressionSyntax
  readonly offset?: ExpressionSyntax
  readonly at: Place
}

export interface CommonTable {
  readonly name: Identifier
  readonly columns?: readonly Identifier[]
  readonly query: QuerySyntax
}

export interface OrderItem {
  readonly expression: ExpressionSyntax
  readonly descending: boolean
  /** Absent: Flink's default, NULL is smallest. */
  readonly nullsFirst?: boolean
}

/** MATCH_RECOGNIZE (...). RUNNING f(x) and FINAL f(x) are calls of functions of these names. */
export interface MatchSyntax {
  readonly partition: readonly ExpressionSyntax[]
  readonly order: readonly OrderItem[]
  readonly measures: readonly {
    readonly expression: ExpressionSyntax
    readonly alias: Identifier
  }[]
  /** ALL ROWS PER MATCH; absent: one row a match. */
  readonly allRows?: { readonly unmatched: boolean }
  readonly afterMatch?: AfterMatchSyntax
  readonly pattern: readonly PatternTermSyntax[]
  readonly within?: ExpressionSyntax
  readonly defines: readonly {
    readonly variable: Identifier
    readonly condition: ExpressionSyntax
  }[]
  readonly at: Place
}

export interface AfterMatchSyntax {
  readonly kind: 'past-last-row' | 'to-next-row' | 'to-first' | 'to-last'
  readonly variable?: Identifier
  readonly at: Place
}

/** A variable and how many rows it stands for; `most` absent: any number. */
export interface PatternTermSyntax {
  readonly variable: Identifier
  readonly least: number
  readonly most?: number
  readonly reluctant: boolean
  readonly at: Place
}
