/** What all functions of users share. */
import type { Value } from '../data/values.ts'
import type { Column, Columns, RowOf } from './columns.ts'

export interface VersionOptions {
  /** Change it with the meaning of the function: state that was made with another is not gone on with. '1' unless told. */
  readonly version?: string
}

export interface FunctionOptions extends VersionOptions {
  /**
   * It gives the same for the same arguments, and throws for those it threw for before: then a row that it throws for is set aside also
   * where rows may be taken back, and so is what takes it back. False unless told.
   */
  readonly deterministic?: boolean
}

export type ToldBy<Args extends readonly Column<Value>[]> = {
  -readonly [At in keyof Args]: Args[At] extends Column<infer Told> ? Told : never
}

/** What may be given for a value that is told as `Told`: whole numbers also as numbers. */
export type GivenAs<Told> = Told | (Told extends bigint ? number : never)

/** Fields to be written to. */
export type StateOf<Fields extends Columns> = {
  -readonly [Name in keyof Fields]: RowOf<Fields>[Name]
}
