/**
 * GROUP BY over windows that are told more than once: early, while they are open, or again, when late rows have corrected them.
 *
 *   in     rows; with their window in two columns where the plan's window is 'attached'
 *   out    what has changed of a group since it was last told: +I when it first is, -U old and +U new, -D if no rows are left. At the
 *          window's end less 1 ms, at once or by the clock before and after it, and when it is dropped
 *   state  for each window its groups and what was told of them, until the allowed lateness behind its end is over. A row of HOP
 *          and CUMULATE windows is kept once for each of them
 *   side   rows of windows that have been dropped
 *
 * Nothing that counts goes untold: what waits for a delay when its window is dropped is told then (Flink forgets it).
 *
 * @see Flink, AggregateWindowOperator and WindowEmitStrategy
 */
import type { Batch, Vector } from '../../data/batch.ts'
import { selectedRows } from '../../data/values.ts'
import { timeKernel } from '../../kernels/time.ts'
import { schemaOf, type WindowAggregate } from '../../plan/nodes.ts'
import type { Window, WindowEmit } from '../../plan/windows.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import { firstPaneOf, gridOf, gridPointUs, lastEndOf, WATERMARK_MAX } from '../../time/windows.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import { lateTeller } from './late-teller.ts'
import { forEachPane } from './panes.ts'
import { type ToldGroups, type ToldGroupsMaker, toldGroups } from './told-groups.ts'
import { forEachWindow } from './windows-of-rows.ts'

/** A window fires when time reaches its end less this. */
const FIRE_EARLY_US = 1000n
const WINDOW_NAME = /^window (-?\d+) (-?\d+)$/

export type UpdatedAggregate = WindowAggregate & {
  readonly emit: WindowEmit
  readonly window: Exclude<Window, { readonly kind: 'session' }>
}

interface OpenWindow {
  readonly startUs: bigint
  readonly endUs: bigint
  readonly groups: ToldGroups
  /** Its end has come. */
  fired: boolean
  /** When the clock next tells what has changed; undefined: nothing waits for it. */
  dueUs: bigint | undefined
}

/** Calls `visit` for each window of the batch's rows. */
type WindowsOf = (
  batch: Batch,
  visit: (startUs: bigint, endUs: bigint, rows: Batch) => void,
) => void

/** `retracts`: the input takes rows back. */
export function updatedWindows(
  plan: UpdatedAggregate,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
  retracts: boolean,
): Operator {
  const windows = new UpdatedWindows(plan, context, restoredWatermarkUs, retracts)
  const isByClock = plan.timeDomain === 'processing'
  const delays = plan.emit.earlyDelayUs !== undefined || plan.emit.lateDelayUs !== undefined
  return {
    name: windows.name,
    onBatch: (batch, emit) => windows.onBatch(batch, emit),
    onWatermark(watermarkUs, emit) {
      if (!isByClock) windows.advance(watermarkUs, emit)
    },
    ...(isByClock || delays
      ? {
          onClock(nowUs: bigint, emit: Emit) {
            windows.tell(nowUs, emit)
            if (isByClock) windows.advance(nowUs, emit)
          },
        }
      : {}),
    onEnd: (emit) => windows.advance(WATERMARK_MAX, emit),
    snapshot: (writer) => windows.snapshot(writer),
    restore: (reader) => windows.restore(reader),
    dispose: () => windows.dispose(),
    progress: () => windows.progress(),
  }
}

class UpdatedWindows {
  readonly name: string
  readonly #plan: UpdatedAggregate
  readonly #context: OperatorContext
  readonly #groups: ToldGroupsMaker
  readonly #windowsOf: WindowsOf
  readonly #tellLate: ReturnType<typeof lateTeller>
  readonly #latenessUs: bigint
  /** By start and end. */
  readonly #open = new Map<string, OpenWindow>()
  /** The watermark, or the clock. */
  #nowUs: bigint
  /** Before it no window fires or is dropped. */
  #nextUs = WATERMARK_MAX
  #counted = 0
  #late = 0

  constructor(
    plan: UpdatedAggregate,
    context: OperatorContext,
    watermarkUs: bigint,
    retracts: boolean,
  ) {
    this.name = `window-aggregate(${plan.window.kind}, updated)`
    this.#plan = plan
    this.#context = context
    this.#groups = toldGroups(plan, context, retracts)
    this.#windowsOf = windowsOf(plan, context)
    this.#tellLate = lateTeller(context, schemaOf(plan.input), plan.time)
    this.#latenessUs = BigInt(plan.emit.latenessUs)
    this.#nowUs = watermarkUs
  }

