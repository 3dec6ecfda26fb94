/**
 * Expressions of the typed API: what can be computed from a row's columns, or from a group. They are SQL text with a type; the same
 * binder as for SQL makes the plan, so both mean the same.
 *
 *   Told   the JavaScript type of the value, null included where it may be NULL
 *   Of     the SQL type's kind
 *   From   'row' (columns), 'group' (keys and aggregates), or never (constants: at home in both)
 */
import { withNullability } from '../data/types.ts'
import type { Value } from '../data/values.ts'
import { typeText } from '../plan/functions/type-text.ts'
import type { Column, Kind } from './columns.ts'
import { type Constant, constantText } from './constants.ts'

declare const TOLD: unique symbol
declare const KIND: unique symbol
declare const FROM: unique symbol

export type Origin = 'row' | 'group'

export interface Expression<Told, Of extends Kind = Kind, From extends Origin = Origin> {
  readonly sql: string
  /** Known where it decides how constants beside it are written. */
  readonly kind: Kind | undefined
  readonly [TOLD]?: Told
  readonly [KIND]?: Of
  readonly [FROM]?: From

  equals<Other extends Beside<Told>>(
    other: Other,
  ): Condition<Told | ToldBy<Other>, From | FromOf<Other>>
  notEquals<Other extends Beside<Told>>(
    other: Other,
  ): Condition<Told | ToldBy<Other>, From | FromOf<Other>>
  less<Other extends Beside<Told>>(
    other: Other,
  ): Condition<Told | ToldBy<Other>, From | FromOf<Other>>
  atMost<Other extends Beside<Told>>(
    other: Other,
  ): Condition<Told | ToldBy<Other>, From | FromOf<Other>>
  greater<Other extends Beside<Told>>(
    other: Other,
  ): Condition<Told | ToldBy<Other>, From | FromOf<Other>>
  atLeast<Other extends Beside<Told>>(
    other: Other,
  ): Condition<Told | ToldBy<Other>, From | FromOf<Other>>
  between<Low extends Beside<Told>, High extends Beside<Told>>(
    low: Low,
    high: High,
  ): Condition<Told | ToldBy<Low> | ToldBy<High>, From | FromOf<Low> | FromOf<High>>
  in(values: readonly NonNullable<Told>[]): Condition<Told, From>
  isNull(): Expression<boolean, 'boolean', From>
  isNotNull(): Expression<boolean, 'boolean', From>

  /** Numbers only, as SQL's operators: `dividedBy` of whole numbers is whole. */
  plus<Other extends NumberBeside<Of>>(other: Other): Arithmetic<Told, Of, From, Other>
  minus<Other extends NumberBeside<Of>>(other: Other): Arithmetic<Told, Of, From, Other>
  times<Other extends NumberBeside<Of>>(other: Other): Arithmetic<Told, Of, From, Other>
  dividedBy<Other extends NumberBeside<Of>>(other: Other): Arithmetic<Told, Of, From, Other>

  /** Conditions only. */
  and<Other extends Logical<Of>>(
    other: Other,
  ): Condition<Told | ToldBy<Other>, From | FromOf<Other>>
  or<Other extends Logical<Of>>(other: Other): Condition<Told | ToldBy<Other>, From | FromOf<Other>>
  not(): Condition<Told, From>

  /** Texts only: `%` is any text, `_` any character. */
  like(pattern: Of extends TextKind ? string : never): Condition<Told, From>
  cast<To, ToKind extends Kind>(to: Column<To, ToKind>): Expression<To | NullOf<Told>, ToKind, From>
}

export type NumberKind = 'tinyint' | 'smallint' | 'int' | 'bigint' | 'decimal' | 'float' | 'double'
export type TextKind = 'char' | 'varchar'
export type TimeKind = 'timestamp' | 'timestamp_ltz'

/** What NULL makes of a result: null if there may be one. */
export type NullOf<Told> = null extends Told ? null : never
export type Condition<Told, From extends Origin> = Expression<
  boolean | NullOf<Told>,
  'boolean',
  From
>

/** A value, or an expression, that may stand beside one told as `Told`. */
export type Beside<Told> =
  | Expression<NonNullable<Told> | null, Kind, Origin>
  | Expression<NonNullable<Told>, Kind, Origin>
  | NonNullable<Told>
  | (NonNullable<Told> extends bigint ? number : never)

export type ToldBy<Operand> = Operand extends { readonly sql: string; readonly [TOLD]?: infer Told }
  ? Told
  : Operand
