/** GROUPING SETS, CUBE, ROLLUP: each row once a projection, with its own kind. No state. */
import { compileProjection } from '../../compile/expression.ts'
import { type Expand, schemaOf } from '../../plan/nodes.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { stateless } from './stateless.ts'

export function expand(plan: Expand, context: OperatorContext): Operator {
  const projections = plan.projections.map((each) => compileProjection(each, context))
  const evaluation = evaluationOf(context, schemaOf(plan.input))
  return stateless('expand', (batch, emit) => {
    const frame = evaluation.frameOf(batch)
    const expanded = projections.map((expressions) =>
      expressions.map((expression) => expression.evaluate(frame)),
    )
    // A row that can't be computed in one projection is in none.
    const good = evaluation.withoutFailed(batch)
    if (good.count === 0) return
    for (const columns of expanded) emit({ ...good, columns })
  })
}
