/**
 * Streams of the typed API: what can be done with rows is SQL's, and SQL is what a stream is made of; the binder of SQL makes the plan.
 */
import { MillraceError } from '../errors.ts'
import type { Connector } from './connectors.ts'
import { named } from './constants.ts'
import { type Expression, expressionOf } from './expression.ts'
import {
  columnsBehind,
  type Kinds,
  kindsOf,
  type NamesOf,
  type Selected,
  type Selection,
  type Shape,
  selectionText,
} from './shape.ts'
import { emitText, type Window, type WindowBounds, windowText } from './window.ts'

export type Condition = Expression<boolean | null, 'boolean', 'row'>
export type GroupCondition = Expression<boolean | null, 'boolean', 'group'>

export interface Stream<Columns extends Shape> {
  /** A SELECT. */
  readonly sql: string
  /** CREATE TABLE of every table beneath, by name. */
  readonly tables: ReadonlyMap<string, string>
  /** The columns, in order; their kinds where they are known. */
  readonly kinds: Kinds
  where(condition: (row: Columns) => Condition): Stream<Columns>
  select<Out extends Selection<'row'>>(columns: (row: Columns) => Out): Stream<Selected<Out>>
  /** Over the table's event time, or another column that is still one. */
  window(window: Window, time?: NamesOf<Columns, 'timestamp' | 'timestamp_ltz'>): Windowed<Columns>
  /** Without names: all rows are one group. */
  groupBy<Key extends keyof Columns & string>(...keys: readonly Key[]): Grouped<Columns, Key>
  distinct(): Stream<Columns>
  unionAll(other: Stream<Columns>): Stream<Columns>
  join<Right extends Shape>(
    right: Stream<Right>,
    on: (left: Columns, right: Right) => Condition,
  ): Joined<Columns, Right>
  /** Columns of the right side are NULL where it has no row. */
  leftJoin<Right extends Shape>(
    right: Stream<Right>,
    on: (left: Columns, right: Right) => Condition,
  ): Joined<Columns, Optional<Right>>
  /** Each row with those that a table of a service or database has for it at that moment, asked for by equal columns: see lookups. */
  lookupJoin<Right extends Shape>(
    table: Named<Right>,
    on: (left: Columns, right: Right) => Condition,
  ): Joined<Columns, Right>
  leftLookupJoin<Right extends Shape>(
    table: Named<Right>,
    on: (left: Columns, right: Right) => Condition,
  ): Joined<Columns, Optional<Right>>
  /** The first `limit` rows of each group in an order. */
  top(options: {
    readonly by?: readonly (keyof Columns & string)[]
    readonly order: keyof Columns & string
    readonly descending?: boolean
    readonly limit: number
  }): Stream<Columns>
  /** To a table that takes these columns by name and order, made for this stream. */
  into(connector: Connector, options?: SinkOptions<keyof Columns & string>): Insert
}

/** A table itself: what is made of one cannot be asked. */
export interface Named<Columns extends Shape> extends Stream<Columns> {
  readonly name: string
}

export interface SinkOptions<Name extends string = string> {
  /** Of the table; the pipeline's name unless told. */
  readonly name?: string
  readonly primaryKey?: readonly Name[]
  readonly partitionedBy?: readonly Name[]
}

/** What a pipeline does: a stream into a table. */
export interface Insert {
  readonly sql: string
  readonly tables: ReadonlyMap<string, string>
  readonly connector: Connector
  readonly options: SinkOptions
}

export interface Windowed<Columns extends Shape> {
  groupBy<Key extends keyof Columns & string>(
    ...keys: readonly Key[]
  ): Grouped<Columns, Key, WindowBounds>
}

/** Keys, and the window if there is one; `row` is what aggregates read. */
export interface Grouped<
  Columns extends Shape,
  Key extends keyof Columns,
  Bounds = Readonly<Record<never, never>>,
> {
  having(
    condition: (group: GroupKeys<Columns, Key> & Bounds, row: Columns) => GroupCondition,
  ): Grouped<Columns, Key, Bounds>
  select<Out extends Selection<'group'>>(
    columns: (group: GroupKeys<Columns, Key> & Bounds, row: Columns) => Out,
  ): Stream<Selected<Out>>
}

