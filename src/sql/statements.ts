/** Statements as written, with their places: what declares, sets and runs. */
import type { DataType } from '../data/types.ts'
import type { Place } from './place.ts'
import type {
  ExpressionSyntax,
  Identifier,
  OptionSyntax,
  QualifiedName,
  QuerySyntax,
} from './syntax.ts'

export type ColumnSyntax =
  | {
      readonly kind: 'physical'
      readonly name: Identifier
      readonly type: DataType
      readonly primaryKey: boolean
      readonly at: Place
    }
  | {
      readonly kind: 'computed'
      readonly name: Identifier
      readonly expression: ExpressionSyntax
      readonly at: Place
    }
  | {
      readonly kind: 'metadata'
      readonly name: Identifier
      readonly type: DataType
      readonly key?: string
      readonly virtual: boolean
      readonly at: Place
    }

export interface CreateTable {
  readonly kind: 'create-table'
  readonly name: QualifiedName
  readonly ifNotExists: boolean
  readonly columns: readonly ColumnSyntax[]
  readonly watermark?: {
    readonly column: QualifiedName
    readonly expression: ExpressionSyntax
    readonly at: Place
  }
  readonly primaryKey?: readonly Identifier[]
  readonly partitionedBy?: readonly Identifier[]
  readonly options: readonly OptionSyntax[]
  /** LIKE: the columns, watermark, key and options of another table, which this one adds to. */
  readonly like?: QualifiedName
  readonly at: Place
}

export interface Insert {
  readonly kind: 'insert'
  readonly table: QualifiedName
  readonly options: readonly OptionSyntax[]
  /** PARTITION (a = 1, b): b is taken from the query. */
  readonly partition?: readonly { readonly name: Identifier; readonly value?: ExpressionSyntax }[]
  readonly columns?: readonly Identifier[]
  readonly query: QuerySyntax
  readonly at: Place
}

export type Statement =
  | CreateTable
  | CreateFunction
  | {
      readonly kind: 'create-view'
      readonly name: QualifiedName
      readonly ifNotExists: boolean
      readonly columns?: readonly Identifier[]
      readonly query: QuerySyntax
      readonly at: Place
    }
  | {
      readonly kind: 'drop'
      readonly object: 'table' | 'view'
      readonly name: QualifiedName
      readonly ifExists: boolean
      readonly at: Place
    }
  | { readonly kind: 'set'; readonly option?: OptionSyntax; readonly at: Place }
  | { readonly kind: 'reset'; readonly key?: string; readonly at: Place }
  | Insert
  | { readonly kind: 'statement-set'; readonly inserts: readonly Insert[]; readonly at: Place }
  | {
      readonly kind: 'explain'
      readonly statement: Explained
      readonly at: Place
    }
  | { readonly kind: 'query'; readonly query: QuerySyntax; readonly at: Place }
  /** Could not be read: its errors are told, and what would have been `creates` is not missed again. */
  | { readonly kind: 'broken'; readonly creates?: string; readonly at: Place }

export type Explained =
  | Insert
  | { readonly kind: 'query'; readonly query: QuerySyntax; readonly at: Place }
  | { readonly kind: 'statement-set'; readonly inserts: readonly Insert[]; readonly at: Place }

export interface Script {
  readonly statements: readonly Statement[]
}

/** CREATE FUNCTION name AS './module.ts#export' LANGUAGE TYPESCRIPT. */
export interface CreateFunction {
  readonly kind: 'create-function'
  readonly name: QualifiedName
  readonly ifNotExists: boolean
  readonly module: string
  readonly export: string
  /** Of the text that names the module. */
  readonly sourceAt: Place
  readonly at: Place
}
