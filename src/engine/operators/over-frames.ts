/**
 * The frames of an OVER in order of time, as parts of its lists: where each begins, what leaves it, and what is kept of it.
 *
 * A bounded frame begins with the first entry of its list. Of an unbounded one only what a LAG, a FIRST_VALUE or a LAST_VALUE still
 * looks at is kept.
 */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import type { OverAggregate } from '../../plan/nodes.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { OverCall, OverCalls } from './over-calls.ts'
import { isGiven } from './over-places.ts'
import type { OverState } from './over-state.ts'

/** Rows that left their frames. */
export interface Gone {
  readonly count: number
  readonly columns: readonly Vector[]
  /** u32s. */
  readonly groups: Pointer
}

export class OverFrames {
  /** Whether rows that tie have one frame. */
  readonly isRange: boolean
  readonly #memory: LinearMemory
  readonly #plan: OverAggregate
  readonly #calls: OverCalls
  readonly #state: OverState
  readonly #rows: RowLists
  readonly #isByClock: boolean
  /** Of when a row came, or its event time. */
  readonly #timeOffset: number
  /** Entries that are in no list, and still read. */
  #gone: Pointer[] = []

  constructor(memory: LinearMemory, plan: OverAggregate, calls: OverCalls, state: OverState) {
    const { kind, preceding } = plan.frame
    if (preceding !== undefined && calls.lag > 0) throw boundedLag()
    this.#memory = memory
    this.#plan = plan
    this.#calls = calls
    this.#state = state
    this.#rows = state.rows
    this.#isByClock = plan.timeDomain === 'processing'
    this.isRange = kind === 'range' && (!this.#isByClock || preceding !== undefined)
    const { rows } = state
    this.#timeOffset = this.#isByClock ? rows.extraOffset(0) : rows.cellOffset(plan.time!)
  }

  isPeer(left: Pointer, right: Pointer): boolean {
    if (this.#isByClock) return this.isRange && this.#timeOf(left) === this.#timeOf(right)
    return this.#state.order.compareEntries(left, right) === 0
  }

  /** Moves the frames of `count` groups on to these rows of them (one a group, or such as tie). */
  advance(entries: Pointer, groups: Pointer, count: number): Gone {
    const before = this.#gone.length
    const goneGroups: Pointer[] = []
    if (this.#plan.frame.preceding !== undefined) {
      for (let at = 0; at < count; at++) {
        const group = this.#memory.u32[groups / 4 + at]!
        const entry = this.#memory.u32[entries / 4 + at]!
        const left =
          this.#plan.frame.kind === 'range'
            ? this.#leftBehind(entry)
            : this.#pushedOut(entry, group)
        for (let each = 0; each < left; each++) goneGroups.push(group)
      }
    }
    const { arena } = this.#memory
    const addresses = arena.allocate(4 * goneGroups.length)
    const groupCells = arena.allocate(4 * goneGroups.length)
    this.#memory.u32.set(this.#gone.slice(before), addresses / 4)
    this.#memory.u32.set(goneGroups, groupCells / 4)
    const columns =
      goneGroups.length === 0 ? [] : this.#rows.columnsOf(addresses, goneGroups.length)
    return { count: goneGroups.length, columns, groups: groupCells }
  }

  /** The entry whose value a call gives for the frame that ends with `entry` (RANGE: and its peers); 0: NULL. */
  pick(call: OverCall, entry: Pointer): Pointer {
    if (call.kind !== 'first' && call.kind !== 'last') return 0
    const rows = this.#rows
    const last = this.#lastPeer(entry)
    if (call.kind === 'last') {
      for (let at = last; at !== 0; at = rows.previous(at))
        if (isGiven(this.#memory, rows, call, at)) return at
      return 0
    }
    const end = rows.next(last)
    for (let at = rows.first(rows.listOf(entry)); at !== end; at = rows.next(at))
      if (isGiven(this.#memory, rows, call, at)) return at
    return 0
  }

  /** When rows have been told: frees what nothing looks at any more. */
  finish(told: readonly Pointer[]): void {
    if (this.#plan.frame.preceding === undefined) {
      // The last of each list that was told; those behind it wait.
      const lasts = new Map(told.map((entry) => [this.#rows.listOf(entry), entry]))
      for (const last of lasts.values()) this.#prune(last)
    }
    for (const entry of this.#gone) this.#rows.remove(entry)
    this.#gone = []
  }

  #prune(last: Pointer): void {
    const rows = this.#rows
    const kept = new Set<Pointer>()
    let back = last
    for (let count = 0; count < this.#calls.lag && back !== 0; count++, back = rows.previous(back))
      kept.add(back)
    for (const call of this.#calls.calls) kept.add(this.pick(call, last))
    for (let entry = last; entry !== 0; ) {
      const previous = rows.previous(entry)
      if (!kept.has(entry)) this.leave(entry)
      entry = previous
    }
  }

  /** RANGE: the rows that are too far before `entry` leave. How many. */
  #leftBehind(entry: Pointer): number {
    const list = this.#rows.listOf(entry)
    const fromUs = this.#timeOf(entry) - BigInt(this.#plan.frame.preceding!)
    let count = 0
    for (let at = this.#rows.first(list); this.#timeOf(at) < fromUs; count++) {
      this.leave(at)
      at = this.#rows.first(list)
    }
    return count
  }

  /** ROWS: the oldest row leaves a full frame. */
  #pushedOut(entry: Pointer, group: Pointer): number {
    const frame = (group + this.#state.cell('frame')) / 8
    const { i64 } = this.#memory
    if (i64[frame]! <= BigInt(this.#plan.frame.preceding!)) {
      i64[frame] = i64[frame]! + 1n
      return 0
    }
    this.leave(this.#rows.first(this.#rows.listOf(entry)))
    return 1
  }

  /** The entry is in no frame and no list; it is freed when its rows have been told. */
  leave(entry: Pointer): void {
    this.#state.ordered.detach(this.#rows.listOf(entry), entry)
    this.#gone.push(entry)
  }

  #lastPeer(entry: Pointer): Pointer {
    let last = entry
    if (!this.isRange) return last
    const rows = this.#rows
    for (let at = rows.next(entry); at !== 0 && this.isPeer(entry, at); at = rows.next(at))
      last = at
    return last
  }

  #timeOf(entry: Pointer): bigint {
    return this.#memory.i64[(entry + this.#timeOffset) / 8]!
  }
}

function boundedLag(): MillraceError {
  return new MillraceError('SQL_UNSUPPORTED', {
    message: 'LAG does not stand with a bounded frame',
    hint: 'leave out ROWS and RANGE: LAG looks at the partition, whatever the frame',
    facts: {},
  })
}
