/**
 * From a split's rows to the dataflow: computed columns, event time, the future guard, and the cuts that make a watermark a
 * function of rows.
 *
 * A batch is cut behind each row that moves the combined watermark to a point where a window fires, and before late rows behind one
 * that moves it at all; so every row meets the watermark of exactly the rows before it, however batches fall. Nearly always there
 * is no such row, and the batch goes on whole.
 */
import type { CompiledExpression } from '../compile/compiled.ts'
import { compileExpression, compileProjection } from '../compile/expression.ts'
import type { Polled } from '../connectors/contract/source.ts'
import type { Batch, Vector } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { DataType, Schema } from '../data/types.ts'
import { jsonText, rowReader } from '../data/values.ts'
import { type TimeKernel, timeKernel } from '../kernels/time.ts'
import { schemaOf, type WatermarkAssigner } from '../plan/nodes.ts'
import { heldByOthersUs } from '../time/watermarks.ts'
import { lateBeforeUs, nextBoundaryUs, WATERMARK_MAX, WATERMARK_MIN } from '../time/windows.ts'
import type { Cuts } from './dataflow.ts'
import { type Evaluation, evaluationOf, type OperatorContext, rowsWithout } from './evaluation.ts'
import type { SourceGraphNode } from './graph.ts'
import type { SourceSplit } from './source-split.ts'

export interface SourceStageOptions {
  readonly node: SourceGraphNode
  readonly context: OperatorContext
  /** Of what is below. */
  readonly cuts: Cuts
  /** How far ahead of its append time an event time may be; undefined: as far as it likes. */
  readonly futureBoundUs: bigint | undefined
  readonly splits: readonly SourceSplit[]
  /** Whether `accept` tells the rows' greatest event time. */
  readonly followsTime: boolean
  emit(batch: Batch): void
  /** The combined watermark after `restoredUs`. */
  moved(watermarkUs: bigint): void
  readonly restoredUs: bigint
  /** What splits of other workers hold the watermark to; absent, or undefined: they don't. */
  heldElsewhereUs?(): bigint | undefined
}

interface Step {
  readonly evaluation: Evaluation
  readonly expressions: readonly CompiledExpression[]
}

export class SourceStage {
  readonly #options: SourceStageOptions
  readonly #steps: readonly Step[]
  readonly #watermark: CompiledExpression | undefined
  readonly #evaluation: Evaluation
  /** Of rows that are none: what fails in them concerns nobody. */
  readonly #clockEvaluation: Evaluation
  readonly #kernel: TimeKernel
  readonly #readRow: ReturnType<typeof rowReader>
  #combinedUs: bigint

