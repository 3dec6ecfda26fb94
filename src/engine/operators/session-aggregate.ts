/**
 * GROUP BY over SESSION windows whose partition is the group's keys.
 *
 *   in     rows, each met by the watermark of those before it
 *   out    +I one row a session, when the watermark (or the clock) reaches its end less 1 ms: keys, aggregates, window columns
 *   state  sessions (sessions.ts), and an entry of aggregates for each of their fragments
 *   side   rows whose session has closed, or would have
 *
 * @see Flink, WindowOperator with MergingWindowSet
 */
import type { Batch, Vector } from '../../data/batch.ts'
import type { Pointer } from '../../data/memory.ts'
import { selectedRows } from '../../data/values.ts'
import { schemaOf, type WindowAggregate } from '../../plan/nodes.ts'
import type { Window } from '../../plan/windows.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { WATERMARK_MAX } from '../../time/windows.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import type { GroupTables } from './group-state.ts'
import { joinedFragments } from './joined-fragments.ts'
import { lateTeller } from './late-teller.ts'
import { SESSION_NUMBER, Sessions } from './sessions.ts'
import { windowVectors } from './window-columns.ts'
import { type WindowGroups, windowGroups } from './window-groups.ts'

const TABLE = 'groups'
/** Sessions given in one batch. */
const CLOSE_ROWS = 4096
/** What is left of so many closed sessions, and as many as are open, may lie in the side tables. */
const SWEEP_GROUPS_MIN = 1024

export type SessionAggregate = WindowAggregate & {
  readonly window: Extract<Window, { kind: 'session' }>
}

export function sessionAggregate(
  plan: SessionAggregate,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
  retracts: boolean,
): Operator {
  return new SessionGroups(plan, context, restoredWatermarkUs, retracts)
}

class SessionGroups implements Operator {
  readonly name = 'window-aggregate(session)'
  readonly #plan: SessionAggregate
  readonly #context: OperatorContext
  readonly #groups: WindowGroups
  readonly #sessions: Sessions
  readonly #tellLate: ReturnType<typeof lateTeller>
  #tables: GroupTables
  /** The watermark, or the clock. */
  #nowUs: bigint
  #closedSinceSweep = 0
  #counted = 0
  #late = 0

  constructor(
    plan: SessionAggregate,
    context: OperatorContext,
    watermarkUs: bigint,
    retracts: boolean,
  ) {
    const keyTypes = plan.keys.map(({ type }) => type)
    this.#plan = plan
    this.#context = context
    this.#groups = windowGroups(plan, context, retracts, [SESSION_NUMBER])
    this.#sessions = new Sessions(context.memory, keyTypes, plan.window.gapUs)
    this.#tellLate = lateTeller(context, schemaOf(plan.input), plan.time)
    this.#tables = this.#groups.make()
    this.#nowUs = watermarkUs
  }

