/** Telling of single rows that came behind the watermark. */
import type { Batch } from '../../data/batch.ts'
import type { Schema } from '../../data/types.ts'
import { jsonText, rowReader } from '../../data/values.ts'
import type { OperatorContext } from '../evaluation.ts'

/** The window that a row missed. */
export interface MissedWindow {
  readonly windowStartUs: bigint
  readonly windowEndUs: bigint
}

/** Tells row `row` of a batch of `schema`, whose event time is in column `time`; `missed` of windowed nodes. */
export function lateTeller(
  { memory, side, node }: OperatorContext,
  schema: Schema,
  time: number,
): (
  batch: Pick<Batch, 'columns'>,
  row: number,
  watermarkUs: bigint,
  missed?: MissedWindow,
) => void {
  const readRow = rowReader(schema)
  return ({ columns }, row, watermarkUs, missed) => {
    side.late({
      node,
      ...missed,
      timeUs: memory.i64[columns[time]!.cells / 8 + row]!,
      watermarkUs,
      row: jsonText(readRow(memory, columns, row)),
    })
  }
}
