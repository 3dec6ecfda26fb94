/**
 * OVER in order of event time, or of arrival.
 *
 *   in     +I rows
 *   out    +I each row with the aggregates of its frame: by event time when the watermark reaches it, in order of time; by arrival at
 *          once
 *   state  rows that wait, rows in bounded frames, a group a partition
 *   side   late rows: at or behind the watermark; of bounded frames, at or behind the last row that its partition was told
 *
 * @see Flink, RowTimeUnboundedPrecedingOverFunctionV2, RowTimeRowsBoundedPrecedingFunction, RowTimeRangeBoundedPrecedingFunction,
 *      ProcTimeUnboundedPrecedingFunction, ProcTimeRowsBoundedPrecedingFunction, ProcTimeRangeBoundedPrecedingFunction
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type OverAggregate, schemaOf } from '../../plan/nodes.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { Timers } from '../../time/timers.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { lateTeller } from './late-teller.ts'
import { type OverCalls, overCalls } from './over-calls.ts'
import { type OverState, overState } from './over-state.ts'
import { OverTelling } from './over-telling.ts'

/** Rows told at a time, and those that tie with the last of them. */
const TELL_ROWS = 4096

export class OverByTime implements Operator {
  readonly name: string
  readonly #plan: OverAggregate
  readonly #context: OperatorContext
  readonly #memory: LinearMemory
  readonly #evaluation: Evaluation
  readonly #calls: OverCalls
  readonly #state: OverState
  readonly #telling: OverTelling
  readonly #tellLate: ReturnType<typeof lateTeller>
  readonly #timers = new Timers()
  /** Of RANGE: lists, by when the last of their rows that were told leaves all frames. */
  readonly #idle = new Timers()
  readonly #isByClock: boolean
  #watermarkUs: bigint

  constructor(plan: OverAggregate, context: OperatorContext, restoredWatermarkUs: bigint) {
    const { memory } = context
    const schema = schemaOf(plan.input)
    this.name = `over-aggregate(${plan.frame.kind})`
    this.#plan = plan
    this.#context = context
    this.#memory = memory
    this.#evaluation = evaluationOf(context, schema)
    this.#calls = overCalls(memory, plan)
    this.#state = overState(memory, this.#calls, plan.frame.preceding !== undefined)
    this.#telling = new OverTelling(plan, context, this.#calls, this.#state)
    this.#tellLate = lateTeller(context, schema, plan.time!)
    this.#isByClock = plan.timeDomain === 'processing'
    this.#watermarkUs = restoredWatermarkUs
  }

  onBatch(batch: Batch, emit: Emit): void {
    const columns = this.#calls.kept.of(this.#evaluation.frameOf(batch))
    const good = { ...this.#evaluation.withoutFailed(batch), columns }
    if (good.count === 0) return
    if (this.#isByClock) this.#tellNow(good, emit)
    else this.#wait(this.#onTime(good))
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    if (this.#isByClock) return
    this.#watermarkUs = watermarkUs
    const due: Pointer[] = []
    for (let entry = this.#timers.pop(watermarkUs); entry !== undefined; ) {
      due.push(entry)
      entry = this.#timers.pop(watermarkUs)
    }
    if (due.length > 0) this.#tell(this.#inOrder(due), emit)
    this.#expire(watermarkUs)
  }

  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    this.#state.snapshot(writer)
  }

  restore(reader: StateReader): void {
    const { rows } = this.#state
    this.#state.restore(reader, (list, group) => {
      if (this.#isByClock) return
      for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry)) {
        const timeUs = this.#timeOf(entry)
        if (group === 0 || !this.#isTold(group, timeUs)) this.#timers.push(timeUs, entry)
        else this.#watchIdle(entry)
      }
    })
  }

  dispose(): void {
    this.#state.dispose()
  }

  /** Without the late rows, which are told. */
  #onTime(batch: Batch): Batch {
    const { count, selection, columns } = batch
    const isBounded = this.#plan.frame.preceding !== undefined
    const groups = isBounded ? this.#state.groupsOf(columns, batch, false) : 0
    const kept = this.#memory.arena.allocate(4 * count)
    const { u32, i64 } = this.#memory
    const times = columns[this.#plan.time!]!.cells / 8
    let keptCount = 0
    for (let at = 0; at < count; at++) {
      const row = selection === 0 ? at : u32[selection / 4 + at]!
      const timeUs = i64[times + row]!
      const group = isBounded ? u32[groups / 4 + at]! : 0
      const isLate = isBounded
        ? group !== 0 && this.#isTold(group, timeUs)
        : timeUs <= this.#watermarkUs
      if (isLate) this.#tellLate(batch, row, this.#watermarkUs)
      else u32[kept / 4 + keptCount++] = row
    }
    return { ...batch, selection: kept, count: keptCount }
  }

