/** SELECT: one column an expression. Rows that can't be computed leave the batch. */
import { compileProjection } from '../../compile/expression.ts'
import { type Project, schemaOf } from '../../plan/nodes.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { stateless } from './stateless.ts'

export function project(plan: Project, context: OperatorContext): Operator {
  const expressions = compileProjection(plan.expressions, { memory: context.memory })
  const evaluation = evaluationOf(context, schemaOf(plan.input))
  return stateless('project', (batch, emit) => {
    const frame = evaluation.frameOf(batch)
    const columns = expressions.map((expression) => expression.evaluate(frame))
    emit({ ...evaluation.withoutFailed(batch), columns })
  })
}
