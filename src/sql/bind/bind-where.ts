/**
 * WHERE, condition by condition: those on ranks make a top-N, those of joins go into the joins, subqueries that stand on their own
 * become semi and anti joins, and what compares with the query around stands on top, where it can be taken out.
 */
import { columnsIn, conjunctionOf, conjunctsOf } from '../../plan/conjuncts.ts'
import type { Expression } from '../../plan/expressions.ts'
import { filterOver } from '../../plan/joins.ts'
import type { PlanNode } from '../../plan/nodes.ts'
import { isOuter } from '../../plan/outer-columns.ts'
import { rankedBy } from '../../plan/ranks.ts'
import type { ExpressionSyntax, QueryExpression } from '../syntax.ts'
import { bindExpression, type ExpressionEnvironment, requireBoolean } from './bind-expression.ts'
import { isLate, lateColumns } from './bind-late.ts'
import { filteredByExists, filteredByIn, lateQuery, type SubqueryContext } from './bind-subquery.ts'
import type { BindQuery, Catalog } from './catalog.ts'
import type { Relation } from './scope.ts'

/** A subquery that takes rows away. */
interface QueryConjunct {
  readonly syntax: Extract<QueryExpression, { kind: 'exists' | 'in-query' }>
  readonly negated: boolean
  /** Of IN. */
  readonly input: Expression | undefined
}

export function filteredBy(
  relation: Relation,
  where: ExpressionSyntax,
  catalog: Catalog,
  bindQuery: BindQuery,
): Relation {
  const late = lateColumns()
  const context: SubqueryContext = { relation, catalog, bindQuery, lower: (column) => column }
  const bind = (syntax: ExpressionSyntax, unknownIsFalse: boolean): Expression =>
    bindExpression(syntax, { ...env, unknownIsFalse })
  const env: ExpressionEnvironment = {
    relation,
    ...(catalog.outer === undefined ? {} : { outer: catalog.outer }),
    query: (syntax, unknownIsFalse) => {
      const input = syntax.kind === 'in-query' ? bind(syntax.input, false) : undefined
      return lateQuery(syntax, input, unknownIsFalse, late, context)
    },
  }
  const queries: QueryConjunct[] = []
  const conditions: Expression[] = []
  for (const syntax of conjunctSyntax(where)) {
    const query = queryConjunct(syntax)
    if (query === undefined)
      conditions.push(...conjunctsOf(requireBoolean(bind(syntax, true), syntax.at)))
    else {
      const isIn = query.syntax.kind === 'in-query'
      const input = isIn ? bind(query.syntax.input, false) : undefined
      queries.push({ ...query, input })
    }
  }
  const isOf =
    (isIt: (index: number) => boolean) =>
    (condition: Expression): boolean =>
      [...columnsIn(condition)].some(isIt)
  const ofLate = conditions.filter(isOf(isLate))
  const ofOuter = conditions.filter((each) => isOuter(each) && !ofLate.includes(each))
  const own = conditions.filter((each) => !ofLate.includes(each) && !ofOuter.includes(each))
  const ranked = rankedBy(relation.node, own) ?? { node: relation.node, rest: own }
  const attached = late.attachTo(filterOver(ranked.node, ranked.rest))
  let node = filtered(attached.node, ofLate.map(attached.placed))
  for (const { syntax, negated, input } of queries) {
    node =
      syntax.kind === 'exists'
        ? filteredByExists(node, syntax.query, negated, context)
        : filteredByIn(
            node,
            { ...syntax, negated: syntax.negated !== negated },
            attached.placed(input!),
            context,
          )
  }
  return { ...relation, node: filtered(node, ofOuter) }
}

function filtered(input: PlanNode, conjuncts: readonly Expression[]): PlanNode {
  const condition = conjunctionOf(conjuncts)
  return condition === undefined ? input : { kind: 'filter', input, condition }
}

function conjunctSyntax(syntax: ExpressionSyntax): readonly ExpressionSyntax[] {
  const isAnd = syntax.kind === 'operator' && syntax.function === 'AND'
  return isAnd ? syntax.args.flatMap(conjunctSyntax) : [syntax]
}

/** EXISTS, IN, and NOT before them. */
function queryConjunct(syntax: ExpressionSyntax): Omit<QueryConjunct, 'input'> | undefined {
  if (syntax.kind === 'exists' || syntax.kind === 'in-query') return { syntax, negated: false }
  if (syntax.kind !== 'operator' || syntax.function !== 'NOT') return undefined
  const inner = queryConjunct(syntax.args[0]!)
  return inner && { ...inner, negated: !inner.negated }
}
