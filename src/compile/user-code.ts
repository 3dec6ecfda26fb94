/**
 * The code of users' functions, by the id that plans call them by. Modules are loaded once a thread, as Node does, before a plan is
 * compiled.
 */
import type { DataType } from '../data/types.ts'
import type { Value as Told } from '../data/values.ts'
import { invariant } from '../errors.ts'
import type { OnTimerContext, ProcessContext } from '../plan/process-context.ts'
import type { Fields } from './user-values.ts'

type RowType = Extract<DataType, { kind: 'row' }>

export type UserCode = ScalarCode | AggregateCode | ProcessCode | AsyncCode

/** Of scalar and table functions. */
export interface ScalarCode {
  readonly kind: 'scalar' | 'table'
  /** It fails whenever it failed for such arguments: what takes the row back is set aside as the row was. */
  readonly deterministic: boolean
  readonly call: (...args: readonly Told[]) => unknown
}

/** Of scalar and table functions that answer later. */
export interface AsyncCode {
  readonly kind: 'async'
  /** The last argument is an AbortSignal: nobody waits for the answer any more. */
  readonly call: (...args: readonly (Told | AbortSignal)[]) => unknown
  readonly isTable: boolean
  /** What the function says itself goes before the settings. */
  readonly asking: Partial<Asking>
}

/** How rows are asked for. */
export interface Asking {
  /** Rows asked for at a time, in each worker. */
  readonly capacity: number
  /** Of a row, all its tries included. */
  readonly timeoutMs: number
  /** How often it is asked for again when it has failed. */
  readonly retries: number
  readonly retryDelayMs: number
  /** Whether rows keep their order. */
  readonly ordered: boolean
  /** A row without an answer stops the pipeline, and waits; absent: it is set aside. */
  readonly stops?: true
}

/** Flink's AggregateFunction, its accumulator declared by a row. */
export interface AggregateCode {
  readonly kind: 'aggregate'
  readonly state: RowType
  createAccumulator(): Fields
  accumulate(state: Fields, ...args: readonly Told[]): unknown
  retract?(state: Fields, ...args: readonly Told[]): unknown
  merge?(state: Fields, others: Iterable<Fields>): unknown
  getValue(state: Fields): unknown
}

/** Flink's ProcessTableFunction. */
export interface ProcessCode {
  readonly kind: 'process'
  readonly output: RowType
  eval(context: ProcessContext, state: States, input: Fields, args: Fields): unknown
  onTimer?(context: OnTimerContext, state: States, args: Fields): unknown
}

/** State entries by name. */
export type States = Readonly<Record<string, Fields>>

const loaded = new Map<string, UserCode>()

/** Before anything that calls `id` is compiled. */
export function rememberUserCode(id: string, code: UserCode): void {
  loaded.set(id, code)
}

export function userCode<Kind extends UserCode['kind']>(
  id: string,
  ...kinds: readonly Kind[]
): Extract<UserCode, { kind: Kind }> {
  const code = loaded.get(id)
  invariant(code !== undefined, `${id} is loaded before it is compiled`)
  invariant((kinds as readonly string[]).includes(code.kind), `${id} is called as what it is`)
  return code as Extract<UserCode, { kind: Kind }>
}
