/**
 * ORDER BY an ascending time attribute, then others: rows in that order, each once no earlier one can come.
 *
 *   in     +I rows
 *   out    +I by event time when the watermark reaches the row; by the clock at once, each batch in order
 *   state  the rows that wait, in one list; up to which time rows have been told
 *   side   rows at or behind that time
 *
 * @see Flink, RowTimeSortOperator, ProcTimeSortOperator
 */
import { type Batch, INSERT } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type SortKey, schemaOf, type TemporalSort } from '../../plan/nodes.ts'
import type { KeyedTable } from '../../state/keyed-table.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import { keyedTables } from '../../state/memory-table.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { lateTeller } from './late-teller.ts'
import { type OrderedLists, orderedLists } from './ordered-lists.ts'
import { rowPicks } from './row-picks.ts'
import { type SortColumns, sortColumns, sortOrder } from './sort-order.ts'
import { stateless } from './stateless.ts'

/** Rows emitted at a time. */
const EMIT_ROWS = 4096

/** Where the node's watermark stood in the restored checkpoint: `watermarkUs`. */
export function temporalSort(
  plan: TemporalSort,
  context: OperatorContext,
  watermarkUs: bigint,
): Operator {
  return plan.timeDomain === 'processing'
    ? sortBatches(plan, context)
    : new SortByTime(plan, context, watermarkUs)
}

/** By time, then by the others, whether `keys` begins with the time or not. */
function keysOf({ input, time, keys }: TemporalSort): readonly SortKey[] {
  const expression = { kind: 'column', index: time, type: schemaOf(input)[time]!.type } as const
  return [{ expression, descending: false, nullsFirst: true }, ...keys]
}

class SortByTime implements Operator {
  readonly name = 'temporal-sort'
  readonly #memory: LinearMemory
  readonly #evaluation: Evaluation
  readonly #columns: SortColumns
  readonly #width: number
  readonly #time: number
  readonly #rows: RowLists
  readonly #ordered: OrderedLists
  readonly #tellLate: ReturnType<typeof lateTeller>
  /** One entry: the time up to which rows have been told. Without entry: none has. */
  readonly #told: KeyedTable
  #list: Pointer = 0
  #watermarkUs: bigint

