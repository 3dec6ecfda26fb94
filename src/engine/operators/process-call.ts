/** One call of a process function: what it is given, and what it asks for, which counts only if it returns. */
import { compileProjection } from '../../compile/expression.ts'
import { RowFailure } from '../../compile/row-failure.ts'
import type { ProcessCode, States } from '../../compile/user-code.ts'
import { cellOf, type Fields, GIVEN_MAX, toldAt, UTC } from '../../compile/user-values.ts'
import type { Value } from '../../compile/value.ts'
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { ProcessCall } from '../../plan/process.ts'
import type { OnTimerContext } from '../../plan/process-context.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'

/** A time at which `onTimer` is called. */
export interface Timer {
  /** null: told by its time alone. */
  readonly name: string | null
  readonly timeUs: bigint
}

export interface Calling {
  readonly plan: ProcessCall
  readonly code: ProcessCode
  /** Of the row or timer. */
  readonly timeUs: bigint | undefined
  readonly watermarkUs: bigint | undefined
  readonly state: States
  /** Of the partition; undefined where there are none. */
  readonly timers: readonly Timer[] | undefined
  /** The timer that is due. */
  readonly timer?: Timer
}

export interface Called {
  readonly context: OnTimerContext
  /** Of the function's own columns. */
  readonly rows: readonly (readonly Value[])[]
  readonly cleared: ReadonlySet<string>
  /** What is left of the timers, and those that are new. */
  readonly timers: readonly Timer[]
}

/** The last moment that a Date can tell. */
const TIME_MAX_MS = 8.64e15

export function calling({
  plan,
  code,
  timeUs,
  watermarkUs,
  state,
  timers: before,
  timer,
}: Calling): Called {
  const rows: (readonly Value[])[] = []
  const cleared = new Set<string>()
  let timers = before ?? []
  const withTimers = (): void => {
    if (before === undefined)
      throw new RowFailure("it asks for timers, which a function with table: 'row' has none of")
  }
  const clear = (name: string): void => {
    if (!Object.hasOwn(state, name)) throw new RowFailure(`it has no state ${name}`)
    cleared.add(name)
  }
  const clearAllState = (): void => {
    for (const { name } of plan.state) cleared.add(name)
  }
  const clearAllTimers = (): void => {
    timers = []
  }
  const context: OnTimerContext = {
    collect(row) {
      if (rows.length === GIVEN_MAX) throw new RowFailure(`it gave more than ${GIVEN_MAX} rows`)
      rows.push(cellOf(row, code.output, UTC) as readonly Value[])
    },
    time: () => (timeUs === undefined ? null : dateOf(timeUs)),
    currentWatermark: () => (watermarkUs === undefined ? null : dateOf(watermarkUs)),
    registerOnTime(first: string | Date, second?: Date) {
      withTimers()
      if (code.onTimer === undefined) throw new RowFailure('it asks for timers and has no onTimer')
      const name = typeof first === 'string' ? first : null
      const added = { name, timeUs: microseconds(typeof first === 'string' ? second : first) }
      timers = [...timers.filter((each) => !isReplaced(each, added)), added]
    },
    clearTimer(which) {
      withTimers()
      timers = timers.filter(({ name, timeUs: at }) =>
        typeof which === 'string' ? name !== which : name !== null || at !== microseconds(which),
      )
    },
    clearAllTimers,
    clearState: clear,
    clearAllState,
    clearAll() {
      clearAllState()
      clearAllTimers()
    },
    currentTimer: () => timer?.name ?? null,
  }
  return {
    context,
    rows,
    cleared,
    get timers() {
      return timers
    },
  }
}

/** One of a name, and one of a time among those that have none. */
function isReplaced(timer: Timer, by: Timer): boolean {
  return timer.name === by.name && (by.name !== null || timer.timeUs === by.timeUs)
}

function dateOf(us: bigint): Date {
  const ms = Number(us / 1000n) - (us % 1000n < 0n ? 1 : 0)
  return new Date(Math.max(-TIME_MAX_MS, Math.min(TIME_MAX_MS, ms)))
}

function microseconds(time: unknown): bigint {
  if (time instanceof Date && !Number.isNaN(time.getTime())) return BigInt(time.getTime()) * 1000n
  throw new RowFailure('it gives a timer no time: give it a Date')
}

/** The call's constants, as the function is told them. */
export function constantsOf({ args }: ProcessCall, context: OperatorContext): Fields {
  const { memory } = context
  const mark = memory.arena.mark()
  const one = { rowCount: 1, columns: [], kinds: 0, selection: 0, count: 1 }
  const frame = evaluationOf(context, []).frameOf(one)
  const values = compileProjection(
    args.map(({ value }) => value),
    { memory },
  ).map((value) => toldAt(memory, value.evaluate(frame), 0))
  memory.arena.release(mark)
  return Object.fromEntries(args.map(({ name }, index) => [name, values[index]!]))
}

/** The fields of the row at hand. */
export function inputOf(
  memory: LinearMemory,
  { fields }: ProcessCall,
  vectors: readonly Vector[],
  row: number,
): Fields {
  const input: Fields = Object.create(null)
  for (const [index, name] of fields.entries()) input[name] = toldAt(memory, vectors[index]!, row)
  return input
}
