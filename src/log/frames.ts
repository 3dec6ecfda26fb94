/** The whole batches in a block of a segment that lies in linear memory: found, bounded and checked, not yet decoded. */
import type { Pointer } from '../data/memory.ts'
import {
  type BatchHeader,
  CONTROL_BIT,
  CRC_FROM,
  HEADER_BYTES,
  MAGIC,
  readBatchHeader,
} from './record-batch.ts'

export interface Frame {
  readonly header: BatchHeader
  /** Of the batch's first byte. */
  readonly address: Pointer
  /** In the file, of the same byte. */
  readonly position: number
}

export interface FrameLimit {
  /** No further batch is begun once so many records are found. */
  readonly recordsMax: number
  /** Batches that begin at or beyond it are left. */
  readonly untilOffset: number
  /** Batches that reach it are left. */
  readonly highWatermark: number
  /** The offset that the first batch holds or begins with. */
  readonly nextOffset: number
  /** Compaction leaves gaps between batches; elsewhere one is damage. */
  readonly hasGaps: boolean
  /** A batch at this place in the file has been checked before; -1 = none. */
  readonly verifiedPosition: number
  /** Told every batch, control batches too, in order: true leaves its records out. */
  readonly skips?: (header: BatchHeader) => boolean
}

export interface FoundFrames {
  /** Those with records for users. */
  readonly frames: readonly Frame[]
  readonly records: number
  /** Covered by all batches that were walked over, control and empty ones too. */
  readonly bytes: number
  /** Exclusive end of the offsets that were walked over. */
  readonly nextOffset: number
  /** Of the first batch, if it is not whole in the block; else 0. */
  readonly bytesWanted: number
}

/**
 * Walks over `u8[block, block + filled)`, which was read from the file at `position`.
 * @throws what `fail` makes of a batch that is damaged, given its place in the file
 */
export function findFrames(
  u8: Uint8Array,
  crc32c: (address: Pointer, bytes: number) => number,
  block: Pointer,
  filled: number,
  position: number,
  limit: FrameLimit,
  fail: (position: number, what: string) => Error,
): FoundFrames {
  const frames: Frame[] = []
  let records = 0
  let at = 0
  let nextOffset = limit.nextOffset
  let bytesWanted = filled > 0 && filled < HEADER_BYTES ? HEADER_BYTES : 0
  while (filled - at >= HEADER_BYTES && records < limit.recordsMax) {
    const address = block + at
    const header = readBatchHeader(u8, address)
    if (u8[address + 16] !== MAGIC || header.bytes < HEADER_BYTES || header.recordCount < 0)
      throw fail(position + at, 'no record batch begins there')
    if (header.bytes > filled - at) {
      if (at === 0) bytesWanted = header.bytes
      break
    }
    if (position + at !== limit.verifiedPosition) {
      const crc = crc32c(address + CRC_FROM, header.bytes - CRC_FROM)
      if (crc !== header.crc) throw fail(position + at, 'the checksum of the batch is wrong')
    }
    if (header.lastOffset >= limit.highWatermark || header.baseOffset >= limit.untilOffset) break
    if (header.lastOffset < nextOffset || (header.baseOffset > nextOffset && !limit.hasGaps))
      throw fail(position + at, `offset ${header.baseOffset} stands where ${nextOffset} should`)
    const isSkipped = limit.skips?.(header) === true
    if (!isSkipped && header.recordCount > 0 && (header.attributes & CONTROL_BIT) === 0) {
      frames.push({ header, address, position: position + at })
      records += header.recordCount
    }
    at += header.bytes
    nextOffset = header.lastOffset + 1
  }
  return { frames, records, bytes: at, nextOffset, bytesWanted }
}
