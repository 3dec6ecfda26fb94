/** Goes through the batches of a segment file, each checked in full: for recovery, verification and whatever is not hot. */
import type { FileHandle } from '../ports/files.ts'
import {
  type BatchHeader,
  batchFault,
  HEADER_BYTES,
  LENGTH_AT,
  PREFIX_BYTES,
  readBatchHeader,
} from './record-batch.ts'

export interface ScannedBatch {
  readonly header: BatchHeader
  /** In the file, of the batch's first byte. */
  readonly position: number
  /** The batch itself, valid until the next one. */
  readonly bytes: Uint8Array
}

export interface ScanEnd {
  /** The first byte that no whole, valid batch covers. */
  readonly position: number
  /** What is wrong with the bytes there; undefined at the end of the file, or where the visitor stopped. */
  readonly fault: string | undefined
}

const BLOCK_BYTES = 1 << 20

/** Visits the batches of `file[from, to)` in order until `visit` returns 'stop'. */
export function scanBatches(
  file: FileHandle,
  from: number,
  to: number,
  visit: (batch: ScannedBatch) => 'stop' | undefined,
): ScanEnd {
  let block = new Uint8Array(Math.min(BLOCK_BYTES, Math.max(to - from, HEADER_BYTES)))
  let position = from
  while (position < to) {
    const filled = Math.min(file.read(block, position), to - position)
    const end = visitBlock(block, filled, position, to, visit)
    if (end.kind === 'stopped') return { position: end.position, fault: undefined }
    if (end.kind === 'fault') return { position: end.position, fault: end.fault }
    if (end.bytesWanted > block.length) block = new Uint8Array(end.bytesWanted)
    if (end.position === position && filled < Math.min(end.bytesWanted, to - position))
      return { position, fault: `the file ends at byte ${position + filled}, not ${to}` }
    position = end.position
  }
  return { position, fault: undefined }
}

type BlockEnd =
  | { readonly kind: 'stopped'; readonly position: number }
  | { readonly kind: 'fault'; readonly position: number; readonly fault: string }
  /** Go on at `position`, with at least so many bytes in the block. */
  | { readonly kind: 'more'; readonly position: number; readonly bytesWanted: number }

function visitBlock(
  block: Uint8Array,
  filled: number,
  start: number,
  to: number,
  visit: (batch: ScannedBatch) => 'stop' | undefined,
): BlockEnd {
  let at = 0
  while (start + at < to) {
    const position = start + at
    const left = to - position
    const here = filled - at
    const bytes = here < HEADER_BYTES ? HEADER_BYTES : batchBytes(block, at)
    if (here < bytes && here < left && bytes <= left)
      return { kind: 'more', position, bytesWanted: bytes }
    if (here < HEADER_BYTES && here < left) return { kind: 'more', position, bytesWanted: left }
    const fault = batchFault(block, at, Math.min(here, left))
    if (fault !== undefined) return { kind: 'fault', position, fault }
    const batch = block.subarray(at, at + bytes)
    if (visit({ header: readBatchHeader(block, at), position, bytes: batch }) === 'stop')
      return { kind: 'stopped', position }
    at += bytes
  }
  return { kind: 'more', position: start + at, bytesWanted: 0 }
}

function batchBytes(block: Uint8Array, at: number): number {
  return new DataView(block.buffer, block.byteOffset + at).getInt32(LENGTH_AT) + PREFIX_BYTES
}
