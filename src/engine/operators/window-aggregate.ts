/**
 * GROUP BY over TUMBLE and HOP windows of event time.
 *
 *   in     +I rows; within a batch no row but the last moves the watermark past a window's end
 *   out    +I one row a group and window, when the watermark reaches the window's end less 1 ms: keys, aggregates, window columns
 *   state  a table of groups for each *pane* (a slide wide); a HOP window merges its panes when it fires; a pane no window
 *          waits for is dropped whole
 *   side   a row is late once for each of its windows that has fired; it still counts in the others
 *
 * @see Flink, SlicingWindowOperator and SliceAssigners
 */
import type { AggregateSet } from '../../compile/aggregates/aggregate-set.ts'
import { compileAggregates } from '../../compile/aggregates/compile-aggregates.ts'
import type { CompiledExpression } from '../../compile/compiled.ts'
import { compileExpression, compilePredicate, compileProjection } from '../../compile/expression.ts'
import type { Batch, Vector } from '../../data/batch.ts'
import { jsonText, rowReader, selectedRows } from '../../data/values.ts'
import { type TimeKernel, timeKernel } from '../../kernels/time.ts'
import { type GridWindow, schemaOf, type WindowAggregate } from '../../plan/nodes.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { firedThrough, type Grid, gridOf, gridPointUs } from '../../time/windows.ts'
import { type Evaluation, evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import { type GroupTables, type GroupTablesMaker, groupTables } from './group-state.ts'
import { forEachPane } from './panes.ts'
import { windowColumns } from './window-columns.ts'

/** Rows read out of a pane at a time. */
const FIRE_ROWS = 4096
const PANE_NAME = /^pane (-?\d+)$/

export function windowAggregate(
  plan: WindowAggregate & { readonly window: GridWindow },
  context: OperatorContext,
  restoredWatermarkUs: bigint,
): Operator {
  return new WindowPanes(plan, context, restoredWatermarkUs)
}

class WindowPanes implements Operator {
  readonly name: string
  readonly #plan: WindowAggregate & { readonly window: GridWindow }
  readonly #context: OperatorContext
  readonly #grid: Grid
  readonly #kernel: TimeKernel
  readonly #evaluation: Evaluation
  readonly #keys: readonly CompiledExpression[]
  readonly #aggregates: AggregateSet
  readonly #tables: GroupTablesMaker
  readonly #readRow: ReturnType<typeof rowReader>
  readonly #panes = new Map<number, GroupTables>()
  #watermarkUs: bigint
  /** The last grid point whose windows have fired. */
  #fired: number
  #counted = 0
  #late = 0

  constructor(
    plan: WindowAggregate & { readonly window: GridWindow },
    context: OperatorContext,
    watermarkUs: bigint,
  ) {
    const { memory } = context
    const inputSchema = schemaOf(plan.input)
    this.name = `window-aggregate(${plan.window.kind})`
    this.#plan = plan
    this.#context = context
    this.#grid = gridOf(plan.window)
    this.#kernel = timeKernel(memory)
    this.#evaluation = evaluationOf(context, inputSchema)
    this.#keys = compileProjection(plan.keys, { memory })
    this.#aggregates = compileAggregates(plan.aggregates, {
      memory,
      expression: (expression) => compileExpression(expression, { memory }),
      predicate: (expression) => compilePredicate(expression, { memory }),
      retracts: false,
    })
    const keyTypes = plan.keys.map(({ type }) => type)
    this.#tables = groupTables(memory, keyTypes, this.#aggregates)
    this.#readRow = rowReader(inputSchema)
    this.#watermarkUs = watermarkUs
    this.#fired = firedThrough(this.#grid, watermarkUs)
  }

  onBatch(batch: Batch): void {
    const { memory } = this.#context
    const frame = this.#evaluation.frameOf(batch)
    const keys = this.#keys.map((key) => key.evaluate(frame))
    const good = this.#evaluation.withoutFailed(batch)
    forEachPane(memory, this.#kernel, good, this.#plan.time, this.#grid, (pane, rows) =>
      this.#addRows(pane, rows, keys),
    )
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    this.#watermarkUs = watermarkUs
    const through = firedThrough(this.#grid, watermarkUs)
    if (through <= this.#fired) return
    for (const end of this.#waitingEnds(through)) this.#fire(end, emit)
    this.#fired = through
    for (const [pane, state] of this.#panes) {
      if (pane + this.#grid.span > through) continue
      this.#tables.dispose(state)
      this.#panes.delete(pane)
    }
  }

  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    for (const [pane, state] of this.#panes) this.#tables.write(writer, `pane ${pane}`, state)
  }

  restore(reader: StateReader): void {
    for (const name of reader.tables()) {
      const pane = PANE_NAME.exec(name)?.[1]
      const state = pane === undefined ? undefined : this.#tables.read(reader, name)
      if (state !== undefined) this.#panes.set(Number(pane), state)
    }
  }

  dispose(): void {
    for (const state of this.#panes.values()) this.#tables.dispose(state)
    this.#panes.clear()
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
    const { span } = this.#grid
    const { selection, count } = batch
    const missed = Math.max(0, Math.min(this.#fired - pane, span))
    if (missed > 0) this.#tellLate(pane, missed, batch)
    this.#counted += (span - missed) * count
    if (missed === span) return
    const state = this.#paneOf(pane)
    const entries = this.#context.memory.arena.allocate(4 * count)
    state.groups.upsert({ selection, count, keys }, entries)
    this.#aggregates.update(state, this.#evaluation.frameOf(batch), keys, entries)
  }

  #paneOf(pane: number): GroupTables {
    let state = this.#panes.get(pane)
    if (state === undefined) {
      state = this.#tables.make()
      this.#panes.set(pane, state)
    }
    return state
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
          windowStartUs: gridPointUs(this.#grid, end - this.#grid.span),
          windowEndUs: gridPointUs(this.#grid, end),
          timeUs,
          watermarkUs: this.#watermarkUs,
          row: text,
        })
        this.#late++
      }
    }
  }

  /** Grid points up to `through` at which a window with rows waits to end, ascending. */
  #waitingEnds(through: number): number[] {
    const ends = new Set<number>()
    for (const pane of this.#panes.keys()) {
      const last = Math.min(pane + this.#grid.span, through)
      for (let end = Math.max(pane + 1, this.#fired + 1); end <= last; end++) ends.add(end)
    }
    return [...ends].sort((left, right) => left - right)
  }

  /** The window that ends at grid point `end`, all groups. */
  #fire(end: number, emit: Emit): void {
    const parts: GroupTables[] = []
    for (let pane = end - this.#grid.span; pane < end; pane++) {
      const state = this.#panes.get(pane)
      if (state !== undefined) parts.push(state)
    }
    if (parts.length === 1) {
      this.#readOut(parts[0]!, end, emit)
      return
    }
    const merged = this.#tables.make()
    for (const part of parts) this.#aggregates.merge(merged, part)
    this.#readOut(merged, end, emit)
    this.#tables.dispose(merged)
  }

  #readOut(state: GroupTables, end: number, emit: Emit): void {
    const { memory } = this.#context
    const startUs = gridPointUs(this.#grid, end - this.#grid.span)
    const endUs = gridPointUs(this.#grid, end)
    for (let cursor = 0; cursor >= 0; ) {
      const mark = memory.arena.mark()
      const entries = memory.arena.allocate(4 * FIRE_ROWS)
      const { next, count } = state.groups.scan(cursor, entries, FIRE_ROWS)
      if (count > 0) {
        const columns = [
          ...state.groups.keysOf(entries, count),
          ...this.#aggregates.results(state, entries, count),
          ...windowColumns(memory, this.#plan.schema.slice(-3), startUs, endUs, count),
        ]
        emit({ rowCount: count, columns, kinds: 0, selection: 0, count })
      }
      memory.arena.release(mark)
      cursor = next
    }
  }
}
