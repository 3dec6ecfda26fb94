/** Rows of a stream as the types see them: by name, an expression each. */
import type { Value } from '../data/values.ts'
import type { Column, Columns, Kind } from './columns.ts'
import { named } from './constants.ts'
import {
  type Expression,
  expressionOf,
  type KindOf,
  type Origin,
  type ToldBy,
} from './expression.ts'

export type Shape = Readonly<Record<string, Expression<unknown>>>

/** Of a table's columns. */
export type ShapeOf<Declared extends Columns> = {
  readonly [Name in keyof Declared]: Declared[Name] extends Column<infer Told, infer Of>
    ? Expression<Told, Of, 'row'>
    : never
}

/** What SELECT gives: constants, and expressions over rows or over groups. */
export type Selection<From extends Origin> = Readonly<
  Record<string, Expression<unknown, Kind, From>>
>

/** What a selection is to whom reads it. */
export type Selected<Out> = {
  readonly [Name in keyof Out]: Expression<ToldBy<Out[Name]>, KindOf<Out[Name]>, 'row'>
}

/** A row as it is told. */
export type RowOfShape<Columns extends Shape> = {
  readonly [Name in keyof Columns]: ToldBy<Columns[Name]> & Value
}

/** Names of columns of these kinds. */
export type NamesOf<Columns extends Shape, Of extends Kind> = {
  [Name in keyof Columns]: [KindOf<Columns[Name]>] extends [Of] ? Name : never
}[keyof Columns] &
  string

export type Kinds = ReadonlyMap<string, Kind | undefined>

/** The columns as they are named behind `alias`. */
export function columnsBehind<Columns extends Shape>(alias: string, kinds: Kinds): Columns {
  const columns: Record<string, Expression<unknown>> = Object.create(null)
  for (const [name, kind] of kinds) {
    columns[name] = expressionOf(`${alias}.${named(name)}`, kind)
  }
  return columns as Columns
}

export function kindsOf(selection: Selection<Origin>): Kinds {
  return new Map(Object.entries(selection).map(([name, { kind }]) => [name, kind]))
}

/** `a AS x, b AS y` */
export function selectionText(selection: Selection<Origin>): string {
  return Object.entries(selection)
    .map(([name, { sql }]) => `${sql} AS ${named(name)}`)
    .join(', ')
}
