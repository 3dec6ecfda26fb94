/**
 * Functions for SQL that answer later: they ask a service, a model, a database.
 *
 *   export const score = asyncFunction([t.string()], t.double(), async (card, signal) => {
 *     const answer = await fetch(`http://scores/${card}`, { signal })
 *     return Number(await answer.text())
 *   }, { capacity: 50, timeout: '5s' })
 */
import type { DataType } from '../data/types.ts'
import type { Value } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import { type Column, type Columns, type Kind, type RowOf, rowType } from './columns.ts'
import type { Signed } from './declared.ts'
import { type Duration, durationMs } from './duration.ts'
import type { GivenAs, ToldBy, VersionOptions } from './function-options.ts'

/** What is not told here is as the settings table.exec.async-scalar.* and table.exec.async-table.* say. */
export interface AsyncOptions extends VersionOptions {
  /** Rows asked for at a time, in each worker; reading stops while as many wait. */
  readonly capacity?: number
  /** For a row, all its tries included: then it is set aside. */
  readonly timeout?: Duration
  /** How often a row is asked for again after it failed. */
  readonly retries?: number
  readonly retryDelay?: Duration
  /** Whether rows keep their order, or go on as they are answered, but for watermarks. 'ordered' unless told. */
  readonly order?: 'ordered' | 'unordered'
}

export interface AsyncFunction {
  readonly kind: 'async-function'
  readonly isTable: boolean
  readonly args: readonly DataType[]
  readonly returns: DataType
  readonly version: string
  readonly asking: {
    readonly capacity?: number
    readonly timeoutMs?: number
    readonly retries?: number
    readonly retryDelayMs?: number
    readonly ordered: boolean
  }
  readonly code: (...args: never[]) => unknown
}

/** One value a row. `signal` says that nobody waits for the answer any more. @throws OPTION_INVALID, DURATION_INVALID */
export function asyncFunction<
  const Args extends readonly Column<Value>[],
  Given extends Value,
  Of extends Kind,
>(
  args: Args,
  returns: Column<Given, Of>,
  code: (...values: [...ToldBy<Args>, AbortSignal]) => Promise<GivenAs<Given>>,
  options: AsyncOptions = {},
): AsyncFunction & Signed<Args, Given, Of, 'row'> {
  return { ...askedBy(args, options), isTable: false, returns: returns.type, code }
}

/** Any number of rows for each: `CROSS JOIN LATERAL TABLE(offers(id)) AS o (offer)`. @throws OPTION_INVALID, DURATION_INVALID */
export function asyncTableFunction<
  const Args extends readonly Column<Value>[],
  Made extends Columns,
>(
  args: Args,
  columns: Made,
  code: (...values: [...ToldBy<Args>, AbortSignal]) => Promise<Iterable<RowOf<Made>>>,
  options: AsyncOptions = {},
): AsyncFunction {
  const returns: DataType = { kind: 'array', element: rowType(columns), nullable: false }
  return { ...askedBy(args, options), isTable: true, returns, code }
}

function askedBy(args: readonly Column<Value>[], options: AsyncOptions) {
  const { version = '1', capacity, retries, timeout, retryDelay, order } = options
  if (capacity !== undefined) requireCount('capacity', capacity, 1)
  if (retries !== undefined) requireCount('retries', retries, 0)
  return {
    kind: 'async-function',
    args: args.map(({ type }) => type),
    version,
    asking: {
      ...(capacity !== undefined && { capacity }),
      ...(timeout !== undefined && { timeoutMs: durationMs(timeout) }),
      ...(retries !== undefined && { retries }),
      ...(retryDelay !== undefined && { retryDelayMs: durationMs(retryDelay) }),
      ordered: order !== 'unordered',
    },
  } as const
}

function requireCount(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return
  throw new MillraceError('OPTION_INVALID', {
    message: `${name} of an asynchronous function is a whole number from ${least}, not ${value}`,
    hint: `write { ${name}: ${Math.max(least, 10)} }`,
    facts: { [name]: value },
  })
}
