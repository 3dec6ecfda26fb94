/** From SQL text to what it means: the way in for everyone who has a text. */
import type { Connector } from '../connectors/contract/connector.ts'
import type { Schema } from '../data/types.ts'
import type { UserFunctionType } from '../plan/functions/user.ts'
import { type PlanNode, schemaOf } from '../plan/nodes.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import { bindScript } from './bind/bind-script.ts'
import { parseScript } from './parse/parse-script.ts'
import type { SqlError } from './sql-error.ts'

export interface BoundTable {
  readonly name: string
  readonly schema: Schema
  /** As written. */
  readonly options: Readonly<Record<string, string>>
}

/** What a script of tables, views and statements means. */
export interface BoundScript {
  readonly tables: readonly BoundTable[]
  readonly views: readonly { readonly name: string; readonly schema: Schema }[]
  /** All INSERTs; absent if there are none. */
  readonly pipeline?: Pipeline
  /** SELECTs that stand alone, in order. */
  readonly queries: readonly PlanNode[]
  /** All of them, syntax and meaning, in the order of their places. */
  readonly errors: readonly SqlError[]
}

/**
 * Never throws for what the text says. `name` is the pipeline's, unless the text SETs 'pipeline.name'; without `connectors`
 * options are not checked. `functions` are those that the text declares, loaded, by `module#export`.
 */
export function bindText(
  text: string,
  name: string,
  connectors: readonly Connector[],
  functions?: ReadonlyMap<string, UserFunctionType>,
): BoundScript {
  const parsed = parseScript(text)
  const bound = bindScript(parsed.statements, {
    connectors,
    name,
    ...(functions && { functions }),
  })
  const errors = [...parsed.errors, ...bound.errors]
  return {
    tables: bound.tables.map((table) => ({
      name: table.name,
      options: table.options,
      schema: table.columns.map((column) => ({ name: column.name, type: column.type })),
    })),
    views: bound.views.map(({ name: view, relation }) => ({
      name: view,
      schema: relation.columns.map((column, index) => ({
        name: column.name,
        type: schemaOf(relation.node)[index]!.type,
      })),
    })),
    ...(bound.pipeline === undefined ? {} : { pipeline: bound.pipeline }),
    queries: bound.queries,
    errors: errors.toSorted((left, right) => left.place.offset - right.place.offset),
  }
}