  constructor(options: SourceStageOptions) {
    const { node, context } = options
    const { memory } = context
    this.#options = options
    this.#steps = node.projects.map((project) => ({
      evaluation: evaluationOf(context, schemaOf(project.input)),
      expressions: compileProjection(project.expressions, context),
    }))
    const schema = schemaOfSource(node)
    this.#evaluation = evaluationOf(context, schema)
    this.#clockEvaluation = evaluationOf(context, schema)
    this.#watermark =
      node.assigner === undefined ? undefined : compileExpression(node.assigner.watermark, context)
    this.#kernel = timeKernel(memory)
    this.#readRow = rowReader(schema)
    this.#combinedUs = options.restoredUs
  }

  get combinedUs(): bigint {
    return this.#combinedUs
  }

  /**
   * Takes what `split` gave; its rows are dealt with when this returns. Their greatest event time, where that is followed and there
   * are rows.
   */
  accept(split: SourceSplit, polled: Polled): bigint | undefined {
    const { context, node } = this.#options
    const origin = node.origin.kind === 'scan' ? node.origin.table.name : 'values'
    for (const { bytes, reason, position } of polled.dead) {
      context.side.dead({ origin, split: split.id, position, reason, bytes })
    }
    const latestUs = this.#acceptRows(split, polled)
    const { watermarkUs } = polled
    if (watermarkUs !== undefined && watermarkUs > split.watermarkUs) {
      split.watermarkUs = watermarkUs
      this.settle()
    }
    return latestUs
  }

  #acceptRows(split: SourceSplit, polled: Polled): bigint | undefined {
    const { node } = this.#options
    let { batch } = polled
    for (const { evaluation, expressions } of this.#steps) {
      const frame = evaluation.frameOf(batch)
      const columns = expressions.map((expression) => expression.evaluate(frame))
      batch = { ...evaluation.withoutFailed(batch), columns }
    }
    if (node.assigner !== undefined && this.#watermark !== undefined)
      return this.#acceptTimed(split, batch, polled, node.assigner, this.#watermark)
    this.#options.emit(batch)
    return undefined
  }

  /** Splits have become idle, woken up or ended: the combined watermark may move by that alone. */
  settle(): void {
    const { splits } = this.#options
    let least: bigint | undefined
    for (const { idle, watermarkUs } of splits) {
      if (!idle && (least === undefined || watermarkUs < least)) least = watermarkUs
    }
    if (least === undefined || least <= this.#combinedUs) return
    this.#combinedUs = least
    this.#options.moved(least)
  }

  /**
   * The watermark is at least what it would be behind a row of this moment of which only the event time is known. True if it moved;
   * who asks tells the dataflow. A TIMESTAMP without a zone is taken for UTC.
   */
  followClock(nowUs: bigint): boolean {
    const { assigner } = this.#options.node
    if (assigner === undefined || this.#watermark === undefined) return false
    const { memory } = this.#options.context
    const mark = memory.arena.mark()
    const row = rowOfTime(memory, schemaOfSource(this.#options.node), assigner.rowtime, nowUs)
    const { cells, validity } = this.#watermark.evaluate(this.#clockEvaluation.frameOf(row))
    const followedUs = this.#kernel.greatest(cells, validity, 0, 1, this.#combinedUs)
    memory.arena.release(mark)
    if (followedUs <= this.#combinedUs) return false
    this.#combinedUs = followedUs
    return true
  }

  #acceptTimed(
    split: SourceSplit,
    given: Batch,
    polled: Polled,
    assigner: WatermarkAssigner,
    watermark: CompiledExpression,
  ): bigint | undefined {
    const timed = this.#withTime(split, given, polled, given.columns[assigner.rowtime]!)
    const batch = this.#withoutFuture(split, timed, polled, timed.columns[assigner.rowtime]!)
    const marks = watermark.evaluate(this.#evaluation.frameOf(batch))
    const good = this.#evaluation.withoutFailed(batch)
    const { cells } = batch.columns[assigner.rowtime]!
    this.#meter(split, good, cells)
    const latestUs =
      this.#options.followsTime && good.count > 0
        ? this.#kernel.greatest(cells, 0, good.selection, good.count, WATERMARK_MIN)
        : undefined
    this.#cut(split, good, batch.columns[assigner.rowtime]!, marks)
    return latestUs
  }

  /** Before the watermark moves by these rows. */
  #meter(split: SourceSplit, batch: Batch, times: Pointer): void {
    if (split.meter === undefined || batch.count === 0) return
    const { splits, heldElsewhereUs } = this.#options
    const hereUs = heldByOthersUs(splits, split)
    const elsewhereUs = heldElsewhereUs?.()
    const heldUs = leastUs(hereUs, elsewhereUs)
    const combinedUs = leastUs(this.#combinedUs, elsewhereUs) ?? this.#combinedUs
    split.meter.add(batch, times, { ownUs: split.watermarkUs, heldUs, combinedUs })
  }

  #withTime(split: SourceSplit, batch: Batch, polled: Polled, time: Vector): Batch {
    if (time.validity === 0) return batch
    const { memory } = this.#options.context
    const isNull = (row: number): boolean =>
      ((memory.u8[time.validity + (row >> 3)]! >> (row & 7)) & 1) === 0
    return this.#setAside(split, batch, polled, isNull, () => 'the event time is NULL')
  }

  #withoutFuture(split: SourceSplit, batch: Batch, polled: Polled, time: Vector): Batch {
    const { futureBoundUs, context } = this.#options
    const { appendTimeUs } = polled
    if (futureBoundUs === undefined) return batch
    const { memory } = context
    const nowUs = context.nowUs()
    const first = this.#kernel.firstAhead(
      time.cells,
      0,
      batch.selection,
      0,
      batch.count,
      appendTimeUs,
      nowUs,
      futureBoundUs,
    )
    if (first === batch.count) return batch
    const aheadUs = (row: number): bigint => {
      const appended = appendTimeUs === 0 ? 0n : memory.i64[appendTimeUs / 8 + row]!
      return memory.i64[time.cells / 8 + row]! - (appended === 0n ? nowUs : appended)
    }
    return this.#setAside(
      split,
      batch,
      polled,
      (row) => aheadUs(row) > futureBoundUs,
      (row) =>
        `the event time is ${aheadUs(row) / 1_000_000n} s ahead of the time the row was appended; at most ${futureBoundUs / 1_000_000n} s are believed`,
    )
  }

  /** Moves rows to dead, as JSON, with their reason. */
  #setAside(
    split: SourceSplit,
    batch: Batch,
    polled: Polled,
    leaves: (row: number) => boolean,
    reason: (row: number) => string,
  ): Batch {
    const { memory, side, node } = this.#options.context
    const origin = this.#options.node.origin
    return {
      ...batch,
      ...rowsWithout(memory, batch, (row) => {
        if (!leaves(row)) return false
        side.dead({
          origin: origin.kind === 'scan' ? origin.table.name : node,
          split: split.id,
          position: polled.positionOf?.(row) ?? '',
          reason: reason(row),
          bytes: Buffer.from(jsonText(this.#readRow(memory, batch.columns, row))),
        })
        return true
      }),
    }
  }

  #cut(split: SourceSplit, batch: Batch, time: Vector, marks: Vector): void {
    const { cuts, splits, emit } = this.#options
    const { cells, validity } = marks
    for (let from = 0; from < batch.count; ) {
      const heldUs = heldByOthersUs(splits, split)
      const boundaryUs = nextBoundaryUs(cuts.grids, this.#combinedUs)
      // Where another split holds the watermark below the boundary, no row of this one can move it there.
      const isHeld = heldUs !== undefined && heldUs < boundaryUs
      const at = isHeld
        ? batch.count
        : this.#kernel.firstReaching(
            cells,
            validity,
            batch.selection,
            from,
            batch.count,
            boundaryUs,
          )
      const reached = Math.min(at + 1, batch.count)
      const holdsStill = heldUs !== undefined && heldUs <= this.#combinedUs
      const end = holdsStill
        ? reached
        : this.#behindMove(
            batch,
            time,
            marks,
            from,
            this.#lateBehindMove(batch, time, marks, from, reached),
            split.watermarkUs,
            heldUs ?? WATERMARK_MAX,
          )
      const piece = this.#piece(batch, from, end)
      emit(piece)
      split.watermarkUs = this.#kernel.greatest(
        cells,
        validity,
        piece.selection,
        piece.count,
        split.watermarkUs,
      )
      this.settle()
      from = end
    }
  }

  /**
   * The first late row behind one that moves the watermark, or `end`: it is told the watermark of the rows before it, which is no
   * window's, so rows must be parted here though nothing fires.
   */
  #lateBehindMove(batch: Batch, time: Vector, marks: Vector, from: number, end: number): number {
    const beforeUs = lateBeforeUs(this.#options.cuts.grids, this.#combinedUs)
    const { selection } = batch
    const { cells, validity } = marks
    if (beforeUs === WATERMARK_MIN) return end
    const first = this.#kernel.firstBelow(time.cells, selection, from, end, beforeUs)
    if (first === end) return end
    const movedUs = this.#combinedUs + 1n
    const moves = this.#kernel.firstReaching(cells, validity, selection, from, end, movedUs)
    if (first > moves) return first
    return this.#kernel.firstBelow(time.cells, selection, Math.min(moves + 1, end), end, beforeUs)
  }

  /** The first row behind one that moves the watermark, and not far enough ahead of it, or `end`. */
  #behindMove(
    batch: Batch,
    time: Vector,
    { cells, validity }: Vector,
    from: number,
    end: number,
    splitUs: bigint,
    heldUs: bigint,
  ): number {
    const { aheadUs } = this.#options.cuts
    if (aheadUs === undefined) return end
    return this.#kernel.firstBehind(
      time.cells,
      cells,
      validity,
      batch.selection,
      from,
      end,
      splitUs,
      this.#combinedUs,
      heldUs,
      aheadUs,
    )
  }

  /** Rows [from, end) of the batch's selection. */
  #piece(batch: Batch, from: number, end: number): Batch {
    if (from === 0 && end === batch.count) return batch
    if (batch.selection !== 0)
      return { ...batch, selection: batch.selection + 4 * from, count: end - from }
    const { memory } = this.#options.context
    const selection = memory.arena.allocate(4 * (end - from))
    for (let at = from; at < end; at++) memory.u32[selection / 4 + at - from] = at
    return { ...batch, selection, count: end - from }
  }
}

