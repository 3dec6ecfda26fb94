/** A chunk's rows as the columns of a table: the value's, the key's, and what the record has besides. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Field, Schema } from '../../data/types.ts'
import type { DecodedRecords } from '../../formats/format.ts'
import { cellValidity, type RecordChunk } from '../../log/record-chunk.ts'
import { headerMaps } from '../log/header-maps.ts'
import type { TopicPartition } from './offsets.ts'

const CELL_BYTES = 8

/** Rows [from, from + count) of a chunk. */
export interface ChunkRows {
  readonly chunk: RecordChunk
  readonly from: number
  readonly count: number
}

/** Cells of the rows; 0 stays 0. */
export function cellsFrom(pointer: Pointer, from: number): Pointer {
  return pointer === 0 ? 0 : pointer + from * CELL_BYTES
}

export type MetadataColumn = (key: string, field: Field, rows: ChunkRows) => Vector

/** The columns that are neither in the value nor in the key. Their cells serve every type that a table may declare them with. */
export function metadataColumns(
  memory: LinearMemory,
  { topic, partition }: TopicPartition,
): MetadataColumn {
  const constant = (value: bigint, count: number): Pointer => {
    const cells = memory.arena.allocate(count * CELL_BYTES)
    memory.i64.fill(value, cells >>> 3, (cells >>> 3) + count)
    return cells
  }
  const text = (value: string): bigint => {
    const bytes = new TextEncoder().encode(value)
    const address = memory.arena.allocate(bytes.length)
    memory.u8.set(bytes, address)
    return BigInt.asIntN(64, BigInt(address) | (BigInt(bytes.length) << 32n))
  }
  return (key, { type }, { chunk, from, count }) => {
    switch (key) {
      case 'offset':
        return { type, cells: cellsFrom(chunk.offsets, from), validity: 0 }
      case 'timestamp':
        return { type, cells: cellsFrom(chunk.timesUs, from), validity: 0 }
      case 'timestamp-type': {
        const cells = constant(text('CreateTime'), count)
        const appended = text('LogAppendTime')
        const times = (cellsFrom(chunk.appendTimesUs, from) >>> 3) as number
        for (let row = 0; row < count; row++)
          if (memory.i64[times + row] !== 0n) memory.i64[(cells >>> 3) + row] = appended
        return { type, cells, validity: 0 }
      }
      case 'headers': {
        const cells = headerMaps(memory, cellsFrom(chunk.headers, from), count)
        return { type, cells: withoutNull(memory, cells, count), validity: 0 }
      }
      case 'partition':
        return { type, cells: constant(BigInt(partition), count), validity: 0 }
      case 'topic':
        return { type, cells: constant(text(topic), count), validity: 0 }
      default: {
        const cells = cellsFrom(chunk.keys, from)
        return { type, cells, validity: cellValidity(memory, cells, count) }
      }
    }
  }
}

/** A record without headers has an empty map. */
function withoutNull(memory: LinearMemory, cells: Pointer, count: number): Pointer {
  const empty = memory.arena.allocateCleared(CELL_BYTES)
  const cell = BigInt.asIntN(64, BigInt(empty) | (BigInt(CELL_BYTES) << 32n))
  const at = cells >>> 3
  for (let row = 0; row < count; row++) if (memory.i64[at + row] === 0n) memory.i64[at + row] = cell
  return cells
}

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
  const cells = memory.arena.allocate(rowCount * CELL_BYTES * words)
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

/** Which column of a table is which: names of the key's fields without their prefix. */
export interface ColumnPlaces {
  /** For each column of the schema: in the value, in the key, or metadata. */
  readonly places: readonly ColumnPlace[]
  readonly valueSchema: Schema
  readonly keySchema: Schema
}

export type ColumnPlace =
  | { readonly kind: 'value' | 'key'; readonly index: number }
  | { readonly kind: 'metadata'; readonly key: string }
