/**
 * A scratch file for state that has no room in memory. Pieces are written, read back and given up; their places are used again. What
 * is in it is needed by nobody after a crash: checkpoints hold all that counts, and the file is made anew at every start.
 *
 *   piece    u32 bytes, u32 CRC32C of them, then the bytes; little-endian, at a multiple of 4096, in a place of a power of two bytes
 */
import { crc32cOf } from '../codec/crc32c.ts'
import { MillraceError } from '../errors.ts'
import type { FileHandle, Files } from '../ports/files.ts'

export interface SpillPiece {
  /** In the file. */
  readonly offset: number
  /** Without its head. */
  readonly bytes: number
}

export interface SpillFile {
  /** @throws SPILL_FAILED */
  write(bytes: Uint8Array): SpillPiece
  /** @throws SPILL_FAILED, also if it is not what was written */
  read(piece: SpillPiece): Uint8Array
  free(piece: SpillPiece): void
  /** Of the pieces that are there, with their heads and unused ends. */
  readonly bytesUsed: number
  close(): void
}

const HEAD_BYTES = 8
const PLACE_BITS_MIN = 12

/** The file is made when first written to; one that a crash has left goes. */
export function spillFile(files: Files, path: string): SpillFile {
  const free = new Map<number, number[]>()
  let handle: FileHandle | undefined
  let end = 0
  let bytesUsed = 0

  const guarded = <Result>(work: (file: FileHandle) => Result): Result => {
    try {
      handle ??= opened(files, path)
      return work(handle)
    } catch (cause) {
      throw cause instanceof MillraceError ? cause : failed(path, cause)
    }
  }

  return {
    write(bytes) {
      const framed = new Uint8Array(HEAD_BYTES + bytes.length)
      const view = new DataView(framed.buffer)
      view.setUint32(0, bytes.length, true)
      view.setUint32(4, crc32cOf(bytes), true)
      framed.set(bytes, HEAD_BYTES)
      const bits = placeBits(bytes.length)
      const reused = free.get(bits)?.pop()
      const offset = reused ?? end
      guarded((file) => file.write(framed, offset))
      if (reused === undefined) end += 2 ** bits
      bytesUsed += 2 ** bits
      return { offset, bytes: bytes.length }
    },
    read({ offset, bytes }) {
      const framed = new Uint8Array(HEAD_BYTES + bytes)
      const filled = guarded((file) => file.read(framed, offset))
      const view = new DataView(framed.buffer)
      const body = framed.subarray(HEAD_BYTES)
      const isWhole = filled === framed.length && view.getUint32(0, true) === bytes
      if (isWhole && view.getUint32(4, true) === crc32cOf(body)) return body
      throw failed(path, `what stands at byte ${offset} is not what was written there`)
    },
    free({ offset, bytes }) {
      const bits = placeBits(bytes)
      const places = free.get(bits)
      if (places === undefined) free.set(bits, [offset])
      else places.push(offset)
      bytesUsed -= 2 ** bits
    },
    get bytesUsed() {
      return bytesUsed
    },
    close() {
      handle?.close()
      if (handle !== undefined && files.exists(path)) files.remove(path)
      handle = undefined
    },
  }
}

function opened(files: Files, path: string): FileHandle {
  const directory = path.slice(0, path.lastIndexOf('/'))
  files.makeDirectory(directory)
  if (files.exists(path)) files.remove(path)
  return files.open(path, 'create')
}

function placeBits(bytes: number): number {
  return Math.max(PLACE_BITS_MIN, Math.ceil(Math.log2(bytes + HEAD_BYTES)))
}

function failed(path: string, cause: unknown): MillraceError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new MillraceError('SPILL_FAILED', {
    message: `${path} can't hold state that has no room in memory: ${why}`,
    hint: 'make room on the disk, or raise --state-memory; the last checkpoint stands',
    facts: { path },
    cause,
  })
}
