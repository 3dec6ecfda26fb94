/** From the calls of a GROUP BY to an AggregateSet: accumulators that are the same are kept once, rows are selected once an input. */
import type { LinearMemory } from '../../data/memory.ts'
import { type DataType, types } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import type { AggregateCall } from '../../plan/expressions.ts'
import { isUserFunction, userFunctionName } from '../../plan/functions/user.ts'
import { type Accumulator, counter, extremist, summer } from './accumulator.ts'
import type { AggregateEnvironment, AggregateSet } from './aggregate-set.ts'
import { isListed, LISTED, type ListedName, listed, listedResult } from './listed.ts'
import { averageResult, bitsOf, countResult, extremeResult, sumResult } from './results.ts'
import { runAggregates } from './run-aggregates.ts'
import type { Outcome, Slot } from './stage.ts'
import { inputsOf, stagePlan, type Taking } from './stage-plan.ts'
import { type UserSlot, userAccumulator, userResult } from './user-aggregate.ts'

/**
 * Compiles COUNT, SUM, AVG, MIN, MAX and those that keep values (listed.ts), with DISTINCT and FILTER; result types are those of the calls (Flink's).
 *
 * SUM and AVG of no value are NULL; integers wrap (and say so to the context); AVG of integers is cut toward zero, AVG of decimals
 * rounded HALF_UP; a decimal beyond 38 digits is NULL. NaN is greater than every number.
 * @throws AGGREGATE_UNSUPPORTED for another function
 */
export function compileAggregates(
  calls: readonly AggregateCall[],
  environment: AggregateEnvironment,
): AggregateSet {
  const plan = planner(calls, environment)
  const outcomes = calls.map((call) => plan.outcome(call))
  const inputs = plan.stages().flatMap(inputsOf)
  const jsBecause = [...new Set(inputs.flatMap(({ parts }) => parts))]
    .filter(({ mark }) => mark === 'js')
    .flatMap((part) => part.jsBecause)
  const ordered = outcomes.some(({ kind }) => kind === 'order')
  const names = calls.map((call) => call.function).filter(isListed)
  const reasons = [
    ...jsBecause,
    ...(ordered ? ['MIN and MAX of rows that may go away'] : []),
    ...new Set(names),
    ...new Set(plan.users.map(({ id }) => userFunctionName(id))),
  ]
  return {
    mark: reasons.length > 0 ? 'js' : 'kernel',
    jsBecause: reasons,
    values: plan.values,
    sides: plan.sides,
    types: calls.map(({ type }) => type),
    maySetAside: plan.users.length > 0 && environment.setsAside === true,
    ...runAggregates(environment, plan.stages(), plan.users, outcomes, calls),
  }
}

function planner(calls: readonly AggregateCall[], environment: AggregateEnvironment) {
  const { memory } = environment
  const { values, sides, stages, stageOf, ownStage, slotOf } = stagePlan(calls, environment)
  const users: UserSlot[] = []

  /** The count of values; where the arguments can't be NULL that of rows, which all such calls share. */
  function countOf(call: AggregateCall): Slot {
    const rows = call.args.every(({ type }) => !type.nullable) && !call.distinct
    const stage = stageOf(rows ? { ...call, args: [] } : call, call.distinct)
    return slotOf(stage, 'count', () => counter(memory))
  }

  function outcome(call: AggregateCall): Outcome {
    if (isUserFunction(call.function)) return userOutcome(call, memory, users, stageOf, slotOf)
    const name = call.function.toUpperCase()
    const { type } = call
    if (name === 'COUNT') {
      const slot = countOf(call)
      return { kind: 'slots', value: slot, count: slot, read: countResult(memory, type) }
    }
    if (isListed(name)) return listedOutcome(call, name, environment, stageOf, slotOf)
    const argument = call.args[0]?.type ?? types.null
    if (name === 'MIN' || name === 'MAX') return extremeOf(call, argument, name === 'MAX')
    if (name !== 'SUM' && name !== 'AVG') throw unsupported(call.function)
    const isDouble = name === 'AVG' && argument.kind === 'float'
    // An average of small integers may have a sum that they can't be.
    const bits = name === 'SUM' ? bitsOf(type) : 64
    const slotName = isDouble ? 'sum double' : bits < 64 ? `sum of ${bits} bits` : 'sum'
    const value = slotOf(stageOf(call, call.distinct), slotName, () =>
      summer(memory, argument, isDouble, bits),
    )
    const read = name === 'SUM' ? sumResult(memory, type) : averageResult(memory, type, argument)
    return { kind: 'slots', value, count: countOf(call), read }
  }

  function extremeOf(call: AggregateCall, argument: DataType, isMax: boolean): Outcome {
    // Each value once or many times: the same extreme.
    const plain = { ...call, distinct: false }
    if (environment.retracts) {
      const { side } = ownStage(plain, true, false)
      return { kind: 'order', orders: side!.orders!, isMax, side: side!.index }
    }
    const value = slotOf(stageOf(plain, false), isMax ? 'max' : 'min', () =>
      extremist(memory, argument, isMax),
    )
    const read = extremeResult(memory, call.type, isMax)
    return { kind: 'slots', value, count: countOf(plain), read }
  }

  return { outcome, values, sides, users, stages }
}

/** NULLs are accumulated too. */
function userOutcome(
  call: AggregateCall,
  memory: LinearMemory,
  users: UserSlot[],
  stageOf: (call: AggregateCall, withSide: boolean, keepsNulls: boolean) => Taking,
  slotOf: (taking: Taking, name: string, make: () => Accumulator) => Slot,
): Outcome {
  const id = call.function
  const stage = stageOf(call, false, true)
  const value = slotOf(stage, id, () => userAccumulator(memory, id))
  const { valueIndex } = value
  if (!users.some((each) => each.valueIndex === valueIndex))
    users.push({ id, input: stage.input, valueIndex })
  return { kind: 'slots', value, count: value, read: userResult(memory, id, call.type) }
}

function listedOutcome(
  call: AggregateCall,
  name: ListedName,
  { memory, retracts }: AggregateEnvironment,
  stageOf: (call: AggregateCall, withSide: boolean, keepsNulls: boolean) => Taking,
  slotOf: (taking: Taking, name: string, make: () => Accumulator) => Slot,
): Outcome {
  const args = call.args.map((arg) => arg.type)
  const stage = stageOf(call, call.distinct, name === 'ARRAY_AGG' || name === 'MAP_AGG')
  const value = slotOf(stage, name, () => listed(memory, name, args, retracts))
  const read = listedResult(memory, name, args, call.type)
  return { kind: 'slots', value, count: value, read }
}

function unsupported(name: string): MillraceError {
  return new MillraceError('AGGREGATE_UNSUPPORTED', {
    message: `the aggregate function ${name} is not supported`,
    hint: `use COUNT, SUM, AVG, MIN, MAX, ${LISTED.join(', ')}, with DISTINCT and FILTER as needed`,
    facts: { function: name },
  })
}
