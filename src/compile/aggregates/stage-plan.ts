/** Which rows the calls of a GROUP BY take, and where: what is the same for several of them is there once. */
import { layoutOf } from '../../data/types.ts'
import type { AggregateCall, Expression } from '../../plan/expressions.ts'
import type { Accumulator } from './accumulator.ts'
import type { AggregateCell, AggregateEnvironment, SideTableLayout } from './aggregate-set.ts'
import { type RowInput, rowInput } from './row-input.ts'
import type { FilteredValues, Slot, Stage } from './stage.ts'
import { valueOrders } from './value-order.ts'

/** Of a stage, and of what is filtered within it. */
export function inputsOf({ input, side }: Stage): readonly RowInput[] {
  return [input, ...(side?.filtered ?? []).map((each) => each.input)]
}

/** What takes rows: a stage, or values of one that pass a filter. */
export type Taking = Pick<Stage, 'input' | 'slots'>

/** The stages and side tables of `calls`, made as they are asked for. */
export function stagePlan(calls: readonly AggregateCall[], environment: AggregateEnvironment) {
  const { memory } = environment
  const values: AggregateCell[] = []
  const sides: (SideTableLayout & { readonly values: AggregateCell[] })[] = []
  const stages = new Map<string, Stage>()
  const filtered = new Map<string, FilteredValues>()
  const slots = new Map<Taking, Map<string, Slot>>()

  function stageOf(
    call: Pick<AggregateCall, 'args' | 'filter'>,
    withSide: boolean,
    keepsNulls = false,
  ): Taking {
    if (withSide && !keepsNulls && call.filter !== undefined && sharesValues(call.args))
      return filteredOf(call.args, call.filter)
    return ownStage(call, withSide, keepsNulls)
  }

  /** Whether the same values are counted without a filter too. What may go away keeps its own. */
  function sharesValues(args: readonly Expression[]): boolean {
    const wanted = JSON.stringify(args)
    return (
      !environment.retracts &&
      calls.some(
        ({ distinct, filter, args }) =>
          distinct && filter === undefined && JSON.stringify(args) === wanted,
      )
    )
  }

  function filteredOf(args: readonly Expression[], filter: Expression): FilteredValues {
    const key = JSON.stringify([args, filter])
    const known = filtered.get(key)
    if (known !== undefined) return known
    const made = { input: rowInput({ args: [], filter }, environment), slots: [] }
    const { side } = ownStage({ args }, true, false)
    side!.filtered.push(made)
    sides[side!.index]!.values.push('i64')
    filtered.set(key, made)
    return made
  }

  function ownStage(
    call: Pick<AggregateCall, 'args' | 'filter'>,
    withSide: boolean,
    keepsNulls: boolean,
  ): Stage {
    const key = JSON.stringify([call.args, call.filter, withSide, keepsNulls])
    let stage = stages.get(key)
    if (stage === undefined) {
      const input = rowInput(call, environment, keepsNulls)
      stage = withSide ? { input, slots: [], side: sideOf(call.args) } : { input, slots: [] }
      stages.set(key, stage)
    }
    return stage
  }

  function sideOf(args: readonly Expression[]): NonNullable<Stage['side']> {
    const index = sides.length
    const keys = args.map(({ type }) => type)
    sides.push({ name: `values ${index}`, keys, values: ['i64'] })
    // Only rows that may go away need the order of values.
    const isOrdered = environment.retracts && keys.length === 1
    const orders = isOrdered ? valueOrders(memory, index, layoutOf(keys[0]!)) : undefined
    return { index, orders, filtered: [] }
  }

  function slotOf(taking: Taking, name: string, make: () => Accumulator): Slot {
    const named = slots.get(taking) ?? new Map<string, Slot>()
    slots.set(taking, named)
    let slot = named.get(name)
    if (slot === undefined) {
      const accumulator = make()
      slot = { accumulator, valueIndex: values.length }
      values.push(...accumulator.cells)
      taking.slots.push(slot)
      named.set(name, slot)
    }
    return slot
  }

  return { values, sides, stages: () => [...stages.values()], stageOf, ownStage, slotOf }
}
