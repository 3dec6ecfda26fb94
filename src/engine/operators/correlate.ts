/**
 * Each row with the rows that a function makes of it: UNNEST of an ARRAY (of ROWs: their fields) or a MAP, with ordinality or without;
 * REPLICATE_ROWS(count, columns ...). No state: each change is made as many as the row has.
 *
 * @see Flink, StreamExecCorrelate, UnnestRowsFunction and ReplicateRowsFunction
 */
import { compilePredicate, compileProjection } from '../../compile/expression.ts'
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { type Correlate, schemaOf } from '../../plan/nodes.ts'
import { evaluationOf, type OperatorContext } from '../evaluation.ts'
import type { Emit, Operator } from '../operator.ts'
import { positionsWhere, rowAt } from './join-side.ts'
import { nullVectors, rowsAt } from './joined-rows.ts'
import { emitChanges } from './row-picks.ts'
import { stateless } from './stateless.ts'
import { type Made, type TableFunction, tableFunctionOf } from './table-functions.ts'

/** Rows made at a time. */
const MADE_MAX = 8192

export function correlate(plan: Correlate, context: OperatorContext): Operator {
  const { memory } = context
  const args = compileProjection(plan.args, context)
  const evaluation = evaluationOf(context, schemaOf(plan.input))
  const make = tableFunctionOf(plan, memory)
  const holds = conditionOf(plan, context)
  const made = plan.schema.slice(schemaOf(plan.input).length)
  return stateless(`correlate(${plan.function})`, (given, emit) => {
    const frame = evaluation.frameOf(given)
    const values = args.map((arg) => arg.evaluate(frame))
    const batch = evaluation.withoutFailed(given)
    if (batch.count === 0) return
    const tell: Emit = (changes) => emitChanges(memory, changes, given.count === 1, emit)
    const met = new Uint8Array(batch.rowCount)
    forEachMade(memory, batch, values, make, (rows) => {
      const kinds = kindsAt(memory, batch, rows.rows, rows.count)
      const columns = [
        ...rowsAt(memory, batch.columns, rows.rows, rows.count),
        ...make.columnsOf(values, rows),
      ]
      const { count } = rows
      const held = holds({ rowCount: count, columns, kinds, selection: 0, count })
      for (let at = 0; at < held.count; at++)
        met[memory.u32[rows.rows / 4 + rowAt(memory, held, at)]!] = 1
      tell(held)
    })
    if (plan.type !== 'left') return
    const alone = positionsWhere(memory, batch, (row) => met[row] === 0)
    if (alone.count === 0) return
    const { rows, count } = alone
    const columns = [
      ...rowsAt(memory, batch.columns, rows, count),
      ...nullVectors(memory, made, count),
    ]
    tell({
      rowCount: count,
      columns,
      kinds: kindsAt(memory, batch, rows, count),
      selection: 0,
      count,
    })
  })
}

/** All that is made of the batch, so many rows at a time. */
function forEachMade(
  memory: LinearMemory,
  batch: Batch,
  values: readonly Vector[],
  make: TableFunction,
  visit: (made: Made) => void,
): void {
  let mark = memory.arena.mark()
  let rows = 0
  let indexes = 0
  let count = 0
  const start = (): void => {
    mark = memory.arena.mark()
    rows = memory.arena.allocate(4 * MADE_MAX)
    indexes = memory.arena.allocate(4 * MADE_MAX)
    count = 0
  }
  const flush = (): void => {
    if (count > 0) visit({ rows, indexes, count })
    memory.arena.release(mark)
  }
  start()
  for (let position = 0; position < batch.count; position++) {
    const row = rowAt(memory, batch, position)
    const entries = make.entriesOf(values, row)
    const many = typeof entries === 'number' ? entries : entries.length
    for (let at = 0; at < many; at++) {
      memory.u32[rows / 4 + count] = row
      memory.u32[indexes / 4 + count++] = typeof entries === 'number' ? at : entries[at]!
      if (count < MADE_MAX) continue
      flush()
      start()
    }
  }
  flush()
}

function conditionOf(plan: Correlate, context: OperatorContext): (batch: Batch) => Batch {
  if (plan.condition === undefined) return (batch) => batch
  const predicate = compilePredicate(plan.condition, context)
  const evaluation = evaluationOf(context, plan.schema)
  return (batch) => {
    const selected = predicate.select(evaluation.frameOf(batch))
    return evaluation.withoutFailed({ ...batch, ...selected })
  }
}

function kindsAt(memory: LinearMemory, { kinds }: Batch, rows: Pointer, count: number): Pointer {
  if (kinds === 0) return 0
  const out = memory.arena.allocate(count)
  const { u8, u32 } = memory
  for (let at = 0; at < count; at++) u8[out + at] = u8[kinds + u32[rows / 4 + at]!]!
  return out
}
