/** What a process table function is called with: a user's code that is told rows, keeps state, and is called when its timers are due. */
import type { Field } from '../data/types.ts'
import type { Expression } from './expressions.ts'

export interface ProcessCall {
  readonly function: string
  /** Names its state: what stands beneath may change, and the state is gone on with. */
  readonly uid?: string
  /** 'set': rows and state of a partition at a time; 'row': each row by itself, without state. */
  readonly table: 'set' | 'row'
  readonly partition: readonly Expression[]
  /** What it is told of a row, by the names of `fields`. */
  readonly values: readonly Expression[]
  readonly fields: readonly string[]
  /** Constants of the call, by name. */
  readonly args: readonly { readonly name: string; readonly value: Expression }[]
  /** Column of the input: event time. */
  readonly time?: number
  /** ROWs that a partition keeps, by name. */
  readonly state: readonly Field[]
}
