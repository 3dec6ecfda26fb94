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
import { type PlanNode, schemaOf, type WindowJoin } from '../../plan/nodes.ts'
import { pairedRowLists } from '../../state/memory-row-lists.ts'
import type { RowLists } from '../../state/row-lists.ts'
import type { StateReader, StateWriter } from '../../state/state-stream.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Emit, Operator, WindowProgress } from '../operator.ts'
import { byClock } from './by-clock.ts'
import { type KeyedBatch, keyedBatches, listsOf, positionsWhere } from './join-side.ts'
import { type OpenWindows, openWindows, type WindowedInput } from './open-windows.ts'
import { type WindowPairs, windowPairs } from './window-pairs.ts'

const TABLE_NAME = /^(left|right) (-?\d+) (-?\d+)$/

type Sides = readonly [RowLists, RowLists]

interface Input extends WindowedInput {
  readonly keyed: (batch: Batch) => KeyedBatch
  /** Rows that meet none are told. */
  readonly isTold: boolean
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
  readonly #memory: LinearMemory
  readonly #inputs: readonly [Input, Input]
  readonly #pairs: WindowPairs
  readonly #open: OpenWindows<Sides>

  constructor(plan: WindowJoin, context: OperatorContext, watermarkUs: bigint) {
    const { type, left, right } = plan
    this.name = `window-join(${type})`
    this.#memory = context.memory
    const layoutOf = (input: PlanNode) => ({
      row: schemaOf(input).map((field) => field.type),
      extras: 1,
    })
    const keyTypes = plan.leftKeys.map((key) => key.type)
    const layouts = [layoutOf(left), layoutOf(right)] as const
    this.#open = openWindows(
      context,
      watermarkUs,
      pairedRowLists(context.memory, keyTypes, layouts),
      (sides) => {
        for (const side of sides) side.dispose()
      },
    )
    const tellsLeft = type === 'left' || type === 'full' || type === 'anti'
    const tellsRight = type === 'right' || type === 'full'
    this.#inputs = [
      {
        schema: schemaOf(left),
        window: plan.leftWindow,
        keyed: keyedBatches(left, plan.leftKeys, context),
        isTold: tellsLeft,
      },
      {
        schema: schemaOf(right),
        window: plan.rightWindow,
        keyed: keyedBatches(right, plan.rightKeys, context),
        isTold: tellsRight,
      },
    ]
    this.#pairs = windowPairs(plan, context)
  }

  onBatch(given: Batch, emit: Emit, input: number): void {
    const side = this.#inputs[input]!
    const { batch, keys } = side.keyed(given)
    this.#open.deal(batch, side, (sides, rows) => {
      this.#add(sides, { batch: rows, keys }, input, emit)
      return rows.count
    })
  }

  onWatermark(watermarkUs: bigint, emit: Emit): void {
    this.#open.advance(watermarkUs, ({ held }) => this.#pairs.fire(held, emit))
  }

  onEnd(): void {}

  snapshot(writer: StateWriter): void {
    for (const [name, sides] of this.#open.named()) {
      writer.table(`left ${name}`, (sink) => sides[0].writeChanges(sink))
      writer.table(`right ${name}`, (sink) => sides[1].writeChanges(sink))
    }
  }

  restore(reader: StateReader): void {
    for (const name of reader.tables()) {
      const [, side, start, end] = TABLE_NAME.exec(name) ?? []
      const source = reader.source(name)
      if (start === undefined || source === undefined) continue
      const sides = this.#open.restored(start, end!)
      sides[side === 'left' ? 0 : 1].restore(source)
    }
  }

  dispose(): void {
    this.#open.dispose()
  }

  progress(): WindowProgress {
    return this.#open.progress()
  }

  #add(sides: Sides, { batch, keys }: KeyedBatch, input: number, emit: Emit): void {
    const memory = this.#memory
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
}
