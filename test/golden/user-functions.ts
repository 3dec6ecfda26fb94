/** What the scenarios' `function` lines name. */
import { aggregateFunction, t } from '../../src/index.ts'

/** The average weighted, rounded down; rows without a value or weight count for nothing. */
export const weighted = aggregateFunction({
  args: [t.int(), t.int()],
  returns: t.bigint(),
  state: { sum: t.bigint().notNull(), weight: t.bigint().notNull() },
  createAccumulator: () => ({ sum: 0n, weight: 0n }),
  accumulate(state, value, weight) {
    if (value === null || weight === null) return
    state.sum += BigInt(value * weight)
    state.weight += BigInt(weight)
  },
  retract(state, value, weight) {
    if (value === null || weight === null) return
    state.sum -= BigInt(value * weight)
    state.weight -= BigInt(weight)
  },
  merge(state, others) {
    for (const { sum, weight } of others) {
      state.sum += sum
      state.weight += weight
    }
  },
  getValue: ({ sum, weight }) => (weight === 0n ? null : sum / weight),
})

/** Only rows that come; it throws for what is below zero. */
export const longest = aggregateFunction({
  args: [t.string(), t.int()],
  returns: t.string(),
  state: { word: t.string(), length: t.int() },
  createAccumulator: () => ({ word: null, length: null }),
  accumulate(state, word, length) {
    if (length !== null && length < 0) throw new RangeError(`${word} has a length below zero`)
    if (length === null || length <= (state.length ?? -1)) return
    Object.assign(state, { word, length })
  },
  getValue: ({ word }) => word,
})
