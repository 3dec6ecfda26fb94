/** Tables and views by name, as a script has declared them so far. */
import type { Connector } from '../../connectors/contract/connector.ts'
import { sideTable } from '../../plan/side-tables.ts'
import type { TableDefinition } from '../../plan/tables.ts'
import { SqlError } from '../sql-error.ts'
import { suggestion } from '../suggest.ts'
import type { QualifiedName, QuerySyntax } from '../syntax.ts'
import type { Relation } from './scope.ts'

export interface Catalog {
  readonly connectors: readonly Connector[]
  readonly tables: Map<string, TableDefinition>
  /** Bound where they were declared. */
  readonly views: Map<string, Relation>
  /** Names whose declaration could not be read: what uses them is not told twice. */
  readonly broken: Set<string>
  /** SET so far: some say how tables are read and written. */
  readonly settings: ReadonlyMap<string, string>
  /** Of the query around, whose columns a subquery may name. */
  readonly outer?: Relation
}

/** How a query within another is bound: given, since queries are made of relations and expressions, and those of queries. */
export type BindQuery = (query: QuerySyntax, catalog: Catalog) => Relation

/** Thrown where the real error has been told already. */
export class AlreadyTold extends Error {}

/** @throws SQL_TABLE_UNKNOWN */
export function tableNamed(catalog: Catalog, name: QualifiedName): TableDefinition {
  const table = findTable(catalog, nameText(name))
  if (table !== undefined) return table
  throw unknownTable(catalog, name)
}

export function findTable({ tables }: Catalog, name: string): TableDefinition | undefined {
  const side = /^(.+)\$(late|dead)$/.exec(name)
  if (side !== null && tables.has(side[1]!)) return sideTable(side[1]!, side[2] as 'late' | 'dead')
  return tables.get(name)
}

export function unknownTable(catalog: Catalog, name: QualifiedName): SqlError {
  const text = nameText(name)
  if (catalog.broken.has(text)) throw new AlreadyTold()
  const known = [...catalog.tables.keys(), ...catalog.views.keys()]
  return new SqlError('SQL_TABLE_UNKNOWN', name.at, {
    message: `there is no table \`${text}\``,
    hint: suggestion(text, known, 'tables'),
    facts: { table: text },
  })
}

/** The last part: databases and catalogs are not told apart. */
export function nameText({ parts }: QualifiedName): string {
  return parts.at(-1)!.name
}