  constructor(plan: TemporalSort, context: OperatorContext, watermarkUs: bigint) {
    const { memory } = context
    const schema = schemaOf(plan)
    this.#memory = memory
    this.#evaluation = evaluationOf(context, schema)
    this.#columns = sortColumns(memory, schema, keysOf(plan))
    this.#width = schema.length
    this.#time = plan.time
    this.#rows = memoryRowLists(memory, { keys: [], row: this.#columns.types, extras: 0 })
    const order = sortOrder(memory, this.#columns.keys, this.#rows)
    this.#ordered = orderedLists(memory, this.#rows, order)
    this.#tellLate = lateTeller(context, schema, plan.time)
    this.#told = keyedTables(memory, { keys: [], values: ['i64', 'i64'] })()
    this.#watermarkUs = watermarkUs
  }

  onBatch(batch: Batch): void {
    const columns = this.#columns.of(this.#evaluation.frameOf(batch))
    const rows = this.#onTime({ ...this.#evaluation.withoutFailed(batch), columns })
    const { count, selection } = rows
    if (count === 0) return
    const { arena } = this.#memory
    const lists = arena.allocate(4 * count)
    this.#rows.lists({ count, selection, keys: [] }, lists)
    const entries = arena.allocate(4 * count)
    this.#rows.append(rows, lists, entries)
    this.#list = this.#memory.u32[lists / 4]!
    for (let at = 0; at < count; at++) this.#rows.detach(this.#memory.u32[entries / 4 + at]!)
    for (let at = 0; at < count; at++)
      this.#ordered.place(this.#list, this.#memory.u32[entries / 4 + at]!)
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    this.#watermarkUs = watermarkUs
    for (let due = this.#due(); due.length > 0; due = this.#due()) this.#tell(due, emit)
  }

  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    writer.table('rows', (sink) => this.#rows.writeChanges(sink))
    writer.table('told', (sink) => this.#told.writeChanges(sink))
  }

  restore(reader: StateReader): void {
    const told = reader.source('told')
    if (told !== undefined) this.#told.restore(told)
    const rows = reader.source('rows')
    if (rows === undefined) return
    this.#rows.restore(rows)
    this.#ordered.sortAll((list) => {
      this.#list = list
    })
  }

  dispose(): void {
    this.#rows.dispose()
    this.#told.dispose()
  }

  #onTime(batch: Batch): Batch {
    const told = this.#toldEntry(false)
    if (told === 0) return batch
    const { count, selection, columns } = batch
    const kept = this.#memory.arena.allocate(4 * count)
    const { u32, i64 } = this.#memory
    const toldUs = i64[(told + this.#told.valueOffset(1)) / 8]!
    const times = columns[this.#time]!.cells / 8
    let keptCount = 0
    for (let at = 0; at < count; at++) {
      const row = selection === 0 ? at : u32[selection / 4 + at]!
      if (i64[times + row]! <= toldUs) this.#tellLate(batch, row, this.#watermarkUs)
      else u32[kept / 4 + keptCount++] = row
    }
    return { ...batch, selection: kept, count: keptCount }
  }

  /** The first rows that the watermark has reached, some thousand at most. */
  #due(): readonly Pointer[] {
    const due: Pointer[] = []
    if (this.#list === 0) return due
    for (let entry = this.#rows.first(this.#list); entry !== 0; entry = this.#rows.next(entry)) {
      if (due.length === EMIT_ROWS || this.#timeOf(entry) > this.#watermarkUs) break
      due.push(entry)
    }
    return due
  }

  #tell(due: readonly Pointer[], emit: Emit): void {
    const { arena } = this.#memory
    const mark = arena.mark()
    const count = due.length
    const entries = arena.allocate(4 * count)
    this.#memory.u32.set(due, entries / 4)
    const columns = this.#rows.columnsOf(entries, count).slice(0, this.#width)
    const told = this.#toldEntry(true)
    this.#memory.i64[(told + this.#told.valueOffset(1)) / 8] = this.#timeOf(due.at(-1)!)
    emit({ rowCount: count, columns, kinds: 0, selection: 0, count })
    for (const entry of due) {
      this.#ordered.detach(this.#list, entry)
      this.#rows.remove(entry)
    }
    arena.release(mark)
  }

  #toldEntry(make: boolean): Pointer {
    const mark = this.#memory.arena.mark()
    const entry = this.#memory.arena.allocate(4)
    const rows = { count: 1, selection: 0, keys: [] }
    if (make) this.#told.upsert(rows, entry)
    else this.#told.find(rows, entry)
    const found = this.#memory.u32[entry / 4]!
    this.#memory.arena.release(mark)
    return found
  }

  #timeOf(entry: Pointer): bigint {
    return this.#memory.i64[(entry + this.#rows.cellOffset(this.#time)) / 8]!
  }
}

/** Rows that come at one time are told in order. */
function sortBatches(plan: TemporalSort, context: OperatorContext): Operator {
  const { memory } = context
  const schema = schemaOf(plan)
  const evaluation = evaluationOf(context, schema)
  const { keys, of } = sortColumns(memory, schema, plan.keys)
  const { compareRows } = sortOrder(memory, keys, { cellOffset: () => 0, isNull: () => false })
  return stateless('temporal-sort', (batch, emit) => {
    const columns = of(evaluation.frameOf(batch))
    const { count, selection } = evaluation.withoutFailed(batch)
    if (count === 0) return
    const rows = Array.from({ length: count }, (_, at) =>
      selection === 0 ? at : memory.u32[selection / 4 + at]!,
    )
    const picks = rowPicks(memory, count)
    for (const row of rows.sort((left, right) => compareRows(columns, left, right)))
      picks.add(0, row, INSERT)
    emit(picks.batch([batch.columns]))
  })
}
