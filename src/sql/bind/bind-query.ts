/** Queries to plans: WITH, and bodies that are put together from SELECT and VALUES. */
import { PLAN_COST_MAX, planCost } from '../../plan/cost.ts'
import { SqlError } from '../sql-error.ts'
import type { BodySyntax, OrderItem, QuerySyntax } from '../syntax.ts'
import { type Body, ordered } from './bind-order.ts'
import { bindSelect } from './bind-select.ts'
import { bindSet, bindValues } from './bind-sets.ts'
import type { Catalog } from './catalog.ts'
import { type Relation, renamed } from './scope.ts'

/** @throws SqlError */
export function bindQuery(query: QuerySyntax, catalog: Catalog): Relation {
  const inner = withCommonTables(query, catalog)
  const body = bindBody(query.body, inner, query.orderBy)
  const relation = ordered(body, query)
  if (planCost(relation.node) > PLAN_COST_MAX)
    throw new SqlError('SQL_UNSUPPORTED', query.at, {
      message: 'this query is too large once its views and joins are written out',
      hint: 'write what a part of it gives to a table (INSERT INTO), and go on from that table',
    })
  return relation
}

/** WITH: views that only this query sees. */
function withCommonTables(query: QuerySyntax, catalog: Catalog): Catalog {
  if (query.with.length === 0) return catalog
  const views = new Map(catalog.views)
  const inner = { ...catalog, views }
  for (const { name, columns, query: common } of query.with) {
    views.set(name.name, renamed(bindQuery(common, inner), columns, name.at))
  }
  return inner
}

/** `orderBy` may need aggregates that are not selected. */
function bindBody(body: BodySyntax, catalog: Catalog, orderBy: readonly OrderItem[]): Body {
  switch (body.kind) {
    case 'select':
      return bindSelect(body, catalog, orderBy, bindQuery)
    case 'values':
      return { relation: bindValues(body.rows, body.at) }
    case 'union':
    case 'intersect':
    case 'except': {
      const inputs = body.inputs.map((input) => bindBody(input, catalog, []).relation)
      return { relation: bindSet(body, inputs) }
    }
    case 'nested':
      return { relation: bindQuery(body.query, catalog) }
  }
}
