/**
 * How an operator evaluates expressions: the settings and the clock of the run, and what happens to a row that can't be computed.
 * It leaves the batch and goes to `$dead`; on updating input it stops the pipeline instead, since taking back a row that was
 * never let in would corrupt what is already counted: unless it is known that what is taken back fails as it did when it came.
 */
import type { EvaluationContext, Frame } from '../compile/compiled.ts'
import { type Batch, INSERT } from '../data/batch.ts'
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { Schema } from '../data/types.ts'
import { jsonText, rowReader } from '../data/values.ts'
import { MillraceError } from '../errors.ts'
import type { SideOutput } from './side-output.ts'

export interface RunSettings {
  readonly timeZone: string
  readonly overflow: 'wrap' | 'error'
}

/** What a node's operator works with. */
export interface OperatorContext {
  /** The node's id. */
  readonly node: string
  readonly memory: LinearMemory
  readonly settings: RunSettings
  readonly side: SideOutput
  /** True when the node's input takes rows back. */
  readonly inputUpdates?: boolean
  /** µs; one value a batch. */
  nowUs(): bigint
  /** In [0, 1), for RAND and UUID. */
  random?(): number
  /** Of the node; undefined before the first. */
  watermarkUs?(): bigint | undefined
  /** Counted and shown, by event. */
  count(event: string, rows: number): void
}

export interface Evaluation {
  /** Of all rows of the batch that are in it. */
  frameOf(batch: Batch): Frame
  /** `batch` without the rows that failed since the last call; they have gone to dead. */
  withoutFailed(batch: Batch): Batch
}

/** `schema` is the evaluated rows', for telling those that fail. */
export function evaluationOf(context: OperatorContext, schema: Schema): Evaluation {
  const { memory } = context
  const failed = new Map<
    number,
    { readonly reason: string; readonly always: boolean | undefined }
  >()
  const told = rowReader(schema)
  const evaluationContext: EvaluationContext = {
    nowUs: context.nowUs,
    ...(context.watermarkUs === undefined ? {} : { watermarkUs: context.watermarkUs }),
    timeZone: context.settings.timeZone,
    overflow: context.settings.overflow,
    fail: (row, reason, always) => {
      if (!failed.has(row)) failed.set(row, { reason, always })
    },
    count: context.count,
  }
  // A user's function says whether it fails always: if it may not, no row of an input that updates can be left out.
  const stops = (kinds: Pointer, row: number, always: boolean | undefined): boolean =>
    always === undefined
      ? kinds !== 0 && memory.u8[kinds + row] !== INSERT
      : !always && context.inputUpdates === true
  return {
    frameOf: ({ rowCount, columns, selection, count }) => ({
      memory,
      rowCount,
      columns,
      selection,
      count,
      context: evaluationContext,
    }),
    withoutFailed(batch) {
      if (failed.size === 0) return batch
      const left = { ...batch, ...rowsWithout(memory, batch, (row) => failed.has(row)) }
      for (const [row, { reason, always }] of failed) {
        if (stops(batch.kinds, row, always)) throw updatingRowFailed(context.node, reason)
        const text = jsonText(told(memory, batch.columns, row))
        context.side.dead({
          origin: context.node,
          split: '',
          position: '',
          reason,
          bytes: Buffer.from(text),
        })
      }
      failed.clear()
      return left
    },
  }
}

/** The selection of `batch` less the rows for which `leaves` is true, in the arena. */
export function rowsWithout(
  memory: LinearMemory,
  batch: Pick<Batch, 'selection' | 'count'>,
  leaves: (row: number) => boolean,
): { readonly selection: Pointer; readonly count: number } {
  const selection = memory.arena.allocate(4 * batch.count)
  const { u32 } = memory
  let count = 0
  for (let at = 0; at < batch.count; at++) {
    const row = batch.selection === 0 ? at : u32[(batch.selection >>> 2) + at]!
    if (!leaves(row)) u32[(selection >>> 2) + count++] = row
  }
  return { selection, count }
}

function updatingRowFailed(node: string, reason: string): MillraceError {
  return new MillraceError('ROW_UPDATING_FAILED', {
    message: `${node} can't compute a row that updates or takes back another: ${reason}`,
    hint: 'such a row cannot be set aside without corrupting what it updates: use TRY_CAST, or filter it out before the aggregation',
    facts: { node, reason },
  })
}