  onBatch(batch: Batch, emit: Emit): void {
    const { keys, good } = this.#groups.keysOf(batch)
    this.#windowsOf(good, (startUs, endUs, rows) => {
      if (this.#isDropped(endUs)) this.#toLate(startUs, endUs, rows)
      else this.#add(this.#windowAt(startUs, endUs), rows, keys, emit)
    })
  }

  /** Time has come to `nowUs`: windows fire, and those that can't be corrected any more are dropped. */
  advance(nowUs: bigint, emit: Emit): void {
    this.#nowUs = nowUs
    if (nowUs < this.#nextUs) return
    const windows = this.#inOrder()
    for (const window of windows) {
      if (window.endUs - FIRE_EARLY_US > nowUs) break
      if (window.fired) continue
      window.groups.tell(emit)
      window.fired = true
      window.dueUs = undefined
    }
    for (const window of windows) {
      if (!this.#isDropped(window.endUs)) break
      window.groups.tell(emit)
      window.groups.dispose()
      this.#open.delete(nameOf(window.startUs, window.endUs))
    }
    this.#nextUs = WATERMARK_MAX
    for (const window of this.#open.values()) this.#awaits(window)
  }

  /** The clock has come to `nowUs`: tells what has waited for it. */
  tell(nowUs: bigint, emit: Emit): void {
    for (const window of this.#open.values()) {
      const delayUs = this.#delayUs(window)
      if (delayUs === undefined) continue
      if (window.dueUs === undefined) {
        if (window.groups.hasChanged) window.dueUs = nowUs + BigInt(delayUs)
      } else if (window.dueUs <= nowUs) {
        window.groups.tell(emit)
        window.dueUs = nowUs + BigInt(delayUs)
      }
    }
  }

  snapshot(writer: StateWriter): void {
    for (const [name, { groups }] of this.#open) groups.write(writer, `window ${name}`)
  }

  restore(reader: StateReader): void {
    for (const name of reader.tables()) {
      const [, start, end] = WINDOW_NAME.exec(name) ?? []
      if (start === undefined) continue
      const [startUs, endUs] = [BigInt(start), BigInt(end!)]
      this.#begin(startUs, endUs, this.#groups.read(reader, name, startUs, endUs))
    }
  }

  dispose(): void {
    for (const { groups } of this.#open.values()) groups.dispose()
    this.#open.clear()
  }

  progress(): WindowProgress {
    const next = this.#inOrder().find(({ fired }) => !fired)
    return {
      openWindows: this.#open.size,
      ...(next === undefined ? {} : { nextEndUs: next.endUs }),
      counted: this.#counted,
      late: this.#late,
    }
  }

  /** Rows of a window that ends then have nothing to correct any more. */
  #isDropped(endUs: bigint): boolean {
    return endUs - FIRE_EARLY_US + this.#latenessUs <= this.#nowUs
  }

  /** How long its changes wait for the clock; undefined: they are told at once, or when it fires. */
  #delayUs({ fired }: OpenWindow): number | undefined {
    const { lateDelayUs, earlyDelayUs } = this.#plan.emit
    const delayUs = fired ? lateDelayUs : earlyDelayUs
    return delayUs === 0 ? undefined : delayUs
  }

  #add(window: OpenWindow, rows: Batch, keys: readonly Vector[], emit: Emit): void {
    this.#counted += rows.count - window.groups.add(rows, keys)
    const { lateDelayUs = 0, earlyDelayUs } = this.#plan.emit
    if ((window.fired ? lateDelayUs : earlyDelayUs) === 0) window.groups.tell(emit)
  }

  #windowAt(startUs: bigint, endUs: bigint): OpenWindow {
    const open = this.#open.get(nameOf(startUs, endUs))
    return open ?? this.#begin(startUs, endUs, this.#groups.make(startUs, endUs))
  }

  #begin(startUs: bigint, endUs: bigint, groups: ToldGroups): OpenWindow {
    const fired = endUs - FIRE_EARLY_US <= this.#nowUs
    const window: OpenWindow = { startUs, endUs, groups, fired, dueUs: undefined }
    this.#open.set(nameOf(startUs, endUs), window)
    this.#awaits(window)
    return window
  }

  #awaits({ endUs, fired }: OpenWindow): void {
    const atUs = endUs - FIRE_EARLY_US + (fired ? this.#latenessUs : 0n)
    if (atUs < this.#nextUs) this.#nextUs = atUs
  }

  /** By end, then by start. */
  #inOrder(): readonly OpenWindow[] {
    return [...this.#open.values()].sort(
      (left, right) => Number(left.endUs - right.endUs) || Number(left.startUs - right.startUs),
    )
  }

  #toLate(windowStartUs: bigint, windowEndUs: bigint, rows: Batch): void {
    this.#late += rows.count
    for (const row of selectedRows(this.#context.memory, rows))
      this.#tellLate(rows, row, this.#nowUs, { windowStartUs, windowEndUs })
  }
}

function nameOf(startUs: bigint, endUs: bigint): string {
  return `${startUs} ${endUs}`
}

function windowsOf({ window, time }: UpdatedAggregate, { memory }: OperatorContext): WindowsOf {
  if (window.kind === 'attached')
    return (batch, visit) => forEachWindow(memory, batch, window, visit)
  const grid = gridOf(window)
  const kernel = timeKernel(memory)
  return (batch, visit) =>
    forEachPane(memory, kernel, batch, time, grid, (pane, rows) => {
      for (let end = pane + 1; end <= lastEndOf(grid, pane); end++)
        visit(gridPointUs(grid, firstPaneOf(grid, end)), gridPointUs(grid, end), rows)
    })
}
