/**
 * What OVER gives for each row of an ordered list, held beside the row: the aggregates of all rows up to it, and its numbers. When a row
 * comes or goes, those behind it are changed by it.
 *
 * They are in the entries' extras, which no checkpoint needs: they are made again from the rows.
 */
import type {
  AggregateSet,
  GroupState,
  GroupTable,
} from '../../compile/aggregates/aggregate-set.ts'
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { layoutOf } from '../../data/types.ts'
import { invariant, MillraceError } from '../../errors.ts'
import type { AggregateCall } from '../../plan/expressions.ts'
import type { OverAggregate } from '../../plan/nodes.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { Evaluation } from '../evaluation.ts'
import type { SortOrder } from './sort-order.ts'

// Behind the aggregates' cells.
const NUMBER = 0
const RANK = 1
const DENSE_RANK = 2
export const NUMBER_CELLS = 3

export type Numbering = 'number' | 'rank' | 'dense-rank'

export interface RunningOptions {
  readonly memory: LinearMemory
  readonly plan: OverAggregate
  readonly rows: RowLists
  readonly order: SortOrder
  readonly aggregates: AggregateSet
  readonly evaluation: Evaluation
}

export class RunningResults {
  readonly #memory: LinearMemory
  readonly #rows: RowLists
  readonly #order: SortOrder
  readonly #aggregates: AggregateSet
  readonly #evaluation: Evaluation
  readonly #state: GroupState
  readonly #width: number
  /** Whether a row can be added to, or taken from, what is there, to the same result as all rows in their order. */
  readonly #isAdditive: boolean
  readonly #isRetractable: boolean

  constructor({ memory, plan, rows, order, aggregates, evaluation }: RunningOptions) {
    const accumulated = plan.aggregates.filter((call) => !isOfPlace(call))
    const refused = accumulated.find((call) => call.distinct || !isAccumulated(call))
    if (refused !== undefined) throw notByOrder(refused)
    invariant(aggregates.sides.length === 0, 'what is accumulated keeps no values')
    this.#memory = memory
    this.#rows = rows
    this.#order = order
    this.#aggregates = aggregates
    this.#evaluation = evaluation
    this.#width = aggregates.values.length
    this.#state = { groups: extrasAsGroups(memory, rows), sides: [] }
    const isExact = accumulated.every(({ args }) =>
      args.every(({ type }) => layoutOf(type) !== 'f64'),
    )
    const isAny = (names: RegExp): boolean =>
      accumulated.every(({ function: name }) => names.test(name))
    this.#isAdditive = isExact && isAny(/^(COUNT|SUM|AVG|MIN|MAX)$/i)
    this.#isRetractable = isExact && isAny(/^(COUNT|SUM|AVG)$/i)
  }

