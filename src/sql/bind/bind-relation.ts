/** What stands in FROM: tables, views, subqueries, window table functions. */
import { type PlanNode, type Scan, schemaOf } from '../../plan/nodes.ts'
import type { TableDefinition } from '../../plan/tables.ts'
import type { OptionSyntax, QuerySyntax, RelationSyntax } from '../syntax.ts'
import { bindWindow } from './bind-window.ts'
import { type Catalog, findTable, nameText, unknownTable } from './catalog.ts'
import { checkedOptions } from './options.ts'
import { type Relation, relationOf, renamed } from './scope.ts'

/** How a query in FROM is bound: given, since queries are made of relations too. */
type BindQuery = (query: QuerySyntax, catalog: Catalog) => Relation

/** @throws SqlError */
export function bindRelation(
  syntax: RelationSyntax,
  catalog: Catalog,
  bindQuery: BindQuery,
): Relation {
  const bound = bare(syntax, catalog, bindQuery)
  const { alias } = syntax
  if (alias === undefined) return bound
  return renamed(bound, alias.columns, alias.name.at, alias.name.name)
}

function bare(syntax: RelationSyntax, catalog: Catalog, bindQuery: BindQuery): Relation {
  switch (syntax.kind) {
    case 'subquery':
      return bindQuery(syntax.query, catalog)
    case 'window':
      return bindWindow(
        bindRelation(syntax.window.input, catalog, bindQuery),
        syntax.window,
        syntax.at,
      )
    case 'table': {
      const name = nameText(syntax.name)
      const view = catalog.views.get(name)
      if (view !== undefined) return renamed(view, undefined, syntax.at, name)
      const table = findTable(catalog, name)
      if (table === undefined) throw unknownTable(catalog, syntax.name)
      return relationOf(scanOf(hinted(table, syntax.options, catalog)), name)
    }
  }
}

/** OPTIONS('k' = 'v') of a hint, over the table's own. */
export function hinted(
  table: TableDefinition,
  options: readonly OptionSyntax[],
  catalog: Catalog,
): TableDefinition {
  if (options.length === 0) return table
  const merged = {
    ...table.options,
    ...Object.fromEntries(options.map(({ key, value }) => [key, value])),
  }
  checkedOptions(merged, options, catalog.connectors, table.name)
  return { ...table, options: merged }
}

/** A table's columns in their order, computed ones computed, its watermark above them. */
export function scanOf(table: TableDefinition): PlanNode {
  const read = table.columns.filter(({ kind }) => kind !== 'computed')
  const scan: Scan = {
    kind: 'scan',
    table,
    schema: read.map(({ name, type }) => ({ name, type })),
  }
  const all: PlanNode = read.length === table.columns.length ? scan : withComputed(table, scan)
  const { watermark } = table
  if (watermark === undefined) return all
  const rowtime = schemaOf(all).findIndex(({ name }) => name === watermark.column)
  return { kind: 'watermark-assigner', input: all, rowtime, watermark: watermark.expression }
}

function withComputed(table: TableDefinition, scan: Scan): PlanNode {
  return {
    kind: 'project',
    input: scan,
    expressions: table.columns.map((column) => {
      if (column.kind === 'computed') return column.expression
      const index = scan.schema.findIndex(({ name }) => name === column.name)
      return { kind: 'column', index, type: column.type }
    }),
    schema: table.columns.map(({ name, type }) => ({ name, type })),
  }
}
