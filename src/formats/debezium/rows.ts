/** Rows to the envelopes that are written of them: what comes is a creation, what goes a deletion, as Flink writes. */
import { type Batch, DELETE, UPDATE_BEFORE, type Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { type Schema, types } from '../../data/types.ts'
import { selectedRows } from '../../data/values.ts'

const CREATED = 'c'.charCodeAt(0)
const DELETED = 'd'.charCodeAt(0)

/** A batch of `writtenEnvelope(schema)`, row for row: -U and -D are op d with `before`, +I and +U op c with `after`. */
export function envelopeBatch(memory: LinearMemory, batch: Batch, schema: Schema): Batch {
  const { rowCount, kinds } = batch
  const bitmapBytes = (rowCount + 7) >> 3
  const before = memory.arena.allocateCleared(bitmapBytes)
  const after = memory.arena.allocateCleared(bitmapBytes)
  const op = memory.arena.allocate(8 * rowCount)
  const letters = memory.arena.allocate(2)
  memory.u8[letters] = CREATED
  memory.u8[letters + 1] = DELETED
  const { u8, u32 } = memory
  for (const row of selectedRows(memory, batch)) {
    const kind = kinds === 0 ? 0 : u8[kinds + row]!
    const goes = kind === UPDATE_BEFORE || kind === DELETE
    u8[(goes ? before : after) + (row >> 3)]! |= 1 << (row & 7)
    u32[(op >>> 2) + 2 * row] = goes ? letters + 1 : letters
    u32[(op >>> 2) + 2 * row + 1] = 1
  }
  const rowOf = (validity: number): Vector => ({
    type: { kind: 'row', fields: schema, nullable: true },
    cells: 0,
    validity,
    children: batch.columns,
  })
  const columns = [rowOf(before), rowOf(after), { type: types.string, cells: op, validity: 0 }]
  return { ...batch, columns, kinds: 0 }
}
