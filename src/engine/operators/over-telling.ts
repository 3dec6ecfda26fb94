/**
 * Telling rows of an OVER in their order: each with what its frame gives. Rows that leave a frame are taken back from their group,
 * rows that come are added to it; nothing is computed anew.
 */
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { layoutOf } from '../../data/types.ts'
import { type OverAggregate, schemaOf } from '../../plan/nodes.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit } from '../operator.ts'
import type { OverCall, OverCalls } from './over-calls.ts'
import { OverFrames } from './over-frames.ts'
import { lagged } from './over-places.ts'
import { type ResultColumns, resultColumns } from './over-results.ts'
import { type Rounds, roundsOf } from './over-rounds.ts'
import type { OverState } from './over-state.ts'

/** Rows that are told now, by position. */
interface Told {
  readonly count: number
  /** u32s. */
  readonly entries: Pointer
  readonly groups: Pointer
  readonly columns: readonly Vector[]
}

export class OverTelling {
  readonly #plan: OverAggregate
  readonly #memory: LinearMemory
  readonly #calls: OverCalls
  readonly #state: OverState
  readonly #frames: OverFrames
  readonly #evaluation: Evaluation
  readonly #width: number

  constructor(plan: OverAggregate, context: OperatorContext, calls: OverCalls, state: OverState) {
    const schema = schemaOf(plan.input)
    this.#plan = plan
    this.#memory = context.memory
    this.#calls = calls
    this.#state = state
    this.#frames = new OverFrames(context.memory, plan, calls, state)
    this.#evaluation = evaluationOf(context, schema)
    this.#width = schema.length
  }

