/**
 * Process functions for SQL, as Flink's process table functions: code that is told the rows of a partition one after another, keeps
 * state for it, and is called again at times of events that it asks for.
 *
 *   CREATE FUNCTION pings AS './pings.ts#pings' LANGUAGE TYPESCRIPT;
 *   SELECT * FROM pings(input => TABLE events PARTITION BY id, on_time => DESCRIPTOR(ts), uid => 'pings')
 */
import type { DataType, Schema } from '../data/types.ts'
import type { OnTimerContext, ProcessContext } from '../plan/process-context.ts'
import { type Columns, type RowOf, rowType } from './columns.ts'
import type { StateOf, VersionOptions } from './function-options.ts'

export interface UserProcess {
  readonly kind: 'process-function'
  readonly args: readonly DataType[]
  readonly returns: DataType
  readonly version: string
  readonly process: {
    readonly input: Schema
    readonly table: 'set' | 'row'
    readonly partition: 'required' | 'optional'
    readonly onTime: 'required' | 'optional'
    readonly args: Schema
    readonly state: Schema
    readonly output: Schema
  }
  /** ProcessDefinition's methods. */
  readonly code: object
}

/** Entries by name, their fields to be written to; all are null at first, and an entry whose fields all are is not kept. */
type States = Readonly<Record<string, Columns>>
type StatesOf<Declared extends States> = {
  readonly [Name in keyof Declared]: StateOf<Declared[Name]>
}
type NameOf<Declared> = keyof Declared & string

export interface ProcessDefinition<
  Input extends Columns,
  Output extends Columns,
  State extends States,
  Args extends Columns,
> extends VersionOptions {
  /** Columns that the table must have, by name; what else it has is not told. */
  readonly input: Input
  /** Between the partition's columns and `rowtime`. */
  readonly output: Output
  /** Of a partition: part of checkpoints. Fields are nullable. */
  readonly state?: State
  /** Constants of the call, by name. */
  readonly args?: Args
  /** 'set': rows of a partition meet; 'row': each is told by itself, without state. 'set' unless told. */
  readonly table?: 'set' | 'row'
  /** Whether PARTITION BY may be left out: then one worker has all rows. 'required' unless told. */
  readonly partition?: 'required' | 'optional'
  readonly onTime?: 'required' | 'optional'
  eval(
    context: ProcessContext<RowOf<Output>, NameOf<State>>,
    state: StatesOf<State>,
    input: RowOf<Input>,
    args: RowOf<Args>,
  ): void
  onTimer?(
    context: OnTimerContext<RowOf<Output>, NameOf<State>>,
    state: StatesOf<State>,
    args: RowOf<Args>,
  ): void
}

type Nothing = Readonly<Record<never, never>>

export function processFunction<
  const Input extends Columns,
  const Output extends Columns,
  const State extends States = Nothing,
  const Args extends Columns = Nothing,
>(definition: ProcessDefinition<Input, Output, State, Args>): UserProcess {
  const {
    version = '1',
    input,
    output,
    state,
    args,
    table,
    partition,
    onTime,
    ...code
  } = definition
  const parameters = args === undefined ? [] : rowType(args).fields
  return {
    kind: 'process-function',
    args: parameters.map(({ type }) => type),
    returns: rowType(output),
    version,
    process: {
      input: rowType(input).fields,
      table: table ?? 'set',
      partition: partition ?? 'required',
      onTime: onTime ?? 'optional',
      args: parameters,
      state: Object.entries<Columns>(state ?? {}).map(([name, fields]) => ({
        name,
        type: rowType(fields),
      })),
      output: rowType(output).fields,
    },
    code,
  }
}
