/** What the calls of an OVER give for rows that follow one another in an ordered list. */
import { INSERT, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { OverAggregate } from '../../plan/nodes.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { OverCall, OverCalls } from './over-calls.ts'
import { rowPicks } from './row-picks.ts'
import type { RunningResults, Tail } from './running-results.ts'
import type { SortOrder } from './sort-order.ts'

export interface ResultsByPlaceOptions {
  readonly memory: LinearMemory
  readonly plan: OverAggregate
  readonly rows: RowLists
  readonly order: SortOrder
  readonly calls: OverCalls
  readonly running: RunningResults
}

type LagCall = Extract<OverCall, { readonly kind: 'lag' }>
type ValueCall = Extract<OverCall, { readonly kind: 'first' | 'last' }>

export class ResultsByPlace {
  readonly #options: ResultsByPlaceOptions
  readonly #memory: LinearMemory
  readonly #rows: RowLists

  constructor(options: ResultsByPlaceOptions) {
    this.#options = options
    this.#memory = options.memory
    this.#rows = options.rows
  }

  /** One vector a call. `entries` are those of `tail`, all of a set of rows that tie where such have one frame. */
  of(tail: Tail, entries: readonly Pointer[]): readonly Vector[] {
    const { calls, running } = this.#options
    const ends = this.#ends(entries)
    const endCells = this.#memory.arena.allocate(4 * ends.length)
    this.#memory.u32.set(ends, endCells / 4)
    const aggregated = running.results(endCells, ends.length)
    return calls.calls.map((call) => {
      switch (call.kind) {
        case 'aggregate':
          return aggregated[call.index]!
        case 'lag':
          return lagged(this.#memory, this.#rows, call, tail)
        case 'first':
        case 'last':
          return this.#values(call, ends, entries[0])
        default:
          return running.numbers(call.kind, tail.entries, tail.count)
      }
    })
  }

  /** The last row of each one's frame: itself, or the last that ties with it. */
  #ends(entries: readonly Pointer[]): readonly Pointer[] {
    const { plan, order } = this.#options
    if (plan.frame.kind === 'rows') return entries
    const ends = [...entries]
    for (let at = ends.length - 2; at >= 0; at--) {
      if (order.compareEntries(entries[at]!, entries[at + 1]!) === 0) ends[at] = ends[at + 1]!
    }
    return ends
  }

  #values(call: ValueCall, ends: readonly Pointer[], start: Pointer | undefined): Vector {
    const rows = this.#rows
    const picked = this.#memory.arena.allocate(4 * ends.length)
    let found = start === undefined ? 0 : this.#before(call, start)
    let at = start ?? 0
    ends.forEach((end, index) => {
      for (; at !== 0 && at !== rows.next(end); at = rows.next(at)) {
        if (isGiven(this.#memory, rows, call, at) && (call.kind === 'last' || found === 0))
          found = at
      }
      this.#memory.u32[picked / 4 + index] = found
    })
    return rows.columnOf(picked, ends.length, call.column)
  }

  /** The first or last given of the rows before `start`; 0 if none is. */
  #before(call: ValueCall, start: Pointer): Pointer {
    const rows = this.#rows
    if (call.kind === 'last') {
      let at = rows.previous(start)
      while (at !== 0 && !isGiven(this.#memory, rows, call, at)) at = rows.previous(at)
      return at
    }
    let at = rows.first(rows.listOf(start))
    while (at !== start && !isGiven(this.#memory, rows, call, at)) at = rows.next(at)
    return at === start ? 0 : at
  }
}

/** Whether the row has a value for the call. */
export function isGiven(
  memory: LinearMemory,
  rows: RowLists,
  { column, filter }: ValueCall,
  entry: Pointer,
): boolean {
  if (rows.isNull(entry, column)) return false
  if (filter === undefined) return true
  return !rows.isNull(entry, filter) && memory.u32[(entry + rows.cellOffset(filter)) / 4] === 1
}

/** Values of the rows some places before. */
export function lagged(memory: LinearMemory, rows: RowLists, call: LagCall, tail: Tail): Vector {
  const { entries, count, columns } = tail
  const looked = memory.arena.allocate(4 * count)
  for (let at = 0; at < count; at++) {
    let entry = memory.u32[entries / 4 + at]!
    for (let back = 0; back < call.distance && entry !== 0; back++) entry = rows.previous(entry)
    memory.u32[looked / 4 + at] = entry
  }
  const values = rows.columnOf(looked, count, call.column)
  if (call.otherwise === undefined) return values
  const picks = rowPicks(memory, count)
  for (let at = 0; at < count; at++)
    picks.add(memory.u32[looked / 4 + at] === 0 ? 1 : 0, at, INSERT)
  return picks.batch([[values], [columns[call.otherwise]!]]).columns[0]!
}
