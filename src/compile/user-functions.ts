/** Calls of users' scalar functions, and of table functions, whose rows are an array. What one throws fails the row. */
import type { Expression } from '../plan/expressions.ts'
import { userFunctionName } from '../plan/functions/user.ts'
import { writerOf } from './cells.ts'
import type { Frame } from './compiled.ts'
import { forEachRow } from './frame-rows.ts'
import { type ScalarCode, userCode } from './user-code.ts'
import { failureOf, resultCell, toldAt } from './user-values.ts'
import type { Compiled } from './vectors.ts'

type Call = Extract<Expression, { kind: 'call' }>

export function compileUserCall(call: Call, args: readonly Compiled[]): Compiled {
  const code = userCode(call.function, 'scalar', 'table')
  const jsBecause = [...new Set([call.function.slice(5), ...args.flatMap((arg) => arg.jsBecause)])]
  return {
    type: call.type,
    mark: 'js',
    jsBecause,
    evaluate: (frame) => evaluateRows(frame, call, args, code),
  }
}

function evaluateRows(frame: Frame, call: Call, args: readonly Compiled[], code: ScalarCode) {
  const { memory, context } = frame
  const vectors = args.map((arg) => arg.evaluate(frame))
  const writer = writerOf(memory, call.type, frame.rowCount)
  forEachRow(frame, (row) => {
    const values = vectors.map((vector) => toldAt(memory, vector, row))
    try {
      writer.set(row, resultCell(code.call(...values), call.type, context))
    } catch (error) {
      const reason = failureOf(error, userFunctionName(call.function))
      context.fail(row, reason, code.deterministic)
    }
  })
  return writer.vector
}
