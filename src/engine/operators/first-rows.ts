/**
 * The first row of each key by event time, once no earlier one can come: append-only.
 *
 *   out    +I when the watermark reaches the row's time
 *   state  the row of each key that waits, and the keys that have had theirs
 *   side   a row behind the watermark is late
 *
 * @see Flink, RowTimeDeduplicateKeepFirstRowFunction
 */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { DataType, Schema } from '../../data/types.ts'
import type { KeyedTable } from '../../state/keyed-table.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { Timers } from '../../time/timers.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit } from '../operator.ts'
import { lateTeller } from './late-teller.ts'
import { type RowCells, rowCells } from './row-cells.ts'

export interface FirstRows {
  add(batch: Batch, keys: readonly Vector[]): void
  fire(watermarkUs: bigint, emit: Emit): void
  snapshot(writer: StateWriter): void
  restore(reader: StateReader): void
  dispose(): void
}

// Value cells of an entry that waits: the key's own link when it is freed, its number by arrival from 1 (0: gone), then the row.
const NUMBER = 1
const ROW = 2
const SCAN_ROWS = 1024
/** Rows emitted at a time. */
const EMIT_ROWS = 4096

export function firstRows(
  context: OperatorContext,
  keyTypes: readonly DataType[],
  schema: Schema,
  time: number,
  restoredWatermarkUs: bigint,
): FirstRows {
  return new First(context, keyTypes, schema, time, restoredWatermarkUs)
}

class First implements FirstRows {
  readonly #memory: LinearMemory
  readonly #cells: RowCells
  readonly #waiting: KeyedTable
  readonly #done: KeyedTable
  readonly #tellLate: ReturnType<typeof lateTeller>
  readonly #time: number
  readonly #numberOffset: number
  readonly #timeOffset: number
  readonly #timers = new Timers()
  #watermarkUs: bigint
  #number = 0n

  constructor(
    context: OperatorContext,
    keys: readonly DataType[],
    schema: Schema,
    time: number,
    watermarkUs: bigint,
  ) {
    const { memory } = context
    this.#memory = memory
    this.#cells = rowCells(memory, schema, ROW)
    this.#waiting = keyedTables(memory, { keys, values: ['i64', 'i64', ...this.#cells.values] })()
    this.#done = keyedTables(memory, { keys, values: [] })()
    this.#tellLate = lateTeller(context, schema, time)
    this.#time = time
    this.#numberOffset = this.#waiting.valueOffset(NUMBER)
    this.#timeOffset = this.#waiting.valueOffset(this.#cells.cellOf(time))
    this.#watermarkUs = watermarkUs
  }

  add(batch: Batch, keys: readonly Vector[]): void {
    if (batch.count === 0) return
    const { columns, selection, count } = this.#open(batch, keys)
    if (count === 0) return
    const { arena } = this.#memory
    const entries = arena.allocate(4 * count)
    this.#waiting.upsert({ count, selection, keys }, entries)
    const times = columns[this.#time]!.cells / 8
    const { i64, u32 } = this.#memory
    for (let at = 0; at < count; at++) {
      const row = u32[selection / 4 + at]!
      const entry = u32[entries / 4 + at]!
      const timeUs = i64[times + row]!
      if (this.#numberOf(entry) !== 0n && timeUs >= this.#timeOf(entry)) continue
      this.#cells.store(this.#waiting, entry, columns, row)
      this.#memory.i64[(entry + this.#numberOffset) / 8] = ++this.#number
      this.#timers.push(timeUs, entry)
    }
  }

  fire(watermarkUs: bigint, emit: Emit): void {
    this.#watermarkUs = watermarkUs
    const timers = this.#timers
    let ready: Pointer[] = []
    while (timers.nextUs !== undefined && timers.nextUs <= watermarkUs) {
      for (const entry of this.#due(timers.nextUs)) ready.push(entry)
      if (ready.length < EMIT_ROWS) continue
      this.#emit(ready, emit)
      ready = []
    }
    if (ready.length > 0) this.#emit(ready, emit)
  }

  snapshot(writer: StateWriter): void {
    writer.table('waiting', (sink) => this.#waiting.writeChanges(sink))
    writer.table('done', (sink) => this.#done.writeChanges(sink))
  }

  restore(reader: StateReader): void {
    const { arena, u32 } = this.#memory
    const done = reader.source('done')
    if (done !== undefined) this.#done.restore(done)
    const waiting = reader.source('waiting')
    if (waiting === undefined) return
    this.#waiting.restore(waiting)
    const mark = arena.mark()
    const entries = arena.allocate(4 * SCAN_ROWS)
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = this.#waiting.scan(cursor, entries, SCAN_ROWS)
      for (let at = 0; at < count; at++) {
        const entry = u32[entries / 4 + at]!
        this.#timers.push(this.#timeOf(entry), entry)
        if (this.#numberOf(entry) > this.#number) this.#number = this.#numberOf(entry)
      }
      cursor = next
    }
    arena.release(mark)
  }

  dispose(): void {
    this.#waiting.dispose()
    this.#done.dispose()
  }

  /** The rows of `batch` that are not late and whose key has had none. */
  #open(batch: Batch, keys: readonly Vector[]): Batch {
    const { count, selection } = batch
    const found = this.#memory.arena.allocate(4 * count)
    this.#done.find({ count, selection, keys }, found)
    const rows = this.#memory.arena.allocate(4 * count)
    const { i64, u32 } = this.#memory
    const times = batch.columns[this.#time]!.cells / 8
    let kept = 0
    for (let at = 0; at < count; at++) {
      const row = selection === 0 ? at : u32[selection / 4 + at]!
      if (i64[times + row]! < this.#watermarkUs) this.#tellLate(batch, row, this.#watermarkUs)
      else if (u32[found / 4 + at] === 0) u32[rows / 4 + kept++] = row
    }
    return { ...batch, selection: rows, count: kept }
  }

  /** Entries due at one time, in order of arrival. A key's older timers find nothing. */
  #due(timeUs: bigint): Pointer[] {
    const timers = this.#timers
    const entries = new Set<Pointer>()
    for (let entry = timers.pop(timeUs); entry !== undefined; entry = timers.pop(timeUs)) {
      if (this.#numberOf(entry) !== 0n && this.#timeOf(entry) === timeUs) entries.add(entry)
    }
    if (entries.size === 1) return [...entries]
    return [...entries].sort((a, b) => (this.#numberOf(a) < this.#numberOf(b) ? -1 : 1))
  }

  #emit(ready: readonly Pointer[], emit: Emit): void {
    const { arena } = this.#memory
    const mark = arena.mark()
    const count = ready.length
    const entries = arena.allocate(4 * count)
    this.#memory.u32.set(ready, entries / 4)
    const columns = this.#cells.load(this.#waiting, entries, count)
    emit({ rowCount: count, columns, kinds: 0, selection: 0, count })
    const keys = this.#waiting.keysOf(entries, count)
    this.#done.upsert({ count, selection: 0, keys }, arena.allocate(4 * count))
    for (const entry of ready) {
      this.#memory.i64[(entry + this.#numberOffset) / 8] = 0n
      this.#waiting.remove(entry)
    }
    arena.release(mark)
  }

  #timeOf(entry: Pointer): bigint {
    return this.#memory.i64[(entry + this.#timeOffset) / 8]!
  }

  #numberOf(entry: Pointer): bigint {
    return this.#memory.i64[(entry + this.#numberOffset) / 8]!
  }
}
