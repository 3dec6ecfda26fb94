/**
 * Columns as TypeScript declares them, and the types of their values: what `query` and `changes` give is typed by columns that are
 * checked against the query's own, never by an unchecked word.
 *
 *   const columns = { shop: t.string(), orders: t.bigint().notNull() }
 *   for await (const row of db.query(sql, { columns })) row.orders // bigint
 */
import { type DataType, type Schema, types, withNullability } from '../data/types.ts'
import type { Value } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import { typeText } from '../plan/functions/type-text.ts'

/** A column whose values are told as `Told`, null included unless it is `notNull`. */
export interface Column<Told> {
  readonly type: DataType
  /** Never NULL. */
  notNull(): Column<Exclude<Told, null>>
  /** Carries the type of its values; there is no such property. */
  readonly [TOLD]?: Told
}

declare const TOLD: unique symbol

export type Columns = Readonly<Record<string, Column<Value>>>

/** A row of these columns. */
export type RowOf<Declared extends Columns> = {
  readonly [Name in keyof Declared]: Declared[Name] extends Column<infer Told> ? Told : never
}

/** The types of columns, with the JavaScript type their values have. */
export const t = {
  boolean: () => column<boolean | null>(types.boolean),
  tinyint: () => column<number | null>(types.tinyint),
  smallint: () => column<number | null>(types.smallint),
  int: () => column<number | null>(types.int),
  bigint: () => column<bigint | null>(types.bigint),
  float: () => column<number | null>(types.float),
  double: () => column<number | null>(types.double),
  /** '-12.50': text, so that no digit is lost. */
  decimal: (precision: number, scale: number) =>
    column<string | null>(types.decimal(precision, scale)),
  string: () => column<string | null>(types.string),
  bytes: () => column<Uint8Array | null>(types.bytes),
  /** '2026-01-31' */
  date: () => column<string | null>(types.date),
  /** '23:59:59.123' */
  time: (precision = 0) => column<string | null>(types.time(precision)),
  /** '2026-01-31 23:59:59.123', without a zone */
  timestamp: (precision = 3) => column<string | null>(types.timestamp(precision)),
  timestampLtz,
} as const

/** A `Date` up to milliseconds; beyond, text in UTC: '2026-01-31T23:59:59.123456Z'. */
function timestampLtz(precision?: 0 | 1 | 2 | 3): Column<Date | null>
function timestampLtz(precision: number): Column<string | null>
function timestampLtz(precision = 3): Column<Date | null> | Column<string | null> {
  return precision <= 3
    ? column<Date | null>(types.timestampLtz(precision))
    : column<string | null>(types.timestampLtz(precision))
}

function column<Told>(type: DataType): Column<Told> {
  return { type, notNull: () => column<Exclude<Told, null>>(withNullability(type, false)) }
}

/**
 * Holds declared columns against what a query gives: the same names, in any order, of the same types. A column declared NOT NULL
 * must be so; one that is never NULL may be declared as if it could be.
 * @throws COLUMNS_MISMATCH naming every column that differs
 */
export function checkColumns(declared: Columns, schema: Schema): void {
  const given = new Map(schema.map(({ name, type }) => [name, type]))
  const problems: string[] = []
  for (const [name, { type }] of Object.entries(declared)) {
    const found = given.get(name)
    if (found === undefined) problems.push(`there is no column ${name}`)
    else if (!fits(type, found)) {
      problems.push(`${name} is declared ${typeText(type)} and is ${typeText(found)}`)
    }
    given.delete(name)
  }
  for (const [name, type] of given) problems.push(`${name} ${typeText(type)} is not declared`)
  if (problems.length === 0) return
  throw new MillraceError('COLUMNS_MISMATCH', {
    message: `the declared columns are not the query's: ${problems.join('; ')}`,
    hint: 'declare what the query gives, or write the declarations with `millrace gen`',
    facts: { problems: problems.length },
  })
}

function fits(declared: DataType, found: DataType): boolean {
  if (!declared.nullable && found.nullable) return false
  const same = (type: DataType): string => JSON.stringify(withNullability(type, true))
  return same(declared) === same(found)
}
