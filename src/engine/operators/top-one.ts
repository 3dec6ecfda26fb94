/**
 * The first row of each partition where nothing is taken back: one row a key, replaced by those that come before it in the order.
 *
 * @see Flink, FastTop1Function
 */
import { compileProjection } from '../../compile/expression.ts'
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { type Rank, schemaOf } from '../../plan/nodes.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { latestRows } from './latest-rows.ts'
import { sortColumns, sortOrder } from './sort-order.ts'

/** `plan` is of numbers 1 to 1. */
export function topOne(plan: Rank, context: OperatorContext): Operator {
  const { memory } = context
  const schema = schemaOf(plan.input)
  const evaluation = evaluationOf(context, schema)
  const partition = compileProjection(plan.partition, context)
  const columns = sortColumns(memory, schema, plan.order)
  const rows = latestRows(memory, {
    keys: plan.partition.map(({ type }) => type),
    schema: columns.types.map((type, index) => ({ name: `${index}`, type })),
    dropsEqual: false,
    tellsEach: false,
    order: (held) => {
      const { compareRow, compareRows } = sortOrder(memory, columns.keys, held)
      return {
        overEntry: (vectors, row, entry) => compareRow(vectors, row, entry) < 0,
        overRow: (vectors, row, other) => compareRows(vectors, row, other) < 0,
      }
    },
  })
  const told = (batch: Batch): Batch => ({
    ...batch,
    columns: [
      ...batch.columns.slice(0, schema.length),
      ...(plan.outputsNumber ? [ones(memory, plan, batch.rowCount)] : []),
    ],
  })
  return {
    name: 'rank(1)',
    onBatch(batch, emit) {
      const frame = evaluation.frameOf(batch)
      const keys = partition.map((key) => key.evaluate(frame))
      const kept = columns.of(frame)
      rows.add({ ...evaluation.withoutFailed(batch), columns: kept }, keys, (changes) =>
        emit(told(changes)),
      )
    },
    onWatermark() {},
    onEnd() {},
    snapshot: (writer) => rows.snapshot(writer),
    restore: (reader) => rows.restore(reader),
    dispose: () => rows.dispose(),
  }
}

function ones(memory: LinearMemory, { schema }: Rank, count: number): Vector {
  const cells = memory.arena.allocate(8 * count)
  memory.i64.fill(1n, cells / 8, cells / 8 + count)
  return { type: schema.at(-1)!.type, cells, validity: 0 }
}
