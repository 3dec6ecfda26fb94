/** Records that are the cells of their column as they stand: BYTES, and texts in UTF-8. No byte of them is copied. */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { isNull, selectedRows } from '../../data/values.ts'
import type { DeadRecord, DecodedRecords, FormatOptions } from '../format.ts'
import { selectGood } from '../selection.ts'

/** What the column's bytes must be; undefined: its cells are no bytes, or others than the record's. */
export function bytesOf(columns: Schema, options: FormatOptions): 'any' | 'utf-8' | undefined {
  switch (columns[0]?.type.kind) {
    case 'binary':
    case 'varbinary':
      return 'any'
    case 'char':
    case 'varchar':
      return (options['raw.charset'] ?? 'UTF-8') === 'UTF-8' ? 'utf-8' : undefined
    default:
      return undefined
  }
}

/** `columns` is the one column, or none where it is not wanted. Its cells are those of `values`, copied because they may stand unaligned. */
export function decodeInPlace(
  memory: LinearMemory,
  columns: Schema,
  values: Pointer,
  count: number,
  bytes: 'any' | 'utf-8',
): DecodedRecords {
  const dead: DeadRecord[] = []
  for (let row = 0; row < count; row++) {
    const words = (values >>> 2) + 2 * row
    const address = memory.u32[words]!
    if (address === 0) dead.push({ row, reason: 'the record has no value' })
    else if (bytes === 'utf-8' && !isUtf8(memory.u8, address, memory.u32[words + 1]!))
      dead.push({ row, reason: 'not valid UTF-8' })
  }
  const cells = memory.arena.allocate(8 * count)
  memory.u8.copyWithin(cells, values, values + 8 * count)
  return {
    columns: columns.map(({ type }) => ({ type, cells, validity: 0 })),
    rowCount: count,
    selection: dead.length === 0 ? 0 : selectGood(memory, count, dead),
    count: count - dead.length,
    kinds: 0,
    records: 0,
    dead,
  }
}

/** The cells of the selected rows; NULL is a record of no bytes. */
export function encodeInPlace(memory: LinearMemory, batch: Batch): Pointer {
  const vector = batch.columns[0]!
  const records = memory.arena.allocate(8 * batch.count)
  const nowhere = memory.arena.allocate(8)
  let to = records >>> 2
  for (const row of selectedRows(memory, batch)) {
    const none = isNull(memory, vector, row)
    const from = (vector.cells >>> 2) + 2 * row
    memory.u32[to++] = none ? nowhere : memory.u32[from]!
    memory.u32[to++] = none ? 0 : memory.u32[from + 1]!
  }
  return records
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Most texts are ASCII: only the others are decoded to see. */
function isUtf8(u8: Uint8Array, address: number, length: number): boolean {
  const end = address + length
  let at = address
  while (at < end && u8[at]! < 0x80) at++
  if (at === end) return true
  try {
    // A decoder takes no shared memory.
    utf8.decode(u8.slice(at, end))
    return true
  } catch {
    return false
  }
}
