/** OVER: in order of time rows are told once; by other columns they are told again as rows come before them. */
import { MillraceError } from '../../errors.ts'
import type { OverAggregate } from '../../plan/nodes.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { OverByOrder } from './over-by-order.ts'
import { OverByTime } from './over-by-time.ts'

/** `retracts`: the input takes rows back. */
export function overAggregate(
  plan: OverAggregate,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
  retracts: boolean,
): Operator {
  if (plan.time !== undefined && !retracts)
    return new OverByTime(plan, context, restoredWatermarkUs)
  if (plan.frame.preceding !== undefined) throw bounded(retracts)
  return new OverByOrder(plan, context)
}

function bounded(retracts: boolean): MillraceError {
  return new MillraceError('SQL_UNSUPPORTED', {
    message: retracts
      ? 'a bounded frame over rows that may be taken back is not supported'
      : 'a bounded frame needs rows in order of time',
    hint: retracts
      ? 'leave the frame unbounded: ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW'
      : 'order by the event time or PROCTIME(), or leave the frame unbounded',
    facts: {},
  })
}
