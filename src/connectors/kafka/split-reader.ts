/** One partition as the engine polls it: chunks in pieces, decoded by the table's formats. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { RecordDecoder } from '../../formats/format.ts'
import type { RecordChunk } from '../../log/record-chunk.ts'
import type { DeadRow, Polled, PolledNow, SourceReader, SourceRequest } from '../contract/source.ts'
import type { ColumnPlaces } from '../records/key-fields.ts'
import { rowsDecoder } from '../records/record-rows.ts'
import type { Feed } from './feed.ts'
import { type ChunkRows, chunkRows, metadataColumns } from './record-columns.ts'

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
  const { feed, end, memory } = split
  let position = split.from
  let chunk: RecordChunk | undefined
  let row = 0
  const decode = pieceDecoder(split)
  const offsetAt = (at: number) => Number(memory.i64[(chunk!.offsets >>> 3) + at]!)

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
    const rows = chunkRows(memory, chunk!, row, to - row)
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
  const { memory, feed, request, columns, values, keys, isUpsert } = split
  const metadata = metadataColumns(memory, feed)
  const { schema } = request
  const decode = rowsDecoder({ memory, schema, columns, values, keys, isUpsert, metadata })
  return (rows, next, lag) => decode(rows, (polled) => ({ ...polled, next, lag }))
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
