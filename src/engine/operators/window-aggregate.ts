/**
 * GROUP BY over TUMBLE, HOP and CUMULATE windows.
 *
 *   in     rows; within a batch no row but the last moves the watermark past a window's end
 *   out    +I one row a group and window, when the watermark (or the clock) reaches the window's end less 1 ms: keys, aggregates,
 *          window columns
 *   state  a table of groups for each *pane* (a slide wide); a HOP window merges its panes when it fires, or, of
 *          counts and sums over many panes, is kept from slide to slide; CUMULATE windows gather
 *          theirs in the first pane; a pane no window waits for is dropped whole
 *   side   a row is late once for each of its windows that has fired; it still counts in the others
 *
 * @see Flink, SlicingWindowOperator and SliceAssigners
 */
import type { Batch, Vector } from '../../data/batch.ts'
import { jsonText, rowReader, selectedRows } from '../../data/values.ts'
import { type TimeKernel, timeKernel } from '../../kernels/time.ts'
import { schemaOf, type WindowAggregate } from '../../plan/nodes.ts'
import type { WantedGroups } from '../../plan/wanted-groups.ts'
import type { GridWindow } from '../../plan/windows.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import {
  firedThrough,
  firstPaneOf,
  type Grid,
  gridOf,
  gridPointUs,
  lastEndOf,
} from '../../time/windows.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import { byClock } from './by-clock.ts'
import type { GroupTables } from './group-state.ts'
import { forEachPane } from './panes.ts'
import { type SlidingGroups, slidingGroups } from './sliding-groups.ts'
import { type TopGroups, topGroups } from './top-groups.ts'
import { windowColumns } from './window-columns.ts'
import { isSliding, type WindowGroups, windowGroups } from './window-groups.ts'
import { type WindowPartials, windowPartials } from './window-partials.ts'

/** Below so many panes a window is merged when it fires: of five, that takes 5 % less. */
const SLIDING_SPAN_MIN = 8

const PANE_NAME = /^pane (-?\d+)$/

export type GridAggregate = WindowAggregate & { readonly window: GridWindow }

/** `retracts`: the input takes rows back. `wanted`: only these groups are told; absent: all. */
export function windowAggregate(
  plan: GridAggregate,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
  retracts: boolean,
  wanted?: WantedGroups,
): Operator {
  const panes = new WindowPanes(plan, context, restoredWatermarkUs, retracts, wanted)
  return plan.timeDomain === 'processing' ? byClock(panes) : panes
}

class WindowPanes implements Operator {
  readonly name: string
  readonly partials?: WindowPartials
  readonly #plan: GridAggregate
  readonly #context: OperatorContext
  readonly #grid: Grid
  readonly #kernel: TimeKernel
  readonly #groups: WindowGroups
  readonly #readRow: ReturnType<typeof rowReader>
  readonly #panes = new Map<number, GroupTables>()
  readonly #sliding: SlidingGroups | undefined
  readonly #top: TopGroups | undefined
  #watermarkUs: bigint
  /** The last grid point whose windows have fired. */
  #fired: number
  #counted = 0
  #late = 0

  constructor(
    plan: GridAggregate,
    context: OperatorContext,
    watermarkUs: bigint,
    retracts: boolean,
    wanted: WantedGroups | undefined,
  ) {
    this.name = `window-aggregate(${plan.window.kind})`
    this.#plan = plan
    this.#context = context
    this.#grid = gridOf(plan.window)
    this.#kernel = timeKernel(context.memory)
    const slides = this.#grid.span >= SLIDING_SPAN_MIN && isSliding(plan, context, retracts)
    this.#groups = windowGroups(plan, context, retracts, [], slides)
    if (wanted !== undefined) {
      const { type } = plan.aggregates[wanted.aggregate]!
      this.#top = topGroups(context.memory, this.#groups, wanted, type, slides)
    }
    if (slides) this.#sliding = slidingGroups(this.#groups, this.#top)
    this.#readRow = rowReader(schemaOf(plan.input))
    this.#watermarkUs = watermarkUs
    this.#fired = firedThrough(this.#grid, watermarkUs)
    if (this.#groups.isMergeable && this.#grid.chunkStart === undefined) {
      this.partials = windowPartials(
        context.memory,
        this.#groups,
        this.#grid,
        plan.time,
        (pane, tables) => this.#takeTables(pane, tables),
        (pane, rows) => {
          this.#counted += (lastEndOf(this.#grid, pane) - pane) * rows
        },
      )
    }
  }

