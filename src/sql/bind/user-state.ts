/** What a call of a user's aggregate function keeps. */
import type { AggregateCall } from '../../plan/expressions.ts'
import { userFunctionNamed } from '../../plan/functions/registry.ts'
import type { Place } from '../place.ts'
import { SqlError } from '../sql-error.ts'
import type { CallSyntax } from '../syntax.ts'

/** Nothing for functions that are built in. @throws SqlError for DISTINCT: what is set aside must not count as seen */
export function userState(call: CallSyntax, at: Place): Pick<AggregateCall, 'state'> {
  const users = userFunctionNamed(call.name.name)
  if (users?.state === undefined) return {}
  if (!call.distinct) return { state: users.state }
  throw new SqlError('SQL_UNSUPPORTED', at, {
    message: `${call.name.name}(DISTINCT ...): functions of your own don't leave out what came before`,
    hint: "aggregate over SELECT DISTINCT ... FROM t, or keep the values in the function's own state",
    facts: { function: call.name.name },
  })
}
