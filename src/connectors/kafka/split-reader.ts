/** One partition as the engine polls it: chunks in pieces, decoded by the table's formats. */
import { type Batch, DELETE, UPDATE_AFTER, type Vector } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { DecodedRecords, RecordDecoder } from '../../formats/format.ts'
import type { RecordChunk } from '../../log/record-chunk.ts'
import type { DeadRow, Polled, PolledNow, SourceReader, SourceRequest } from '../contract/source.ts'
import { deadRows, whenPrepared } from '../decoding.ts'
import type { Feed } from './feed.ts'
import {
  type ChunkRows,
  type ColumnPlaces,
  cellsFrom,
  gathered,
  metadataColumns,
  nullWhereAbsent,
} from './record-columns.ts'

export interface SplitRequest {
  readonly request: SourceRequest
  /** Each record is the latest row of its key, or without a value takes it away. */
  readonly isUpsert: boolean
  readonly feed: Feed
  readonly memory: LinearMemory
  readonly columns: ColumnPlaces
  readonly values: RecordDecoder
  /** Undefined where no column comes from the key. */
  readonly keys: RecordDecoder | undefined
  /** Exclusive; undefined: it goes on. */
  readonly end: number | undefined
  readonly from: number
  /** False where the offset was saved: then it is known. */
  readonly isFound: boolean
  committed(offset: number): void
}

/** @throws from `poll` what ended the partition's reading */
export function splitReader(split: SplitRequest): SourceReader {
  const { feed, end } = split
  let position = split.from
  let chunk: RecordChunk | undefined
  let row = 0
  const decode = pieceDecoder(split)
  const offsetAt = (at: number) => Number(split.memory.i64[(chunk!.offsets >>> 3) + at]!)

  /** True if there is a row of a chunk to give. */
  function advance(): boolean {
    while (chunk === undefined || row >= chunk.count) {
      if (chunk !== undefined) {
        position = chunk.nextOffset
        chunk.free()
      }
      row = 0
      chunk = feed.take()
      if (chunk === undefined) return false
    }
    return true
  }

  function poll(rowsMax: number, stop: number): PolledNow | Promise<PolledNow> {
    const isDone = () => position >= stop
    const done = () => (end !== undefined && position >= end ? 'ended' : undefined)
    const gap = feed.gaps.shift()
    if (gap !== undefined) {
      position = gap.to
      return emptyBatch(split, `${position}`, [gapRow(feed, gap)])
    }
    if (isDone()) return done()
    if (!advance()) {
      if (feed.failure !== undefined) throw feed.failure
      if (isDone()) return done()
      return stop === Number.MAX_SAFE_INTEGER && feed.isAtEnd() ? undefined : 'waiting'
    }
    let to = Math.min(chunk!.count, row + rowsMax)
    while (to > row && offsetAt(to - 1) >= stop) to--
    if (to === row) {
      position = stop
      return done()
    }
    const rows: ChunkRows = { chunk: chunk!, from: row, count: to - row }
    row = to
    position = to < chunk!.count ? offsetAt(to) : chunk!.nextOffset
    const lag = Math.max(feed.highWatermark - position, 0)
    return decode(rows, `${position}`, lag)
  }

  return {
    ...(split.isFound ? { start: `${split.from}` } : {}),
    get trouble() {
      return feed.trouble
    },
    poll({ rowsMax, until }) {
      const stop = Math.min(
        until === undefined ? Number.MAX_SAFE_INTEGER : Number(until),
        end ?? Number.MAX_SAFE_INTEGER,
      )
      return poll(rowsMax, stop)
    },
    committed: async (at) => split.committed(Number(at)),
    async close() {
      chunk?.free()
      chunk = undefined
      feed.close()
      split.values.dispose()
      split.keys?.dispose()
    },
  }
}

type PieceDecoder = (rows: ChunkRows, next: string, lag: number) => Polled | Promise<Polled>

function pieceDecoder(split: SplitRequest): PieceDecoder {
  const { memory, values, keys, feed, columns, request, isUpsert } = split
  const metadata = metadataColumns(memory, feed)
  return (rows, next, lag) => {
    const { chunk, from, count } = rows
    const valueCells = cellsFrom(chunk.values, from)
    const keyCells = cellsFrom(chunk.keys, from)
    const use = (given: DecodedRecords, key: DecodedRecords | undefined): Polled => {
      const decoded = isUpsert ? withTombstones(memory, given, valueCells, count) : given
      const vectors = columns.places.map((place, column): Vector => {
        if (place.kind === 'value') {
          const value = decoded.columns[place.index]!
          return isUpsert ? nullWhereAbsent(memory, value, valueCells, count) : value
        }
        const vector =
          place.kind === 'metadata'
            ? metadata(place.key, request.schema[column]!, rows)
            : nullWhereAbsent(memory, key!.columns[place.index]!, keyCells, count)
        return gathered(memory, vector, decoded)
      })
      const position = (record: number): string =>
        `${memory.i64[(chunk.offsets >>> 3) + from + record]!}`
      const dead = deadRows(memory, valueCells, decoded, position)
      const selected = withoutDeadKeys(memory, decoded, key, keyCells)
      const batch: Batch = {
        rowCount: decoded.rowCount,
        columns: vectors,
        kinds: decoded.kinds,
        ...selected.rows,
      }
      return {
        batch,
        appendTimeUs: appendTimes(memory, cellsFrom(chunk.appendTimesUs, from), decoded),
        next,
        dead: [...dead, ...deadKeys(memory, keyCells, selected.dead, position)],
        lag,
      }
    }
    return whenPrepared(values, valueCells, count, (decoded) =>
      keys === undefined
        ? use(decoded, undefined)
        : whenPrepared(keys, keyCells, count, (key) => use(decoded, key)),
    ) as Polled | Promise<Polled>
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

function deadKeys(
  memory: LinearMemory,
  keyCells: Pointer,
  dead: readonly DeadKey[],
  positionOf: (record: number) => string,
): DeadRow[] {
  return dead.map(({ row, reason }) => {
    const words = (keyCells >>> 2) + 2 * row
    const address = memory.u32[words]!
    const bytes = memory.u8.slice(address, address + memory.u32[words + 1]!)
    return { bytes, reason: `the key: ${reason}`, position: positionOf(row), beforeRow: row }
  })
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

function gapRow(
  { topic, partition }: Feed,
  { from, to }: { readonly from: number; readonly to: number },
): DeadRow {
  const what = from < to ? 'are gone' : 'were truncated'
  return {
    bytes: new Uint8Array(),
    reason: `offsets ${Math.min(from, to)} to ${Math.max(from, to) - 1} of ${topic}[${partition}] ${what}`,
    position: `${from}`,
    beforeRow: 0,
  }
}

function emptyBatch({ request }: SplitRequest, next: string, dead: readonly DeadRow[]): Polled {
  const none = (type: Vector['type']): Vector => ({
    type,
    cells: 0,
    validity: 0,
    ...(type.kind === 'row' ? { children: type.fields.map((field) => none(field.type)) } : {}),
  })
  const columns = request.schema.map(({ type }) => none(type))
  return {
    batch: { rowCount: 0, columns, kinds: 0, selection: 0, count: 0 },
    appendTimeUs: 0,
    next,
    dead,
  }
}
