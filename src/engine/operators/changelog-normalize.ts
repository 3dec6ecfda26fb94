/**
 * An upsert stream made a changelog with what was before.
 *
 *   in     +I and +U bring the row of a key, -U and -D (a tombstone, of which only the key counts) take it away
 *   out    +I, -U and +U, or -D with the whole row that was there; nothing for a repeated row or for a key that has none
 *   state  a row a key
 *
 * @see Flink, DeduplicateFunctionHelper.processLastRowOnChangelog
 */
import { type ChangelogNormalize, schemaOf } from '../../plan/nodes.ts'
import type { OperatorContext } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { latestRows } from './latest-rows.ts'

export function changelogNormalize(
  plan: ChangelogNormalize,
  { memory }: OperatorContext,
): Operator {
  const schema = schemaOf(plan)
  const keys = plan.keys.map((index) => schema[index]!.type)
  const rows = latestRows(memory, { keys, schema, dropsEqual: true })
  return {
    name: 'changelog-normalize',
    onBatch(batch, emit) {
      rows.add(
        batch,
        plan.keys.map((index) => batch.columns[index]!),
        emit,
      )
    },
    onWatermark() {},
    onEnd() {},
    snapshot: (writer) => rows.snapshot(writer),
    restore: (reader) => rows.restore(reader),
    dispose: () => rows.dispose(),
  }
}
