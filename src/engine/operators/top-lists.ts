/**
 * The first rows of each list, as rows come and go: what top-N and window top-N share.
 *
 * Where nothing is taken back a list holds its first N rows and no others; else all rows.
 */
import { type Batch, INSERT, UPDATE_AFTER } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { RowLists } from '../../state/row-lists.ts'
import { type OrderedLists, orderedLists } from './ordered-lists.ts'
import type { RankChanges } from './rank-changes.ts'
import type { SortOrder } from './sort-order.ts'

export interface TopListsOptions {
  readonly memory: LinearMemory
  readonly rows: RowLists
  readonly order: SortOrder
  /** Of one row a list that nothing takes back: a row takes the place of one that it ties with. */
  readonly lastOfTies?: boolean
  readonly changes: Pick<RankChanges, 'touch' | 'isIn' | 'came' | 'left' | 'gone'>
  /** A row is taken back that is not there. */
  unmatched(): void
}

/** How many rows count, by position in a batch's selection. */
export type EndsOfRows = (at: number) => number

export class TopLists {
  readonly ordered: OrderedLists
  readonly #memory: LinearMemory
  readonly #rows: RowLists
  readonly #order: SortOrder
  readonly #changes: TopListsOptions['changes']
  readonly #unmatched: () => void
  readonly #lastOfTies: boolean

  constructor({ memory, rows, order, changes, unmatched, lastOfTies = false }: TopListsOptions) {
    this.#memory = memory
    this.#rows = rows
    this.#order = order
    this.#changes = changes
    this.#unmatched = unmatched
    this.#lastOfTies = lastOfTies
    this.ordered = orderedLists(memory, rows, order)
  }

  /** Rows that nothing takes back: those that do not reach the first N are forgotten. `lists`: by position. */
  addBetter(batch: Batch, lists: Pointer, ends: EndsOfRows): void {
    const { arena } = this.#memory
    const candidates = arena.allocate(4 * batch.count)
    const candidateLists = arena.allocate(4 * batch.count)
    const positions = arena.allocate(4 * batch.count)
    const rows = this.#rows
    const { u32 } = this.#memory
    let count = 0
    for (let at = 0; at < batch.count; at++) {
      const row = batch.selection === 0 ? at : u32[batch.selection / 4 + at]!
      const list = u32[lists / 4 + at]!
      if (rows.count(list) >= ends(at) && !this.#isBetter(batch, row, rows.last(list))) continue
      u32[candidates / 4 + count] = row
      u32[positions / 4 + count] = at
      u32[candidateLists / 4 + count++] = list
    }
    if (count === 0) return
    const entries = this.#append({ ...batch, selection: candidates, count }, candidateLists)
    for (let at = 0; at < count; at++) {
      const list = this.#memory.u32[candidateLists / 4 + at]!
      const end = ends(this.#memory.u32[positions / 4 + at]!)
      this.#addOne(list, this.#memory.u32[entries / 4 + at]!, end)
    }
  }

  /** Rows that come, and go again. `lists`: by position. */
  addAndTake(batch: Batch, lists: Pointer, ends: EndsOfRows): void {
    const { u32, arena } = this.#memory
    const added = arena.allocate(4 * batch.count)
    const addedLists = arena.allocate(4 * batch.count)
    let addedCount = 0
    for (let at = 0; at < batch.count; at++) {
      const row = this.#rowAt(batch, at)
      if (!this.#adds(batch, row)) continue
      u32[added / 4 + addedCount] = row
      u32[addedLists / 4 + addedCount++] = u32[lists / 4 + at]!
    }
    const entries = this.#append({ ...batch, selection: added, count: addedCount }, addedLists)
    for (let at = 0, next = 0; at < batch.count; at++) {
      const list = this.#memory.u32[lists / 4 + at]!
      const row = this.#rowAt(batch, at)
      this.#changes.touch(list, ends(at))
      if (this.#adds(batch, row))
        this.#insert(list, this.#memory.u32[entries / 4 + next++]!, ends(at))
      else this.#take(list, batch, row)
    }
  }

  #rowAt({ selection }: Batch, at: number): number {
    return selection === 0 ? at : this.#memory.u32[selection / 4 + at]!
  }

  #adds({ kinds }: Batch, row: number): boolean {
    const kind = kinds === 0 ? INSERT : this.#memory.u8[kinds + row]!
    return kind === INSERT || kind === UPDATE_AFTER
  }

  #addOne(list: Pointer, entry: Pointer, end: number): void {
    const rows = this.#rows
    if (rows.count(list) < end) {
      this.#changes.touch(list, end)
      this.ordered.place(list, entry)
      this.#changes.came(entry)
      return
    }
    const last = rows.last(list)
    if (last === 0 || !this.#wins(this.#order.compareEntries(entry, last))) {
      rows.remove(entry)
      return
    }
    this.#changes.touch(list, end)
    this.ordered.detach(list, last)
    this.#changes.left(last)
    this.#changes.gone(last)
    this.ordered.place(list, entry)
    this.#changes.came(entry)
  }

  #isBetter({ columns }: Batch, row: number, last: Pointer): boolean {
    return last !== 0 && this.#wins(this.#order.compareRow(columns, row, last))
  }

  #wins(compared: number): boolean {
    return compared < 0 || (compared === 0 && this.#lastOfTies)
  }

  /** Copies of the batch's rows, in no list yet. */
  #append(batch: Batch, lists: Pointer): Pointer {
    const entries = this.#memory.arena.allocate(4 * batch.count)
    this.#rows.append(batch, lists, entries)
    for (let at = 0; at < batch.count; at++) this.#rows.detach(this.#memory.u32[entries / 4 + at]!)
    return entries
  }

  #insert(list: Pointer, entry: Pointer, end: number): void {
    const rows = this.#rows
    const isFull = rows.count(list) >= end
    this.ordered.place(list, entry)
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
    const entry = this.ordered.find(list, columns, row)
    if (entry === 0) {
      this.#unmatched()
      return
    }
    if (this.#changes.isIn(entry)) {
      let rising = rows.next(entry)
      while (rising !== 0 && this.#changes.isIn(rising)) rising = rows.next(rising)
      this.#changes.left(entry)
      if (rising !== 0) this.#changes.came(rising)
    }
    this.ordered.detach(list, entry)
    this.#changes.gone(entry)
  }
}