  get #isByClock(): boolean {
    return this.#plan.timeDomain === 'processing'
  }

  onBatch(batch: Batch): void {
    const { keys, good } = this.#groups.keysOf(batch)
    if (good.count === 0) return
    const time = good.columns[this.#plan.time]!
    const { fragments, kept, late } = this.#sessions.assign(good, keys, time, this.#nowUs)
    if (kept.count > 0)
      this.#counted += kept.count - this.#groups.add(this.#tables, kept, [...keys, fragments])
    this.#late += late.count
    for (const row of selectedRows(this.#context.memory, late)) {
      const windowStartUs = this.#context.memory.i64[time.cells / 8 + row]!
      const windowEndUs = windowStartUs + BigInt(this.#plan.window.gapUs)
      this.#tellLate(late, row, this.#nowUs, { windowStartUs, windowEndUs })
    }
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    if (!this.#isByClock) this.#advance(watermarkUs, emit)
  }

  onClock(nowUs: bigint, emit: Emit): void {
    if (this.#isByClock) this.#advance(nowUs, emit)
  }

  onEnd(emit: Emit): void {
    this.#advance(WATERMARK_MAX, emit)
  }

  snapshot(writer: StateWriter): void {
    this.#sessions.snapshot(writer)
    this.#groups.write(writer, TABLE, this.#tables)
  }

  restore(reader: StateReader): void {
    this.#sessions.restore(reader)
    const tables = this.#groups.read(reader, TABLE)
    if (tables === undefined) return
    this.#groups.dispose(this.#tables)
    this.#tables = tables
    this.#groups.sweep(tables)
  }

  dispose(): void {
    this.#sessions.dispose()
    this.#groups.dispose(this.#tables)
  }

  progress(): WindowProgress {
    const nextEndUs = this.#sessions.nextUs
    return {
      openWindows: this.#sessions.size,
      ...(nextEndUs === undefined ? {} : { nextEndUs }),
      counted: this.#counted,
      late: this.#late,
    }
  }

  #advance(nowUs: bigint, emit: Emit): void {
    this.#nowUs = nowUs
    const closing = this.#sessions.closing(nowUs)
    for (let from = 0; from < closing.length; from += CLOSE_ROWS) {
      const { arena } = this.#context.memory
      const mark = arena.mark()
      this.#close(closing.slice(from, from + CLOSE_ROWS), emit)
      arena.release(mark)
    }
    for (const session of closing) this.#sessions.remove(session)
  }

  #close(sessions: readonly Pointer[], emit: Emit): void {
    const { memory } = this.#context
    const count = sessions.length
    const addresses = memory.arena.allocate(4 * count)
    memory.u32.set(sessions, addresses / 4)
    const keys = this.#sessions.keysOf(addresses, count)
    const fragments = sessions.map((session) => this.#sessions.fragmentsOf(session))
    const held = this.#heldBy(keys, fragments)
    const merged = held.length === count ? undefined : this.#joined(fragments, keys.length, held)
    const rows =
      merged === undefined ? this.#rowsOf(held) : this.#rowsOfMerged(merged, keys, fragments)
    const bounds = windowVectors(
      memory,
      this.#plan.schema.slice(-3),
      sessions.map((session) => this.#sessions.startUs(session)),
      sessions.map((session) => this.#sessions.endUs(session)),
    )
    emit({ ...rows, columns: [...rows.columns, ...bounds] })
    if (merged !== undefined) this.#groups.dispose(merged)
    for (const entry of held) this.#tables.groups.remove(entry)
    this.#sweep(held.length)
  }

  /** Entries of all fragments: `keys` are the sessions'. */
  #heldBy(keys: readonly Vector[], fragments: readonly (readonly bigint[])[]): readonly Pointer[] {
    const owners = fragments.flatMap((numbers, session) => numbers.map(() => session))
    const found = this.#find(this.#tables, keys, owners, fragments.flat())
    const { u32 } = this.#context.memory
    return Array.from(u32.subarray(found / 4, found / 4 + owners.length))
  }

  /** u32 entries by the keys at `rows`, and numbers. */
  #find(
    tables: GroupTables,
    keys: readonly Vector[],
    rows: readonly number[],
    numbers: readonly bigint[],
  ): Pointer {
    const { memory } = this.#context
    const count = rows.length
    const found = memory.arena.allocate(4 * count)
    // Numbers stand at the rows of their keys, so those of one row are looked for one after another.
    const cells = memory.arena.allocate(8 * count)
    const selection = memory.arena.allocate(16)
    const all = [...keys, { type: SESSION_NUMBER, cells, validity: 0 }]
    for (let at = 0; at < count; at++) {
      memory.u32[selection / 4] = rows[at]!
      memory.i64[cells / 8 + rows[at]!] = numbers[at]!
      tables.groups.find({ selection, count: 1, keys: all }, found + 4 * at)
    }
    return found
  }

  #rowsOf(held: readonly Pointer[]): Batch {
    const { memory } = this.#context
    const entries = memory.arena.allocate(4 * held.length)
    memory.u32.set(held, entries / 4)
    return this.#groups.rowsOf(this.#tables, entries, held.length)
  }

  /** Where a session has several fragments, their aggregates are merged first. */
  #joined(
    fragments: readonly (readonly bigint[])[],
    numberKey: number,
    held: readonly Pointer[],
  ): GroupTables {
    const sessionOf = new Map(
      fragments.flatMap((numbers) => numbers.map((number) => [number, numbers[0]!] as const)),
    )
    const merged = this.#groups.make()
    const { memory } = this.#context
    this.#groups.merge(merged, joinedFragments(memory, this.#tables, numberKey, held, sessionOf))
    return merged
  }

  #rowsOfMerged(
    merged: GroupTables,
    keys: readonly Vector[],
    fragments: readonly (readonly bigint[])[],
  ): Batch {
    const rows = fragments.map((_, session) => session)
    const firsts = fragments.map(([first]) => first!)
    return this.#groups.rowsOf(merged, this.#find(merged, keys, rows, firsts), rows.length)
  }

  /** Values of DISTINCT outlive their groups until there are many. */
  #sweep(closed: number): void {
    if (this.#tables.sides.length === 0) return
    this.#closedSinceSweep += closed
    if (this.#closedSinceSweep <= this.#tables.groups.size + SWEEP_GROUPS_MIN) return
    this.#groups.sweep(this.#tables)
    this.#closedSinceSweep = 0
  }
}
