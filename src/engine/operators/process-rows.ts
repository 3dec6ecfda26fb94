/** A process function that is told each row by itself: no partition, no state, no timers. */
import { compileProjection } from '../../compile/expression.ts'
import { userCode } from '../../compile/user-code.ts'
import { failureOf, requireNothing } from '../../compile/user-values.ts'
import { selectedRows } from '../../data/values.ts'
import { userFunctionName } from '../../plan/functions/user.ts'
import { type Process, schemaOf } from '../../plan/nodes.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { batchOfRows, type ValueRow } from '../value-rows.ts'
import { calling, constantsOf, inputOf } from './process-call.ts'
import { stateless } from './stateless.ts'

export function processRows(plan: Process, context: OperatorContext): Operator {
  const { memory } = context
  const name = userFunctionName(plan.function)
  const code = userCode(plan.function, 'process')
  const values = compileProjection(plan.values, context)
  const evaluation = evaluationOf(context, schemaOf(plan.input))
  const args = constantsOf(plan, context)
  return stateless(`process(${name})`, (batch, emit) => {
    const frame = evaluation.frameOf(batch)
    const vectors = values.map((value) => value.evaluate(frame))
    const good = evaluation.withoutFailed(batch)
    const rows: ValueRow[] = []
    for (const row of selectedRows(memory, good)) {
      const time =
        plan.time === undefined ? undefined : memory.i64[good.columns[plan.time]!.cells / 8 + row]!
      const watermarkUs = context.watermarkUs?.()
      const shared = { plan, code, timeUs: time, watermarkUs, state: {}, timers: undefined }
      const call = calling(shared)
      try {
        requireNothing(
          code.eval(call.context, {}, inputOf(memory, plan, vectors, row), args),
          'eval',
        )
        rows.push(...call.rows.map((given) => (time === undefined ? given : [...given, time])))
      } catch (error) {
        frame.context.fail(row, failureOf(error, name), false)
      }
    }
    evaluation.withoutFailed(good)
    if (rows.length > 0) emit(batchOfRows(memory, plan.schema, rows))
  })
}
