/**
 * OVER ordered by any columns, over rows that come and go: all rows before a row.
 *
 *   in     +I and +U bring a row of a partition, -U and -D take one away (the first that equals it)
 *   out    the row with its results, by its own kind, or -D; and -U old, +U new of each other row whose results change, in their order
 *   state  all rows, in a list a partition
 *
 * @see Flink, NonTimeRowsUnboundedPrecedingFunction, NonTimeRangeUnboundedPrecedingFunction
 */
import {
  type Batch,
  DELETE,
  INSERT,
  type RowKind,
  UPDATE_AFTER,
  UPDATE_BEFORE,
  type Vector,
} from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type OverAggregate, schemaOf } from '../../plan/nodes.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { type OrderedLists, orderedLists } from './ordered-lists.ts'
import { type OverCalls, overCalls } from './over-calls.ts'
import { ResultsByPlace } from './over-places.ts'
import { UNMATCHED } from './rank.ts'
import { emitChanges, rowPicks } from './row-picks.ts'
import { NUMBER_CELLS, RunningResults, tailOf } from './running-results.ts'
import { sameValue } from './same-values.ts'
import { type SortOrder, sortOrder } from './sort-order.ts'

const TABLE = 'rows'

/** Entries that may change, and what they give. */
interface Given {
  readonly entries: readonly Pointer[]
  readonly rows: readonly Vector[]
  readonly results: readonly Vector[]
}

export class OverByOrder implements Operator {
  readonly name: string
  readonly #plan: OverAggregate
  readonly #context: OperatorContext
  readonly #memory: LinearMemory
  readonly #evaluation: Evaluation
  readonly #calls: OverCalls
  readonly #rows: RowLists
  readonly #order: SortOrder
  readonly #ordered: OrderedLists
  readonly #running: RunningResults
  readonly #places: ResultsByPlace
  readonly #width: number
  /** The row that is taken back: out of its list, and still told. */
  #gone: Pointer = 0

