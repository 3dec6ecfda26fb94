/** WHERE and HAVING: keeps the rows for which the condition is TRUE. Each change passes or not by itself, as in Flink. */
import { compilePredicate } from '../../compile/expression.ts'
import { type Filter, schemaOf } from '../../plan/nodes.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { stateless } from './stateless.ts'

export function filter(plan: Filter, context: OperatorContext): Operator {
  const predicate = compilePredicate(plan.condition, context)
  const evaluation = evaluationOf(context, schemaOf(plan.input))
  return stateless('filter', (batch, emit) => {
    const { selection, count } = predicate.select(evaluation.frameOf(batch))
    emit(evaluation.withoutFailed({ ...batch, selection, count }))
  })
}
