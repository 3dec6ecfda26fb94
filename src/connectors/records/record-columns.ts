/** Columns of records made columns of rows. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { DecodedRecords } from '../../formats/format.ts'

/**
 * Columns of records as columns of rows, where a record stands for other than one row: `records` are the places of the rows' records.
 */
export function gathered(
  memory: LinearMemory,
  vector: Vector,
  { records, rowCount }: DecodedRecords,
): Vector {
  if (records === 0) return vector
  const place = (row: number): number => memory.u32[(records >>> 2) + row]!
  const validity =
    vector.validity === 0 ? 0 : memory.arena.allocateCleared(Math.ceil(rowCount / 64) * 8)
  if (validity !== 0)
    for (let row = 0; row < rowCount; row++)
      if (isSet(memory, vector.validity, place(row)))
        memory.u8[validity + (row >> 3)]! |= 1 << (row & 7)
  const children = vector.children?.map((child) =>
    gathered(memory, child, { records, rowCount } as DecodedRecords),
  )
  if (vector.type.kind === 'row')
    return { ...vector, validity, ...(children === undefined ? {} : { children }) }
  const words = vector.type.kind === 'decimal' && vector.type.precision > 18 ? 2 : 1
  const cells = memory.arena.allocate(rowCount * 8 * words)
  for (let row = 0; row < rowCount; row++)
    for (let word = 0; word < words; word++)
      memory.i64[(cells >>> 3) + row * words + word] =
        memory.i64[(vector.cells >>> 3) + place(row) * words + word]!
  return { ...vector, cells, validity }
}

export function isSet(memory: LinearMemory, bitmap: Pointer, row: number): boolean {
  return ((memory.u8[bitmap + (row >> 3)]! >> (row & 7)) & 1) !== 0
}

/** The key's columns, NULL where a record has no key. */
export function nullWhereAbsent(
  memory: LinearMemory,
  vector: Vector,
  keys: Pointer,
  count: number,
): Vector {
  const validity = memory.arena.allocateCleared(Math.ceil(count / 64) * 8)
  for (let row = 0; row < count; row++) {
    const isThere = memory.i64[(keys >>> 3) + row] !== 0n
    const isValue = vector.validity === 0 || isSet(memory, vector.validity, row)
    if (isThere && isValue) memory.u8[validity + (row >> 3)]! |= 1 << (row & 7)
  }
  return { ...vector, validity }
}
