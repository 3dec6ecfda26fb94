/** What is asked outside for each row: a function of a user's that answers later, or a table for the rows of a key. */
import type { Schema } from '../data/types.ts'
import type { Expression } from './expressions.ts'
import type { TableDefinition } from './tables.ts'

export interface AskedCall {
  /** A function's id, or the table's name. */
  readonly function: string
  readonly args: readonly Expression[]
  /** Absent: a function is called. */
  readonly lookup?: TableLookup
}

/** The answer is an ARRAY of ROWs. The key's values are the call's arguments. */
export interface TableLookup {
  readonly table: TableDefinition
  /** Columns of each row. */
  readonly schema: Schema
  /** Names of the key's columns. */
  readonly key: readonly string[]
}
