/**
 * One leaf's column chunk: cells in, compressed pages out, and what the footer says of them.
 *
 *   data page v1   header, then compressed: repetition levels if there are any, definition levels if something may be NULL
 *                  (each u32 its length, then hybrid), values
 *
 * @see Apache Parquet format, README.md, "Data Pages"
 */
import type { ColumnMetaData, Encoding, PageHeader } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { Bound, ColumnStatistics } from './bounds.ts'
import { byteValues } from './byte-values.ts'
import { CODEC_NAMES, type Codec, compress } from './codecs.ts'
import { fixedValues } from './fixed-values.ts'
import type { Leaf } from './layout.ts'
import { flatLevels } from './levels.ts'
import { nestedLevels } from './nested-levels.ts'
import { pageBytes } from './page-bytes.ts'

const PAGE_BYTES = 1 << 20
const PAGE_ROWS_MAX = 1 << 17

export interface ColumnChunkWriter {
  /** The rows `rows[0..count)` of the batch that `columns` are of. @throws NULL_REFUSED */
  append(memory: LinearMemory, columns: readonly Vector[], rows: Uint32Array, count: number): void
  /** Bytes that wait: finished pages, and the page that fills. */
  readonly bytes: number
  /** Ends the chunk, which begins in the file at `fileOffset`. */
  finish(fileOffset: number): FinishedChunk
}

export interface FinishedChunk {
  readonly pages: readonly Uint8Array[]
  readonly bytes: number
  readonly uncompressedBytes: number
  readonly metadata: ColumnMetaData
  readonly statistics: ColumnStatistics
}

interface Pages {
  readonly list: Uint8Array[]
  readonly encodings: Set<Encoding>
  bytes: number
  uncompressed: number
  valueCount: number
  nullCount: number
}

export function columnChunkWriter(leaf: Leaf, codec: Codec): ColumnChunkWriter {
  const values = leaf.physical === 'BYTE_ARRAY' ? byteValues() : fixedValues(leaf)
  const levels = leaf.repetitionMax > 0 ? nestedLevels(leaf) : flatLevels(leaf)
  const scratch = pageBytes()
  let pages = noPages()
  const endPage = () => {
    if (levels.count === 0) return
    scratch.length = 0
    levels.take(scratch)
    const encoding = values.takePage(scratch)
    const body = compress(codec, scratch.u8.subarray(0, scratch.length))
    addPage(pages, body, scratch.length, {
      type: 'DATA_PAGE',
      uncompressed_page_size: scratch.length,
      compressed_page_size: body.length,
      data_page_header: {
        num_values: levels.count,
        encoding,
        definition_level_encoding: 'RLE',
        repetition_level_encoding: 'RLE',
      },
    })
    pages.encodings.add(encoding)
    pages.valueCount += levels.count
    pages.nullCount += levels.nullCount
    levels.reset()
  }
  return {
    append(memory, columns, rows, count) {
      const mark = memory.arena.mark()
      const present = levels.append(memory, columns, rows, count)
      values.append(memory, present.vector, present.rows, present.count)
      memory.arena.release(mark)
      if (values.bytes >= PAGE_BYTES || levels.count >= PAGE_ROWS_MAX) endPage()
    },
    get bytes() {
      return pages.bytes + values.bytes
    },
    finish(fileOffset) {
      endPage()
      const dictionary = dictionaryPage(values.takeDictionary(), codec)
      const statistics = { nullCount: pages.nullCount, ...values.bounds() }
      const finished = finishedChunk(leaf, codec, pages, dictionary, statistics, fileOffset)
      pages = noPages()
      values.startChunk()
      return finished
    },
  }
}

function noPages(): Pages {
  return {
    list: [],
    encodings: new Set(['RLE']),
    bytes: 0,
    uncompressed: 0,
    valueCount: 0,
    nullCount: 0,
  }
}

function addPage(pages: Pages, body: Uint8Array, bodyBytes: number, header: PageHeader): void {
  const writer = new ByteWriter(64)
  writePageHeader(writer, header)
  const head = writer.getBytes()
  pages.list.push(head, body)
  pages.bytes += head.length + body.length
  pages.uncompressed += head.length + bodyBytes
}

function dictionaryPage(
  dictionary: { readonly bytes: Uint8Array; readonly count: number } | undefined,
  codec: Codec,
): Pages {
  const pages = noPages()
  if (dictionary === undefined) return pages
  const body = compress(codec, dictionary.bytes)
  addPage(pages, body, dictionary.bytes.length, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: dictionary.bytes.length,
    compressed_page_size: body.length,
    dictionary_page_header: { num_values: dictionary.count, encoding: 'PLAIN' },
  })
  return pages
}

function finishedChunk(
  leaf: Leaf,
  codec: Codec,
  data: Pages,
  dictionary: Pages,
  statistics: ColumnStatistics,
  fileOffset: number,
): FinishedChunk {
  const bytes = dictionary.bytes + data.bytes
  const uncompressedBytes = dictionary.uncompressed + data.uncompressed
  const encodings = new Set(data.encodings)
  if (dictionary.list.length > 0) encodings.add('PLAIN')
  const { bounds } = statistics
  const metadata: ColumnMetaData = {
    type: leaf.physical,
    encodings: [...encodings],
    path_in_schema: [...leaf.path],
    codec: CODEC_NAMES[codec],
    num_values: BigInt(data.valueCount),
    total_uncompressed_size: BigInt(uncompressedBytes),
    total_compressed_size: BigInt(bytes),
    data_page_offset: BigInt(fileOffset + dictionary.bytes),
    statistics: {
      null_count: BigInt(statistics.nullCount),
      ...(bounds === undefined
        ? {}
        : { min_value: footerBound(leaf, bounds.min), max_value: footerBound(leaf, bounds.max) }),
    },
  }
  if (dictionary.list.length > 0) metadata.dictionary_page_offset = BigInt(fileOffset)
  return {
    pages: [...dictionary.list, ...data.list],
    bytes,
    uncompressedBytes,
    metadata,
    statistics,
  }
}

/** The footer's writer takes a decimal as unscaled only if it is a bigint. */
function footerBound(leaf: Leaf, bound: Bound): Bound {
  return leaf.type.kind === 'decimal' && typeof bound === 'number' ? BigInt(bound) : bound
}
