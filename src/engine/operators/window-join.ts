/**
 * Join of rows that bear the same window.
 *
 *   in     +I rows of both sides, with their window in two columns
 *   out    +I what the join of a window's rows is, when the watermark (or the clock) reaches the window's end less 1 ms; rows that can
 *          meet none, since a key is NULL, at once
 *   state  both sides' rows of each open window, dropped whole when it has fired
 *   side   rows of windows that have fired
 *
 * @see Flink, WindowJoinOperator
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { jsonText, rowReader } from '../../data/values.ts'
import { type PlanNode, schemaOf, type WindowJoin } from '../../plan/nodes.ts'
import type { WindowColumns } from '../../plan/windows.ts'
import { pairedRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import { byClock } from './by-clock.ts'
import { type KeyedBatch, keyedBatches, listsOf, positionsWhere } from './join-side.ts'
import { type WindowPairs, windowPairs } from './window-pairs.ts'
import { forEachWindow } from './windows-of-rows.ts'

/** A window fires when time reaches its end less this. */
const FIRE_EARLY_US = 1000n
const TABLE_NAME = /^(left|right) (-?\d+) (-?\d+)$/

interface Open {
  readonly startUs: bigint
  readonly endUs: bigint
  readonly sides: readonly [RowLists, RowLists]
}

interface Input {
  readonly window: WindowColumns
  readonly keyed: (batch: Batch) => KeyedBatch
  /** Rows that meet none are told. */
  readonly isTold: boolean
  readonly readRow: ReturnType<typeof rowReader>
}

export function windowJoin(
  plan: WindowJoin,
  context: OperatorContext,
  restoredWatermarkUs: bigint,
): Operator {
  const windows = new JoinedWindows(plan, context, restoredWatermarkUs)
  return plan.timeDomain === 'processing' ? byClock(windows) : windows
}

class JoinedWindows implements Operator {
  readonly name: string
  readonly #context: OperatorContext
  readonly #memory: LinearMemory
  readonly #make: () => readonly [RowLists, RowLists]
  readonly #inputs: readonly [Input, Input]
  readonly #pairs: WindowPairs
  /** By start and end. */
  readonly #open = new Map<string, Open>()
  #watermarkUs: bigint
  #counted = 0
  #late = 0

  constructor(plan: WindowJoin, context: OperatorContext, watermarkUs: bigint) {
    const { type, left, right } = plan
    this.name = `window-join(${type})`
    this.#context = context
    this.#memory = context.memory
    const layoutOf = (input: PlanNode) => ({
      row: schemaOf(input).map((field) => field.type),
      extras: 1,
    })
    const keyTypes = plan.leftKeys.map((key) => key.type)
    const layouts = [layoutOf(left), layoutOf(right)] as const
    this.#make = pairedRowLists(context.memory, keyTypes, layouts)
    const tellsLeft = type === 'left' || type === 'full' || type === 'anti'
    const tellsRight = type === 'right' || type === 'full'
    this.#inputs = [
      {
        window: plan.leftWindow,
        keyed: keyedBatches(left, plan.leftKeys, context),
        isTold: tellsLeft,
        readRow: rowReader(schemaOf(left)),
      },
      {
        window: plan.rightWindow,
        keyed: keyedBatches(right, plan.rightKeys, context),
        isTold: tellsRight,
        readRow: rowReader(schemaOf(right)),
      },
    ]
    this.#pairs = windowPairs(plan, context)
    this.#watermarkUs = watermarkUs
  }

  onBatch(given: Batch, emit: Emit, input: number): void {
    const side = this.#inputs[input]!
    const { batch, keys } = side.keyed(given)
    forEachWindow(this.#memory, batch, side.window, (startUs, endUs, rows) => {
      if (endUs - FIRE_EARLY_US <= this.#watermarkUs) this.#tellLate(side, startUs, endUs, rows)
      else this.#add(this.#windowOf(startUs, endUs), { batch: rows, keys }, input, emit)
    })
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    this.#watermarkUs = watermarkUs
    for (const [key, { sides, endUs }] of this.#inOrder()) {
      if (endUs - FIRE_EARLY_US > watermarkUs) break
      this.#pairs.fire(sides, emit)
      for (const side of sides) side.dispose()
      this.#open.delete(key)
    }
  }

  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    for (const [key, { sides }] of this.#open) {
      writer.table(`left ${key}`, (sink) => sides[0].writeChanges(sink))
      writer.table(`right ${key}`, (sink) => sides[1].writeChanges(sink))
    }
  }

  restore(reader: StateReader): void {
    for (const name of reader.tables()) {
      const [, side, start, end] = TABLE_NAME.exec(name) ?? []
      const source = reader.source(name)
      if (start === undefined || source === undefined) continue
      const { sides } = this.#windowOf(BigInt(start), BigInt(end!))
      sides[side === 'left' ? 0 : 1].restore(source)
    }
  }

  dispose(): void {
    for (const { sides } of this.#open.values()) for (const side of sides) side.dispose()
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

  #windowOf(startUs: bigint, endUs: bigint): Open {
    const key = `${startUs} ${endUs}`
    const known = this.#open.get(key)
    if (known !== undefined) return known
    const window = { startUs, endUs, sides: this.#make() }
    this.#open.set(key, window)
    return window
  }

  #add({ sides }: Open, { batch, keys }: KeyedBatch, input: number, emit: Emit): void {
    const memory = this.#memory
    this.#counted += batch.count
    const rows = sides[input]!
    const lists = listsOf(memory, { batch, keys }, rows)
    const hasKey = (_: number, position: number) => memory.u32[lists / 4 + position] !== 0
    const kept = positionsWhere(memory, batch, hasKey)
    const { count } = kept
    if (count > 0) {
      const entries = memory.arena.allocate(4 * count)
      const of = memory.arena.allocate(4 * count)
      const { u32 } = memory
      for (let at = 0; at < count; at++)
        u32[of / 4 + at] = u32[lists / 4 + u32[kept.positions / 4 + at]!]!
      rows.append({ ...batch, selection: kept.rows, count }, of, entries)
    }
    if (count === batch.count || !this.#inputs[input]!.isTold) return
    const alone = positionsWhere(memory, batch, (row, position) => !hasKey(row, position))
    const keyless = { ...batch, selection: alone.rows, count: alone.count }
    emit(this.#pairs.alone(keyless, input === 0))
  }

  #tellLate(side: Input, windowStartUs: bigint, windowEndUs: bigint, rows: Batch): void {
    for (let at = 0; at < rows.count; at++) {
      const row = this.#memory.u32[rows.selection / 4 + at]!
      this.#context.side.late({
        node: this.#context.node,
        windowStartUs,
        windowEndUs,
        // A row has no other time here than its window's.
        timeUs: windowEndUs - FIRE_EARLY_US,
        watermarkUs: this.#watermarkUs,
        row: jsonText(side.readRow(this.#memory, rows.columns, row)),
      })
    }
    this.#late += rows.count
  }

  /** By end, then by start. */
  #inOrder(): readonly (readonly [string, Open])[] {
    return [...this.#open].sort(
      ([, left], [, right]) =>
        Number(left.endUs - right.endUs) || Number(left.startUs - right.startUs),
    )
  }
}
