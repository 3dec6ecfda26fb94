/**
 * Reads a partition forward, batches straight into linear memory, from any thread or process and without a lock.
 *
 * A poll reads one block of the segment into the arena, checks the frames and checksums of the batches that are whole in it, and
 * decodes them to cells that point into the block. What is left of the block is read again by the next poll: little, and it
 * saves keeping memory that outlives the arena.
 */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import { MillraceError } from '../errors.ts'
import type { FileHandle } from '../ports/files.ts'
import type { Ports } from '../ports/ports.ts'
import { type ScanEnd, scanBatches } from './batch-scan.ts'
import { decompress } from './compression.ts'
import {
  allocateCells,
  decodeBatch,
  type ReadCells,
  type RecordKernels,
  recordKernels,
} from './frame-records.ts'
import { type FoundFrames, type Frame, type FrameLimit, findFrames } from './frames.ts'
import { highWatermarkPath, type Published, readPublished } from './high-watermark.ts'
import { offsetOutOfRange } from './lookup.ts'
import { COMPRESSION_MASK, HEADER_BYTES, LENGTH_AT, PREFIX_BYTES } from './record-batch.ts'
import { damaged } from './recovery.ts'
import { listSegments, segmentPath, segmentsFrom } from './segment.ts'
import { lookUpOffset } from './segment-index.ts'
import { partitionDirectory, requireTopic } from './topics.ts'

export interface LogReaderRequest {
  readonly ports: Ports
  readonly dataDirectory: string
  readonly topic: string
  readonly partition: number
  readonly memory: LinearMemory
  readonly startOffset: number
  /** Which cells are wanted besides values and append times. */
  readonly keys?: boolean
  readonly headers?: boolean
  readonly offsets?: boolean
  /** The producers' times. */
  readonly times?: boolean
}

export interface ReadLimit {
  readonly recordsMax: number
  /** Read no record at or beyond this offset. */
  readonly untilOffset?: number
}

/** Cells in the arena, 0 unless asked for; `timesUs` are the producers' times. */
export interface ReadRecords extends ReadCells {
  readonly count: number
  /** Of the batches that the records are from: 0 says that none is NULL. */
  readonly nullValues: number
  /** The offset of a row. */
  offsetOf(row: number): number
  /** Where to go on. */
  readonly nextOffset: number
}

interface OpenSegment {
  readonly baseOffset: number
  readonly path: string
  readonly file: FileHandle
  /** In the file, of the batch to read next. */
  position: number
}

const CELL_BYTES = 8
const BLOCK_BYTES_MIN = 64 << 10
const BLOCK_BYTES_MAX = 1 << 20

/** @throws LOG_TOPIC_MISSING, LOG_OFFSET_OUT_OF_RANGE */
export function openReader(request: LogReaderRequest): LogReader {
  const topic = requireTopic(request.ports, request.dataDirectory, request.topic)
  return new LogReader(request, topic.config.cleanupPolicy === 'compact')
}

export class LogReader {
  readonly #request: LogReaderRequest
  readonly #directory: string
  readonly #kernels: RecordKernels
  readonly #hasGaps: boolean
  #published: Published = { highWatermark: 0, durableTo: 0, logStart: 0 }
  #publishedFile: FileHandle | undefined
  #segment: OpenSegment | undefined
  #nextOffset: number
  #bytesPerRecord = 256
  #bytesPerBatch = 0
  /** A batch that was too long for one poll: its checksum was right, and what it unpacked to is kept. */
  #begun: { readonly position: number; readonly unpacked: Uint8Array | undefined } | undefined
  /** The batch that was unpacked last. */
  #unpacked: { readonly position: number; readonly bytes: Uint8Array } | undefined

