/** What stands in FROM: tables, views, subqueries, window table functions, and their joins. */
import { type PlanNode, type Scan, schemaOf } from '../../plan/nodes.ts'
import type { TableDefinition } from '../../plan/tables.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { OptionSyntax, QuerySyntax, RelationSyntax } from '../syntax.ts'
import { bindCorrelated, type CorrelatedSyntax } from './bind-correlate.ts'
import { bindJoin, type JoinContext } from './bind-join.ts'
import { bindMatch } from './bind-match.ts'
import { bindProcess } from './bind-process.ts'
import { ONE_ROW } from './bind-sets.ts'
import { bindTemporalJoin } from './bind-temporal-join.ts'
import { bindWindow } from './bind-window.ts'
import { type Catalog, findTable, nameText, unknownTable } from './catalog.ts'
import { checkedOptions } from './options.ts'
import { type Relation, relationOf, renamed } from './scope.ts'

/** @throws SqlError */
export function bindRelation(syntax: RelationSyntax, context: JoinContext): Relation {
  if (isCorrelated(syntax)) return bindCorrelated(ONE_ROW, syntax, 'inner', undefined, context)
  const bound = bare(syntax, context)
  const { alias } = syntax
  if (alias === undefined) return bound
  return renamed(bound, alias.columns, alias.name.at, alias.name.name)
}

function bare(syntax: Exclude<RelationSyntax, CorrelatedSyntax>, context: JoinContext): Relation {
  const { catalog, bindQuery } = context
  switch (syntax.kind) {
    case 'subquery':
      return bindQuery(withoutOrder(syntax.query), catalog)
    case 'window': {
      const input = bindRelation(syntax.window.input, context)
      return bindWindow(input, syntax.window, syntax.at)
    }
    case 'join':
      return joined(syntax, context)
    case 'process':
      return bindProcess(syntax, (table) => bindRelation(table, context))
    case 'match':
      return bindMatch(bindRelation(syntax.input, context), syntax.match)
    case 'table': {
      if (syntax.asOf !== undefined) {
        throw new SqlError('SQL_JOIN_INVALID', syntax.asOf.at, {
          message: 'FOR SYSTEM_TIME AS OF asks for the version of a row at the time of another one',
          hint: 'join a table with it: FROM orders AS o JOIN rates FOR SYSTEM_TIME AS OF o.ts AS r ON o.currency = r.currency',
        })
      }
      const name = nameText(syntax.name)
      const view = catalog.views.get(name)
      if (view !== undefined) return renamed(view, undefined, syntax.at, name)
      const table = findTable(catalog, name)
      if (table === undefined) throw unknownTable(catalog, syntax.name)
      return relationOf(scanOf(hinted(table, syntax.options, catalog), catalog, syntax.at), name)
    }
  }
}

function joined(syntax: Extract<RelationSyntax, { kind: 'join' }>, context: JoinContext): Relation {
  const left = bindRelation(syntax.left, context)
  const { right } = syntax
  if (isCorrelated(right)) return bindCorrelated(left, right, syntax.type, syntax.on, context)
  if (right.kind === 'table' && right.asOf !== undefined) {
    const { asOf, ...table } = right
    return bindTemporalJoin(left, bindRelation(table, context), asOf, syntax, context)
  }
  return bindJoin(left, bindRelation(right, context), syntax, context)
}

function isCorrelated(syntax: RelationSyntax): syntax is CorrelatedSyntax {
  return syntax.kind === 'unnest' || syntax.kind === 'function' || syntax.kind === 'lateral'
}

/** Rows in FROM have no order, unless it says which of them there are. */
function withoutOrder(query: QuerySyntax): QuerySyntax {
  const isPlain = query.limit === undefined && query.offset === undefined
  return isPlain ? { ...query, orderBy: [] } : query
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
function scanOf(table: TableDefinition, catalog: Catalog, at: Place): PlanNode {
  const read = table.columns.filter(({ kind }) => kind !== 'computed')
  const changes = changesOf(table, catalog)
  const scan: Scan = {
    kind: 'scan',
    table,
    schema: read.map(({ name, type }) => ({ name, type })),
    ...(changes === undefined ? {} : { changes }),
  }
  const all: PlanNode = read.length === table.columns.length ? scan : withComputed(table, scan)
  const { watermark } = table
  const rowtime = schemaOf(all).findIndex(({ name }) => name === watermark?.column)
  const timed: PlanNode =
    watermark === undefined
      ? all
      : { kind: 'watermark-assigner', input: all, rowtime, watermark: watermark.expression }
  return changes === undefined ? timed : normalized(timed, table, changes, catalog, at)
}

/** How the rows of a table change, where they do: its connector knows. */
function changesOf(table: TableDefinition, { connectors }: Catalog): Scan['changes'] {
  const connector = connectors.find(({ name }) => name === table.options.connector)
  const mode = connector?.source?.mode?.(table.options)
  return mode === 'retract' || mode === 'upsert' ? mode : undefined
}

const REPEATED = 'table.exec.source.cdc-events-duplicate'

/** Rows that may come twice, or without what they replace, are held against what was there. */
function normalized(
  input: PlanNode,
  { name, primaryKey }: TableDefinition,
  changes: NonNullable<Scan['changes']>,
  { settings }: Catalog,
  at: Place,
): PlanNode {
  const mayRepeat = settings.get(REPEATED) === 'true'
  if (primaryKey === undefined && mayRepeat) throw keyMissing(name, at)
  if (primaryKey === undefined || (changes === 'retract' && !mayRepeat)) return input
  const fields = schemaOf(input)
  const keys = primaryKey.map((key) => fields.findIndex(({ name }) => name === key))
  return { kind: 'changelog-normalize', input, keys }
}

function keyMissing(table: string, at: Place): SqlError {
  return new SqlError('SQL_OPTION_INVALID', at, {
    message: `'${REPEATED}' tells repeated changes by their PRIMARY KEY, and table ${table} has none`,
    hint: 'declare PRIMARY KEY (...) NOT ENFORCED, or leave the setting out',
    facts: { table, setting: REPEATED },
  })
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
