/** Calls that stand more than once in the expressions of one operator: computed once for a batch, where the first that needs them asks. */
import type { Vector } from '../data/batch.ts'
import { isSteady } from '../plan/conjuncts.ts'
import type { Expression } from '../plan/expressions.ts'
import type { Frame } from './compiled.ts'
import type { Compiled } from './vectors.ts'

/** By expression, each time it stands there: what they have in common. Calls that stand there once are not in it. */
export type RepeatedCalls = ReadonlyMap<Expression, { compiled: Compiled | undefined }>

/** How far up it is looked whether a frame's rows are among those that a call is known for. */
const LEVELS_MAX = 16

export function repeatedCalls(expressions: readonly Expression[]): RepeatedCalls {
  const numbers = new Map<string, number>()
  const places = new Map<number, Expression[]>()
  const numberOf = (expression: Expression): number => {
    const own = withoutInputs(expression)
    const text = `${JSON.stringify(own)} ${inputsOf(expression).map(numberOf)}`
    const number = numbers.get(text) ?? numbers.size
    numbers.set(text, number)
    if (expression.kind === 'call') places.set(number, [...(places.get(number) ?? []), expression])
    return number
  }
  expressions.forEach(numberOf)
  const repeated = new Map<Expression, { compiled: Compiled | undefined }>()
  for (const equal of places.values()) {
    if (equal.length === 1 || !isSteady(equal[0]!)) continue
    const shared = { compiled: undefined }
    for (const expression of equal) repeated.set(expression, shared)
  }
  return repeated
}

function withoutInputs(expression: Expression): object {
  switch (expression.kind) {
    case 'call':
      return { ...expression, args: [] }
    case 'cast':
    case 'field':
      return { ...expression, input: undefined }
    case 'case':
      return { ...expression, branches: [], otherwise: undefined }
    default:
      return expression
  }
}

function inputsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'call':
      return expression.args
    case 'cast':
    case 'field':
      return [expression.input]
    case 'case':
      return [
        ...expression.branches.flatMap(({ when, then }) => [when, then]),
        expression.otherwise,
      ]
    default:
      return []
  }
}

/** `compiled`, which for rows of a frame that it was evaluated on already gives what it gave. */
export function evaluatedOnce(compiled: Compiled): Compiled {
  let known: { readonly frame: Frame; readonly vector: Vector } | undefined
  return {
    ...compiled,
    evaluate(frame) {
      if (known !== undefined && isWithin(frame, known.frame)) return known.vector
      const vector = compiled.evaluate(frame)
      known = { frame, vector }
      return vector
    },
  }
}

function isWithin(frame: Frame, outer: Frame): boolean {
  let at: Frame | undefined = frame
  for (let level = 0; level < LEVELS_MAX && at !== undefined; level++) {
    if (at === outer) return true
    at = at.within
  }
  return false
}
