/** Tables and views as declared: what CREATE TABLE says, with types resolved and nothing opened. */
import type { DataType } from '../data/types.ts'
import type { Expression } from './expressions.ts'

export interface TableDefinition {
  readonly name: string
  readonly columns: readonly ColumnDefinition[]
  /** PRIMARY KEY (...) NOT ENFORCED: names of columns. */
  readonly primaryKey?: readonly string[]
  /** PARTITIONED BY (...). */
  readonly partitionedBy?: readonly string[]
  readonly watermark?: WatermarkDefinition
  /** WITH (...), hints applied. Secrets stand as written, `${env:NAME}`: they are resolved when the table is opened. */
  readonly options: Readonly<Record<string, string>>
}

export type ColumnDefinition =
  | { readonly kind: 'physical'; readonly name: string; readonly type: DataType }
  /** `expression` over all physical and metadata columns, in the order of `columns` without the computed ones. */
  | {
      readonly kind: 'computed'
      readonly name: string
      readonly type: DataType
      readonly expression: Expression
    }
  /** `key` is the connector's name of it; virtual columns are not written. */
  | {
      readonly kind: 'metadata'
      readonly name: string
      readonly type: DataType
      readonly key: string
      readonly virtual: boolean
    }

export interface WatermarkDefinition {
  readonly column: string
  /** Over all columns of the table, computed ones included. */
  readonly expression: Expression
}
