/** INSERT INTO: hands batches to the sink's writer. */
import type { ChangelogMode, SinkWriter } from '../../connectors/contract/sink.ts'
import { type Batch, UPDATE_BEFORE } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { type SinkNode, schemaOf } from '../../plan/nodes.ts'
import { rowsWithout } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { sinkChecks } from './sink-checks.ts'
import { stateless } from './stateless.ts'
import { upsertMaterializer } from './upsert-materialize.ts'

export function sinkOperator(
  plan: SinkNode,
  memory: LinearMemory,
  writer: SinkWriter,
  mode: ChangelogMode,
): Operator {
  let rows = 0
  const check = sinkChecks(plan, memory)
  const materializer =
    plan.materializes && upsertMaterializer(memory, schemaOf(plan.input), keyOf(plan))
  const operator = stateless(`sink(${plan.table.name})`, (given) => {
    const batch = materializer === undefined ? given : materializer.take(given)
    const told = mode === 'upsert' ? withoutUpdateBefore(memory, batch) : batch
    const wanted = check === undefined ? told : check(told)
    if (wanted.count === 0) return
    writer.write(wanted)
    rows += wanted.count
  })
  return { ...operator, ...materializer, rowsWritten: () => rows }
}

/** Columns of the primary key. */
function keyOf({ table }: SinkNode): readonly number[] {
  const written = table.columns.filter(
    (column) => column.kind === 'physical' || (column.kind === 'metadata' && !column.virtual),
  )
  return (table.primaryKey ?? []).map((name) => written.findIndex((each) => each.name === name))
}

/** An upsert by key needs no row to say what it replaces. */
function withoutUpdateBefore(memory: LinearMemory, batch: Batch): Batch {
  if (batch.kinds === 0) return batch
  const kept = rowsWithout(memory, batch, (row) => memory.u8[batch.kinds + row] === UPDATE_BEFORE)
  return { ...batch, ...kept }
}
