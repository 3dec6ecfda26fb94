/** UNION ALL: what comes, goes on. */
import type { UnionAll } from '../../plan/nodes.ts'
import type { Operator } from '../operator.ts'
import { stateless } from './stateless.ts'

export function unionAll(plan: UnionAll): Operator {
  return stateless(`union-all of ${plan.inputs.length}`, (batch, emit) => emit(batch))
}
