/**
 * Which columns of rows must travel to another worker. A window needs its keys, its time and what it aggregates; only a row that
 * comes too late needs all, because it goes to `$late` whole.
 *
 * A row that is not late by the watermark that its worker has told is not late where it is going: there the watermark is the least of
 * all workers', and rows and progress arrive in the order in which they were sent. That ends where a worker has been idle, since
 * others may have gone on without it: from then on its rows travel whole.
 */
import type { Batch } from '../data/batch.ts'
import type { LinearMemory } from '../data/memory.ts'
import { timeKernel } from '../kernels/time.ts'
import type { AggregateCall, Expression } from '../plan/expressions.ts'
import { columnsRead } from '../plan/shape.ts'
import { type Grid, gridOf, lateBeforeUs, WATERMARK_MAX } from '../time/windows.ts'
import type { Progress } from './dataflow.ts'
import type { Route } from './exchange-routes.ts'

export interface TravellingColumns {
  /** Those that must travel with rows that are not late; undefined: all. */
  readonly timely: ReadonlySet<number> | undefined
  /** True if no row of `batch` can be late where it is going, nor fail there. */
  isTimely(batch: Batch): boolean
  /** To be called with what the others are told, in order with `isTimely`. */
  told(progress: Pick<Progress, 'watermarkUs' | 'idle'>): void
}

const ALL: TravellingColumns = { timely: undefined, isTimely: () => false, told: () => {} }

/** `stoodUs`: how far the receiving node's watermark may have been moved by a life before this one. */
export function travellingColumns(
  memory: LinearMemory,
  { node: { plan }, schema }: Route,
  stoodUs: () => bigint,
): TravellingColumns {
  if (plan.kind !== 'window-aggregate' || plan.timeDomain === 'processing') return ALL
  const { window } = plan
  if (window.kind === 'session' || window.kind === 'attached') return ALL
  // A row for which the computation fails goes to `$dead` whole.
  if (!plan.aggregates.every(neverFails)) return ALL
  const [needed] = columnsRead(plan)
  needed!.add(plan.time)
  const timely = needed!.size === schema.length ? undefined : needed!
  return { timely, ...untilIdle(memory, plan.time, gridOf(window), stoodUs) }
}

function untilIdle(
  memory: LinearMemory,
  time: number,
  grid: Grid,
  stoodUs: () => bigint,
): Omit<TravellingColumns, 'timely'> {
  const kernel = timeKernel(memory)
  let watermarkUs: bigint | undefined
  let hasBeenIdle = false
  return {
    isTimely(batch) {
      watermarkUs ??= stoodUs()
      if (hasBeenIdle || watermarkUs === WATERMARK_MAX) return false
      const { selection, count } = batch
      const lateUs = lateBeforeUs([grid], watermarkUs)
      const first = kernel.firstBelow(batch.columns[time]!.cells, selection, 0, count, lateUs)
      return first === count
    },
    told(progress) {
      watermarkUs ??= stoodUs()
      if (progress.watermarkUs > watermarkUs) watermarkUs = progress.watermarkUs
      hasBeenIdle ||= progress.idle
    },
  }
}

const SAFE = new Set([
  ...['EQUALS', 'NOT_EQUALS', 'LESS', 'LESS_OR_EQUAL', 'GREATER', 'GREATER_OR_EQUAL'],
  ...['AND', 'OR', 'NOT', 'IS_NULL', 'IS_NOT_NULL'],
])

function neverFails({ args, filter }: AggregateCall): boolean {
  return args.every(isSafe) && (filter === undefined || isSafe(filter))
}

function isSafe(expression: Expression): boolean {
  switch (expression.kind) {
    case 'column':
    case 'literal':
      return true
    case 'field':
      return isSafe(expression.input)
    case 'call':
      return SAFE.has(expression.function) && expression.args.every(isSafe)
    default:
      return false
  }
}
