/** What the scenarios' `function` lines name. */
import {
  aggregateFunction,
  asyncFunction,
  asyncTableFunction,
  processFunction,
  t,
} from '../../src/index.ts'

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

/** Counts the rows of a partition, tells each, and says when none has come for a while. */
export const visits = processFunction({
  input: { page: t.string() },
  args: { seconds: t.int() },
  state: { stay: { pages: t.bigint(), last: t.string() } },
  output: { what: t.string(), pages: t.bigint() },
  onTime: 'required',
  eval(context, { stay }, { page }, { seconds }) {
    if (page === 'fail') throw new Error('this page is not there')
    stay.pages = (stay.pages ?? 0n) + 1n
    stay.last = page
    context.collect({ what: page, pages: stay.pages })
    if (page === 'bye') context.clearAll()
    else {
      const wait = new Date(context.time()!.getTime() + Number(seconds ?? 3) * 1000)
      context.registerOnTime('away', wait)
      if (page === 'twice') context.registerOnTime(new Date(wait.getTime() - 1000))
    }
  },
  onTimer(context, { stay }) {
    const name = context.currentTimer() ?? 'unnamed'
    context.collect({ what: `${name} after ${stay.last}`, pages: stay.pages })
    if (name === 'away') context.clearState('stay')
  },
})

/** One row of each word of a text, by itself. */
export const split = processFunction({
  input: { text: t.string() },
  output: { word: t.string() },
  table: 'row',
  eval(context, _, { text }) {
    for (const word of (text ?? '').split('/')) context.collect({ word })
  },
})

/** Some are answered later than those behind them. */
const after = async <Answer>(turns: number, answer: Answer): Promise<Answer> => {
  for (let turn = 0; turn < turns; turn++) await undefined
  return answer
}

/** How long a word is, asked for two at a time; what is asked for first is answered last. */
export const measured = asyncFunction(
  [t.string()],
  t.int(),
  async (word) => {
    if (word === 'fail') throw new Error('this word has no length')
    return after(200 - 20 * (word?.length ?? 0), word?.length ?? null)
  },
  { capacity: 2, retries: 0 },
)

/** In the order of the answers. */
export const measuredUnordered = asyncFunction(
  [t.string()],
  t.int(),
  async (word) => after(200 - 20 * (word?.length ?? 0), word?.length ?? null),
  { capacity: 3, order: 'unordered' },
)

/** One row of each letter. */
export const letters = asyncTableFunction([t.string()], { letter: t.string() }, async (word) =>
  after(
    3,
    [...(word ?? '')].map((letter) => ({ letter })),
  ),
)
