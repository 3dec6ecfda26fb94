/**
 * Record batches as a broker sends them, decoded whole into linear memory and handed out in pieces.
 *
 * The bytes are copied once, into a heap block; frames and checksums are checked there, and the cells point into the block (or into
 * one for what was compressed). A chunk outlives the arena: it is freed by whoever has read its last row.
 */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { decompress } from './compression.ts'
import { allocateCells, type CellsWanted, decodeBatch, recordKernels } from './frame-records.ts'
import { type Frame, findFrames } from './frames.ts'
import { type BatchHeader, COMPRESSION_MASK, HEADER_BYTES } from './record-batch.ts'

/** Cells as in ReadCells, of all rows; offsets are always there. */
export interface RecordChunk {
  readonly count: number
  readonly values: Pointer
  readonly keys: Pointer
  readonly headers: Pointer
  readonly offsets: Pointer
  /** µs as Kafka's consumers see them: under LogAppendTime the log's. */
  readonly timesUs: Pointer
  readonly appendTimesUs: Pointer
  /** Behind the last batch that was walked over, with or without rows. */
  readonly nextOffset: number
  free(): void
}

export interface ChunkRequest {
  readonly memory: LinearMemory
  readonly wanted: CellsWanted
  /** The batches, in as many pieces as they came. */
  readonly pieces: readonly Uint8Array[]
  /** Rows before it are left out. */
  readonly fromOffset: number
  /** Told every batch, control batches too, in order: true leaves its records out. */
  readonly skips?: (header: BatchHeader) => boolean
  /** For codecs that are not Node's. */
  readonly unpack?: (code: number, bytes: Uint8Array) => Uint8Array
  /** Checks checksums unless false. */
  readonly checksums?: boolean
  fail(what: string): Error
}

const CELL_BYTES = 8

interface Records {
  readonly header: BatchHeader
  readonly address: Pointer
  readonly bytes: number
}

/**
 * Undefined if there is no whole batch in the pieces.
 * @throws what `fail` makes of batches that are damaged
 */
export function decodeChunk(request: ChunkRequest): RecordChunk | undefined {
  const { memory, pieces, fromOffset, skips, fail } = request
  const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const held: { readonly pointer: Pointer; readonly bytes: number }[] = []
  const allocate = (size: number): Pointer => {
    const pointer = memory.allocate(size)
    held.push({ pointer, bytes: size })
    return pointer
  }
  const free = () => {
    for (const block of held.splice(0)) memory.free(block.pointer, block.bytes)
  }
  try {
    const block = allocate(Math.max(bytes, 1))
    let at = block
    for (const piece of pieces) {
      memory.u8.set(piece, at)
      at += piece.length
    }
    const { crc32c } = recordKernels(memory)
    const found = findFrames(
      memory.u8,
      request.checksums === false ? (address) => crcOf(memory, address) : crc32c,
      block,
      bytes,
      0,
      {
        recordsMax: Number.MAX_SAFE_INTEGER,
        untilOffset: Number.MAX_SAFE_INTEGER,
        highWatermark: Number.MAX_SAFE_INTEGER,
        nextOffset: fromOffset,
        hasGaps: true,
        verifiedPosition: -1,
        ...(skips === undefined ? {} : { skips }),
      },
      (position, what) => fail(`${what} (byte ${position} of ${bytes})`),
    )
    if (found.bytes === 0) {
      free()
      return undefined
    }
    const records = unpacked(request, found.frames, allocate)
    return {
      ...cellsOf(request, records, found.records, allocate),
      nextOffset: found.nextOffset,
      free,
    }
  } catch (error) {
    free()
    throw error
  }
}

/** What the batch says its checksum is: then it is right. */
function crcOf({ u8 }: LinearMemory, address: Pointer): number {
  // The checksum stands four bytes before what it covers.
  const at = address - 4
  return (((u8[at]! << 24) | (u8[at + 1]! << 16) | (u8[at + 2]! << 8) | u8[at + 3]!) >>>
    0) as number
}

/** Where the records of each batch lie, those that were compressed in one block of their own. */
function unpacked(
  { memory, unpack, fail }: ChunkRequest,
  frames: readonly Frame[],
  allocate: (bytes: number) => Pointer,
): Records[] {
  const open = unpack ?? decompress
  const contents = frames.map(({ header, address }) => {
    const code = header.attributes & COMPRESSION_MASK
    if (code === 0) return undefined
    try {
      return open(code, memory.u8.slice(address + HEADER_BYTES, address + header.bytes))
    } catch (cause) {
      const what = cause instanceof Error ? cause.message : String(cause)
      throw fail(`the records from offset ${header.baseOffset} on do not unpack: ${what}`)
    }
  })
  const bytes = contents.reduce((sum, content) => sum + (content?.length ?? 0), 0)
  let at = bytes === 0 ? 0 : allocate(bytes)
  return frames.map(({ header, address }, index) => {
    const content = contents[index]
    if (content === undefined)
      return { header, address: address + HEADER_BYTES, bytes: header.bytes - HEADER_BYTES }
    memory.u8.set(content, at)
    const records = { header, address: at, bytes: content.length }
    at += content.length
    return records
  })
}

function cellsOf(
  { memory, wanted, fromOffset, fail }: ChunkRequest,
  batches: readonly Records[],
  count: number,
  allocate: (bytes: number) => Pointer,
): Omit<RecordChunk, 'free' | 'nextOffset'> {
  if (count === 0)
    return { count, values: 0, keys: 0, headers: 0, offsets: 0, timesUs: 0, appendTimesUs: 0 }
  const cells = allocateCells(allocate, { ...wanted, offsets: true }, count)
  let row = 0
  for (const { header, ...records } of batches) {
    decodeBatch(memory, header, records, cells, row, 'timestamp-type', fail)
    row += header.recordCount
  }
  // The first batch may begin before the offset that was asked for.
  let first = 0
  while (first < count && Number(memory.i64[(cells.offsets >> 3) + first]!) < fromOffset) first++
  const moved = (pointer: Pointer) => (pointer === 0 ? 0 : pointer + first * CELL_BYTES)
  return {
    count: count - first,
    values: moved(cells.values),
    keys: moved(cells.keys),
    headers: moved(cells.headers),
    offsets: moved(cells.offsets),
    timesUs: moved(cells.timesUs),
    appendTimesUs: moved(cells.appendTimesUs),
  }
}

/** A validity bitmap in the arena for `count` cells of keys, headers or values: NULL where the cell is 0. */
export function cellValidity(memory: LinearMemory, cells: Pointer, count: number): Pointer {
  return recordKernels(memory).frame.validityOf(cells, count)
}
