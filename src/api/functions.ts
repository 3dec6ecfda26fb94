/** Functions over expressions: aggregates, which make of a group's rows one value, and functions of single rows. */
import { MillraceError } from '../errors.ts'
import type { Column, Kind } from './columns.ts'
import { type Constant, constantText } from './constants.ts'
import {
  type Expression,
  expressionOf,
  type FromOf,
  type KindOf,
  type NumberKind,
  type Operand,
  type Origin,
  type ToldBy,
  textOf,
} from './expression.ts'

type Numbers = Expression<number | bigint | string | null, NumberKind, 'row'>
type Any = Expression<unknown, Kind, 'row'>

/** COUNT(*), or the values that are not NULL. */
export function count(value?: Any): Expression<bigint, 'bigint', 'group'> {
  return expressionOf(`COUNT(${value?.sql ?? '*'})`, 'bigint')
}

export function countDistinct(value: Any): Expression<bigint, 'bigint', 'group'> {
  return expressionOf(`COUNT(DISTINCT ${value.sql})`, 'bigint')
}

/** NULL of no values; whole numbers keep their type and wrap, decimals have 38 digits. */
export function sum<Of extends Numbers>(
  value: Of,
): Expression<ToldBy<Of> | null, KindOf<Of>, 'group'> {
  return aggregate('SUM', value)
}

/** Of whole numbers a whole number, cut toward zero, as in Flink. */
export function avg<Of extends Numbers>(
  value: Of,
): Expression<ToldBy<Of> | null, KindOf<Of>, 'group'> {
  return aggregate('AVG', value)
}

export function min<Of extends Any>(value: Of): Expression<ToldBy<Of> | null, KindOf<Of>, 'group'> {
  return aggregate('MIN', value)
}

export function max<Of extends Any>(value: Of): Expression<ToldBy<Of> | null, KindOf<Of>, 'group'> {
  return aggregate('MAX', value)
}

function aggregate<Of extends Pick<Expression<unknown>, 'sql' | 'kind'>>(
  name: string,
  { sql, kind }: Of,
): Expression<ToldBy<Of> | null, KindOf<Of>, 'group'> {
  return expressionOf(`${name}(${sql})`, kind as KindOf<Of> | undefined)
}

/** An aggregate over the rows that meet a condition. */
export function filtered<Told, Of extends Kind>(
  value: Expression<Told, Of, 'group'>,
  where: Expression<boolean | null, 'boolean', 'row'>,
): Expression<Told, Of, 'group'> {
  return expressionOf(`${value.sql} FILTER (WHERE ${where.sql})`, value.kind as Of | undefined)
}

/** A constant of a column's type: `constant(t.decimal(10, 2), '12.50')`. */
export function constant<Told, Of extends Kind>(
  column: Column<Told, Of>,
  value: NonNullable<Told> & Constant,
): Expression<NonNullable<Told>, Of, never> {
  const kind = column.type.kind as Of
  return expressionOf<NonNullable<Told>, Of, never>(constantText(value, kind), kind)
}

/** The first that is not NULL. */
export function coalesce<First extends Expression<unknown>, Last extends Expression<unknown>>(
  first: First,
  last: Last,
): Expression<
  NonNullable<ToldBy<First>> | ToldBy<Last>,
  KindOf<First> & Kind,
  FromOf<First> | FromOf<Last>
> {
  return expressionOf(
    `COALESCE(${first.sql}, ${last.sql})`,
    first.kind as KindOf<First> | undefined,
  )
}

/** `when(o.amount.greater(100), constant(...), constant(...))` */
export function when<
  If extends Expression<boolean | null, 'boolean', Origin>,
  Then extends Expression<unknown>,
  Else extends Expression<unknown>,
>(
  condition: If,
  then: Then,
  otherwise: Else,
): Expression<ToldBy<Then> | ToldBy<Else>, KindOf<Then>, FromOf<If> | FromOf<Then> | FromOf<Else>> {
  return expressionOf(
    `CASE WHEN ${condition.sql} THEN ${then.sql} ELSE ${otherwise.sql} END`,
    then.kind as KindOf<Then> | undefined,
  )
}

/**
 * Any other function of SQL by its name, with the type that it gives: it is checked against what the function really gives before
 * anything runs. `call('UPPER', t.string(), o.city)`
 */
export function call<
  Told,
  Of extends Kind,
  Args extends readonly (Expression<unknown> | Constant)[],
>(
  name: string,
  gives: Column<Told, Of>,
  ...args: Args
): Expression<Told, Of, FromOf<Args[number]>> {
  requireName(name)
  const texts = args.map((arg) => textOf(arg as Operand, undefined))
  return expressionOf(`${name.toUpperCase()}(${texts.join(', ')})`, gives.type.kind as Of)
}

/** @throws FUNCTION_NAME_INVALID */
export function requireName(name: string): void {
  if (/^[A-Za-z_][\w]*$/.test(name)) return
  throw new MillraceError('FUNCTION_NAME_INVALID', {
    message: `${JSON.stringify(name)} is no name of a function`,
    hint: "write the name alone: call('UPPER', t.string(), o.city)",
    facts: { name },
  })
}