  constructor(request: LogReaderRequest, hasGaps: boolean) {
    this.#request = request
    this.#hasGaps = hasGaps
    const { dataDirectory, topic, partition, startOffset } = request
    this.#directory = partitionDirectory(dataDirectory, topic, partition)
    this.#kernels = recordKernels(request.memory)
    this.#nextOffset = startOffset
    this.#refresh()
    const { logStart, highWatermark } = this.#published
    if (startOffset < logStart || startOffset > highWatermark) throw this.#outOfRange()
  }

  get nextOffset(): number {
    return this.#nextOffset
  }

  /** As of the last poll: records that are there and not yet read. */
  get lag(): number {
    return this.#published.highWatermark - this.#nextOffset
  }

  /**
   * The next records, or undefined if there are none now.
   * @throws LOG_CORRUPT naming file and byte, LOG_OFFSET_OUT_OF_RANGE if retention has passed the reader, LOG_COMPRESSION_UNSUPPORTED
   */
  poll(limit: ReadLimit): ReadRecords | undefined {
    const until = limit.untilOffset ?? Number.MAX_SAFE_INTEGER
    this.#refresh()
    while (this.#nextOffset < until) {
      if (this.#nextOffset >= this.#published.highWatermark) return undefined
      const segment = this.#segment ?? this.#seek()
      const found = this.#find(segment, limit.recordsMax, until)
      if (found === undefined) this.#nextSegment(segment)
      else if (found.frames.length > 0) {
        const records = this.#decode(segment, found, limit.recordsMax, until)
        // Compaction may have left nothing from the next offset on.
        if (records.count > 0) return records
      } else if (found.bytes === 0) return undefined
      else this.#moveTo(segment, segment.position + found.bytes, found.nextOffset)
    }
    return undefined
  }

  /** A validity bitmap in the arena for `count` cells of keys or headers: NULL where the cell is 0. */
  validityOf(cells: Pointer, count: number): Pointer {
    return this.#kernels.frame.validityOf(cells, count)
  }

  close(): void {
    this.#segment?.file.close()
    this.#publishedFile?.close()
    this.#segment = undefined
    this.#publishedFile = undefined
  }

  #refresh(): void {
    const { files } = this.#request.ports
    if (this.#publishedFile === undefined) {
      const path = highWatermarkPath(this.#directory)
      if (!files.exists(path)) return
      this.#publishedFile = files.open(path, 'read')
    }
    this.#published = readPublished(this.#publishedFile) ?? this.#published
  }

  /** Finds the batch that holds the next offset, or the end of the segment before it. */
  #seek(): OpenSegment {
    const { files } = this.#request.ports
    const [base] = segmentsFrom(listSegments(files, this.#directory), this.#nextOffset)
    if (base === undefined || (base > this.#nextOffset && !this.#hasGaps)) throw this.#outOfRange()
    const segment = this.#open(base)
    const hint = lookUpOffset(files, this.#directory, base, this.#nextOffset)
    // An index may be older or newer than the file: where it says nothing true, the segment is gone through from its start.
    const hinted = this.#scanFrom(segment, hint)
    const scanned = hinted.fault === undefined ? hinted : this.#scanFrom(segment, 0)
    segment.position = scanned.position
    return segment
  }

  /** The place of the batch that holds the next offset, or of the end, or of what is no batch on the way there. */
  #scanFrom({ file }: OpenSegment, position: number): ScanEnd {
    let isBeyond = false
    const end = scanBatches(file, position, file.bytes(), ({ header }) => {
      if (header.lastOffset < this.#nextOffset) return undefined
      isBeyond = header.baseOffset > this.#nextOffset && !this.#hasGaps
      return 'stop'
    })
    return isBeyond ? { position: end.position, fault: 'the offset lies before it' } : end
  }

  #nextSegment(ended: OpenSegment): void {
    const bases = listSegments(this.#request.ports.files, this.#directory)
    const next = bases.find((base) => base > ended.baseOffset)
    if (next === undefined || (next > this.#nextOffset && !this.#hasGaps)) {
      this.#refresh()
      if (this.#nextOffset < this.#published.logStart) throw this.#outOfRange()
      throw this.#damaged(ended, ended.position, `it ends before offset ${this.#nextOffset}`)
    }
    ended.file.close()
    this.#nextOffset = Math.max(this.#nextOffset, next)
    this.#open(next)
  }

  #open(base: number): OpenSegment {
    const path = segmentPath(this.#directory, base, 'log')
    const file = this.#request.ports.files.open(path, 'read')
    this.#segment = { baseOffset: base, path, file, position: 0 }
    return this.#segment
  }

  #moveTo(segment: OpenSegment, position: number, nextOffset: number): void {
    segment.position = position
    this.#nextOffset = nextOffset
    this.#begun = undefined
  }

  /** The batches of the next block; undefined at the segment's end. */
  #find(segment: OpenSegment, recordsMax: number, until: number): FoundFrames | undefined {
    const { memory } = this.#request
    const wanted = Math.ceil(recordsMax * this.#bytesPerRecord * 1.125)
    let blockBytes = Math.min(Math.max(wanted, BLOCK_BYTES_MIN), BLOCK_BYTES_MAX)
    for (;;) {
      const room = blockBytes + BLOCK_BYTES_MIN + this.#bytesPerBatch
      const block = memory.arena.allocate(room)
      const filled = this.#fill(segment, block, blockBytes, room)
      if (filled === 0) return undefined
      const limit: FrameLimit = {
        recordsMax,
        untilOffset: until,
        highWatermark: this.#published.highWatermark,
        nextOffset: this.#nextOffset,
        hasGaps: this.#hasGaps,
        verifiedPosition: this.#begun?.position ?? -1,
      }
      const { crc32c } = this.#kernels
      const fail = (position: number, what: string) => this.#damaged(segment, position, what)
      const found = findFrames(memory.u8, crc32c, block, filled, segment.position, limit, fail)
      if (found.bytesWanted === 0) return found
      if (filled < blockBytes || found.bytesWanted > segment.file.bytes() - segment.position)
        throw fail(segment.position, `${filled} bytes of a batch of ${found.bytesWanted} are there`)
      blockBytes = found.bytesWanted
    }
  }

  /** Reads a block, and what is missing of its last batch if there is room: the next poll would have to read that batch again. */
  #fill({ file, position }: OpenSegment, block: Pointer, bytes: number, room: number): number {
    const { u8 } = this.#request.memory
    const filled = file.read(u8.subarray(block, block + bytes), position)
    if (filled < bytes) return filled
    const end = batchesEnd(u8, block, filled)
    if (end <= filled || end > room) return filled
    return filled + file.read(u8.subarray(block + filled, block + end), position + filled)
  }

  #decode(
    segment: OpenSegment,
    found: FoundFrames,
    recordsMax: number,
    until: number,
  ): ReadRecords {
    const { memory } = this.#request
    const base = found.frames[0]!.header.baseOffset
    const lastFrame = found.frames.at(-1)!
    const hasGaps = lastFrame.header.lastOffset - base + 1 !== found.records
    const cells = this.#allocate(found.records, hasGaps)
    let rows = 0
    let nullValues = 0
    for (const frame of found.frames) {
      nullValues += this.#decodeFrame(segment, frame, cells, rows)
      rows += frame.header.recordCount
    }
    this.#bytesPerRecord = Math.max(found.bytes / rows, 1)
    this.#bytesPerBatch = Math.min(Math.ceil(found.bytes / found.frames.length), BLOCK_BYTES_MAX)
    const offsetOf = (row: number) =>
      cells.offsets === 0 ? base + row : Number(memory.i64[(cells.offsets >> 3) + row]!)
    let first = 0
    while (first < rows && offsetOf(first) < this.#nextOffset) first++
    let last = Math.min(rows, first + recordsMax)
    while (last > first && offsetOf(last - 1) >= until) last--
    const nextOffset = last > first ? offsetOf(last - 1) + 1 : until
    if (last < rows) this.#beginAgain(segment, lastFrame, nextOffset)
    else this.#moveTo(segment, segment.position + found.bytes, found.nextOffset)
    if (first > 0) moveToFront(memory, cells, first, last)
    const shift = cells.offsets === 0 ? first : 0
    return {
      ...cells,
      count: last - first,
      nullValues,
      offsetOf: (row) => offsetOf(row + shift),
      nextOffset: this.#nextOffset,
    }
  }

  /** The next poll goes on within `frame`. */
  #beginAgain(segment: OpenSegment, frame: Frame, nextOffset: number): void {
    const kept = this.#unpacked?.position === frame.position ? this.#unpacked.bytes : undefined
    this.#moveTo(segment, frame.position, nextOffset)
    this.#begun = { position: frame.position, unpacked: kept }
  }

  #allocate(count: number, hasGaps: boolean): ReadCells {
    const { memory, offsets } = this.#request
    const wanted = { ...this.#request, offsets: offsets === true || hasGaps }
    return allocateCells((bytes) => memory.arena.allocate(bytes), wanted, count)
  }

  /** Returns how many values are NULL. */
  #decodeFrame(segment: OpenSegment, frame: Frame, cells: ReadCells, row: number): number {
    const { memory } = this.#request
    const { header, position } = frame
    const fail = (what: string) => this.#damaged(segment, position, what)
    // The batch's append time is given apart: what is decoded are the producers' times.
    return decodeBatch(memory, header, this.#unpack(frame), cells, row, 'producer', fail)
  }

  #unpack({ header, address, position }: Frame): { address: Pointer; bytes: number } {
    const start = address + HEADER_BYTES
    const bytes = header.bytes - HEADER_BYTES
    const code = header.attributes & COMPRESSION_MASK
    if (code === 0) return { address: start, bytes }
    const { memory } = this.#request
    const begun = this.#begun?.position === position ? this.#begun.unpacked : undefined
    const unpacked = begun ?? this.#decompress(code, start, bytes, position)
    this.#unpacked = { position, bytes: unpacked }
    const target = memory.arena.allocate(unpacked.length)
    memory.u8.set(unpacked, target)
    return { address: target, bytes: unpacked.length }
  }

  #decompress(code: number, address: Pointer, bytes: number, position: number): Uint8Array {
    try {
      return decompress(code, this.#request.memory.u8.slice(address, address + bytes))
    } catch (error) {
      if (error instanceof MillraceError || this.#segment === undefined) throw error
      throw this.#damaged(this.#segment, position, 'its records do not unpack')
    }
  }

  #damaged({ path }: OpenSegment, position: number, what: string): MillraceError {
    return damaged(path, position, what, this.#published)
  }

  #outOfRange(): MillraceError {
    const { topic, partition } = this.#request
    const { logStart, highWatermark } = this.#published
    const range = { startOffset: logStart, endOffset: highWatermark }
    return offsetOutOfRange(topic, partition, this.#nextOffset, range)
  }
}

/** Where the last batch ends that begins in the block, by the lengths that the batches say; unchecked. */
function batchesEnd(u8: Uint8Array, block: Pointer, filled: number): number {
  const lengths = new DataView(u8.buffer, block, filled)
  let at = 0
  while (at + PREFIX_BYTES <= filled) {
    const bytes = lengths.getInt32(at + LENGTH_AT) + PREFIX_BYTES
    if (bytes < HEADER_BYTES) break
    at += bytes
  }
  return at
}

/** Rows [first, last) become rows from 0 on: cells keep their alignment. */
function moveToFront(memory: LinearMemory, cells: ReadCells, first: number, last: number): void {
  for (const pointer of Object.values(cells))
    if (pointer !== 0)
      memory.u8.copyWithin(pointer, pointer + first * CELL_BYTES, pointer + last * CELL_BYTES)
}
