/**
 * An upsert stream made a changelog with what was before.
 *
 *   in     +I and +U bring the row of a key, -D (a tombstone, of which only the key counts) takes it away; what a -U says is known
 *   out    +I, -U and +U, or -D with the whole row that was there; nothing for a repeated row or for a key that has none
 *   state  a row a key
 *
 * @see Flink, DeduplicateFunctionHelper.processLastRowOnChangelog
 */
import { UPDATE_BEFORE } from '../../data/batch.ts'
import { type ChangelogNormalize, schemaOf } from '../../plan/nodes.ts'
import { type OperatorContext, rowsWithout } from '../evaluation.ts'
import type { Operator } from '../operator.ts'
import { latestRows } from './latest-rows.ts'

export function changelogNormalize(
  plan: ChangelogNormalize,
  { memory }: OperatorContext,
): Operator {
  const schema = schemaOf(plan)
  const keys = plan.keys.map((index) => schema[index]!.type)
  const rows = latestRows(memory, {
    keys,
    schema,
    dropsEqual: true,
    tellsEach: plan.eachVersion === true,
  })
  return {
    name: 'changelog-normalize',
    onBatch(batch, emit) {
      const isKnown = (row: number): boolean =>
        batch.kinds !== 0 && memory.u8[batch.kinds + row] === UPDATE_BEFORE
      const keys = plan.keys.map((index) => batch.columns[index]!)
      rows.add({ ...batch, ...rowsWithout(memory, batch, isKnown) }, keys, emit)
    },
    onWatermark() {},
    onEnd() {},
    snapshot: (writer) => rows.snapshot(writer),
    restore: (reader) => rows.restore(reader),
    dispose: () => rows.dispose(),
  }
}
