/**
 * Records of a log as rows of a table: what is in the value, in the key and beside them, and which rows a record stands for.
 *
 * Of an upsert table each record is the latest row of its key: +U, or -D where it has no value (a tombstone).
 */
import { type Batch, DELETE, UPDATE_AFTER, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Field, Schema } from '../../data/types.ts'
import type { DecodedRecords, RecordDecoder } from '../../formats/format.ts'
import type { Polled, Position } from '../contract/source.ts'
import { deadRows, rowPositions, whenPrepared } from '../decoding.ts'
import type { ColumnPlaces } from './key-fields.ts'
import { gathered, nullWhereAbsent } from './record-columns.ts'

/** Records in linear memory: cells by place. */
export interface RecordPiece {
  readonly count: number
  /** Cells of bytes, 0 = none. */
  readonly values: Pointer
  /** The same; 0 where they are not wanted. */
  readonly keys: Pointer
  /** i64 µs. */
  readonly appendTimesUs: Pointer
  positionOf(record: number): Position
}

export interface RowsRequest<Piece extends RecordPiece> {
  readonly memory: LinearMemory
  /** Of the scan. */
  readonly schema: Schema
  readonly columns: ColumnPlaces
  readonly values: RecordDecoder
  /** Undefined where no column comes from the key. */
  readonly keys: RecordDecoder | undefined
  readonly isUpsert: boolean
  /** A column that is neither in the value nor in the key, a cell a record. */
  metadata(key: string, field: Field, piece: Piece): Vector
}

export type RowsDecoder<Piece extends RecordPiece> = <Result>(
  piece: Piece,
  use: (rows: Omit<Polled, 'next'>) => Result,
) => Result | Promise<Result>

export function rowsDecoder<Piece extends RecordPiece>(
  request: RowsRequest<Piece>,
): RowsDecoder<Piece> {
  const { values, keys } = request
  return (piece, use) =>
    whenPrepared(values, piece.values, piece.count, (decoded) =>
      keys === undefined
        ? use(rowsOf(request, piece, decoded, undefined))
        : whenPrepared(keys, piece.keys, piece.count, (key) =>
            use(rowsOf(request, piece, decoded, key)),
          ),
    ) as ReturnType<typeof use> | Promise<ReturnType<typeof use>>
}

function rowsOf<Piece extends RecordPiece>(
  { memory, schema, columns, isUpsert, metadata }: RowsRequest<Piece>,
  piece: Piece,
  given: DecodedRecords,
  key: DecodedRecords | undefined,
): Omit<Polled, 'next'> {
  const { values, keys, count, positionOf } = piece
  const decoded = isUpsert ? withTombstones(memory, given, values, count) : given
  const vectors = columns.places.map((place, column): Vector => {
    if (place.kind === 'value') {
      const value = decoded.columns[place.index]!
      return isUpsert ? nullWhereAbsent(memory, value, values, count) : value
    }
    const vector =
      place.kind === 'metadata'
        ? metadata(place.key, schema[column]!, piece)
        : nullWhereAbsent(memory, key!.columns[place.index]!, keys, count)
    return gathered(memory, vector, decoded)
  })
  const selected = withoutDeadKeys(memory, decoded, key, keys)
  const { rowCount, kinds } = decoded
  const batch: Batch = { rowCount, columns: vectors, kinds, ...selected.rows }
  const broken = { ...decoded, dead: selected.dead }
  return {
    batch,
    appendTimeUs: appendTimes(memory, piece.appendTimesUs, decoded),
    positionOf: rowPositions(memory, decoded, positionOf),
    dead: [
      ...deadRows(memory, values, decoded, positionOf),
      ...deadRows(memory, keys, broken, positionOf).map((row) => ({
        ...row,
        reason: `the key: ${row.reason}`,
      })),
    ].sort((one, other) => one.beforeRow - other.beforeRow),
  }
}

/** Every record with the kind of its row: one without a value takes the key's row away. */
function withTombstones(
  memory: LinearMemory,
  decoded: DecodedRecords,
  valueCells: Pointer,
  count: number,
): DecodedRecords {
  const isTombstone = (row: number) => memory.i64[(valueCells >>> 3) + row] === 0n
  const dead = decoded.dead.filter(({ row }) => !isTombstone(row))
  const kinds = memory.arena.allocate(count)
  const selection = memory.arena.allocate(4 * count)
  let selected = 0
  for (let row = 0, next = 0; row < count; row++) {
    memory.u8[kinds + row] = isTombstone(row) ? DELETE : UPDATE_AFTER
    if (dead[next]?.row === row) next++
    else memory.u32[(selection >>> 2) + selected++] = row
  }
  return { ...decoded, dead, kinds, selection, count: selected }
}

interface DeadKey {
  readonly row: number
  readonly reason: string
}

/** Rows whose key is there and does not decode are dead too. */
function withoutDeadKeys(
  memory: LinearMemory,
  decoded: DecodedRecords,
  key: DecodedRecords | undefined,
  keyCells: Pointer,
): { readonly rows: { selection: Pointer; count: number }; readonly dead: DeadKey[] } {
  const { selection, count } = decoded
  const rows = { selection, count }
  if (key === undefined || key.dead.length === 0) return { rows, dead: [] }
  const broken = key.dead.filter(({ row }) => memory.i64[(keyCells >>> 3) + row] !== 0n)
  if (broken.length === 0) return { rows, dead: [] }
  const places = new Set(broken.map(({ row }) => row))
  const kept = memory.arena.allocate(4 * count)
  let keptCount = 0
  const found = new Set<number>()
  for (let at = 0; at < count; at++) {
    const row = selection === 0 ? at : memory.u32[(selection >>> 2) + at]!
    const record = decoded.records === 0 ? row : memory.u32[(decoded.records >>> 2) + row]!
    if (places.has(record)) found.add(record)
    else memory.u32[(kept >>> 2) + keptCount++] = row
  }
  return {
    rows: { selection: kept, count: keptCount },
    dead: broken.filter(({ row }) => found.has(row)),
  }
}

function appendTimes(memory: LinearMemory, cells: Pointer, decoded: DecodedRecords): Pointer {
  if (decoded.records === 0) return cells
  const times = memory.arena.allocate(8 * decoded.rowCount)
  for (let row = 0; row < decoded.rowCount; row++) {
    const record = memory.u32[(decoded.records >>> 2) + row]!
    memory.i64[(times >>> 3) + row] = memory.i64[(cells >>> 3) + record]!
  }
  return times
}
