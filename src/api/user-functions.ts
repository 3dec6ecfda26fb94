/**
 * Functions for SQL, written in TypeScript:
 *
 *   // risk.ts
 *   export const risk = scalarFunction([t.string(), t.bigint()], t.double(), (card, cents) => ...)
 *
 *   CREATE FUNCTION risk AS './risk.ts#risk' LANGUAGE TYPESCRIPT
 *
 * They are told NULLs as null. What one throws sets the row aside in `$dead`, with the reason.
 */
import type { DataType } from '../data/types.ts'
import type { Value } from '../data/values.ts'
import type { Column, Columns, RowOf } from './columns.ts'

export interface FunctionOptions {
  /** Change it with the meaning of the function: state that was made with another is not gone on with. '1' unless told. */
  readonly version?: string
}

/** What a module exports for CREATE FUNCTION. */
export interface UserFunction {
  readonly kind: 'scalar-function' | 'table-function'
  readonly args: readonly DataType[]
  readonly returns: DataType
  readonly version: string
  readonly code: (...args: never[]) => unknown
}

type ToldBy<Args extends readonly Column<Value>[]> = {
  -readonly [At in keyof Args]: Args[At] extends Column<infer Told> ? Told : never
}

/** One value a row. Whole numbers may be given as numbers or bigints, decimals also as texts. */
export function scalarFunction<const Args extends readonly Column<Value>[], Given extends Value>(
  args: Args,
  returns: Column<Given>,
  code: (...values: ToldBy<Args>) => Given | (Given extends bigint ? number : never),
  { version = '1' }: FunctionOptions = {},
): UserFunction {
  return {
    kind: 'scalar-function',
    args: args.map(({ type }) => type),
    returns: returns.type,
    version,
    code,
  }
}

/** Any number of rows for each: `CROSS JOIN LATERAL TABLE(words(text)) AS w (word)`. */
export function tableFunction<const Args extends readonly Column<Value>[], Made extends Columns>(
  args: Args,
  columns: Made,
  code: (...values: ToldBy<Args>) => Iterable<RowOf<Made>>,
  { version = '1' }: FunctionOptions = {},
): UserFunction {
  const fields = Object.entries(columns).map(([name, { type }]) => ({ name, type }))
  const row = { kind: 'row', fields, nullable: false } as const
  return {
    kind: 'table-function',
    args: args.map(({ type }) => type),
    returns: { kind: 'array', element: row, nullable: false },
    version,
    code,
  }
}
