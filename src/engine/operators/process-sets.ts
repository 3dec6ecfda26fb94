/**
 * A process function that is told the rows of a partition.
 *
 *   in     +I rows, each met by the watermark of those before it
 *   out    +I rows that the function collects: the partition's columns, its own, the time of the row or timer
 *   state  for each partition the function's entries and its timers, until all of them are cleared
 *
 * A row for which the function throws has changed nothing, and is dead. A timer that throws stops the pipeline: no row is at fault.
 *
 * @see Flink, ProcessSetTableOperator and WritableInternalTimeContext: late rows are told like others
 */
import { readerOf } from '../../compile/cells.ts'
import type { CompiledExpression } from '../../compile/compiled.ts'
import { compileProjection } from '../../compile/expression.ts'
import { type ProcessCode, userCode } from '../../compile/user-code.ts'
import { type Fields, failureOf, requireNothing } from '../../compile/user-values.ts'
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { selectedRows } from '../../data/values.ts'
import { MillraceError } from '../../errors.ts'
import { userFunctionName } from '../../plan/functions/user.ts'
import { type Process, schemaOf } from '../../plan/nodes.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { Timers } from '../../time/timers.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { batchOfRows, type ValueRow } from '../value-rows.ts'
import { type Called, calling, constantsOf, inputOf, type Timer } from './process-call.ts'
import { ProcessState } from './process-state.ts'

/** Rows given at a time. */
const EMIT_ROWS = 4096
/** Timers of one partition that fire at one watermark: each may ask for the next, without end. */
const FIRED_MAX = 100_000

export function processSets(plan: Process, context: OperatorContext): Operator {
  return new ProcessSets(plan, context)
}

class ProcessSets implements Operator {
  readonly name: string
  readonly #plan: Process
  readonly #context: OperatorContext
  readonly #memory: LinearMemory
  readonly #code: ProcessCode
  readonly #evaluation: Evaluation
  readonly #keys: readonly CompiledExpression[]
  readonly #values: readonly CompiledExpression[]
  readonly #args: Fields
  readonly #state: ProcessState
  /** Partitions by the times of their timers; a timer that is gone is found to be when its time comes. */
  readonly #due = new Timers()
  #rows: ValueRow[] = []

  constructor(plan: Process, context: OperatorContext) {
    const { memory } = context
    this.name = `process(${userFunctionName(plan.function)})`
    this.#plan = plan
    this.#context = context
    this.#memory = memory
    this.#code = userCode(plan.function, 'process')
    this.#evaluation = evaluationOf(context, schemaOf(plan.input))
    this.#keys = compileProjection(plan.partition, context)
    this.#values = compileProjection(plan.values, context)
    this.#args = constantsOf(plan, context)
    this.#state = new ProcessState(memory, plan)
  }

  onBatch(batch: Batch, emit: Emit): void {
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#keys.map((key) => key.evaluate(frame))
    const values = this.#values.map((value) => value.evaluate(frame))
    const good = this.#evaluation.withoutFailed(batch)
    if (good.count === 0) return
    const entries = this.#state.entries(good, keys)
    let at = 0
    for (const row of selectedRows(this.#memory, good)) {
      const entry = this.#memory.u32[entries / 4 + at++]!
      try {
        this.#tell(entry, keys, good, values, row)
      } catch (error) {
        const reason = failureOf(error, userFunctionName(this.#plan.function))
        frame.context.fail(row, reason, false)
      }
      if (this.#rows.length >= EMIT_ROWS) this.#flush(emit)
    }
    this.#state.forgetEmpty(entries, good.count)
    this.#evaluation.withoutFailed(good)
    this.#flush(emit)
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    const fired = new Map<Pointer, number>()
    for (let entry = this.#due.pop(watermarkUs); entry !== undefined; ) {
      const timer = this.#state.dueTimer(entry, watermarkUs)
      if (timer !== undefined) {
        const times = (fired.get(entry) ?? 0) + 1
        fired.set(entry, times)
        if (times > FIRED_MAX) throw this.#stopped(`more than ${FIRED_MAX} timers at one watermark`)
        this.#fire(entry, timer)
        if (this.#rows.length >= EMIT_ROWS) this.#flush(emit)
      }
      entry = this.#due.pop(watermarkUs)
    }
    this.#flush(emit)
  }

  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    this.#state.snapshot(writer)
  }

  restore(reader: StateReader): void {
    this.#state.restore(reader, (entry, { timeUs }) => this.#due.push(timeUs, entry))
  }

  dispose(): void {
    this.#state.dispose()
  }

  #tell(
    entry: Pointer,
    keys: readonly Vector[],
    batch: Batch,
    values: readonly Vector[],
    row: number,
  ): void {
    const { time } = this.#plan
    const timeUs =
      time === undefined ? undefined : this.#memory.i64[batch.columns[time]!.cells / 8 + row]!
    const state = this.#state.read(entry)
    const timers = this.#state.timers(entry)
    const call = this.#calling({ timeUs, state, timers })
    const input = inputOf(this.#memory, this.#plan, values, row)
    requireNothing(this.#code.eval(call.context, state, input, this.#args), 'eval')
    this.#keep(entry, state, call)
    const key = keys.map((vector) => readerOf(this.#memory, vector)(row))
    this.#collect(key, call, timeUs)
  }

  #fire(entry: Pointer, timer: Timer): void {
    const state = this.#state.read(entry)
    const timers = this.#state.timers(entry).filter((each) => each !== timer)
    const call = this.#calling({ timeUs: timer.timeUs, state, timers, timer })
    try {
      requireNothing(this.#code.onTimer?.(call.context, state, this.#args), 'onTimer')
      this.#keep(entry, state, call)
    } catch (error) {
      throw this.#stopped(failureOf(error, userFunctionName(this.#plan.function)), error)
    }
    const key = this.#state.keyOf(entry)
    const time = this.#plan.time === undefined ? undefined : timer.timeUs
    this.#collect(key, call, time)
    this.#state.forgetIfEmpty(entry)
  }

  #calling(parts: Omit<Parameters<typeof calling>[0], 'plan' | 'code' | 'watermarkUs'>): Called {
    const watermarkUs = this.#context.watermarkUs?.()
    return calling({ ...parts, plan: this.#plan, code: this.#code, watermarkUs })
  }

  #keep(entry: Pointer, state: Readonly<Record<string, Fields>>, call: Called): void {
    const added = this.#state.write(entry, state, call.cleared, call.timers)
    for (const { timeUs } of added) this.#due.push(timeUs, entry)
  }

  #collect(key: ValueRow, { rows }: Called, timeUs: bigint | undefined): void {
    const time = timeUs === undefined ? [] : [timeUs]
    for (const row of rows) this.#rows.push([...key, ...row, ...time])
  }

  #flush(emit: Emit): void {
    if (this.#rows.length === 0) return
    const { arena } = this.#memory
    const mark = arena.mark()
    const batch = batchOfRows(this.#memory, this.#plan.schema, this.#rows)
    this.#rows = []
    emit(batch)
    arena.release(mark)
  }

  #stopped(reason: string, cause?: unknown): MillraceError {
    const name = userFunctionName(this.#plan.function)
    return new MillraceError('FUNCTION_FAILED', {
      message: `${name}, called by a timer: ${reason}`,
      hint: 'no row is at fault, so that none can be set aside: mend onTimer; a timer that asks for the next one ends it when the input has ended (context.currentWatermark())',
      facts: { function: name },
      cause,
    })
  }
}
