/** JOIN ... ON, USING, NATURAL, CROSS JOIN and commas. */
import { types } from '../../data/types.ts'
import { conjunctionOf, conjunctsOf } from '../../plan/conjuncts.ts'
import type { Expression } from '../../plan/expressions.ts'
import { commonTypeOf } from '../../plan/functions/coercion.ts'
import { joinOf } from '../../plan/joins.ts'
import { type JoinType, type PlanNode, schemaOf } from '../../plan/nodes.ts'
import { isOuter } from '../../plan/outer-columns.ts'
import { SqlError } from '../sql-error.ts'
import { suggestion } from '../suggest.ts'
import type { ExpressionSyntax, Identifier, JoinSyntax, RelationSyntax } from '../syntax.ts'
import { bindExpression, callOf, castTo, requireBoolean } from './bind-expression.ts'
import { type BindQuery, type Catalog, nameText } from './catalog.ts'
import type { Relation, ScopeColumn } from './scope.ts'

/** What relations are bound with. */
export interface JoinContext {
  readonly catalog: Catalog
  readonly bindQuery: BindQuery
  /** Table or alias to µs. */
  readonly stateTtls: ReadonlyMap<string, number>
}

/** @throws SqlError */
export function bindJoin(
  left: Relation,
  right: Relation,
  syntax: JoinSyntax,
  context: JoinContext,
): Relation {
  const type: JoinType = syntax.type === 'cross' ? 'inner' : syntax.type
  const shared = syntax.natural ? sharedNames(left, right, syntax) : syntax.using
  if (shared !== undefined) return bindUsing(left, right, type, shared, syntax, context)
  const conjuncts = syntax.on === undefined ? [] : conditionsOf(left, right, syntax.on, context)
  return beside(left, right, joinedNode(type, left, right, conjuncts, syntax, context))
}

/** The columns of both, over a node that has them so. */
export function beside(left: Relation, right: Relation, node: PlanNode): Relation {
  return { node, columns: [...left.columns, ...right.columns] }
}

/** ON, over left's columns, then right's. */
export function conditionsOf(
  left: Relation,
  right: Relation,
  on: ExpressionSyntax,
  { catalog }: JoinContext,
): readonly Expression[] {
  const relation = beside(left, right, joinOf('inner', left.node, right.node, []))
  const outer = catalog.outer === undefined ? {} : { outer: catalog.outer }
  const bound = bindExpression(on, { relation, ...outer, unknownIsFalse: true })
  return conjunctsOf(requireBoolean(bound, on.at))
}

function joinedNode(
  type: JoinType,
  left: Relation,
  right: Relation,
  conjuncts: readonly Expression[],
  { left: leftSyntax, right: rightSyntax }: JoinSyntax,
  { stateTtls }: JoinContext,
): PlanNode {
  // What compares with the query around is taken out of a filter on top.
  const outer = type === 'inner' ? conjuncts.filter(isOuter) : []
  const own = conjuncts.filter((conjunct) => !outer.includes(conjunct))
  const joined = joinOf(type, left.node, right.node, own)
  const [leftTtlUs, rightTtlUs] = [leftSyntax, rightSyntax].map((side) =>
    stateTtls.get(nameOf(side) ?? ''),
  )
  const node: PlanNode =
    joined.kind === 'join'
      ? {
          ...joined,
          ...(leftTtlUs === undefined ? {} : { leftTtlUs }),
          ...(rightTtlUs === undefined ? {} : { rightTtlUs }),
        }
      : joined
  const condition = conjunctionOf(outer)
  return condition === undefined ? node : { kind: 'filter', input: node, condition }
}

function nameOf(syntax: RelationSyntax): string | undefined {
  if (syntax.alias !== undefined) return syntax.alias.name.name
  return syntax.kind === 'table' ? nameText(syntax.name) : undefined
}

function sharedNames(left: Relation, right: Relation, { at }: JoinSyntax): readonly Identifier[] {
  return left.columns
    .filter(({ name }) => right.columns.some((column) => column.name === name))
    .map(({ name }) => ({ name, at }))
}

/** Columns of one name are compared, and stand once, before all others. */
function bindUsing(
  left: Relation,
  right: Relation,
  type: JoinType,
  shared: readonly Identifier[],
  syntax: JoinSyntax,
  context: JoinContext,
): Relation {
  const width = left.columns.length
  const pairs = shared.map((name) => {
    const [mine, other] = [columnOf(left, name), columnOf(right, name)]
    const moved: Expression = { ...other, index: other.index + width }
    return { name, left: mine, right: moved }
  })
  const conjuncts = pairs.map((pair) => callOf('EQUALS', [pair.left, pair.right], pair.name.at))
  const node = joinedNode(type, left, right, conjuncts, syntax, context)
  const fields = schemaOf(node)
  const column = (index: number): Expression => ({
    kind: 'column',
    index,
    type: fields[index]!.type,
  })
  const isShared = (index: number): boolean =>
    pairs.some((pair) => pair.left.index === index || pair.right.index === index)
  const merged = pairs.map((pair): Expression => {
    const [mine, other] = [column(pair.left.index), column(pair.right.index)]
    if (type === 'right') return other
    if (type !== 'full') return mine
    const common = commonTypeOf([mine.type, other.type]) ?? types.null
    const both = [mine, other].map((each) => castTo(each, common, pair.name.at))
    return callOf('COALESCE', both, pair.name.at)
  })
  const all: readonly ScopeColumn[] = [...left.columns, ...right.columns]
  const others = all.flatMap((_, index) => (isShared(index) ? [] : [index]))
  const expressions = [...merged, ...others.map(column)]
  const names = [...shared.map(({ name }) => name), ...others.map((index) => fields[index]!.name)]
  return {
    node: {
      kind: 'project',
      input: node,
      expressions,
      schema: expressions.map((expression, index) => ({
        name: names[index]!,
        type: expression.type,
      })),
    },
    columns: [
      // Still to be named by its table, where it is of one.
      ...pairs.map((pair) => ofSide(type, all[pair.left.index]!, all[pair.right.index]!)),
      ...others.map((index) => all[index]!),
    ],
  }
}

function ofSide(type: JoinType, left: ScopeColumn, right: ScopeColumn): ScopeColumn {
  if (type === 'full') return { name: left.name }
  return type === 'right' ? right : left
}

function columnOf({ node, columns }: Relation, { name, at }: Identifier) {
  const found = columns.flatMap((column, index) => (column.name === name ? [index] : []))
  const [index] = found
  if (index !== undefined && found.length === 1)
    return { kind: 'column' as const, index, type: schemaOf(node)[index]!.type }
  const names = columns.map((column) => column.name)
  throw new SqlError(index === undefined ? 'SQL_COLUMN_UNKNOWN' : 'SQL_COLUMN_AMBIGUOUS', at, {
    message:
      index === undefined
        ? `there is no column \`${name}\` on both sides`
        : `\`${name}\` may be any of several columns`,
    hint:
      index === undefined
        ? suggestion(name, names, 'columns')
        : 'write ON with the tables named: ON a.id = b.id',
    facts: { column: name },
  })
}
