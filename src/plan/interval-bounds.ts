/** Joins on time: conditions that bound one side's time by the other's. */
import type { Expression } from './expressions.ts'
import type { TimeDomain } from './windows.ts'

/** Time attributes have milliseconds: `<` is `<=` one less. */
const STEP_US = 1000

export interface TimeBounds {
  readonly leftTime: number
  readonly rightTime: number
  readonly timeDomain: TimeDomain
  /** lowerUs <= leftTime - rightTime <= upperUs. */
  readonly lowerUs: number
  readonly upperUs: number
  /** Conditions that say something else. */
  readonly rest: readonly Expression[]
}

/** Which columns of a side are time, by domain. */
export interface SideTimes {
  readonly event: ReadonlySet<number>
  readonly processing: ReadonlySet<number>
}

interface Bound {
  readonly left: number
  readonly right: number
  readonly timeDomain: TimeDomain
  readonly lowerUs?: number
  readonly upperUs?: number
}

/**
 * The bounds that `conjuncts` set, over left's columns and then right's, on one pair of time attributes; undefined unless they
 * bound it on both sides.
 *
 * @see Flink, IntervalJoinUtil.extractWindowBoundsFromPredicate
 */
export function timeBoundsOf(
  conjuncts: readonly Expression[],
  width: number,
  left: SideTimes,
  right: SideTimes,
): TimeBounds | undefined {
  const found = conjuncts.map((conjunct) => boundOf(conjunct, width, left, right))
  const first = found.find((bound) => bound !== undefined)
  if (first === undefined) return undefined
  const isOfPair = (bound: Bound | undefined): bound is Bound =>
    bound?.left === first.left && bound.right === first.right
  const bounds = found.filter(isOfPair)
  const lowers = bounds.flatMap(({ lowerUs }) => (lowerUs === undefined ? [] : [lowerUs]))
  const uppers = bounds.flatMap(({ upperUs }) => (upperUs === undefined ? [] : [upperUs]))
  if (lowers.length === 0 || uppers.length === 0) return undefined
  return {
    leftTime: first.left,
    rightTime: first.right,
    timeDomain: first.timeDomain,
    lowerUs: Math.max(...lowers),
    upperUs: Math.min(...uppers),
    rest: conjuncts.filter((_, index) => !isOfPair(found[index])),
  }
}

const MIRRORED: Readonly<Record<string, string>> = {
  LESS: 'GREATER',
  LESS_OR_EQUAL: 'GREATER_OR_EQUAL',
  GREATER: 'LESS',
  GREATER_OR_EQUAL: 'LESS_OR_EQUAL',
  EQUALS: 'EQUALS',
}

function boundOf(
  conjunct: Expression,
  width: number,
  left: SideTimes,
  right: SideTimes,
): Bound | undefined {
  if (conjunct.kind !== 'call' || !Object.hasOwn(MIRRORED, conjunct.function)) return undefined
  const [first, second] = conjunct.args.map(shiftedTime)
  if (first === undefined || second === undefined) return undefined
  const isMirrored = first.column >= width
  const [mine, other] = isMirrored ? [second, first] : [first, second]
  const [leftTime, rightTime] = [mine.column, other.column - width]
  const isOf = (domain: TimeDomain): boolean =>
    left[domain].has(leftTime) && right[domain].has(rightTime)
  const isEvent = isOf('event')
  if (!isEvent && !isOf('processing')) return undefined
  const timeDomain: TimeDomain = isEvent ? 'event' : 'processing'
  // left + a <op> right + b: left - right <op> b - a.
  const limitUs = other.shiftUs - mine.shiftUs
  const pair = { left: leftTime, right: rightTime, timeDomain }
  switch (isMirrored ? MIRRORED[conjunct.function] : conjunct.function) {
    case 'LESS':
      return { ...pair, upperUs: limitUs - STEP_US }
    case 'LESS_OR_EQUAL':
      return { ...pair, upperUs: limitUs }
    case 'GREATER':
      return { ...pair, lowerUs: limitUs + STEP_US }
    case 'GREATER_OR_EQUAL':
      return { ...pair, lowerUs: limitUs }
    default:
      return { ...pair, lowerUs: limitUs, upperUs: limitUs }
  }
}

interface ShiftedTime {
  readonly column: number
  readonly shiftUs: number
}

/** A column with intervals added and taken away; undefined for anything else. */
function shiftedTime(expression: Expression): ShiftedTime | undefined {
  if (expression.kind === 'column') return { column: expression.index, shiftUs: 0 }
  if (expression.kind === 'cast') {
    const isSame = expression.type.kind === expression.input.type.kind
    return isSame ? shiftedTime(expression.input) : undefined
  }
  if (expression.kind !== 'call') return undefined
  const sign = expression.function === 'PLUS' ? 1 : expression.function === 'MINUS' ? -1 : 0
  const [first, second] = expression.args
  if (sign === 0 || first === undefined || second === undefined) return undefined
  const [time, interval] = intervalUs(first) === undefined ? [first, second] : [second, first]
  if (sign < 0 && time !== first) return undefined
  const [base, us] = [shiftedTime(time), intervalUs(interval)]
  if (base === undefined || us === undefined) return undefined
  return { column: base.column, shiftUs: base.shiftUs + sign * us }
}

function intervalUs(expression: Expression): number | undefined {
  const isInterval = expression.kind === 'literal' && expression.type.kind === 'interval_day_second'
  return isInterval && expression.value !== null ? Number(expression.value) : undefined
}