  constructor(plan: OverAggregate, context: OperatorContext) {
    const { memory } = context
    const schema = schemaOf(plan.input)
    this.name = `over-aggregate(${plan.frame.kind})`
    this.#plan = plan
    this.#context = context
    this.#memory = memory
    this.#width = schema.length
    this.#evaluation = evaluationOf(context, schema)
    this.#calls = overCalls(memory, plan)
    const aggregates = this.#calls.aggregates(false)
    const keys = this.#calls.partition.map((column) => this.#calls.kept.types[column]!)
    const extras = aggregates.values.length + NUMBER_CELLS
    this.#rows = memoryRowLists(memory, { keys, row: this.#calls.kept.types, extras })
    this.#order = sortOrder(memory, this.#calls.keys, this.#rows)
    this.#ordered = orderedLists(memory, this.#rows, this.#order)
    const shared = { memory, plan, rows: this.#rows, order: this.#order }
    this.#running = new RunningResults({ ...shared, aggregates, evaluation: this.#evaluation })
    this.#places = new ResultsByPlace({ ...shared, calls: this.#calls, running: this.#running })
  }

  onBatch(batch: Batch, emit: Emit): void {
    const columns = this.#calls.kept.of(this.#evaluation.frameOf(batch))
    const good = { ...this.#evaluation.withoutFailed(batch), columns }
    const { count, selection, kinds } = good
    if (count === 0) return
    const lists = this.#memory.arena.allocate(4 * count)
    const keys = this.#calls.partition.map((column) => columns[column]!)
    this.#rows.lists({ count, selection, keys }, lists)
    for (let at = 0; at < count; at++) {
      const mark = this.#memory.arena.mark()
      const list = this.#memory.u32[lists / 4 + at]!
      const row = selection === 0 ? at : this.#memory.u32[selection / 4 + at]!
      const kind = kinds === 0 ? INSERT : (this.#memory.u8[kinds + row] as RowKind)
      const isAdded = kind === INSERT || kind === UPDATE_AFTER
      const changes = isAdded ? this.#add(list, good, row, kind) : this.#take(list, good, row)
      if (changes !== undefined) emitChanges(this.#memory, changes, count === 1, emit)
      if (this.#gone !== 0) this.#rows.remove(this.#gone)
      this.#gone = 0
      this.#memory.arena.release(mark)
    }
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
    this.#ordered.sortAll((list) => {
      const mark = this.#memory.arena.mark()
      const all = this.#from(this.#rows.first(list))
      this.#running.restore(tailOf(this.#memory, this.#rows, all))
      this.#memory.arena.release(mark)
    })
  }

  dispose(): void {
    this.#rows.dispose()
  }

  #add(list: Pointer, batch: Batch, row: number, kind: RowKind): Batch {
    const rows = this.#rows
    const cell = this.#memory.arena.allocate(12)
    this.#memory.u32.set([row, list], cell / 4)
    rows.append({ ...batch, selection: cell, count: 1 }, cell + 4, cell + 8)
    const entry = this.#memory.u32[cell / 4 + 2]!
    rows.detach(entry)
    this.#ordered.place(list, entry)
    const next = rows.next(entry)
    const peers = this.#peersBefore(entry)
    // What the others gave without it.
    rows.detach(entry)
    const others = [...peers, ...this.#from(next, this.#reach())]
    const old = this.#given(others)
    rows.place(list, entry, next)
    const behind = this.#from(next)
    this.#running.came(entry, tailOf(this.#memory, rows, behind))
    const all = [...peers, entry, ...others.slice(peers.length)]
    return this.#changes(all, old, this.#given(all), kind)
  }

  #take(list: Pointer, batch: Batch, row: number): Batch | undefined {
    const rows = this.#rows
    const entry = this.#ordered.find(list, batch.columns, row)
    if (entry === 0) {
      this.#context.count(UNMATCHED, 1)
      return undefined
    }
    const peers = this.#peersBefore(entry)
    const [before, next] = [rows.previous(entry), rows.next(entry)]
    const others = [...peers, ...this.#from(next, this.#reach())]
    const all = [...peers, entry, ...others.slice(peers.length)]
    const old = this.#given(all)
    this.#ordered.detach(list, entry)
    this.#running.left(entry, before, tailOf(this.#memory, rows, this.#from(next)))
    this.#gone = entry
    return this.#changes(all, old, this.#given(others), DELETE)
  }

  /** How many rows behind one it can change. */
  #reach(): number {
    const onlyLags = this.#calls.calls.every(({ kind }) => kind === 'lag')
    return onlyLags ? this.#calls.lag : Number.POSITIVE_INFINITY
  }

  /** RANGE: the rows before it that tie with it. */
  #peersBefore(entry: Pointer): readonly Pointer[] {
    if (this.#plan.frame.kind === 'rows') return []
    const peers: Pointer[] = []
    for (let at = this.#rows.previous(entry); at !== 0; at = this.#rows.previous(at)) {
      if (this.#order.compareEntries(at, entry) !== 0) break
      peers.unshift(at)
    }
    return peers
  }

  #from(start: Pointer, most: number = Number.POSITIVE_INFINITY): readonly Pointer[] {
    const entries: Pointer[] = []
    for (let at = start; at !== 0 && entries.length < most; at = this.#rows.next(at))
      entries.push(at)
    return entries
  }

  #given(entries: readonly Pointer[]): Given {
    const tail = tailOf(this.#memory, this.#rows, entries)
    const results = this.#places.of(tail, entries)
    return { entries, rows: tail.columns.slice(0, this.#width), results }
  }

  /** `all` in their order, the one that came or went among them. */
  #changes(all: readonly Pointer[], old: Given, now: Given, kind: RowKind): Batch {
    const picks = rowPicks(this.#memory, 2 * all.length)
    let [oldAt, nowAt] = [0, 0]
    for (const entry of all) {
      const wasThere = old.entries[oldAt] === entry
      const isThere = now.entries[nowAt] === entry
      if (!wasThere) picks.add(1, nowAt, kind)
      else if (!isThere) picks.add(0, oldAt, DELETE)
      else if (!this.#isSame(old, oldAt, now, nowAt)) {
        picks.add(0, oldAt, UPDATE_BEFORE)
        picks.add(1, nowAt, UPDATE_AFTER)
      }
      if (wasThere) oldAt++
      if (isThere) nowAt++
    }
    const { columns, ...batch } = picks.batch([
      [...old.rows, ...old.results],
      [...now.rows, ...now.results],
    ])
    const types = this.#plan.schema
    return {
      ...batch,
      columns: columns.map((each, index) => ({ ...each, type: types[index]!.type })),
    }
  }

  #isSame(old: Given, oldAt: number, now: Given, nowAt: number): boolean {
    return old.results.every((result, index) =>
      sameValue(this.#memory, result, oldAt, now.results[index]!, nowAt),
    )
  }
}
