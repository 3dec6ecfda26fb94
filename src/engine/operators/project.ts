/** SELECT, with the WHERE below it: one column an expression. Rows that can't be computed leave the batch. */
import { compilePredicate, compileProjection } from '../../compile/expression.ts'
import { frameOf } from '../../compile/frame-rows.ts'
import { repeatedCalls } from '../../compile/repeated-calls.ts'
import { type Filter, type Project, schemaOf } from '../../plan/nodes.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { stateless } from './stateless.ts'

/** @param below the filter that is the projection's input, done here: what both compute is computed once */
export function project(plan: Project, context: OperatorContext, below?: Filter): Operator {
  const conditions = below === undefined ? [] : [below.condition]
  const repeated = repeatedCalls([...conditions, ...plan.expressions])
  const environment = { ...context, repeated }
  const [predicate] = conditions.map((condition) => compilePredicate(condition, environment))
  const expressions = compileProjection(plan.expressions, environment)
  const evaluation = evaluationOf(context, schemaOf(plan.input))
  return stateless('project', (batch, emit) => {
    const all = evaluation.frameOf(batch)
    const frame = predicate === undefined ? all : frameOf(all, predicate.select(all))
    const { selection, count } = frame
    const columns = count === 0 ? [] : expressions.map((expression) => expression.evaluate(frame))
    emit({ ...evaluation.withoutFailed({ ...batch, selection, count }), columns })
  })
}
