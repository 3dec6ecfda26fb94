/**
 * One worker's part of one checkpoint, as a file:
 *
 *   magic      8 bytes, 'MRSTATE1'
 *   data       records of the tables, in blocks that the footer names
 *   footer     JSON: every table that lives, with its schema, whether earlier files count, and its blocks {offset, bytes, crc32c}
 *   trailer    u32 footer bytes, u32 CRC32C of the footer, magic again; little-endian
 *
 * Every byte is covered by a checksum: what does not match is refused with the file and the place.
 */
import { crc32c } from '../codec/checksum.ts'
import { MillraceError } from '../errors.ts'
import type { Files } from '../ports/files.ts'

export const MAGIC: Uint8Array = new TextEncoder().encode('MRSTATE1')
const TRAILER_BYTES = 8 + MAGIC.length

export interface TableEntry {
  readonly operator: string
  readonly table: string
  readonly schema: string
  /** Earlier files' records of this table count no more. */
  readonly replace: boolean
  readonly blocks: readonly StateBlock[]
}

export interface StateBlock {
  /** In the file. */
  readonly offset: number
  readonly bytes: number
  readonly crc32c: number
}

/** Footer and trailer, to be written behind the data. */
export function encodeFooter(tables: readonly TableEntry[]): Uint8Array {
  const footer = new TextEncoder().encode(JSON.stringify(tables))
  const out = new Uint8Array(footer.length + TRAILER_BYTES)
  const view = new DataView(out.buffer)
  out.set(footer)
  view.setUint32(footer.length, footer.length, true)
  view.setUint32(footer.length + 4, crc32c(footer), true)
  out.set(MAGIC, footer.length + 8)
  return out
}

/** @throws CHECKPOINT_CORRUPT */
export function readFooter(files: Files, path: string): TableEntry[] {
  const bytes = readAt(files, path, undefined, TRAILER_BYTES)
  const view = new DataView(bytes.buffer)
  if (!MAGIC.every((byte, index) => bytes[8 + index] === byte)) {
    throw corrupt(path, 'its end', 'it is not a state file, or was cut off')
  }
  const length = view.getUint32(0, true)
  const size = sizeOf(files, path)
  if (length + TRAILER_BYTES > size)
    throw corrupt(path, 'its end', 'the footer is longer than the file')
  const footer = readAt(files, path, size - TRAILER_BYTES - length, length)
  if (crc32c(footer) !== view.getUint32(4, true)) {
    throw corrupt(
      path,
      `byte ${size - TRAILER_BYTES - length}`,
      'the checksum of its footer differs',
    )
  }
  return JSON.parse(new TextDecoder().decode(footer))
}

/** @throws CHECKPOINT_CORRUPT */
export function readBlock(files: Files, path: string, block: StateBlock): Uint8Array {
  const bytes = readAt(files, path, block.offset, block.bytes)
  if (crc32c(bytes) === block.crc32c) return bytes
  throw corrupt(path, `byte ${block.offset}`, 'the checksum of a block differs')
}

/** `position` undefined: the last bytes of the file. */
function readAt(
  files: Files,
  path: string,
  position: number | undefined,
  bytes: number,
): Uint8Array {
  if (!files.exists(path)) throw corrupt(path, 'all of it', 'the file is missing')
  const handle = files.open(path, 'read')
  try {
    const from = position ?? handle.bytes() - bytes
    const into = new Uint8Array(bytes)
    if (from < 0 || handle.read(into, from) !== bytes) {
      throw corrupt(path, `byte ${Math.max(from, 0)}`, 'the file is too short')
    }
    return into
  } finally {
    handle.close()
  }
}

function sizeOf(files: Files, path: string): number {
  return files.stat(path)?.bytes ?? 0
}

export function corrupt(path: string, place: string, why: string): MillraceError {
  return new MillraceError('CHECKPOINT_CORRUPT', {
    message: `${path} is damaged at ${place}: ${why}`,
    hint: 'restore the file from a backup, start from a savepoint (--from-savepoint), or anew (--fresh)',
    facts: { path, place },
  })
}
