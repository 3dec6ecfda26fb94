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

export type Kind = DataType['kind']

/** A column whose values are told as `Told`, null included unless it is `notNull`. */
export interface Column<Told, Of extends Kind = Kind> {
  readonly type: DataType
  /** Never NULL. */
  notNull(): Column<Exclude<Told, null>, Of>
  /** Carries the type of its values; there is no such property. */
  readonly [TOLD]?: Told
  /** Carries the SQL type's kind; there is no such property. */
  readonly [KIND]?: Of
}

declare const TOLD: unique symbol
declare const KIND: unique symbol

export type Columns = Readonly<Record<string, Column<Value>>>

/** A row of these columns. */
export type RowOf<Declared extends Columns> = {
  readonly [Name in keyof Declared]: Declared[Name] extends Column<infer Told> ? Told : never
}

/** The types of columns, with the JavaScript type their values have. */
export const t = {
  boolean: () => column<boolean | null, 'boolean'>(types.boolean),
  tinyint: () => column<number | null, 'tinyint'>(types.tinyint),
  smallint: () => column<number | null, 'smallint'>(types.smallint),
  int: () => column<number | null, 'int'>(types.int),
  bigint: () => column<bigint | null, 'bigint'>(types.bigint),
  float: () => column<number | null, 'float'>(types.float),
  double: () => column<number | null, 'double'>(types.double),
  /** '-12.50': text, so that no digit is lost. */
  decimal: (precision: number, scale: number) =>
    column<string | null, 'decimal'>(types.decimal(precision, scale)),
  string: () => column<string | null, 'varchar'>(types.string),
  bytes: () => column<Uint8Array | null, 'varbinary'>(types.bytes),
  /** '2026-01-31' */
  date: () => column<string | null, 'date'>(types.date),
  /** '23:59:59.123' */
  time: (precision = 0) => column<string | null, 'time'>(types.time(precision)),
  /** '2026-01-31 23:59:59.123', without a zone */
  timestamp: (precision = 3) => column<string | null, 'timestamp'>(types.timestamp(precision)),
  timestampLtz,
  array: <Told, Of extends Kind>(element: Column<Told, Of>) =>
    column<readonly Told[] | null, 'array'>({
      kind: 'array',
      element: element.type,
      nullable: true,
    }),
  /** Pairs of key and value. */
  map: <Key, Told, KeyKind extends Kind, Of extends Kind>(
    key: Column<Key, KeyKind>,
    value: Column<Told, Of>,
  ) =>
    column<readonly (readonly [Key, Told])[] | null, 'map'>({
      kind: 'map',
      key: key.type,
      value: value.type,
      nullable: true,
    }),
  row: <Fields extends Columns>(fields: Fields) =>
    column<RowOf<Fields> | null, 'row'>({ ...rowType(fields), nullable: true }),
} as const

/** The ROW of these columns, itself never NULL. */
export function rowType(columns: Columns): Extract<DataType, { kind: 'row' }> {
  const fields = Object.entries(columns).map(([name, { type }]) => ({ name, type }))
  return { kind: 'row', fields, nullable: false }
}

/** A `Date` up to milliseconds; beyond, text in UTC: '2026-01-31T23:59:59.123456Z'. */
function timestampLtz(precision?: 0 | 1 | 2 | 3): Column<Date | null, 'timestamp_ltz'>
function timestampLtz(precision: number): Column<string | null, 'timestamp_ltz'>
function timestampLtz(
  precision = 3,
): Column<Date | null, 'timestamp_ltz'> | Column<string | null, 'timestamp_ltz'> {
  return precision <= 3
    ? column<Date | null, 'timestamp_ltz'>(types.timestampLtz(precision))
    : column<string | null, 'timestamp_ltz'>(types.timestampLtz(precision))
}

function column<Told, Of extends Kind>(type: DataType): Column<Told, Of> {
  return { type, notNull: () => column<Exclude<Told, null>, Of>(withNullability(type, false)) }
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

/**
 * Holds the kinds that a stream's types promise against what its plan gives.
 * @throws COLUMNS_MISMATCH naming every column that differs
 */
export function checkKinds(promised: ReadonlyMap<string, Kind | undefined>, schema: Schema): void {
  const problems = schema.flatMap(({ name, type }) => {
    const kind = promised.get(name)
    if (kind === undefined || kind === type.kind) return []
    const isText = (each: Kind): boolean => each === 'char' || each === 'varchar'
    return isText(kind) && isText(type.kind)
      ? []
      : [`${name} is promised to be ${kind.toUpperCase()} and is ${typeText(type)}`]
  })
  if (problems.length === 0) return
  throw new MillraceError('COLUMNS_MISMATCH', {
    message: `the types of the stream are not the query's: ${problems.join('; ')}`,
    hint: 'cast the column to the type that you mean, or say in call(...) what the function gives',
    facts: { problems: problems.length },
  })
}

function fits(declared: DataType, found: DataType): boolean {
  if (!declared.nullable && found.nullable) return false
  const same = (type: DataType): string => JSON.stringify(withNullability(type, true))
  return same(declared) === same(found)
}
