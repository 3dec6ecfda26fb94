/**
 * Join of rows whose times lie in each other's reach: append-only.
 *
 *   in     +I rows of both sides
 *   out    +I each pair when its second row comes; outer: the row with NULLs when time has passed all that it could meet
 *   state  both sides' rows, until the watermark (or the clock) has passed all that they could meet
 *   side   a row is late if it comes behind the watermark, when all that it could meet has passed, and meets none that is still there
 *
 * Rows behind the watermark that may still meet others are joined, as in Flink. It takes the rows that time has passed away later and
 * may let such a row meet them; here they go when their time has come.
 *
 * @see Flink, TimeIntervalJoin
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { rowsKernel } from '../../kernels/rows.ts'
import { type IntervalJoin, type PlanNode, schemaOf } from '../../plan/nodes.ts'
import { pairedRowLists } from '../../state/memory-row-lists.ts'
import { WATERMARK_MAX } from '../../time/windows.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { INTERVAL_EXTRAS, type IntervalRows, intervalRows } from './interval-rows.ts'
import { type Matcher, matcherOf, type Pairs } from './join-matches.ts'
import { type KeyedBatch, keyedBatches, listsOf, positionsWhere } from './join-side.ts'
import { joinedBatch, nullVectors, rowsAt } from './joined-rows.ts'
import { lateTeller } from './late-teller.ts'

const TABLES = ['left', 'right'] as const

interface Side {
  readonly isLeft: boolean
  readonly input: PlanNode
  readonly isOuter: boolean
  readonly keyed: (batch: Batch) => KeyedBatch
  readonly matches: Matcher
  readonly store: IntervalRows
  /** Column of its time. */
  readonly time: number
  /** How long after its own time a row may meet others. */
  readonly reachUs: bigint
  readonly tellLate: ReturnType<typeof lateTeller>
}

export function intervalJoin(
  plan: IntervalJoin,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
): Operator {
  return new Interval(plan, context, restoredWatermarkUs)
}

class Interval implements Operator {
  readonly name: string
  readonly onClock?: (nowUs: bigint, emit: Emit) => void
  readonly #memory: LinearMemory
  readonly #context: OperatorContext
  readonly #plan: IntervalJoin
  readonly #isByClock: boolean
  readonly #sides: readonly [Side, Side]
  /** i64 by row, of the batch at hand. */
  #times: Pointer = 0
  #watermarkUs: bigint

