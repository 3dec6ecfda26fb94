/** A chunk's rows as the columns of a table: the value's, the key's, and what the record has besides. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Field } from '../../data/types.ts'
import { cellValidity, type RecordChunk } from '../../log/record-chunk.ts'
import { headerMaps } from '../log/header-maps.ts'
import type { RecordPiece } from '../records/record-rows.ts'
import type { TopicPartition } from './offsets.ts'

const CELL_BYTES = 8

/** Rows [from, from + count) of a chunk. */
export interface ChunkRows extends RecordPiece {
  readonly chunk: RecordChunk
  readonly from: number
}

export function chunkRows(
  memory: LinearMemory,
  chunk: RecordChunk,
  from: number,
  count: number,
): ChunkRows {
  return {
    chunk,
    from,
    count,
    values: cellsFrom(chunk.values, from),
    keys: cellsFrom(chunk.keys, from),
    appendTimesUs: cellsFrom(chunk.appendTimesUs, from),
    positionOf: (record) => `${memory.i64[(chunk.offsets >>> 3) + from + record]!}`,
  }
}

/** Cells of the rows; 0 stays 0. */
function cellsFrom(pointer: Pointer, from: number): Pointer {
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
