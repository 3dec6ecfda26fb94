/** Page compression: by the runtime's zlib where it can, else by the libraries' own. */
import {
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
  constants as zlib,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib'
import type { CompressionCodec, Compressors } from 'hyparquet'
import { snappyCompress } from 'hyparquet-writer/src/snappy.js'

export type Codec = 'zstd' | 'snappy' | 'gzip' | 'uncompressed'

export const CODEC_NAMES = {
  zstd: 'ZSTD',
  snappy: 'SNAPPY',
  gzip: 'GZIP',
  uncompressed: 'UNCOMPRESSED',
} as const satisfies Record<Codec, CompressionCodec>

/** Level 1: a sink is bound by the CPU, and level 3 saves a twentieth of the bytes for half as much time again. */
const ZSTD_LEVEL = 1

export function compress(codec: Codec, bytes: Uint8Array): Uint8Array {
  switch (codec) {
    case 'zstd':
      return zstdCompressSync(bytes, { params: { [zlib.ZSTD_c_compressionLevel]: ZSTD_LEVEL } })
    case 'snappy':
      return snappyCompress(bytes)
    case 'gzip':
      return gzipSync(bytes, { level: 1 })
    case 'uncompressed':
      return bytes.slice()
  }
}

/** For hyparquet, which brings SNAPPY itself. */
export const decompressors: Compressors = {
  ZSTD: (bytes) => zstdDecompressSync(bytes),
  GZIP: (bytes) => gunzipSync(bytes),
  BROTLI: (bytes) => brotliDecompressSync(bytes),
}