  /** `due`: entries in their order, of rows that tie all; they are in their lists. */
  tell(due: readonly Pointer[], emit: Emit): void {
    const { arena } = this.#memory
    const mark = arena.mark()
    const count = due.length
    const entries = arena.allocate(4 * count)
    this.#memory.u32.set(due, entries / 4)
    const columns = this.#state.rows.columnsOf(entries, count)
    const groups = this.#state.groupsOf(columns, { count, selection: 0 }, true)
    const told = { count, entries, groups, columns }
    if (this.#plan.timeDomain !== 'processing') this.#noteTold(told)
    const numbers = this.#numbers(told)
    // Before any row of a frame leaves its list.
    const lags = this.#calls.calls.map((call) =>
      call.kind === 'lag' ? lagged(this.#memory, this.#state.rows, call, told) : undefined,
    )
    const inFrames = this.#inFrames(told)
    const results = this.#calls.calls.map(
      (call, index) => lags[index] ?? numbers(call) ?? inFrames(call),
    )
    const types = this.#plan.schema.slice(this.#width)
    emit({
      rowCount: count,
      columns: [
        ...columns.slice(0, this.#width),
        ...results.map((result, index): Vector => ({ ...result, type: types[index]!.type })),
      ],
      kinds: 0,
      selection: 0,
      count,
    })
    this.#frames.finish(due)
    arena.release(mark)
  }

  /** These rows, of each list in order, have left every frame there may still be. What would reach back to them is late from now on. */
  expire(left: readonly Pointer[]): void {
    const { arena } = this.#memory
    const mark = arena.mark()
    for (const entry of left) this.#frames.leave(entry)
    const count = left.length
    const entries = arena.allocate(4 * count)
    this.#memory.u32.set(left, entries / 4)
    const columns = this.#state.rows.columnsOf(entries, count)
    const groups = this.#state.groupsOf(columns, { count, selection: 0 }, true)
    const batch: Batch = { rowCount: count, columns, kinds: 0, selection: 0, count }
    const { aggregates, tables } = this.#state
    const frame = this.#evaluation.frameOf(batch)
    aggregates.retract(tables, frame, this.#state.keysOf(columns), groups)
    this.#noteTold({ count, entries, groups, columns }, BigInt(this.#plan.frame.preceding!))
    this.#frames.finish([])
    arena.release(mark)
  }

  /** Up to where each partition has been told. */
  #noteTold({ count, columns, groups }: Told, furtherUs = 0n): void {
    const [lastUs, hasLast] = [this.#state.cell('lastUs'), this.#state.cell('hasLast')]
    const times = columns[this.#plan.time!]!.cells / 8
    const { u32, i64 } = this.#memory
    for (let at = 0; at < count; at++) {
      const group = u32[groups / 4 + at]!
      i64[(group + lastUs) / 8] = i64[times + at]! + furtherUs
      u32[(group + hasLast) / 4] = 1
    }
  }

  /** ROW_NUMBER, RANK and DENSE_RANK of all rows, by the call. */
  #numbers({ count, entries, groups }: Told): (call: OverCall) => Vector | undefined {
    const kinds: readonly OverCall['kind'][] = ['number', 'rank', 'dense-rank']
    if (!this.#calls.calls.some(({ kind }) => kinds.includes(kind))) return () => undefined
    const state = this.#state
    const [number, rank, denseRank] = [
      state.cell('number'),
      state.cell('rank'),
      state.cell('denseRank'),
    ]
    const cells = kinds.map(() => this.#memory.arena.allocate(8 * count))
    const { u32, i64 } = this.#memory
    for (let at = 0; at < count; at++) {
      const group = u32[groups / 4 + at]!
      const entry = u32[entries / 4 + at]!
      const previous = state.rows.previous(entry)
      i64[(group + number) / 8] = i64[(group + number) / 8]! + 1n
      if (previous === 0 || !this.#frames.isPeer(previous, entry)) {
        i64[(group + rank) / 8] = i64[(group + number) / 8]!
        i64[(group + denseRank) / 8] = i64[(group + denseRank) / 8]! + 1n
      }
      i64[cells[0]! / 8 + at] = i64[(group + number) / 8]!
      i64[cells[1]! / 8 + at] = i64[(group + rank) / 8]!
      i64[cells[2]! / 8 + at] = i64[(group + denseRank) / 8]!
    }
    return (call) => {
      const index = kinds.indexOf(call.kind)
      const type = { kind: 'bigint', nullable: false } as const
      return index < 0 ? undefined : { type, cells: cells[index]!, validity: 0 }
    }
  }

  /** Aggregates, and first and last values, of each row's frame. */
  #inFrames(told: Told): (call: OverCall) => Vector {
    const { count } = told
    const { aggregates } = this.#state
    const results = resultColumns(this.#memory, aggregates.types, count)
    const picked = this.#calls.calls.map((call) =>
      call.kind === 'first' || call.kind === 'last' ? this.#memory.arena.allocate(4 * count) : 0,
    )
    if (aggregates.types.length > 0 || picked.some((each) => each > 0)) {
      const rounds = this.#rounds(told)
      for (let round = 0; round < rounds.count; round++)
        this.#oneRound(told, rounds.of(round), results, picked)
    }
    const values = this.#calls.calls.map((call, index) =>
      call.kind === 'first' || call.kind === 'last'
        ? this.#state.rows.columnOf(picked[index]!, count, call.column)
        : undefined,
    )
    return (call) => {
      const value = values[this.#calls.calls.indexOf(call)]
      return value ?? results.columns[call.kind === 'aggregate' ? call.index : 0]!
    }
  }

  #rounds({ count, entries, groups }: Told): Rounds {
    const { u32 } = this.#memory
    return roundsOf({
      memory: this.#memory,
      groups,
      count,
      scratch: this.#state.cell('round'),
      isPeer: (position, before) =>
        this.#frames.isRange &&
        this.#frames.isPeer(u32[entries / 4 + before]!, u32[entries / 4 + position]!),
    })
  }

  #oneRound(
    { entries, groups, columns, count: rowCount }: Told,
    { positions, count }: ReturnType<Rounds['of']>,
    results: ResultColumns,
    picked: readonly Pointer[],
  ): void {
    const { arena } = this.#memory
    const { aggregates, tables } = this.#state
    // Texts of results are copied into the arena, and stay.
    const hasTexts = aggregates.types.some((type) => layoutOf(type) === 'bytes')
    const mark = arena.mark()
    const roundEntries = arena.allocate(4 * count)
    const roundGroups = arena.allocate(4 * count)
    const { u32 } = this.#memory
    for (let at = 0; at < count; at++) {
      const position = u32[positions / 4 + at]!
      u32[roundEntries / 4 + at] = u32[entries / 4 + position]!
      u32[roundGroups / 4 + at] = u32[groups / 4 + position]!
    }
    const gone = this.#frames.advance(roundEntries, roundGroups, count)
    if (gone.count > 0 && aggregates.types.length > 0) {
      const batch = { ...gone, rowCount: gone.count, kinds: 0, selection: 0 }
      const keys = this.#state.keysOf(gone.columns)
      aggregates.retract(tables, this.#evaluation.frameOf(batch), keys, gone.groups)
    }
    if (aggregates.types.length > 0) {
      const batch: Batch = { rowCount, columns, kinds: 0, selection: positions, count }
      const keys = this.#state.keysOf(columns)
      aggregates.update(tables, this.#evaluation.frameOf(batch), keys, roundGroups)
      results.fill(positions, count, aggregates.results(tables, roundGroups, count))
    }
    picked.forEach((into, index) => {
      if (into === 0) return
      for (let at = 0; at < count; at++) {
        const entry = this.#memory.u32[roundEntries / 4 + at]!
        this.#memory.u32[into / 4 + this.#memory.u32[positions / 4 + at]!] = this.#frames.pick(
          this.#calls.calls[index]!,
          entry,
        )
      }
    })
    if (!hasTexts) arena.release(mark)
  }
}
