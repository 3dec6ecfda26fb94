/** Buffers for record batches that are used again: new ones of a megabyte, many times a second, cost as much to collect as to fill. */
import { unclearedBytes } from '../../log/rows-encoder.ts'

export interface BatchBuffers {
  /** Of any content. */
  take(bytes: number): Uint8Array<ArrayBuffer>
  /** What was taken, when nobody reads it any more. */
  giveBack(batch: Uint8Array<ArrayBuffer>): void
}

/** Smaller ones are the collector's. */
const KEPT_BYTES_MIN = 1 << 16

/** Keeps at most `keptBytesMax`. */
export function batchBuffers(keptBytesMax: number): BatchBuffers {
  const kept = new Map<number, ArrayBuffer[]>()
  let keptBytes = 0
  return {
    take(bytes) {
      if (bytes < KEPT_BYTES_MIN) return unclearedBytes(bytes)
      const capacity = 2 ** Math.ceil(Math.log2(bytes))
      const buffer = kept.get(capacity)?.pop()
      if (buffer === undefined) return unclearedBytes(capacity).subarray(0, bytes)
      keptBytes -= capacity
      return new Uint8Array(buffer, 0, bytes)
    },
    giveBack({ buffer }) {
      const capacity = buffer.byteLength
      if (capacity < KEPT_BYTES_MIN || keptBytes + capacity > keptBytesMax) return
      const same = kept.get(capacity) ?? []
      same.push(buffer)
      kept.set(capacity, same)
      keptBytes += capacity
    },
  }
}
