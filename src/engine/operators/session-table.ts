/**
 * SESSION as a window table function alone: a row's window is known only when its session closes, so rows wait till then.
 *
 *   in     +I rows, each met by the watermark of those before it
 *   out    +I the rows of each session that closes, in their order, with the window's columns
 *   state  sessions (sessions.ts) and their rows, each with its fragment's number
 *   side   rows whose session has closed, or would have
 *
 * @see Flink, UnalignedWindowTableFunctionOperator
 */
import type { CompiledExpression } from '../../compile/compiled.ts'
import { compileProjection } from '../../compile/expression.ts'
import type { Batch } from '../../data/batch.ts'
import type { Pointer } from '../../data/memory.ts'
import { selectedRows } from '../../data/values.ts'
import { schemaOf, type WindowTable } from '../../plan/nodes.ts'
import type { Window } from '../../plan/windows.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { WATERMARK_MAX } from '../../time/windows.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import { lateTeller } from './late-teller.ts'
import { Sessions } from './sessions.ts'
import { windowColumns } from './window-columns.ts'

const TABLE = 'rows'
/** Rows given in one batch. */
const EMIT_ROWS = 4096
/** The one extra of a row. */
const FRAGMENT = 0

export type SessionTable = WindowTable & {
  readonly window: Extract<Window, { kind: 'session' }>
}

export function sessionTable(
  plan: SessionTable,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
): Operator {
  return new SessionRows(plan, context, restoredWatermarkUs)
}

class SessionRows implements Operator {
  readonly name = 'window-table(session)'
  readonly #plan: SessionTable
  readonly #context: OperatorContext
  readonly #evaluation: Evaluation
  readonly #keys: readonly CompiledExpression[]
  readonly #sessions: Sessions
  readonly #rows: RowLists
  readonly #tellLate: ReturnType<typeof lateTeller>
  /** The watermark, or the clock. */
  #nowUs: bigint
  #counted = 0
  #late = 0

  constructor(plan: SessionTable, context: OperatorContext, watermarkUs: bigint) {
    const { memory } = context
    const { partition, gapUs } = plan.window
    const schema = schemaOf(plan.input)
    const keyTypes = partition.map(({ type }) => type)
    this.#plan = plan
    this.#context = context
    this.#evaluation = evaluationOf(context, schema)
    this.#keys = compileProjection(partition, context)
    this.#sessions = new Sessions(memory, keyTypes, gapUs)
    const row = schema.map(({ type }) => type)
    this.#rows = memoryRowLists(memory, { keys: keyTypes, row, extras: 1 })
    this.#tellLate = lateTeller(context, schema, plan.time)
    this.#nowUs = watermarkUs
  }

  onBatch(batch: Batch): void {
    const { memory } = this.#context
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#keys.map((key) => key.evaluate(frame))
    const good = this.#evaluation.withoutFailed(batch)
    if (good.count === 0) return
    const time = good.columns[this.#plan.time]!
    const { fragments, kept, late } = this.#sessions.assign(good, keys, time, this.#nowUs)
    const { selection, count } = kept
    this.#counted += count
    const lists = memory.arena.allocate(4 * count)
    const entries = memory.arena.allocate(4 * count)
    this.#rows.lists({ selection, count, keys }, lists)
    this.#rows.append(kept, lists, entries)
    const extra = this.#rows.extraOffset(FRAGMENT)
    const { i64, u32 } = memory
    for (let at = 0; at < count; at++) {
      const row = selection === 0 ? at : u32[selection / 4 + at]!
      i64[(u32[entries / 4 + at]! + extra) / 8] = i64[fragments.cells / 8 + row]!
    }
    this.#sendLate(late, time.cells)
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    if (this.#plan.timeDomain !== 'processing') this.#advance(watermarkUs, emit)
  }

  onClock(nowUs: bigint, emit: Emit): void {
    if (this.#plan.timeDomain === 'processing') this.#advance(nowUs, emit)
  }

  onEnd(emit: Emit): void {
    this.#advance(WATERMARK_MAX, emit)
  }

  snapshot(writer: StateWriter): void {
    this.#sessions.snapshot(writer)
    writer.table(TABLE, (sink) => this.#rows.writeChanges(sink))
  }

  restore(reader: StateReader): void {
    this.#sessions.restore(reader)
    const source = reader.source(TABLE)
    if (source !== undefined) this.#rows.restore(source)
  }

  dispose(): void {
    this.#sessions.dispose()
    this.#rows.dispose()
  }

  progress(): WindowProgress {
    const nextEndUs = this.#sessions.nextUs
    return {
      openWindows: this.#sessions.size,
      ...(nextEndUs === undefined ? {} : { nextEndUs }),
      counted: this.#counted,
      late: this.#late,
    }
  }

  #sendLate(late: Batch, times: Pointer): void {
    const { memory } = this.#context
    this.#late += late.count
    for (const row of selectedRows(memory, late)) {
      const windowStartUs = memory.i64[times / 8 + row]!
      const windowEndUs = windowStartUs + BigInt(this.#plan.window.gapUs)
      this.#tellLate(late, row, this.#nowUs, { windowStartUs, windowEndUs })
    }
  }

  #advance(nowUs: bigint, emit: Emit): void {
    this.#nowUs = nowUs
    const closing = this.#sessions.closing(nowUs)
    for (const session of closing) {
      this.#close(session, emit)
      this.#sessions.remove(session)
    }
  }

  #close(session: Pointer, emit: Emit): void {
    const { memory } = this.#context
    const mark = memory.arena.mark()
    const startUs = this.#sessions.startUs(session)
    const endUs = this.#sessions.endUs(session)
    const fields = this.#plan.schema.slice(-3)
    const held = this.#heldBy(session)
    for (let from = 0; from < held.length; from += EMIT_ROWS) {
      const some = held.slice(from, from + EMIT_ROWS)
      const inner = memory.arena.mark()
      const entries = memory.arena.allocate(4 * some.length)
      memory.u32.set(some, entries / 4)
      const count = some.length
      const columns = [
        ...this.#rows.columnsOf(entries, count),
        ...windowColumns(memory, fields, startUs, endUs, count),
      ]
      emit({ rowCount: count, columns, kinds: 0, selection: 0, count })
      memory.arena.release(inner)
    }
    for (const entry of held) this.#rows.remove(entry)
    memory.arena.release(mark)
  }

  /** The session's rows, in the order in which they came. */
  #heldBy(session: Pointer): readonly Pointer[] {
    const { memory } = this.#context
    const one = memory.arena.allocate(16)
    memory.u32[one / 4] = session
    const keys = this.#sessions.keysOf(one, 1)
    this.#rows.find({ selection: 0, count: 1, keys }, one + 4)
    const list = memory.u32[one / 4 + 1]!
    const fragments = new Set(this.#sessions.fragmentsOf(session))
    const extra = this.#rows.extraOffset(FRAGMENT)
    const held: Pointer[] = []
    for (let entry = this.#rows.first(list); entry !== 0; entry = this.#rows.next(entry)) {
      if (fragments.has(memory.i64[(entry + extra) / 8]!)) held.push(entry)
    }
    return held
  }
}
