/** How an upsert topic says that a key's row is gone: a record without a value. */
import { type Batch, DELETE } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { selectedRows } from '../../data/values.ts'

/** Of the selected rows' values, cells by position, those of rows that go become NULL. */
export function withoutDeleted(memory: LinearMemory, batch: Batch, values: Pointer): void {
  if (batch.kinds === 0) return
  let at = values >>> 3
  for (const row of selectedRows(memory, batch)) {
    if (memory.u8[batch.kinds + row] === DELETE) memory.i64[at] = 0n
    at++
  }
}
