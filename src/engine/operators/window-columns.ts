/** The columns window_start, window_end and window_time of rows of one window. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'

const MILLISECOND_US = 1000n

/** Constant columns for `count` rows, in the arena; `fields` are the three. */
export function windowColumns(
  memory: LinearMemory,
  fields: Schema,
  startUs: bigint,
  endUs: bigint,
  count: number,
): readonly Vector[] {
  return [startUs, endUs, endUs - MILLISECOND_US].map((value, index) => {
    const cells = memory.arena.allocate(8 * count)
    memory.i64.fill(value, cells / 8, cells / 8 + count)
    return { type: fields[index]!.type, cells, validity: 0 }
  })
}

/** As windowColumns, of rows with a window each. */
export function windowVectors(
  memory: LinearMemory,
  fields: Schema,
  startsUs: readonly bigint[],
  endsUs: readonly bigint[],
): readonly Vector[] {
  const lastsUs = endsUs.map((endUs) => endUs - MILLISECOND_US)
  return [startsUs, endsUs, lastsUs].map((values, index) => {
    const cells = memory.arena.allocate(8 * values.length)
    for (let at = 0; at < values.length; at++) memory.i64[cells / 8 + at] = values[at]!
    return { type: fields[index]!.type, cells, validity: 0 }
  })
}
