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
import type { AsyncFunction } from './async-functions.ts'
import { type Column, type Columns, type Kind, type RowOf, rowType } from './columns.ts'
import type { Signed } from './declared.ts'
import type {
  FunctionOptions,
  GivenAs,
  StateOf,
  ToldBy,
  VersionOptions,
} from './function-options.ts'
import type { UserProcess } from './process-functions.ts'

type RowType = Extract<DataType, { kind: 'row' }>

/** What a module exports for CREATE FUNCTION. */
export type UserFunction = RowFunction | AsyncFunction | UserAggregate | UserProcess

export interface RowFunction {
  readonly kind: 'scalar-function' | 'table-function'
  readonly args: readonly DataType[]
  readonly returns: DataType
  readonly version: string
  readonly deterministic: boolean
  readonly code: (...args: never[]) => unknown
}

export interface UserAggregate {
  readonly kind: 'aggregate-function'
  readonly args: readonly DataType[]
  readonly returns: DataType
  readonly version: string
  readonly state: RowType
  /** AggregateDefinition's methods. */
  readonly code: object
}

/** One value a row. Whole numbers may be given as numbers or bigints, decimals also as texts. */
export function scalarFunction<
  const Args extends readonly Column<Value>[],
  Given extends Value,
  Of extends Kind,
>(
  args: Args,
  returns: Column<Given, Of>,
  code: (...values: ToldBy<Args>) => GivenAs<Given>,
  { version = '1', deterministic = false }: FunctionOptions = {},
): RowFunction & Signed<Args, Given, Of, 'row'> {
  return {
    kind: 'scalar-function',
    args: typesOf(args),
    returns: returns.type,
    version,
    deterministic,
    code,
  }
}

/** Any number of rows for each: `CROSS JOIN LATERAL TABLE(words(text)) AS w (word)`. */
export function tableFunction<const Args extends readonly Column<Value>[], Made extends Columns>(
  args: Args,
  columns: Made,
  code: (...values: ToldBy<Args>) => Iterable<RowOf<Made>>,
  { version = '1', deterministic = false }: FunctionOptions = {},
): RowFunction {
  return {
    kind: 'table-function',
    args: typesOf(args),
    returns: { kind: 'array', element: rowType(columns), nullable: false },
    version,
    deterministic,
    code,
  }
}

export interface AggregateDefinition<
  Args extends readonly Column<Value>[],
  Given extends Value,
  State extends Columns,
  Of extends Kind = Kind,
> extends VersionOptions {
  readonly args: Args
  readonly returns: Column<Given, Of>
  /** What a group keeps: part of checkpoints. */
  readonly state: State
  /** Of a group without rows. */
  createAccumulator(): RowOf<State>
  accumulate(state: StateOf<State>, ...values: ToldBy<Args>): void
  /** Takes a row back: rows that are updated, and bounded frames of OVER, need it. */
  retract?(state: StateOf<State>, ...values: ToldBy<Args>): void
  /** Adds what other parts of the group have gathered: HOP, CUMULATE and SESSION windows need it. */
  merge?(state: StateOf<State>, others: Iterable<RowOf<State>>): void
  getValue(state: RowOf<State>): GivenAs<Given>
}

/** One value of a group's rows, by Flink's names. NULLs are accumulated too. */
export function aggregateFunction<
  const Args extends readonly Column<Value>[],
  Given extends Value,
  State extends Columns,
  Of extends Kind,
>(
  definition: AggregateDefinition<Args, Given, State, Of>,
): UserAggregate & Signed<Args, Given, Of, 'group'> {
  const { args, returns, state, version = '1', ...code } = definition
  return {
    kind: 'aggregate-function',
    args: typesOf(args),
    returns: returns.type,
    version,
    state: rowType(state),
    code,
  }
}

function typesOf(args: readonly Column<Value>[]): readonly DataType[] {
  return args.map(({ type }) => type)
}
