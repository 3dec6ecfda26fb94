/**
 * GROUP BY window_start, window_end of rows that bear their window already: from a window aggregate, rank or join beneath, or a
 * window table function that something else stands above.
 *
 *   in     rows with their window in two columns
 *   out    +I one row a group and window, when the watermark (or the clock) reaches the window's end less 1 ms: keys, aggregates,
 *          window columns
 *   state  a table of groups for each open window
 *   side   rows of windows that have fired
 *
 * @see Flink, WindowAttachedWindowingStrategy
 */
import type { Batch } from '../../data/batch.ts'
import { schemaOf, type WindowAggregate } from '../../plan/nodes.ts'
import type { Window } from '../../plan/windows.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import { byClock } from './by-clock.ts'
import type { GroupTables } from './group-state.ts'
import { type OpenWindow, type OpenWindows, openWindows } from './open-windows.ts'
import { windowColumns } from './window-columns.ts'
import { type WindowGroups, windowGroups } from './window-groups.ts'

const WINDOW_NAME = /^window (-?\d+) (-?\d+)$/

export type AttachedAggregate = WindowAggregate & {
  readonly window: Extract<Window, { kind: 'attached' }>
}

export function attachedWindows(
  plan: AttachedAggregate,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
  retracts: boolean,
): Operator {
  const windows = new AttachedWindows(plan, context, restoredWatermarkUs, retracts)
  return plan.timeDomain === 'processing' ? byClock(windows) : windows
}

class AttachedWindows implements Operator {
  readonly name = 'window-aggregate(attached)'
  readonly #plan: AttachedAggregate
  readonly #context: OperatorContext
  readonly #groups: WindowGroups
  readonly #open: OpenWindows<GroupTables>

  constructor(
    plan: AttachedAggregate,
    context: OperatorContext,
    watermarkUs: bigint,
    retracts: boolean,
  ) {
    this.#plan = plan
    this.#context = context
    this.#groups = windowGroups(plan, context, retracts)
    const { make, dispose } = this.#groups
    this.#open = openWindows(context, watermarkUs, make, dispose)
  }

  onBatch(batch: Batch): void {
    const { keys, good } = this.#groups.keysOf(batch)
    const { input, window, time } = this.#plan
    this.#open.deal(
      good,
      { schema: schemaOf(input), window, time },
      (tables, rows) => rows.count - this.#groups.add(tables, rows, keys),
    )
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    this.#open.advance(watermarkUs, (window) => this.#fire(window, emit))
  }

  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    for (const [name, tables] of this.#open.named())
      this.#groups.write(writer, `window ${name}`, tables)
  }

  restore(reader: StateReader): void {
    for (const name of reader.tables()) {
      const [, start, end] = WINDOW_NAME.exec(name) ?? []
      const tables = start === undefined ? undefined : this.#groups.read(reader, name)
      if (tables === undefined) continue
      this.#open.restored(start!, end!, () => tables)
    }
  }

  dispose(): void {
    this.#open.dispose()
  }

  progress(): WindowProgress {
    return this.#open.progress()
  }

  #fire({ startUs, endUs, held }: OpenWindow<GroupTables>, emit: Emit): void {
    const { memory } = this.#context
    const fields = this.#plan.schema.slice(-3)
    this.#groups.forEachRows(held, (rows) => {
      const window = windowColumns(memory, fields, startUs, endUs, rows.rowCount)
      emit({ ...rows, columns: [...rows.columns, ...window] })
    })
  }
}
