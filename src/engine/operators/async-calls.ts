/**
 * Each row with the answer of a user's asynchronous function, or of a table that it is looked up in.
 *
 *   in     rows that come
 *   out    the same rows with the answer as a column; watermarks behind the rows that came before them
 *   state  rows that wait: after a restart they are asked for again
 *
 * Rows for which there is no answer are dead; of lookups they stop the pipeline, and wait.
 *
 * @see Flink, AsyncWaitOperator, OrderedStreamElementQueue and UnorderedStreamElementQueue
 */
import { writerOf } from '../../compile/cells.ts'
import { compileProjection } from '../../compile/expression.ts'
import { type Asking, type AsyncCode, userCode } from '../../compile/user-code.ts'
import { failureOf, resultCell, toldAt } from '../../compile/user-values.ts'
import type { Batch } from '../../data/batch.ts'
import type { Value as Told } from '../../data/values.ts'
import { userFunctionName } from '../../plan/functions/user.ts'
import { type AsyncCall, schemaOf } from '../../plan/nodes.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, Outside } from '../operator.ts'
import { AskedRows } from './asked-rows.ts'
import { type Asked, AsyncQueue } from './async-queue.ts'

export interface AsyncPlace {
  /** Of a table that rows are looked up in. */
  readonly lookup?: AsyncCode
  /** How is asked where a function doesn't say it itself. */
  readonly asking: { readonly scalar: Asking; readonly table: Asking }
  /** Where the node's watermark stood in the restored checkpoint. */
  readonly watermarkUs: bigint
  /** The watermark that its input gives there. */
  readonly inputWatermarkUs: bigint
  /** The key groups that fall to this worker; absent: all. */
  readonly groups?: { readonly groupStart: number; readonly groupEnd: number }
}

export function asyncCalls(plan: AsyncCall, context: OperatorContext, place: AsyncPlace): Operator {
  const { inputWatermarkUs, groups } = place
  const { memory } = context
  const { call, isTable, asking } = place.lookup ?? userCode(plan.function, 'async')
  const name = plan.lookup?.table.name ?? userFunctionName(plan.function)
  const { type } = plan.schema.at(-1)!
  const settings = place.asking[isTable ? 'table' : 'scalar']
  const how = { ...settings, ...asking }
  const queue = new AsyncQueue(call, how)
  const schema = schemaOf(plan.input)
  const evaluation = evaluationOf(context, schema)
  const args = compileProjection(plan.args, context)
  const waiting = new AskedRows(memory, schema, groups)
  /** Before the row that comes next. */
  let cameUs = inputWatermarkUs
  const reached = { us: place.watermarkUs }

  /** By position: what the function is told for each selected row. */
  function valuesOf(batch: Batch): (row: number) => readonly Told[] {
    const frame = evaluation.frameOf(batch)
    const vectors = args.map((arg) => arg.evaluate(frame))
    return (row) => vectors.map((vector) => toldAt(memory, vector, row))
  }

  function comes(us: bigint): void {
    if (queue.isEmpty) reached.us = us
    else queue.mark(us)
  }

  function letGo(asked: readonly Asked[], emit: Emit): void {
    const mark = memory.arena.mark()
    const batch = waiting.batchOf(asked.map(({ entry }) => entry))
    const { context: row } = evaluation.frameOf(batch)
    const writer = writerOf(memory, type, asked.length)
    for (const [at, { state, answer, error }] of asked.entries()) {
      if (state === 'failed' && how.stops) throw error
      try {
        if (state === 'failed') throw error
        writer.set(at, resultCell(answer, type, row))
      } catch (reason) {
        row.fail(at, failureOf(reason, name), false)
      }
    }
    const answered = evaluation.withoutFailed(batch)
    if (answered.count > 0) emit({ ...answered, columns: [...batch.columns, writer.vector] })
    for (const { entry } of asked) waiting.remove(entry)
    memory.arena.release(mark)
  }

  return {
    name: `async(${name})`,
    onBatch(given) {
      const values = valuesOf(given)
      const batch = evaluation.withoutFailed(given)
      const { selection, count } = batch
      if (count === 0) return
      for (const [at, entry] of waiting.keep(batch, cameUs).entries())
        queue.push(entry, values(selection === 0 ? at : memory.u32[selection / 4 + at]!))
      queue.ask(context.nowUs())
    },
    onWatermark(us) {
      cameUs = us
      comes(us)
    },
    onEnd() {},
    snapshot: (writer) => waiting.snapshot(writer),
    restore(reader) {
      const entries = waiting.restore(reader)
      const mark = memory.arena.mark()
      const values = valuesOf(waiting.batchOf(entries))
      for (const [at, entry] of entries.entries()) {
        // Another worker's may have stood ahead of what all have reached.
        const beforeUs = least(waiting.watermarkUs(entry), inputWatermarkUs)
        if (beforeUs > reached.us) comes(beforeUs)
        queue.push(entry, values(at))
      }
      memory.arena.release(mark)
      comes(inputWatermarkUs)
    },
    dispose() {
      queue.dispose()
      waiting.dispose()
    },
    outside: outsideOf(queue, reached, letGo),
  }
}

function outsideOf(
  queue: AsyncQueue,
  reached: { us: bigint },
  letGo: (asked: readonly Asked[], emit: Emit) => void,
): Outside {
  return {
    get isFull() {
      return queue.isFull
    },
    get isWaiting() {
      return !queue.isEmpty
    },
    get watermarkUs() {
      return reached.us
    },
    wake(nowUs, emit) {
      queue.ask(nowUs)
      const passed = queue.next()
      if (passed === undefined) return false
      if (passed.kind === 'watermark') reached.us = passed.watermarkUs
      else letGo(passed.rows, emit)
      return true
    },
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
