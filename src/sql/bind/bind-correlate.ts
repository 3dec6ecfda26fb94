/** What stands beside a table and is made of its rows: UNNEST, table functions, LATERAL queries. */

import { type Field, types, withNullability } from '../../data/types.ts'
import { mapColumns } from '../../plan/columns.ts'
import { conjunctionOf } from '../../plan/conjuncts.ts'
import { decorrelate } from '../../plan/decorrelate.ts'
import type { Expression } from '../../plan/expressions.ts'
import { functionNamed } from '../../plan/functions/registry.ts'
import { typeText } from '../../plan/functions/type-text.ts'
import { isUserFunction } from '../../plan/functions/user.ts'
import { joinedSchema, joinOf } from '../../plan/joins.ts'
import { type Correlate, type PlanNode, schemaOf } from '../../plan/nodes.ts'
import { OUTER_COLUMNS } from '../../plan/outer-columns.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { ExpressionSyntax, JoinSyntax, RelationSyntax } from '../syntax.ts'
import { bindExpression } from './bind-expression.ts'
import { beside, conditionsOf, type JoinContext } from './bind-join.ts'
import { type Relation, relationOf, renamed } from './scope.ts'

export type CorrelatedSyntax = Extract<RelationSyntax, { kind: 'unnest' | 'function' | 'lateral' }>

/** @throws SqlError */
export function bindCorrelated(
  left: Relation,
  syntax: CorrelatedSyntax,
  type: JoinSyntax['type'],
  on: ExpressionSyntax | undefined,
  context: JoinContext,
): Relation {
  if (type === 'right' || type === 'full') {
    throw new SqlError('SQL_JOIN_INVALID', syntax.at, {
      message: `what is made of a table's rows has none of its own for ${type.toUpperCase()} JOIN`,
      hint: 'write CROSS JOIN, or LEFT JOIN ... ON TRUE',
    })
  }
  const kind = type === 'left' ? 'left' : 'inner'
  switch (syntax.kind) {
    case 'unnest':
      return bindUnnest(left, syntax, kind, on, context)
    case 'function': {
      const { call, at, alias } = syntax
      const isUsers = isUserFunction(functionNamed(call.name.name)?.name ?? '')
      // A table function gives its rows as an array.
      if (isUsers) {
        const collection: ExpressionSyntax = { kind: 'call', call, at }
        const unnest = { kind: 'unnest', collection, ordinality: false, at } as const
        return bindUnnest(left, { ...unnest, ...(alias && { alias }) }, kind, on, context)
      }
      const { name } = call.name
      throw new SqlError('SQL_FUNCTION_UNKNOWN', call.name.at, {
        message: `there is no table function ${name.toUpperCase()}`,
        hint: 'arrays and maps become rows by UNNEST: CROSS JOIN UNNEST(items) AS t (item)',
        facts: { function: name },
      })
    }
    case 'lateral':
      return bindLateral(left, syntax, kind, on, context)
  }
}

function bindUnnest(
  left: Relation,
  syntax: Extract<CorrelatedSyntax, { kind: 'unnest' }>,
  type: 'inner' | 'left',
  on: ExpressionSyntax | undefined,
  context: JoinContext,
): Relation {
  const { outer } = context.catalog
  const collection = bindExpression(syntax.collection, {
    relation: left,
    ...(outer === undefined ? {} : { outer }),
  })
  const made = madeFields(collection, syntax.collection.at, syntax.alias?.name.name)
  const fields: Field[] = syntax.ordinality
    ? [...made, { name: 'ORDINALITY', type: withNullability(types.int, false) }]
    : [...made]
  // Where the function's columns stand alone, for their names.
  const alone = relationOf({ kind: 'values', schema: fields, rows: [] })
  const { alias } = syntax
  const right =
    alias === undefined ? alone : renamed(alone, alias.columns, alias.name.at, alias.name.name)
  const correlate: Correlate = {
    kind: 'correlate',
    input: left.node,
    type,
    function: syntax.ordinality ? 'UNNEST_WITH_ORDINALITY' : 'UNNEST',
    args: [collection],
    schema: joinedSchema(type, schemaOf(left.node), fields),
  }
  const conjuncts = on === undefined ? [] : conditionsOf(left, right, on, context)
  const condition = conjunctionOf(conjuncts.filter((each) => !isTrue(each)))
  const node: PlanNode =
    condition === undefined
      ? correlate
      : type === 'left'
        ? { ...correlate, condition }
        : { kind: 'filter', input: correlate, condition }
  return beside(left, right, node)
}

function isTrue(condition: Expression): boolean {
  return condition.kind === 'literal' && condition.value === true
}

/** Of an array of rows their fields, of another its elements, of a map its keys and values. */
function madeFields({ type }: Expression, at: Place, alias: string | undefined): readonly Field[] {
  if (type.kind === 'map') {
    return [
      { name: 'KEY', type: type.key },
      { name: 'VALUE', type: type.value },
    ]
  }
  if (type.kind === 'array') {
    const { element } = type
    if (element.kind !== 'row') return [{ name: alias ?? 'EXPR$0', type: element }]
    return element.fields.map((field) => ({
      ...field,
      type: withNullability(field.type, field.type.nullable || element.nullable),
    }))
  }
  throw new SqlError('SQL_TYPE_MISMATCH', at, {
    message: `UNNEST makes rows of an ARRAY or a MAP, and this is ${typeText(withNullability(type, true))}`,
    hint: 'a ROW has fields instead: row_column.field',
  })
}

/** A query whose rows hang on the row beside it. */
function bindLateral(
  left: Relation,
  syntax: Extract<CorrelatedSyntax, { kind: 'lateral' }>,
  type: 'inner' | 'left',
  on: ExpressionSyntax | undefined,
  context: JoinContext,
): Relation {
  const inner = context.bindQuery(syntax.query, { ...context.catalog, outer: left })
  const found = decorrelate(inner.node)
  if (found === undefined) {
    throw new SqlError('SQL_UNSUPPORTED', syntax.at, {
      message: "this LATERAL query names columns beside it where a join can't compare them",
      hint: 'compare them in its WHERE with =, and let aggregates and LIMIT stand above that',
    })
  }
  const width = schemaOf(left.node).length
  const bound: Relation = { node: found.node, columns: inner.columns }
  const { alias } = syntax
  const right =
    alias === undefined ? bound : renamed(bound, alias.columns, alias.name.at, alias.name.name)
  const conditions = found.conditions.map((condition) =>
    mapColumns(condition, (column) => ({
      ...column,
      index: column.index >= OUTER_COLUMNS ? column.index - OUTER_COLUMNS : width + column.index,
    })),
  )
  const others = on === undefined ? [] : conditionsOf(left, right, on, context)
  const node = joinOf(type, left.node, found.node, [...conditions, ...others])
  return beside(left, right, withoutExtra(node, width + inner.columns.length))
}

/** The first `count` columns of `node`. */
function withoutExtra(node: PlanNode, count: number): PlanNode {
  const schema = schemaOf(node).slice(0, count)
  if (schemaOf(node).length === count) return node
  const expressions = schema.map(({ type }, index): Expression => ({ kind: 'column', index, type }))
  return { kind: 'project', input: node, expressions, schema }
}
