/**
 * ROW_NUMBER() = 1 ordered by a time attribute alone: the first row of each partition, or the last.
 *
 *   in     +I rows
 *   out    first, by arrival: each key's first row at once; by event time: when the watermark reaches it (see first-rows.ts)
 *          last: +I for a key's first row, then -U and +U for each that is not earlier (by arrival: and differs)
 *   state  an entry a key; the row itself where it may still be replaced
 *
 * @see Flink, ProcTimeDeduplicateKeepFirstRowFunction, ProcTimeDeduplicateKeepLastRowFunction, RowTimeDeduplicateFunction
 */
import { compileProjection } from '../../compile/expression.ts'
import type { Batch } from '../../data/batch.ts'
import { type Deduplicate, type Rank, schemaOf } from '../../plan/nodes.ts'
import { keyedTables } from '../../state/memory-table.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { firstRows } from './first-rows.ts'
import { latestByTime, latestRows } from './latest-rows.ts'

const TABLE = 'keys'

/** Where the node's watermark stood in the restored checkpoint: `watermarkUs`. */
export function deduplicate(
  plan: Deduplicate,
  context: OperatorContext,
  watermarkUs: bigint,
): Operator {
  const schema = schemaOf(plan)
  const keyTypes = plan.partition.map(({ type }) => type)
  const isByArrival = plan.timeDomain === 'processing'
  const keysOf = keysEvaluator(plan, context)
  if (plan.keep === 'last') {
    const rows = latestRows(context.memory, {
      keys: keyTypes,
      schema,
      dropsEqual: isByArrival,
      tellsEach: false,
      ...(isByArrival ? {} : { order: latestByTime(plan.time) }),
    })
    return {
      name: 'deduplicate(last)',
      onBatch(batch, emit) {
        const { good, keys } = keysOf(batch)
        rows.add(good, keys, emit)
      },
      onWatermark() {},
      onEnd() {},
      snapshot: (writer) => rows.snapshot(writer),
      restore: (reader) => rows.restore(reader),
      dispose: () => rows.dispose(),
    }
  }
  if (isByArrival) return firstByArrival(plan, context)
  const rows = firstRows(context, keyTypes, schema, plan.time, watermarkUs)
  return {
    name: 'deduplicate(first)',
    onBatch(batch) {
      const { good, keys } = keysOf(batch)
      rows.add(good, keys)
    },
    onWatermark: (reachedUs, emit) => rows.fire(reachedUs, emit),
    onEnd() {},
    snapshot: (writer) => rows.snapshot(writer),
    restore: (reader) => rows.restore(reader),
    dispose: () => rows.dispose(),
  }
}

/** Over rows that are taken back it is a top 1 by time: all rows are kept, for another to take the place of one that goes. */
export function rankOfDeduplicate({ input, partition, time, keep }: Deduplicate): Rank {
  const schema = schemaOf(input)
  const descending = keep === 'last'
  const expression = { kind: 'column', index: time, type: schema[time]!.type } as const
  return {
    kind: 'rank',
    input,
    function: 'ROW_NUMBER',
    partition,
    order: [{ expression, descending, nullsFirst: !descending }],
    from: 1,
    to: 1,
    outputsNumber: false,
    schema,
  }
}

function keysEvaluator(plan: Deduplicate, context: OperatorContext) {
  const evaluation = evaluationOf(context, schemaOf(plan))
  const partition = compileProjection(plan.partition, context)
  return (batch: Batch) => {
    const frame = evaluation.frameOf(batch)
    const keys = partition.map((key) => key.evaluate(frame))
    return { good: evaluation.withoutFailed(batch), keys }
  }
}

/** Of each key that row alone that is its first. */
function firstByArrival(plan: Deduplicate, context: OperatorContext): Operator {
  const { memory } = context
  const keysOf = keysEvaluator(plan, context)
  // 1 once the key has come.
  const keys = plan.partition.map(({ type }) => type)
  const table = keyedTables(memory, { keys, values: ['i64'] })()
  const cameOffset = table.valueOffset(0)
  return {
    name: 'deduplicate(first)',
    onBatch(batch, emit) {
      const { good, keys } = keysOf(batch)
      const { count, selection } = good
      if (count === 0) return
      const entries = memory.arena.allocate(4 * count)
      if (table.upsert({ count, selection, keys }, entries) === 0) return
      const rows = memory.arena.allocate(4 * count)
      const { u32 } = memory
      let firsts = 0
      for (let at = 0; at < count; at++) {
        const came = (u32[entries / 4 + at]! + cameOffset) / 4
        if (u32[came] === 1) continue
        u32[came] = 1
        u32[rows / 4 + firsts++] = selection === 0 ? at : u32[selection / 4 + at]!
      }
      emit({ ...good, selection: rows, count: firsts })
    },
    onWatermark() {},
    onEnd() {},
    snapshot(writer) {
      writer.table(TABLE, (sink) => table.writeChanges(sink))
    },
    restore(reader) {
      const source = reader.source(TABLE)
      if (source !== undefined) table.restore(source)
    },
    dispose() {
      table.dispose()
    },
  }
}
