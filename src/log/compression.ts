/** What the records of a batch may be compressed with. The codecs are Node's; zstd is there from Node 22.15 on. */
import * as zlib from 'node:zlib'
import { MillraceError } from '../errors.ts'

/** In the order of the attribute's values: index = code. */
export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Compression = 'none' | 'gzip' | 'zstd'
/** Nothing that a batch may hold is larger: a bound before a bomb is unpacked. */
const UNPACKED_BYTES_MAX = 1 << 30

export function compressionCode(compression: Compression): number {
  return COMPRESSIONS.indexOf(compression)
}

export function compress(compression: Compression, bytes: Uint8Array): Uint8Array {
  switch (compression) {
    case 'none':
      return bytes
    case 'gzip':
      return zlib.gzipSync(bytes)
    case 'zstd':
      return zlib.zstdCompressSync(bytes)
  }
}

/**
 * @throws LOG_COMPRESSION_UNSUPPORTED for snappy, lz4 and unknown codes
 * @throws Node's error if the bytes are damaged
 */
export function decompress(code: number, bytes: Uint8Array): Uint8Array {
  const limit = { maxOutputLength: UNPACKED_BYTES_MAX }
  const name = COMPRESSIONS[code]
  if (name === 'none') return bytes
  if (name === 'gzip') return plain(zlib.gunzipSync(bytes, limit))
  if (name === 'zstd') return plain(zlib.zstdDecompressSync(bytes, limit))
  throw new MillraceError('LOG_COMPRESSION_UNSUPPORTED', {
    message: `a batch is compressed with ${name ?? `code ${code}`}, which can't be read`,
    hint: 'produce with none, gzip or zstd',
    facts: { code },
  })
}

/** Not a Buffer: its slices behave otherwise. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
}