export interface Joined<Left extends Shape, Right extends Shape> {
  select<Out extends Selection<'row'>>(
    columns: (left: Left, right: Right) => Out,
  ): Stream<Selected<Out>>
}

type GroupKeys<Columns extends Shape, Key extends keyof Columns> = {
  readonly [Name in Key]: Columns[Name] extends Expression<infer Told, infer Of>
    ? Expression<Told, Of, 'group'>
    : never
}

type Optional<Columns extends Shape> = {
  readonly [Name in keyof Columns]: Columns[Name] extends Expression<infer Told, infer Of>
    ? Expression<Told | null, Of, 'row'>
    : never
}

export interface StreamParts {
  readonly sql: string
  /** A table's name: read as such, not as a subquery. */
  readonly table?: string
  readonly kinds: Kinds
  readonly tables: ReadonlyMap<string, string>
  readonly eventTime?: string
}

export function streamOf<Columns extends Shape>(parts: StreamParts): Stream<Columns> {
  const { sql, kinds, tables, eventTime } = parts
  const row = (): Columns => columnsBehind<Columns>('t', kinds)
  const names = [...kinds.keys()].map(named).join(', ')
  const next = <Out extends Shape>(text: string, columns: Kinds, keepsTime = false): Stream<Out> =>
    streamOf({
      sql: text,
      kinds: columns,
      tables,
      ...(keepsTime && eventTime !== undefined ? { eventTime } : {}),
    })
  return {
    sql,
    tables,
    kinds,
    where: (condition) =>
      next(`SELECT ${names} FROM ${from(parts)} AS t WHERE ${condition(row()).sql}`, kinds, true),
    select(columns) {
      const out = columns(row())
      return next(`SELECT ${selectionText(out)} FROM ${from(parts)} AS t`, kindsOf(out), true)
    },
    window: (window, time) => windowed(parts, window, time ?? eventTime),
    groupBy: (...keys) => grouped(parts, { keys, source: `${from(parts)} AS t` }),
    distinct: () => next(`SELECT DISTINCT ${names} FROM ${from(parts)} AS t`, kinds),
    unionAll: (other) =>
      streamOf({
        sql: `(${sql}) UNION ALL (${other.sql})`,
        kinds,
        tables: merged(tables, other.tables),
        ...(eventTime === undefined ? {} : { eventTime }),
      }),
    join: (right, on) => joined(parts, right, { ...both(parts, right), how: 'JOIN' }, on),
    leftJoin<Right extends Shape>(right: Stream<Right>, on: (l: Columns, r: Right) => Condition) {
      const texts = { ...both(parts, right), how: 'LEFT JOIN' }
      return joined<Columns, Right, Optional<Right>>(parts, right, texts, on)
    },
    lookupJoin: (right, on) => joined(parts, right, { ...asked(parts, right), how: 'JOIN' }, on),
    leftLookupJoin<Right extends Shape>(
      right: Named<Right>,
      on: (l: Columns, r: Right) => Condition,
    ) {
      const texts = { ...asked(parts, right), how: 'LEFT JOIN' }
      return joined<Columns, Right, Optional<Right>>(parts, right, texts, on)
    },
    top({ by = [], order, descending = false, limit }) {
      const partition = by.length === 0 ? '' : `PARTITION BY ${by.map(named).join(', ')} `
      const direction = descending ? 'DESC' : 'ASC'
      const number = `ROW_NUMBER() OVER (${partition}ORDER BY ${named(order)} ${direction}) AS $number`
      const numbered = `SELECT ${names}, ${number} FROM ${from(parts)} AS t`
      return next(`SELECT ${names} FROM (${numbered}) WHERE $number <= ${limit}`, kinds)
    },
    into: (connector, options = {}) => ({ sql, tables, connector, options }),
  }
}

function from({ sql, table }: StreamParts): string {
  return table === undefined ? `(${sql})` : named(table)
}