function leastUs(left: bigint | undefined, right: bigint | undefined): bigint | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return left < right ? left : right
}

/** One row, all NULL but its time. */
function rowOfTime(memory: LinearMemory, schema: Schema, rowtime: number, timeUs: bigint): Batch {
  const columns = schema.map(({ type }) => nullOf(memory, type))
  const cells = memory.arena.allocate(CELL_BYTES_MAX)
  memory.i64[cells / 8] = timeUs
  columns[rowtime] = { type: schema[rowtime]!.type, cells, validity: 0 }
  return { rowCount: 1, columns, kinds: 0, selection: 0, count: 1 }
}

function nullOf(memory: LinearMemory, type: DataType): Vector {
  const cells = memory.arena.allocate(2 * CELL_BYTES_MAX)
  memory.u8.fill(0, cells, cells + 2 * CELL_BYTES_MAX)
  const vector = { type, cells, validity: cells + CELL_BYTES_MAX }
  if (type.kind !== 'row') return vector
  return { ...vector, children: type.fields.map((field) => nullOf(memory, field.type)) }
}

const CELL_BYTES_MAX = 16

export function schemaOfSource({ origin, projects }: SourceGraphNode): Schema {
  return projects.at(-1)?.schema ?? origin.schema
}

/** Where a source stands before any row. */
export const UNREAD_US: bigint = WATERMARK_MIN
/** Where a split stands that has ended by itself. */
export const ENDED_US: bigint = WATERMARK_MAX