  #wait(batch: Batch): void {
    if (batch.count === 0) return
    for (const entry of this.#append(batch)) {
      this.#state.ordered.place(this.#state.rows.listOf(entry), entry)
      this.#timers.push(this.#timeOf(entry), entry)
    }
  }

  #tellNow(batch: Batch, emit: Emit): void {
    const nowUs = this.#context.nowUs()
    const { rows } = this.#state
    const entries = this.#append(batch)
    for (const entry of entries) {
      this.#memory.i64[(entry + rows.extraOffset(0)) / 8] = nowUs
      rows.place(rows.listOf(entry), entry, 0)
    }
    this.#telling.tell(entries, emit)
  }

  /** Copies of the rows, in no list yet. */
  #append(batch: Batch): readonly Pointer[] {
    const { arena } = this.#memory
    const { rows } = this.#state
    const { count, selection } = batch
    const lists = arena.allocate(4 * count)
    rows.lists({ count, selection, keys: this.#state.keysOf(batch.columns) }, lists)
    const addresses = arena.allocate(4 * count)
    rows.append(batch, lists, addresses)
    const entries = Array.from(this.#memory.u32.subarray(addresses / 4, addresses / 4 + count))
    for (const entry of entries) rows.detach(entry)
    return entries
  }

  /** By time, the other sort keys, and arrival. */
  #inOrder(due: Pointer[]): readonly Pointer[] {
    const { order, rows } = this.#state
    return due.sort(
      (left, right) => order.compareEntries(left, right) || (rows.isOlder(left, right) ? -1 : 1),
    )
  }

  #tell(due: readonly Pointer[], emit: Emit): void {
    for (let start = 0; start < due.length; ) {
      let end = Math.min(start + TELL_ROWS, due.length)
      const { compareEntries } = this.#state.order
      while (end < due.length && compareEntries(due[end - 1]!, due[end]!) === 0) end++
      const told = due.slice(start, end)
      const lasts = new Map(told.map((entry) => [this.#state.rows.listOf(entry), entry]))
      this.#telling.tell(told, emit)
      for (const last of lasts.values()) this.#watchIdle(last)
      start = end
    }
  }

  #watchIdle(last: Pointer): void {
    const { kind, preceding } = this.#plan.frame
    if (kind === 'rows' || preceding === undefined) return
    this.#idle.push(this.#timeOf(last) + BigInt(preceding), this.#state.rows.listOf(last))
  }

  /** Rows that have been told, and that no frame of a row ahead of the watermark reaches back to. */
  #expire(watermarkUs: bigint): void {
    const lists = new Set<Pointer>()
    for (let list = this.#idle.pop(watermarkUs); list !== undefined; ) {
      if (this.#state.rows.count(list) > 0) lists.add(list)
      list = this.#idle.pop(watermarkUs)
    }
    const silent = [...lists].flatMap((list) => this.#silentIn(list, watermarkUs))
    if (silent.length > 0) this.#telling.expire(silent)
  }

  /** The rows that have been told, of a list whose last of them is behind all frames. */
  #silentIn(list: Pointer, watermarkUs: bigint): readonly Pointer[] {
    const { rows } = this.#state
    const told: Pointer[] = []
    for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry)) {
      if (this.#timeOf(entry) > watermarkUs) break
      told.push(entry)
    }
    const last = told.at(-1)
    if (last === undefined) return []
    const leavesUs = this.#timeOf(last) + BigInt(this.#plan.frame.preceding!)
    return leavesUs <= watermarkUs ? told : []
  }

  #isTold(group: Pointer, timeUs: bigint): boolean {
    const { u32, i64 } = this.#memory
    if (u32[(group + this.#state.cell('hasLast')) / 4] !== 1) return false
    return timeUs <= i64[(group + this.#state.cell('lastUs')) / 8]!
  }

  #timeOf(entry: Pointer): bigint {
    return this.#memory.i64[(entry + this.#state.rows.cellOffset(this.#plan.time!)) / 8]!
  }
}