  constructor(plan: IntervalJoin, context: OperatorContext, watermarkUs: bigint) {
    this.name = `interval-join(${plan.type})`
    this.#memory = context.memory
    this.#context = context
    this.#plan = plan
    this.#isByClock = plan.timeDomain === 'processing'
    this.#watermarkUs = watermarkUs
    this.#sides = this.#sidesOf()
    if (this.#isByClock) this.onClock = (nowUs, emit) => this.#pass(nowUs, emit)
  }

  onBatch(given: Batch, emit: Emit, input: number): void {
    const memory = this.#memory
    const side = this.#sides[input]!
    const rows = side.keyed(given)
    const { batch } = rows
    if (batch.count === 0) return
    if (this.#isByClock) this.#pass(this.#context.nowUs(), emit)
    this.#times = this.#timesOf(batch, side)
    const lists = listsOf(memory, rows, side.store.rows)
    const met = memory.arena.allocateCleared(4 * batch.count)
    const other = this.#sides[side.isLeft ? 1 : 0]!
    side.matches(batch, lists, ({ positions, rows, entries, count }) => {
      if (count === 0) return
      const { u32 } = memory
      for (let at = 0; at < count; at++) u32[met / 4 + u32[positions / 4 + at]!] = 1
      if (other.isOuter)
        for (let at = 0; at < count; at++) other.store.meet(memory.u32[entries / 4 + at]!)
      const joined = { rows, entries, kinds: 0, count }
      emit(joinedBatch(memory, joined, batch, other.store.rows, side.isLeft))
    })
    this.#keep(side, batch, lists, met, emit)
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    if (!this.#isByClock) this.#pass(watermarkUs, emit)
  }

  onEnd(emit: Emit): void {
    if (this.#isByClock) this.#pass(WATERMARK_MAX, emit)
  }

  snapshot(writer: Parameters<Operator['snapshot']>[0]): void {
    for (const [at, { store }] of this.#sides.entries())
      writer.table(TABLES[at]!, (sink) => store.rows.writeChanges(sink))
  }

  restore(reader: Parameters<Operator['restore']>[0]): void {
    for (const [at, { store }] of this.#sides.entries()) {
      const source = reader.source(TABLES[at]!)
      if (source !== undefined) store.rows.restore(source)
      store.remember()
    }
  }

  dispose(): void {
    for (const { store } of this.#sides) store.rows.dispose()
  }

  /** Rows that may still meet others stay; of the others an outer side's that have met none are told. */
  #keep(side: Side, batch: Batch, lists: Pointer, met: Pointer, emit: Emit): void {
    const memory = this.#memory
    const now = this.#watermarkUs
    const times = this.#times
    const timeOf = (row: number): bigint => memory.i64[times / 8 + row]!
    const mayMeet = (row: number, position: number): boolean =>
      memory.u32[lists / 4 + position] !== 0 && now < timeOf(row) + side.reachUs
    const kept = positionsWhere(memory, batch, mayMeet)
    side.store.keep(batch, kept, lists, met, times)
    if (kept.count === batch.count) return
    const isAlone = (row: number, position: number): boolean =>
      memory.u32[met / 4 + position] === 0 && !mayMeet(row, position)
    const alone = positionsWhere(memory, batch, isAlone)
    if (alone.count === 0) return
    if (side.isOuter)
      this.#tellAlone(
        side,
        rowsAt(memory, batch.columns, alone.rows, alone.count),
        alone.count,
        emit,
      )
    else if (!this.#isByClock) {
      for (let at = 0; at < alone.count; at++) {
        const row = memory.u32[alone.rows / 4 + at]!
        const hasKey = memory.u32[lists / 4 + memory.u32[alone.positions / 4 + at]!] !== 0
        if (hasKey && timeOf(row) <= now) side.tellLate(batch, row, now)
      }
    }
  }

  /** Time has come to `nowUs`. */
  #pass(nowUs: bigint, emit: Emit): void {
    this.#watermarkUs = nowUs
    const memory = this.#memory
    for (const side of this.#sides) {
      side.store.drop(nowUs, (entries) => {
        if (!side.isOuter) return
        const mark = memory.arena.mark()
        const at = memory.arena.allocate(4 * entries.length)
        memory.u32.set(entries, at / 4)
        this.#tellAlone(side, side.store.rows.columnsOf(at, entries.length), entries.length, emit)
        memory.arena.release(mark)
      })
    }
  }

  #tellAlone(side: Side, columns: Batch['columns'], count: number, emit: Emit): void {
    const other = this.#sides[side.isLeft ? 1 : 0]!
    const nulls = nullVectors(this.#memory, schemaOf(other.input), count)
    emit({
      rowCount: count,
      columns: side.isLeft ? [...columns, ...nulls] : [...nulls, ...columns],
      kinds: 0,
      selection: 0,
      count,
    })
  }

  #timesOf(batch: Batch, side: Side): Pointer {
    if (!this.#isByClock) return batch.columns[side.time]!.cells
    const times = this.#memory.arena.allocate(8 * batch.rowCount)
    this.#memory.i64.fill(this.#context.nowUs(), times / 8, times / 8 + batch.rowCount)
    return times
  }

  #sidesOf(): readonly [Side, Side] {
    const { left, right, type, leftKeys } = this.#plan
    const memory = this.#memory
    const layoutOf = (input: PlanNode) => ({
      row: schemaOf(input).map((field) => field.type),
      extras: INTERVAL_EXTRAS,
    })
    const keyTypes = leftKeys.map((key) => key.type)
    const lists = pairedRowLists(memory, keyTypes, [layoutOf(left), layoutOf(right)])()
    const stores = [
      intervalRows(memory, lists[0], -this.#plan.lowerUs),
      intervalRows(memory, lists[1], this.#plan.upperUs),
    ] as const
    const isOuter = {
      left: type === 'left' || type === 'full',
      right: type === 'right' || type === 'full',
    }
    return [
      this.#sideOf(true, isOuter.left, stores[0], stores[1]),
      this.#sideOf(false, isOuter.right, stores[1], stores[0]),
    ]
  }

  #sideOf(isLeft: boolean, isOuter: boolean, store: IntervalRows, other: IntervalRows): Side {
    const { left, right, condition, leftKeys, rightKeys, leftTime, rightTime } = this.#plan
    const input = isLeft ? left : right
    const time = isLeft ? leftTime : rightTime
    return {
      isLeft,
      input,
      isOuter,
      keyed: keyedBatches(input, isLeft ? leftKeys : rightKeys, this.#context),
      store,
      time,
      reachUs: BigInt(isLeft ? -this.#plan.lowerUs : this.#plan.upperUs),
      tellLate: lateTeller(this.#context, schemaOf(input), time),
      matches: matcherOf(
        {
          left,
          right,
          ...(condition === undefined ? {} : { condition }),
          isLeft,
          other: other.rows,
          filter: (pairs) => this.#withinReach(pairs, other, isLeft),
        },
        this.#context,
      ),
    }
  }

  /** Moves pairs whose times are within the bounds to the front; how many. */
  #withinReach(
    { positions, rows, entries, count }: Pairs,
    other: IntervalRows,
    isLeft: boolean,
  ): number {
    const { lowerUs, upperUs } = this.#plan
    return rowsKernel(this.#memory).keepWithin(
      positions,
      rows,
      entries,
      count,
      this.#times,
      other.timeOffset,
      BigInt(lowerUs),
      BigInt(upperUs),
      isLeft ? 1 : 0,
    )
  }
}
