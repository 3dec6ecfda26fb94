/**
 * Top-N, as a changelog.
 *
 *   in     +I and +U bring a row of a partition, -U and -D take one away (the first that equals it)
 *   out    with the number (or numbers from above 1): for each number whose row changed -U old and +U new, +I or -D where there was
 *          or is none; without: -D of rows that left the first N, then +I of rows that came in
 *   state  a list a partition in the order of the sort keys: its first N rows where none are taken back, else all rows
 *
 * Rows that tie are numbered as they came. With one-row batches the changelog is Flink's, row for row; of a larger batch the
 * difference that it makes is told.
 *
 * @see Flink, AppendOnlyTopNFunction and RetractableTopNFunction; FastTop1Function is in top-one.ts
 */
import { compileProjection } from '../../compile/expression.ts'
import { type Batch, INSERT, UPDATE_AFTER, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import { type Rank, schemaOf } from '../../plan/nodes.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { type OrderedLists, orderedLists } from './ordered-lists.ts'
import { type RankChanges, rankedByMembership, rankedByNumber } from './rank-changes.ts'
import { type RankEnds, rankEnds } from './rank-ends.ts'
import { type SortColumns, type SortOrder, sortColumns, sortOrder } from './sort-order.ts'
import { topOne } from './top-one.ts'

const TABLE = 'rows'

/** `retracts`: the input takes rows back. */
export function rank(plan: Rank, context: OperatorContext, retracts: boolean): Operator {
  if (plan.function !== 'ROW_NUMBER') throw noTies(plan.function)
  if (plan.from === 1 && plan.to === 1 && !retracts) return topOne(plan, context)
  return new TopN(plan, context, retracts)
}

class TopN implements Operator {
  readonly name: string
  readonly #memory: LinearMemory
  readonly #retracts: boolean
  readonly #evaluation: Evaluation
  readonly #partition: ReturnType<typeof compileProjection>
  readonly #columns: SortColumns
  readonly #rows: RowLists
  readonly #order: SortOrder
  readonly #lists: OrderedLists
  readonly #ends: RankEnds
  readonly #changes: RankChanges
  readonly #count: OperatorContext['count']

  constructor(plan: Rank, context: OperatorContext, retracts: boolean) {
    const { memory } = context
    const schema = schemaOf(plan.input)
    const keys = plan.partition.map(({ type }) => type)
    this.name = `rank(${typeof plan.to === 'number' ? plan.to : 'variable'})`
    this.#memory = memory
    this.#count = context.count
    this.#retracts = retracts
    this.#evaluation = evaluationOf(context, schema)
    this.#partition = compileProjection(plan.partition, { memory })
    this.#columns = sortColumns(memory, schema, plan.order)
    this.#rows = memoryRowLists(memory, { keys, row: this.#columns.types, extras: 1 })
    this.#order = sortOrder(memory, this.#columns.keys, this.#rows)
    this.#lists = orderedLists(memory, this.#rows, this.#order)
    this.#ends = rankEnds(memory, keys, plan.to)
    const hasNumbers = plan.outputsNumber || plan.from > 1
    const told = { memory, rows: this.#rows, width: schema.length, ...plan }
    this.#changes = hasNumbers ? rankedByNumber(told) : rankedByMembership(told)
  }

  onBatch(batch: Batch, emit: Emit): void {
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#partition.map((key) => key.evaluate(frame))
    const columns = this.#columns.of(frame)
    const good = this.#evaluation.withoutFailed(batch)
    if (good.count === 0) return
    const lists = this.#memory.arena.allocate(4 * good.count)
    this.#rows.lists({ count: good.count, selection: good.selection, keys }, lists)
    const kept = { ...good, columns }
    if (this.#retracts) this.#addAndTake(kept, keys, lists)
    else this.#addBetter(kept, keys, lists)
    this.#changes.emit(good.count === 1, emit)
  }

  onWatermark(): void {}
  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    writer.table(TABLE, (sink) => this.#rows.writeChanges(sink))
    this.#ends.snapshot(writer)
  }

  restore(reader: StateReader): void {
    this.#ends.restore(reader)
    const source = reader.source(TABLE)
    if (source === undefined) return
    this.#rows.restore(source)
    this.#lists.sortAll((list) => this.#changes.restored(list, this.#ends.ofList(this.#rows, list)))
  }

  dispose(): void {
    this.#rows.dispose()
    this.#ends.dispose()
  }

  /** Rows that nothing takes back: those that do not reach the first N are forgotten. */
  #addBetter(batch: Batch, keys: readonly Vector[], lists: Pointer): void {
    const { arena } = this.#memory
    const ends = this.#ends.ofRows(batch, keys)
    const candidates = arena.allocate(4 * batch.count)
    const candidateLists = arena.allocate(4 * batch.count)
    const rows = this.#rows
    const { u32 } = this.#memory
    let count = 0
    for (let at = 0; at < batch.count; at++) {
      const row = batch.selection === 0 ? at : u32[batch.selection / 4 + at]!
      const list = u32[lists / 4 + at]!
      if (rows.count(list) >= ends(at) && !this.#isBetter(batch, row, rows.last(list))) continue
      u32[candidates / 4 + count] = row
      u32[candidateLists / 4 + count++] = list
    }
    if (count === 0) return
    const added = { ...batch, selection: candidates, count }
    const entries = this.#append(added, candidateLists)
    const candidateEnds = this.#ends.ofRows(added, keys)
    for (let at = 0; at < count; at++) {
      const list = this.#memory.u32[candidateLists / 4 + at]!
      this.#addOne(list, this.#memory.u32[entries / 4 + at]!, candidateEnds(at))
    }
  }

  #addOne(list: Pointer, entry: Pointer, end: number): void {
    const rows = this.#rows
    if (rows.count(list) < end) {
      this.#changes.touch(list, end)
      this.#lists.place(list, entry)
      this.#changes.came(entry)
      return
    }
    const last = rows.last(list)
    if (last === 0 || this.#order.compareEntries(entry, last) >= 0) {
      rows.remove(entry)
      return
    }
    this.#changes.touch(list, end)
    this.#lists.detach(list, last)
    this.#changes.left(last)
    this.#changes.gone(last)
    this.#lists.place(list, entry)
    this.#changes.came(entry)
  }

  #isBetter({ columns }: Batch, row: number, last: Pointer): boolean {
    return last !== 0 && this.#order.compareRow(columns, row, last) < 0
  }

  /** Copies of the batch's rows, in no list yet. */
  #append(batch: Batch, lists: Pointer): Pointer {
    const entries = this.#memory.arena.allocate(4 * batch.count)
    this.#rows.append(batch, lists, entries)
    for (let at = 0; at < batch.count; at++) this.#rows.detach(this.#memory.u32[entries / 4 + at]!)
    return entries
  }

  #addAndTake(batch: Batch, keys: readonly Vector[], lists: Pointer): void {
    const { u32, u8, arena } = this.#memory
    const ends = this.#ends.ofRows(batch, keys)
    const added = arena.allocate(4 * batch.count)
    const addedLists = arena.allocate(4 * batch.count)
    let addedCount = 0
    const rowAt = (at: number): number =>
      batch.selection === 0 ? at : this.#memory.u32[batch.selection / 4 + at]!
    const adds = (row: number): boolean => {
      const kind = batch.kinds === 0 ? INSERT : u8[batch.kinds + row]!
      return kind === INSERT || kind === UPDATE_AFTER
    }
    for (let at = 0; at < batch.count; at++) {
      if (!adds(rowAt(at))) continue
      u32[added / 4 + addedCount] = rowAt(at)
      u32[addedLists / 4 + addedCount++] = u32[lists / 4 + at]!
    }
    const entries = this.#append({ ...batch, selection: added, count: addedCount }, addedLists)
    for (let at = 0, next = 0; at < batch.count; at++) {
      const list = this.#memory.u32[lists / 4 + at]!
      this.#changes.touch(list, ends(at))
      if (adds(rowAt(at))) this.#insert(list, this.#memory.u32[entries / 4 + next++]!, ends(at))
      else this.#take(list, batch, rowAt(at))
    }
  }

  #insert(list: Pointer, entry: Pointer, end: number): void {
    const rows = this.#rows
    const isFull = rows.count(list) >= end
    this.#lists.place(list, entry)
    const next = rows.next(entry)
    if (isFull ? next === 0 || !this.#changes.isIn(next) : end <= 0) return
    this.#changes.came(entry)
    if (!isFull) return
    let lowest = next
    for (let at = next; at !== 0 && this.#changes.isIn(at); at = rows.next(at)) lowest = at
    this.#changes.left(lowest)
  }

  #take(list: Pointer, { columns }: Batch, row: number): void {
    const rows = this.#rows
    const entry = this.#lists.find(list, columns, row)
    if (entry === 0) {
      this.#count('retraction of a row that is not there', 1)
      return
    }
    if (this.#changes.isIn(entry)) {
      let rising = rows.next(entry)
      while (rising !== 0 && this.#changes.isIn(rising)) rising = rows.next(rising)
      this.#changes.left(entry)
      if (rising !== 0) this.#changes.came(rising)
    }
    this.#lists.detach(list, entry)
    this.#changes.gone(entry)
  }
}

function noTies(name: string): MillraceError {
  return new MillraceError('SQL_UNSUPPORTED', {
    message: `${name}() does not limit a stream: only ROW_NUMBER() does`,
    hint: 'use ROW_NUMBER(), with further columns in ORDER BY that decide between rows that tie',
    facts: { function: name },
  })
}
