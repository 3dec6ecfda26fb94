/** `SELECT <expressions>` over one row's columns f0, f1, ...: the product's binder, for the conformance of functions alone. */
import { type DataType, types } from '../../src/data/types.ts'
import type { Expression } from '../../src/plan/expressions.ts'
import { bindExpression } from '../../src/sql/bind/bind-expression.ts'
import { relationOf } from '../../src/sql/bind/scope.ts'
import { parseScript } from '../../src/sql/parse/parse-script.ts'

/** One bound expression a SELECT item. A column of undefined type is one that Millrace has no type for. @throws MillraceError */
export function bindSelect(
  expressions: string,
  columns: readonly (DataType | undefined)[],
): readonly Expression[] {
  const { statements, errors } = parseScript(`SELECT ${expressions}`)
  const [error] = errors
  if (error !== undefined) throw error
  const [statement] = statements
  if (statement?.kind !== 'query' || statement.query.body.kind !== 'select') return []
  const schema = columns.map((type, index) =>
    type === undefined
      ? { name: `no type for f${index}`, type: types.string }
      : { name: `f${index}`, type },
  )
  const relation = relationOf({ kind: 'values', rows: [], schema })
  return statement.query.body.items.flatMap((item) =>
    item.kind === 'star' ? [] : [bindExpression(item.expression, { relation })],
  )
}