function windowed<Columns extends Shape>(
  parts: StreamParts,
  window: Window,
  time: string | undefined,
): Windowed<Columns> {
  if (time === undefined) throw timeMissing()
  const input = parts.table === undefined ? `(${parts.sql})` : `TABLE ${named(parts.table)}`
  return {
    groupBy: (...keys) =>
      grouped(parts, {
        keys,
        source: `${windowText(window, input, named(time), keys.map(named))} AS t`,
        hint: emitText(window),
        bounds: {
          windowStart: expressionOf('t.window_start', 'timestamp'),
          windowEnd: expressionOf('t.window_end', 'timestamp'),
        },
      }),
  }
}

interface Grouping {
  readonly keys: readonly string[]
  readonly source: string
  /** Behind SELECT. */
  readonly hint?: string
  readonly bounds?: WindowBounds
  readonly having?: string
}

function grouped<Columns extends Shape, Key extends keyof Columns, Bounds>(
  parts: StreamParts,
  grouping: Grouping,
): Grouped<Columns, Key, Bounds> {
  const { keys, source, hint = '', bounds, having } = grouping
  const row = columnsBehind<Columns>('t', parts.kinds)
  const ofKeys = new Map(keys.map((key) => [key, parts.kinds.get(key)]))
  const group = { ...columnsBehind<Shape>('t', ofKeys), ...bounds } as GroupKeys<Columns, Key> &
    Bounds
  const texts = keys.map((key) => `t.${named(key)}`)
  if (bounds !== undefined) texts.push('t.window_start', 't.window_end')
  return {
    having: (condition) => grouped(parts, { ...grouping, having: condition(group, row).sql }),
    select(columns) {
      const out = columns(group, row)
      const by = texts.length === 0 ? '' : ` GROUP BY ${texts.join(', ')}`
      const filter = having === undefined ? '' : ` HAVING ${having}`
      return streamOf({
        sql: `SELECT ${hint}${selectionText(out)} FROM ${source}${by}${filter}`,
        kinds: kindsOf(out),
        tables: parts.tables,
      })
    },
  }
}

/** What stands on the two sides of a join. */
interface JoinTexts {
  readonly left: string
  readonly how: string
  readonly right: string
}

function both(parts: StreamParts, right: Stream<Shape>): Omit<JoinTexts, 'how'> {
  return { left: `${from(parts)} AS l`, right: `(${right.sql}) AS r` }
}

/** A table is asked at the time by the clock, which each row is given. */
function asked(parts: StreamParts, right: Named<Shape>): Omit<JoinTexts, 'how'> {
  return {
    left: `(SELECT t.*, PROCTIME() AS $asked FROM ${from(parts)} AS t) AS l`,
    right: `${named(right.name)} FOR SYSTEM_TIME AS OF l.$asked AS r`,
  }
}

function joined<Left extends Shape, Right extends Shape, Seen extends Shape = Right>(
  parts: StreamParts,
  right: Stream<Shape>,
  texts: JoinTexts,
  on: (left: Left, right: Right) => Condition,
): Joined<Left, Seen> {
  const left = columnsBehind<Left>('l', parts.kinds)
  return {
    select(select) {
      const out = select(left, columnsBehind<Seen>('r', right.kinds))
      const { sql } = on(left, columnsBehind<Right>('r', right.kinds))
      return streamOf({
        sql: `SELECT ${selectionText(out)} FROM ${texts.left} ${texts.how} ${texts.right} ON ${sql}`,
        kinds: kindsOf(out),
        tables: merged(parts.tables, right.tables),
      })
    },
  }
}

/** @throws TABLE_DEFINED_TWICE if two tables of one name differ */
export function merged(
  left: ReadonlyMap<string, string>,
  right: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  for (const [name, definition] of right) {
    const other = left.get(name)
    if (other !== undefined && other !== definition) throw definedTwice(name)
  }
  return new Map([...left, ...right])
}

function definedTwice(name: string): MillraceError {
  return new MillraceError('TABLE_DEFINED_TWICE', {
    message: `two different tables are called ${name}`,
    hint: 'give one of them another name, or use one definition for both',
    facts: { table: name },
  })
}

function timeMissing(): MillraceError {
  return new MillraceError('EVENT_TIME_MISSING', {
    message: 'windows need event time, and this stream has none',
    hint: "give the table an eventTime, or name the column: window(tumble('1m'), 'placedAt')",
  })
}