export type FromOf<Operand> = Operand extends { readonly sql: string; readonly [FROM]?: infer From }
  ? Extract<From, Origin>
  : never
export type KindOf<Operand> = Operand extends { readonly sql: string; readonly [KIND]?: infer Of }
  ? Extract<Of, Kind>
  : never

type NumberBeside<Of extends Kind> = Of extends NumberKind
  ? Expression<number | bigint | string | null, NumberKind, Origin> | number | bigint
  : never
type Logical<Of extends Kind> = Of extends 'boolean'
  ? Expression<boolean | null, 'boolean', Origin>
  : never

/** The wider of two kinds of numbers, as SQL has it. */
export type Wider<Left extends Kind, Right extends Kind> = 'double' extends Left | Right
  ? 'double'
  : 'float' extends Left | Right
    ? 'float'
    : 'decimal' extends Left | Right
      ? 'decimal'
      : 'bigint' extends Left | Right
        ? 'bigint'
        : 'int'
/** How numbers of a kind are told. */
export type NumberOf<Of extends Kind> = Of extends 'decimal'
  ? string
  : Of extends 'bigint'
    ? bigint
    : number
type OtherKind<Left extends Kind, Other> = [KindOf<Other>] extends [never] ? Left : KindOf<Other>
type Arithmetic<Told, Of extends Kind, From extends Origin, Other> = Expression<
  NumberOf<Wider<Of, OtherKind<Of, Other>>> | NullOf<Told> | NullOf<ToldBy<Other>>,
  Wider<Of, OtherKind<Of, Other>>,
  From | FromOf<Other>
>

const WIDTHS: readonly Kind[] = [
  'tinyint',
  'smallint',
  'int',
  'bigint',
  'decimal',
  'float',
  'double',
]

/** `sql` stands in parentheses if it is more than a name or a call. */
export function expressionOf<Told, Of extends Kind, From extends Origin>(
  sql: string,
  kind: Of | undefined,
): Expression<Told, Of, From> {
  const text = (operand: Operand): string => textOf(operand, kind)
  const condition = (text: string) => expressionOf(text, 'boolean')
  const binary = (symbol: string) => (other: Operand) =>
    condition(`(${sql} ${symbol} ${text(other)})`)
  const arithmetic = (symbol: string) => (other: Operand) =>
    expressionOf(`(${sql} ${symbol} ${text(other)})`, widerOf(kind, other))
  const built = {
    sql,
    kind,
    equals: binary('='),
    notEquals: binary('<>'),
    less: binary('<'),
    atMost: binary('<='),
    greater: binary('>'),
    atLeast: binary('>='),
    between: (low: Operand, high: Operand) =>
      condition(`(${sql} BETWEEN ${text(low)} AND ${text(high)})`),
    in: (values: readonly Constant[]) =>
      condition(values.length === 0 ? 'FALSE' : `(${sql} IN (${values.map(text).join(', ')}))`),
    isNull: () => condition(`(${sql} IS NULL)`),
    isNotNull: () => condition(`(${sql} IS NOT NULL)`),
    plus: arithmetic('+'),
    minus: arithmetic('-'),
    times: arithmetic('*'),
    dividedBy: arithmetic('/'),
    and: binary('AND'),
    or: binary('OR'),
    not: () => condition(`(NOT ${sql})`),
    like: (pattern: string) => condition(`(${sql} LIKE ${constantText(pattern, 'varchar')})`),
    cast: ({ type }: Column<Value>) =>
      expressionOf(`CAST(${sql} AS ${typeText(withNullability(type, true))})`, type.kind),
  }
  // What the types promise of each method is what the text says: the compiler can't follow it into SQL.
  return built as object as Expression<Told, Of, From>
}

/** What stands beside an expression: another, or a constant. */
export type Operand = Constant | Pick<Expression<unknown>, 'sql' | 'kind'>

export function textOf(operand: Operand, beside: Kind | undefined): string {
  return isExpression(operand) ? operand.sql : constantText(operand, beside)
}

function isExpression(operand: Operand): operand is Pick<Expression<unknown>, 'sql' | 'kind'> {
  return typeof operand === 'object' && operand !== null && 'sql' in operand
}

function widerOf(kind: Kind | undefined, operand: Operand): Kind | undefined {
  const other = isExpression(operand) ? operand.kind : kind
  if (kind === undefined || other === undefined) return undefined
  const widest = Math.max(WIDTHS.indexOf(kind), WIDTHS.indexOf(other), WIDTHS.indexOf('int'))
  return WIDTHS[widest]
}