  /** `entry` stands in its list; `tail` are the entries behind it, as u32s with their columns. */
  came(entry: Pointer, tail: Tail): void {
    this.#follow(this.#rows.previous(entry), one(this.#memory, this.#rows, entry))
    this.#renumber(entry)
    if (tail.count === 0) return
    if (this.#isAdditive) this.#addToAll(entry, tail, 'update')
    else this.#follow(entry, tail)
  }

  /** `entry` stands in its list no more; `before` was the one before it. */
  left(entry: Pointer, before: Pointer, tail: Tail): void {
    if (tail.count === 0) return
    if (this.#isRetractable) this.#addToAll(entry, tail, 'retract')
    else this.#follow(before, tail)
    this.#renumber(this.#memory.u32[tail.entries / 4]!)
  }

  /** All of a list, in its order. */
  restore(all: Tail): void {
    if (all.count === 0) return
    this.#follow(0, all)
    this.#renumber(this.#memory.u32[all.entries / 4]!)
  }

  /** One vector an aggregate; texts lie where rows keep them. */
  results(entries: Pointer, count: number): readonly Vector[] {
    return this.#aggregates.results(this.#state, entries, count)
  }

  numbers(kind: Numbering, entries: Pointer, count: number): Vector {
    const cells = this.#memory.arena.allocate(8 * count)
    const cell = kind === 'number' ? NUMBER : kind === 'rank' ? RANK : DENSE_RANK
    const offset = this.#rows.extraOffset(this.#width + cell)
    const { i64, u32 } = this.#memory
    for (let at = 0; at < count; at++)
      i64[cells / 8 + at] = i64[(u32[entries / 4 + at]! + offset) / 8]!
    return { type: { kind: 'bigint', nullable: false }, cells, validity: 0 }
  }

  /** The same row added to, or taken from, each of them. */
  #addToAll(entry: Pointer, { entries, count }: Tail, way: 'update' | 'retract'): void {
    if (this.#width === 0) return
    const { columns } = one(this.#memory, this.#rows, entry)
    const selection = this.#memory.arena.allocateCleared(4 * count)
    const batch: Batch = { rowCount: 1, columns, kinds: 0, selection, count }
    this.#aggregates[way](this.#state, this.#evaluation.frameOf(batch), [], entries)
  }

  /** Each from the one before it and its own row. */
  #follow(before: Pointer, { entries, columns, count }: Tail): void {
    if (this.#width === 0) return
    const selection = this.#memory.arena.allocate(4)
    let previous = before
    for (let at = 0; at < count; at++) {
      const entry = this.#memory.u32[entries / 4 + at]!
      this.#copy(previous, entry)
      this.#memory.u32[selection / 4] = at
      const batch: Batch = { rowCount: count, columns, kinds: 0, selection, count: 1 }
      const frame = this.#evaluation.frameOf(batch)
      this.#aggregates.update(this.#state, frame, [], entries + 4 * at)
      previous = entry
    }
  }

  /** 0: of no row. */
  #copy(from: Pointer, to: Pointer): void {
    const { i64 } = this.#memory
    const offset = this.#rows.extraOffset(0)
    for (let cell = 0; cell < this.#width; cell++)
      i64[(to + offset) / 8 + cell] = from === 0 ? 0n : i64[(from + offset) / 8 + cell]!
  }

  /** From `start` to the end of its list. */
  #renumber(start: Pointer): void {
    const { i64 } = this.#memory
    const offset = this.#rows.extraOffset(this.#width)
    const cell = (entry: Pointer, which: number): number => (entry + offset) / 8 + which
    let previous = this.#rows.previous(start)
    for (let entry = start; entry !== 0; entry = this.#rows.next(entry)) {
      const number = previous === 0 ? 1n : i64[cell(previous, NUMBER)]! + 1n
      const ties = previous !== 0 && this.#order.compareEntries(previous, entry) === 0
      const dense = previous === 0 ? 0n : i64[cell(previous, DENSE_RANK)]!
      i64[cell(entry, NUMBER)] = number
      i64[cell(entry, RANK)] = ties ? i64[cell(previous, RANK)]! : number
      i64[cell(entry, DENSE_RANK)] = ties ? dense : dense + 1n
      previous = entry
    }
  }
}

/** Entries that follow one another in a list. */
export interface Tail {
  /** u32s. */
  readonly entries: Pointer
  readonly count: number
  /** The kept columns. */
  readonly columns: readonly Vector[]
}

export function tailOf(memory: LinearMemory, rows: RowLists, given: readonly Pointer[]): Tail {
  const entries = memory.arena.allocate(4 * given.length)
  memory.u32.set(given, entries / 4)
  return { entries, count: given.length, columns: rows.columnsOf(entries, given.length) }
}

function one(memory: LinearMemory, rows: RowLists, entry: Pointer): Tail {
  return tailOf(memory, rows, [entry])
}

/** Entries as groups: aggregates update their extras. A text stays where its row keeps it. */
function extrasAsGroups(memory: LinearMemory, rows: RowLists): GroupTable {
  const none = (): never => invariant(false, 'aggregates of rows look nothing up') as never
  return {
    size: 0,
    keyCount: 0,
    keyOffset: none,
    valueOffset: (index) => rows.extraOffset(index),
    upsert: none,
    find: none,
    scan: none,
    keysOf: none,
    setBytes(entry, valueIndex, address, bytes) {
      memory.u32.set([address, bytes], (entry + rows.extraOffset(valueIndex)) / 4)
    },
    remove: none,
    dispose() {},
  }
}

/** What hangs on a row's place, and is not accumulated. */
function isOfPlace({ function: name }: AggregateCall): boolean {
  return /^(ROW_NUMBER|RANK|DENSE_RANK|LAG|FIRST_VALUE|LAST_VALUE)$/i.test(name)
}

/** Whether what is gathered lies in a row's own cells: a text of MIN and MAX is that of a row before. */
function isAccumulated({ function: name }: AggregateCall): boolean {
  return /^(COUNT|SUM|AVG|MIN|MAX)$/i.test(name)
}

function notByOrder({ function: name, distinct }: AggregateCall): MillraceError {
  const what = distinct ? `${name}(DISTINCT ...)` : name
  return new MillraceError('SQL_UNSUPPORTED', {
    message: `${what} with OVER needs rows in order of time`,
    hint: 'order by the event time or PROCTIME(), or aggregate with GROUP BY; by other columns there are COUNT, SUM, AVG, MIN, MAX, FIRST_VALUE, LAST_VALUE, LAG and the numbers',
    facts: { function: name },
  })
}
