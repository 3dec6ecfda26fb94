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
import type { Batch, Vector } from '../../data/batch.ts'
import { jsonText, rowReader } from '../../data/values.ts'
import { schemaOf, type WindowAggregate } from '../../plan/nodes.ts'
import type { Window } from '../../plan/windows.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import { byClock } from './by-clock.ts'
import type { GroupTables } from './group-state.ts'
import { windowColumns } from './window-columns.ts'
import { type WindowGroups, windowGroups } from './window-groups.ts'
import { forEachWindow } from './windows-of-rows.ts'

/** A window fires when time reaches its end less this. */
const FIRE_EARLY_US = 1000n
const WINDOW_NAME = /^window (-?\d+) (-?\d+)$/

export type AttachedAggregate = WindowAggregate & {
  readonly window: Extract<Window, { kind: 'attached' }>
}

interface Open {
  readonly startUs: bigint
  readonly endUs: bigint
  readonly tables: GroupTables
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
  readonly #readRow: ReturnType<typeof rowReader>
  /** By start and end. */
  readonly #open = new Map<string, Open>()
  #watermarkUs: bigint
  #counted = 0
  #late = 0

  constructor(
    plan: AttachedAggregate,
    context: OperatorContext,
    watermarkUs: bigint,
    retracts: boolean,
  ) {
    this.#plan = plan
    this.#context = context
    this.#groups = windowGroups(plan, context, retracts)
    this.#readRow = rowReader(schemaOf(plan.input))
    this.#watermarkUs = watermarkUs
  }

  onBatch(batch: Batch): void {
    const { keys, good } = this.#groups.keysOf(batch)
    forEachWindow(this.#context.memory, good, this.#plan.window, (startUs, endUs, rows) => {
      if (endUs - FIRE_EARLY_US <= this.#watermarkUs) this.#tellLate(startUs, endUs, rows)
      else this.#add(startUs, endUs, rows, keys)
    })
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    this.#watermarkUs = watermarkUs
    for (const [key, window] of this.#inOrder()) {
      if (window.endUs - FIRE_EARLY_US > watermarkUs) break
      this.#fire(window, emit)
      this.#groups.dispose(window.tables)
      this.#open.delete(key)
    }
  }

  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    for (const [key, { tables }] of this.#open) this.#groups.write(writer, `window ${key}`, tables)
  }

  restore(reader: StateReader): void {
    for (const name of reader.tables()) {
      const [, start, end] = WINDOW_NAME.exec(name) ?? []
      const tables = start === undefined ? undefined : this.#groups.read(reader, name)
      if (tables === undefined) continue
      this.#open.set(`${start} ${end}`, { startUs: BigInt(start!), endUs: BigInt(end!), tables })
    }
  }

  dispose(): void {
    for (const { tables } of this.#open.values()) this.#groups.dispose(tables)
    this.#open.clear()
  }

  progress(): WindowProgress {
    const first = this.#inOrder()[0]?.[1]
    return {
      openWindows: this.#open.size,
      ...(first === undefined ? {} : { nextEndUs: first.endUs }),
      counted: this.#counted,
      late: this.#late,
    }
  }

  #add(startUs: bigint, endUs: bigint, rows: Batch, keys: readonly Vector[]): void {
    const key = `${startUs} ${endUs}`
    let window = this.#open.get(key)
    if (window === undefined) {
      window = { startUs, endUs, tables: this.#groups.make() }
      this.#open.set(key, window)
    }
    this.#counted += rows.count - this.#groups.add(window.tables, rows, keys)
  }

  /** By end, then by start. */
  #inOrder(): readonly (readonly [string, Open])[] {
    return [...this.#open].sort(
      ([, left], [, right]) =>
        Number(left.endUs - right.endUs) || Number(left.startUs - right.startUs),
    )
  }

  #tellLate(startUs: bigint, endUs: bigint, rows: Batch): void {
    const { memory, side, node } = this.#context
    const times = rows.columns[this.#plan.time]!.cells / 8
    for (let at = 0; at < rows.count; at++) {
      const row = memory.u32[rows.selection / 4 + at]!
      side.late({
        node,
        windowStartUs: startUs,
        windowEndUs: endUs,
        timeUs: memory.i64[times + row]!,
        watermarkUs: this.#watermarkUs,
        row: jsonText(this.#readRow(memory, rows.columns, row)),
      })
      this.#late++
    }
  }

  #fire({ startUs, endUs, tables }: Open, emit: Emit): void {
    const { memory } = this.#context
    const fields = this.#plan.schema.slice(-3)
    this.#groups.forEachRows(tables, (rows) => {
      const window = windowColumns(memory, fields, startUs, endUs, rows.rowCount)
      emit({ ...rows, columns: [...rows.columns, ...window] })
    })
  }
}
