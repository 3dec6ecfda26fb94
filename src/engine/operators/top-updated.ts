/**
 * Top-N of rows that are updated by key, and only ever for the better: each partition's first N rows are kept, and no others.
 *
 *   in     +I and +U bring the row of a key; what a -U says is known
 *   out    as other top-N, but without the number an update of a row that is among the first is -U and +U
 *   state  a list a partition in the order of the sort keys: its first N rows
 *
 * @see Flink, UpdatableTopNFunction; src/plan/updated-top.ts
 */
import { compileProjection } from '../../compile/expression.ts'
import { type Batch, UPDATE_BEFORE } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type Rank, schemaOf } from '../../plan/nodes.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type Evaluation, evaluationOf, type OperatorContext, rowsWithout } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { type OrderedLists, orderedLists } from './ordered-lists.ts'
import { type RankChanges, rankedByMembership, rankedByNumber } from './rank-changes.ts'
import { type SortColumns, type SortOrder, sortColumns, sortOrder } from './sort-order.ts'

const TABLE = 'rows'

export type ConstantRank = Rank & { readonly to: number }

export class TopUpdated implements Operator {
  readonly name: string
  readonly #memory: LinearMemory
  readonly #end: number
  readonly #evaluation: Evaluation
  readonly #partition: ReturnType<typeof compileProjection>
  readonly #columns: SortColumns
  readonly #rows: RowLists
  readonly #order: SortOrder
  /** Tells rows of one key from others. */
  readonly #byKey: SortOrder
  readonly #ordered: OrderedLists
  readonly #changes: RankChanges

  /** `key`: columns of the input that name a row. */
  constructor(plan: ConstantRank, key: readonly number[], context: OperatorContext) {
    const { memory } = context
    const schema = schemaOf(plan.input)
    const keys = plan.partition.map(({ type }) => type)
    this.name = `rank(${plan.to})`
    this.#memory = memory
    this.#end = plan.to
    this.#evaluation = evaluationOf(context, schema)
    this.#partition = compileProjection(plan.partition, context)
    this.#columns = sortColumns(memory, schema, plan.order)
    this.#rows = memoryRowLists(memory, { keys, row: this.#columns.types, extras: 1 })
    this.#order = sortOrder(memory, this.#columns.keys, this.#rows)
    const keyColumns = key.map((column) => {
      const { type } = schema[column]!
      return { column, type, descending: false, nullsFirst: true }
    })
    this.#byKey = sortOrder(memory, keyColumns, this.#rows)
    this.#ordered = orderedLists(memory, this.#rows, this.#order)
    const told = { memory, rows: this.#rows, width: schema.length, ...plan }
    const hasNumbers = plan.outputsNumber || plan.from > 1
    this.#changes = hasNumbers ? rankedByNumber(told) : rankedByMembership(told)
  }

  onBatch(batch: Batch, emit: Emit): void {
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#partition.map((key) => key.evaluate(frame))
    const columns = this.#columns.of(frame)
    const good = { ...this.#evaluation.withoutFailed(batch), columns }
    const isKnown = (row: number): boolean =>
      good.kinds !== 0 && this.#memory.u8[good.kinds + row] === UPDATE_BEFORE
    const { selection, count } = rowsWithout(this.#memory, good, isKnown)
    if (count === 0) return
    const lists = this.#memory.arena.allocate(4 * count)
    this.#rows.lists({ count, selection, keys }, lists)
    for (let at = 0; at < count; at++) {
      const list = this.#memory.u32[lists / 4 + at]!
      this.#update(list, good, this.#memory.u32[selection / 4 + at]!)
    }
    this.#changes.emit(good.count === 1, emit)
  }

  onWatermark(): void {}
  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    writer.table(TABLE, (sink) => this.#rows.writeChanges(sink))
  }

  restore(reader: StateReader): void {
    const source = reader.source(TABLE)
    if (source === undefined) return
    this.#rows.restore(source)
    this.#ordered.sortAll((list) => this.#changes.restored(list, this.#end))
  }

  dispose(): void {
    this.#rows.dispose()
  }

  #update(list: Pointer, batch: Batch, row: number): void {
    const rows = this.#rows
    const last = rows.last(list)
    const isFull = rows.count(list) >= this.#end
    const beside = last === 0 ? -1 : this.#order.compareRow(batch.columns, row, last)
    // Whoever is among them already has only become better.
    if (last === 0 ? this.#end <= 0 : isFull && beside > 0) return
    const old = this.#find(list, batch, row)
    if (old === 0 && isFull && beside === 0) return
    this.#changes.touch(list, this.#end)
    const entry = this.#append(list, batch, row)
    if (old === 0) this.#insert(list, entry, isFull ? last : 0)
    else this.#replace(list, entry, old)
  }

  #insert(list: Pointer, entry: Pointer, falling: Pointer): void {
    if (falling !== 0) {
      this.#ordered.detach(list, falling)
      this.#changes.left(falling)
      this.#changes.gone(falling)
    }
    this.#ordered.place(list, entry)
    this.#changes.came(entry)
  }

  #replace(list: Pointer, entry: Pointer, old: Pointer): void {
    // With its sort key it keeps its place among those that tie.
    if (this.#order.compareEntries(entry, old) === 0) this.#ordered.placeBefore(list, entry, old)
    else this.#ordered.place(list, entry)
    this.#ordered.detach(list, old)
    this.#changes.replaced(old, entry)
    this.#changes.gone(old)
  }

  /** The entry of the row's key; 0 if there is none. */
  #find(list: Pointer, { columns }: Batch, row: number): Pointer {
    const rows = this.#rows
    for (let entry = rows.first(list); entry !== 0; entry = rows.next(entry))
      if (this.#byKey.compareRow(columns, row, entry) === 0) return entry
    return 0
  }

  /** A copy of the row, in no list yet. */
  #append(list: Pointer, batch: Batch, row: number): Pointer {
    const cells = this.#memory.arena.allocate(12)
    this.#memory.u32.set([row, list], cells / 4)
    this.#rows.append({ ...batch, selection: cells, count: 1 }, cells + 4, cells + 8)
    const entry = this.#memory.u32[cells / 4 + 2]!
    this.#rows.detach(entry)
    return entry
  }
}
