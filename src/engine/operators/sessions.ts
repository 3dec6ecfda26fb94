/**
 * Which session each row belongs to: rows of a key that are no more than a gap apart, while the session has not closed.
 *
 * A session is one *fragment*, or several that a row between them has joined: what was kept under a fragment's number stays there
 * until the session closes. Fragments stand in a list for each key: start, end, own number, number of the first of its session,
 * which alone knows the session's bounds.
 *
 * @see Flink, MergingWindowSet and TimeWindow.intersects (windows that touch are one)
 */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type DataType, types, withNullability } from '../../data/types.ts'
import { memoryRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { Timers } from '../../time/timers.ts'

const TABLE = 'sessions'
/** A window closes when time reaches its end less this. */
const CLOSE_EARLY_US = 1000n
const SCAN_LISTS = 1024

/** Extras of a fragment. */
const START = 0
const END = 1
const NUMBER = 2
const SESSION = 3

export const SESSION_NUMBER: DataType = withNullability(types.bigint, false)

export interface Assigned {
  /** The fragment of each row that is not late, by row. */
  readonly fragments: Vector
  readonly kept: Batch
  /** Rows whose session has closed, or would have. */
  readonly late: Batch
}

export class Sessions {
  readonly #memory: LinearMemory
  readonly #gapUs: bigint
  readonly #fragments: RowLists
  readonly #timers = new Timers()
  #nextNumber = 0n

  constructor(memory: LinearMemory, keys: readonly DataType[], gapUs: number) {
    this.#memory = memory
    this.#gapUs = BigInt(gapUs)
    this.#fragments = memoryRowLists(memory, { keys, row: [], extras: 4 })
  }

  /** Fragments that are kept. */
  get size(): number {
    return this.#fragments.size
  }

  /** When the next session may close. */
  get nextUs(): bigint | undefined {
    return this.#timers.nextUs
  }

  /** `keys` by row; a row is late if what it belongs to closes at `nowUs` or before. */
  assign(batch: Batch, keys: readonly Vector[], time: Vector, nowUs: bigint): Assigned {
    const { arena } = this.#memory
    const { count } = batch
    const lists = arena.allocate(4 * count)
    this.#fragments.find({ selection: batch.selection, count, keys }, lists)
    this.#leaveOutEmpty(lists, count)
    const cells = arena.allocate(8 * batch.rowCount)
    const kept = arena.allocate(4 * count)
    const late = arena.allocate(4 * count)
    const one = arena.allocate(16)
    let keptCount = 0
    let lateCount = 0
    for (let at = 0; at < count; at++) {
      const { u32, i64 } = this.#memory
      const row = batch.selection === 0 ? at : u32[batch.selection / 4 + at]!
      const timeUs = i64[time.cells / 8 + row]!
      const number = this.#numberOf(u32[lists / 4 + at]!, timeUs, nowUs, batch, keys, row, one)
      if (number === undefined) u32[late / 4 + lateCount++] = row
      else {
        u32[kept / 4 + keptCount++] = row
        i64[cells / 8 + row] = number
      }
    }
    return {
      fragments: { type: SESSION_NUMBER, cells, validity: 0 },
      kept: lateCount === 0 ? batch : { ...batch, selection: kept, count: keptCount },
      late: { ...batch, selection: late, count: lateCount },
    }
  }

  /** Sessions that close at `nowUs`, in the order of their ends: the entries of their first fragments. */
  closing(nowUs: bigint): readonly Pointer[] {
    const closing: Pointer[] = []
    for (let entry = this.#timers.pop(nowUs); entry !== undefined; ) {
      // What has been joined to an earlier session closes with it; what has grown comes again.
      const isFirst = this.#read(entry, NUMBER) === this.#read(entry, SESSION)
      const closesUs = this.#read(entry, END) - CLOSE_EARLY_US
      if (isFirst && closesUs > nowUs) this.#timers.push(closesUs, entry)
      else if (isFirst) closing.push(entry)
      entry = this.#timers.pop(nowUs)
    }
    return closing
  }

  startUs(session: Pointer): bigint {
    return this.#read(session, START)
  }

  endUs(session: Pointer): bigint {
    return this.#read(session, END)
  }

  /** Numbers of all fragments of a session, the oldest first. */
  fragmentsOf(session: Pointer): readonly bigint[] {
    return this.#entriesOf(session).map((entry) => this.#read(entry, NUMBER))
  }

  /** Keys of `count` sessions, in the arena. */
  keysOf(sessions: Pointer, count: number): readonly Vector[] {
    const { arena } = this.#memory
    const lists = arena.allocate(4 * count)
    for (let at = 0; at < count; at++) {
      const list = this.#fragments.listOf(this.#memory.u32[sessions / 4 + at]!)
      this.#memory.u32[lists / 4 + at] = list
    }
    return this.#fragments.keysOf(lists, count)
  }

  remove(session: Pointer): void {
    for (const entry of this.#entriesOf(session)) this.#fragments.remove(entry)
  }

  snapshot(writer: StateWriter): void {
    writer.table(TABLE, (sink) => this.#fragments.writeChanges(sink))
  }

  restore(reader: StateReader): void {
    const source = reader.source(TABLE)
    if (source === undefined) return
    this.#fragments.restore(source)
    const mark = this.#memory.arena.mark()
    const lists = this.#memory.arena.allocate(4 * SCAN_LISTS)
    for (let cursor = 0; cursor >= 0; ) {
      const { next, count } = this.#fragments.scan(cursor, lists, SCAN_LISTS)
      for (let at = 0; at < count; at++) this.#remember(this.#memory.u32[lists / 4 + at]!)
      cursor = next
    }
    this.#memory.arena.release(mark)
  }

  dispose(): void {
    this.#fragments.dispose()
  }

  /** An empty list may be gone when another is made; one with sessions stays while rows are assigned. */
  #leaveOutEmpty(lists: Pointer, count: number): void {
    const { u32 } = this.#memory
    for (let at = 0; at < count; at++) {
      const list = u32[lists / 4 + at]!
      if (list !== 0 && this.#fragments.count(list) === 0) u32[lists / 4 + at] = 0
    }
  }

  #remember(list: Pointer): void {
    for (
      let entry = this.#fragments.first(list);
      entry !== 0;
      entry = this.#fragments.next(entry)
    ) {
      const number = this.#read(entry, NUMBER)
      if (number >= this.#nextNumber) this.#nextNumber = number + 1n
      if (number === this.#read(entry, SESSION))
        this.#timers.push(this.#read(entry, END) - CLOSE_EARLY_US, entry)
    }
  }

  /** The fragment that takes row `row`; undefined if it is late. `list` is 0 if its key had none before the batch. */
  #numberOf(
    list: Pointer,
    timeUs: bigint,
    nowUs: bigint,
    batch: Batch,
    keys: readonly Vector[],
    row: number,
    scratch: Pointer,
  ): bigint | undefined {
    const { u32 } = this.#memory
    const found = scratch + 4
    u32[scratch / 4] = row
    if (list === 0) this.#fragments.find({ selection: scratch, count: 1, keys }, found)
    else u32[found / 4] = list
    const endUs = timeUs + this.#gapUs
    const session = u32[found / 4] === 0 ? 0 : this.#joined(u32[found / 4]!, timeUs, endUs)
    if (session !== 0) return this.#read(session, NUMBER)
    if (endUs - CLOSE_EARLY_US <= nowUs) return undefined
    const rows = { selection: scratch, count: 1 }
    this.#fragments.lists({ ...rows, keys }, found)
    const entry = scratch + 8
    this.#fragments.append({ ...batch, ...rows, columns: [] }, found, entry)
    return this.#begin(this.#memory.u32[entry / 4]!, timeUs, endUs)
  }

  #begin(entry: Pointer, startUs: bigint, endUs: bigint): bigint {
    const number = this.#nextNumber++
    this.#write(entry, START, startUs)
    this.#write(entry, END, endUs)
    this.#write(entry, NUMBER, number)
    this.#write(entry, SESSION, number)
    this.#fragments.markDirty(entry)
    this.#timers.push(endUs - CLOSE_EARLY_US, entry)
    return number
  }

  /** The first of the list's sessions that the window meets, with all that it meets made one; 0 if it meets none. */
  #joined(list: Pointer, startUs: bigint, endUs: bigint): Pointer {
    let into = 0
    for (
      let entry = this.#fragments.first(list);
      entry !== 0;
      entry = this.#fragments.next(entry)
    ) {
      const number = this.#read(entry, NUMBER)
      if (number !== this.#read(entry, SESSION)) continue
      if (startUs > this.#read(entry, END) || endUs < this.#read(entry, START)) continue
      if (into === 0) {
        into = entry
        this.#widen(into, startUs, endUs)
        continue
      }
      this.#widen(into, this.#read(entry, START), this.#read(entry, END))
      this.#rename(list, number, this.#read(into, NUMBER))
    }
    return into
  }

  #widen(session: Pointer, startUs: bigint, endUs: bigint): void {
    const isWider = startUs < this.#read(session, START) || endUs > this.#read(session, END)
    if (!isWider) return
    if (startUs < this.#read(session, START)) this.#write(session, START, startUs)
    if (endUs > this.#read(session, END)) this.#write(session, END, endUs)
    this.#fragments.markDirty(session)
  }

  #rename(list: Pointer, from: bigint, to: bigint): void {
    for (
      let entry = this.#fragments.first(list);
      entry !== 0;
      entry = this.#fragments.next(entry)
    ) {
      if (this.#read(entry, SESSION) !== from) continue
      this.#write(entry, SESSION, to)
      this.#fragments.markDirty(entry)
    }
  }

  #entriesOf(session: Pointer): readonly Pointer[] {
    const number = this.#read(session, NUMBER)
    const list = this.#fragments.listOf(session)
    const entries: Pointer[] = []
    for (
      let entry = this.#fragments.first(list);
      entry !== 0;
      entry = this.#fragments.next(entry)
    ) {
      if (this.#read(entry, SESSION) === number) entries.push(entry)
    }
    return entries
  }

  #read(entry: Pointer, extra: number): bigint {
    return this.#memory.i64[(entry + this.#fragments.extraOffset(extra)) / 8]!
  }

  #write(entry: Pointer, extra: number, value: bigint): void {
    this.#memory.i64[(entry + this.#fragments.extraOffset(extra)) / 8] = value
  }
}