  onBatch(batch: Batch): void {
    const { keys, good } = this.#groups.keysOf(batch)
    const { memory } = this.#context
    forEachPane(memory, this.#kernel, good, this.#plan.time, this.#grid, (pane, rows) =>
      this.#addRows(pane, rows, keys),
    )
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    this.#watermarkUs = watermarkUs
    const through = firedThrough(this.#grid, watermarkUs)
    if (through <= this.#fired) return
    for (const end of this.#waitingEnds(through)) this.#fire(end, emit)
    const passed = this.#passed(through)
    this.#fired = through
    for (const pane of passed) this.#drop(pane)
  }

  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    for (const [pane, state] of this.#panes) this.#groups.write(writer, `pane ${pane}`, state)
  }

  restore(reader: StateReader): void {
    for (const name of reader.tables()) {
      const pane = PANE_NAME.exec(name)?.[1]
      const state = pane === undefined ? undefined : this.#groups.read(reader, name)
      if (state !== undefined) this.#panes.set(Number(pane), state)
    }
  }

  dispose(): void {
    this.partials?.dispose()
    this.#sliding?.clear()
    for (const pane of this.#panes.keys()) this.#drop(pane)
  }

  progress(): WindowProgress {
    const ends = this.#waitingEnds(Number.MAX_SAFE_INTEGER)
    return {
      openWindows: ends.length,
      ...(ends.length === 0 ? {} : { nextEndUs: gridPointUs(this.#grid, ends[0]!) }),
      counted: this.#counted,
      late: this.#late,
    }
  }

  #addRows(pane: number, batch: Batch, keys: readonly Vector[]): void {
    const windows = lastEndOf(this.#grid, pane) - pane
    const missed = Math.max(0, Math.min(this.#fired - pane, windows))
    if (missed > 0) this.#tellLate(pane, missed, batch)
    if (missed === windows) return
    const left = this.#sliding?.covers(pane)
      ? this.#addBehind(pane, batch, keys)
      : this.#groups.add(this.#paneOf(this.#gatheredIn(pane)), batch, keys)
    this.#counted += (windows - missed) * (batch.count - left)
  }

  /** Rows of a pane of which windows have been told already. */
  #addBehind(pane: number, batch: Batch, keys: readonly Vector[]): number {
    const rows = this.#groups.make()
    const left = this.#groups.add(rows, batch, keys)
    this.#groups.merge(this.#paneOf(pane), rows)
    this.#sliding!.add(rows)
    this.#groups.dispose(rows)
    return left
  }

  /** What others have added up goes into the pane alone; the first is the pane. */
  #takeTables(pane: number, tables: GroupTables): void {
    if (this.#sliding?.covers(pane)) this.#sliding.clear()
    if (tables.groups.size > 0 && !this.#panes.has(pane)) {
      this.#panes.set(pane, tables)
      return
    }
    if (tables.groups.size > 0) this.#groups.merge(this.#paneOf(pane), tables)
    this.#groups.dispose(tables)
  }

  /** Where rows of `pane` are kept: once a cumulating window has fired, with its first pane. */
  #gatheredIn(pane: number): number {
    if (this.#grid.chunkStart === undefined || pane >= this.#fired) return pane
    return firstPaneOf(this.#grid, pane + 1)
  }

  #paneOf(pane: number): GroupTables {
    let state = this.#panes.get(pane)
    if (state === undefined) {
      state = this.#groups.make()
      this.#panes.set(pane, state)
    }
    return state
  }

  #drop(pane: number): void {
    const state = this.#panes.get(pane)!
    this.#sliding?.take(pane, state)
    this.#groups.dispose(state)
    this.#panes.delete(pane)
  }

  /** `missed` of a pane's windows have fired: those that end at the next grid points. */
  #tellLate(pane: number, missed: number, batch: Batch): void {
    const { memory, side, node } = this.#context
    const times = batch.columns[this.#plan.time]!.cells / 8
    for (const row of selectedRows(memory, batch)) {
      const timeUs = memory.i64[times + row]!
      const text = jsonText(this.#readRow(memory, batch.columns, row))
      for (let end = pane + 1; end <= pane + missed; end++) {
        side.late({
          node,
          windowStartUs: gridPointUs(this.#grid, firstPaneOf(this.#grid, end)),
          windowEndUs: gridPointUs(this.#grid, end),
          timeUs,
          watermarkUs: this.#watermarkUs,
          row: text,
        })
        this.#late++
      }
    }
  }

  /** Panes whose windows have all fired, once those up to `through` have. */
  #passed(through: number): readonly number[] {
    const isPassed = (pane: number): boolean => lastEndOf(this.#grid, pane) <= through
    if (through - this.#fired > this.#panes.size) return [...this.#panes.keys()].filter(isPassed)
    const passed: number[] = []
    for (let pane = firstPaneOf(this.#grid, this.#fired + 1); isPassed(pane); pane++) {
      if (this.#panes.has(pane)) passed.push(pane)
    }
    return passed
  }

  /** Grid points up to `through` at which a window with rows waits to end, ascending. */
  #waitingEnds(through: number): number[] {
    const ends = new Set<number>()
    const most = through - this.#fired
    for (const panes of [this.#panes.keys(), this.partials?.panes() ?? []]) {
      for (const pane of panes) {
        const last = Math.min(lastEndOf(this.#grid, pane), through)
        for (let end = Math.max(pane + 1, this.#fired + 1); end <= last; end++) ends.add(end)
        // Nearly always the oldest pane has told them all.
        if (ends.size === most) break
      }
    }
    return [...ends].sort((left, right) => left - right)
  }

  /** The window that ends at grid point `end`, all groups. */
  #fire(end: number, emit: Emit): void {
    const first = firstPaneOf(this.#grid, end)
    if (this.#sliding !== undefined) {
      this.#readOut(this.#sliding.of(this.#panes, first, end), end, emit)
      return
    }
    if (this.#grid.chunkStart !== undefined) this.#gather(first, end)
    const parts: GroupTables[] = []
    for (let pane = first; pane < end; pane++) {
      const state = this.#panes.get(pane)
      if (state !== undefined) parts.push(state)
    }
    if (parts.length === 1) {
      this.#readOut(parts[0]!, end, emit)
      return
    }
    const merged = this.#groups.make()
    for (const part of parts) this.#groups.merge(merged, part)
    this.#readOut(merged, end, emit)
    this.#groups.dispose(merged)
  }

  /** All that a cumulating window has goes to its first pane: the next windows of its row begin with it. */
  #gather(first: number, end: number): void {
    for (let pane = first + 1; pane < end; pane++) {
      const state = this.#panes.get(pane)
      if (state === undefined) continue
      this.#groups.merge(this.#paneOf(first), state)
      this.#drop(pane)
    }
  }

  #readOut(state: GroupTables, end: number, emit: Emit): void {
    const { memory } = this.#context
    const startUs = gridPointUs(this.#grid, firstPaneOf(this.#grid, end))
    const endUs = gridPointUs(this.#grid, end)
    const fields = this.#plan.schema.slice(-3)
    if (this.#sliding === undefined) this.#top?.clear()
    const told = this.#top ?? this.#groups
    told.forEachRows(state, (rows) => {
      const window = windowColumns(memory, fields, startUs, endUs, rows.rowCount)
      emit({ ...rows, columns: [...rows.columns, ...window] })
    })
  }
}
