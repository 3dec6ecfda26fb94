/**
 * What a partition's writer publishes, so that readers of any thread or process need no lock: a file of 28 bytes,
 * written in place.
 *
 *   0 highWatermark i64 · 8 durableTo i64 · 16 logStart i64 · 24 crc u32 (CRC32C of bytes 0 .. 24)
 *
 * The file is never waited for: stale values are lower ones, and a lower `highWatermark` hides nothing for long,
 * a lower `durableTo` only means that recovery takes a fault for a torn write that it could have called damage.
 */
import { join } from 'node:path'
import { crc32c } from '../codec/checksum.ts'
import type { FileHandle, Files } from '../ports/files.ts'

export interface Published {
  /** Readers read records below it. */
  readonly highWatermark: number
  /** Records below it have been synced: they can't be missing without damage. */
  readonly durableTo: number
  /** The first offset that retention has left. */
  readonly logStart: number
}

const BYTES = 28
const CRC_AT = 24
/** A reader may meet a write in the middle: it looks again, this many times. */
const ATTEMPTS_MAX = 100

export function highWatermarkPath(directory: string): string {
  return join(directory, 'high-watermark')
}

export function publish(file: FileHandle, published: Published): void {
  const bytes = new Uint8Array(BYTES)
  const view = new DataView(bytes.buffer)
  view.setBigInt64(0, BigInt(published.highWatermark))
  view.setBigInt64(8, BigInt(published.durableTo))
  view.setBigInt64(16, BigInt(published.logStart))
  view.setUint32(CRC_AT, crc32c(bytes, 0, CRC_AT))
  file.write(bytes, 0)
}

/** Reads what is published; `undefined` while it is not whole. */
export function readPublished(file: FileHandle): Published | undefined {
  const bytes = new Uint8Array(BYTES)
  const view = new DataView(bytes.buffer)
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (file.read(bytes, 0) < BYTES) return undefined
    if (view.getUint32(CRC_AT) !== crc32c(bytes, 0, CRC_AT)) continue
    return {
      highWatermark: Number(view.getBigInt64(0)),
      durableTo: Number(view.getBigInt64(8)),
      logStart: Number(view.getBigInt64(16)),
    }
  }
  return undefined
}

/** What the partition in `directory` has published; undefined if it was never opened. */
export function readPublishedFile(files: Files, directory: string): Published | undefined {
  const path = highWatermarkPath(directory)
  if (!files.exists(path)) return undefined
  const file = files.open(path, 'read')
  try {
    return readPublished(file)
  } finally {
    file.close()
  }
}
