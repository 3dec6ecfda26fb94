/**
 * One leaf's column chunk: cells in, compressed pages out, and what the footer says of them.
 *
 *   data page v1   header, then compressed: u32 length of levels, levels (hybrid), values. No levels if nothing may be NULL.
 *
 * @see Apache Parquet format, README.md, "Data Pages"
 */
import type { ColumnMetaData, Encoding, PageHeader } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writePageHeader } from 'hyparquet-writer/src/datapage.js'
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import { invariant, MillraceError } from '../../errors.ts'
import type { Bound, ColumnStatistics } from './bounds.ts'
import { byteValues } from './byte-values.ts'
import { CODEC_NAMES, type Codec, compress } from './codecs.ts'
import { fixedValues } from './fixed-values.ts'
import { appendHybrid, appendRun, bitsFor } from './hybrid.ts'
import type { Leaf } from './layout.ts'
import { pageBytes, reserve } from './page-bytes.ts'

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
  const levels = levelBuffer(leaf)
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
      const present = levels.append(memory, columns, rows, count)
      values.append(memory, leafVector(columns, leaf), present.rows, present.count)
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

function leafVector(columns: readonly Vector[], leaf: Leaf): Vector {
  let vector = columns[leaf.indexes[0]!]
  for (const index of leaf.indexes.slice(1)) vector = vector?.children?.[index]
  invariant(vector !== undefined, `a batch holds column '${leaf.path.join('.')}'`)
  return vector
}

interface Present {
  readonly rows: Uint32Array
  readonly count: number
}

interface LevelBuffer {
  /** Rows of the page so far. */
  readonly count: number
  readonly nullCount: number
  /** Adds the rows' levels and answers which of them hold a value. */
  append(
    memory: LinearMemory,
    columns: readonly Vector[],
    rows: Uint32Array,
    count: number,
  ): Present
  /** Appends the page's levels as they lie in the page. */
  take(out: ReturnType<typeof pageBytes>): void
  reset(): void
}

/** Definition levels of a leaf without repetition: how many optional steps of its path are there, row by row. */
function levelBuffer(leaf: Leaf): LevelBuffer {
  const { definitionMax } = leaf
  const bitWidth = bitsFor(definitionMax)
  let levels = new Uint8Array(1024)
  let present = new Uint32Array(1024)
  let count = 0
  let nullCount = 0
  const room = (more: number) => {
    while (count + more > levels.length) {
      const larger = new Uint8Array(levels.length * 2)
      larger.set(levels)
      levels = larger
    }
    if (more > present.length) present = new Uint32Array(more * 2)
  }
  return {
    get count() {
      return count
    },
    get nullCount() {
      return nullCount
    },
    append(memory, columns, rows, more) {
      const steps = validities(columns, leaf)
      room(more)
      if (steps.every((step) => step.validity === 0)) {
        levels.fill(definitionMax, count, count + more)
        count += more
        return { rows, count: more }
      }
      const held = appendLevels(memory, leaf, steps, rows, more, levels, count, present)
      nullCount += more - held
      count += more
      return { rows: present, count: held }
    },
    take(out) {
      if (definitionMax === 0) return
      reserve(out, 4)
      const lengthAt = out.length
      out.length += 4
      if (nullCount === 0) appendRun(out, definitionMax, count, bitWidth)
      else appendHybrid(out, levels, count, bitWidth)
      new DataView(out.u8.buffer).setUint32(lengthAt, out.length - lengthAt - 4, true)
    },
    reset() {
      count = 0
      nullCount = 0
    },
  }
}

interface Step {
  readonly validity: number
  readonly optional: boolean
}

/** The validity bitmap and optionality of each step of the leaf's path. */
function validities(columns: readonly Vector[], leaf: Leaf): readonly Step[] {
  const steps: Step[] = []
  let vector = columns[leaf.indexes[0]!]
  leaf.optional.forEach((optional, depth) => {
    if (depth > 0) vector = vector?.children?.[leaf.indexes[depth]!]
    invariant(vector !== undefined, `a batch holds column '${leaf.path.join('.')}'`)
    steps.push({ validity: vector.validity, optional })
  })
  return steps
}

function appendLevels(
  memory: LinearMemory,
  leaf: Leaf,
  steps: readonly Step[],
  rows: Uint32Array,
  count: number,
  levels: Uint8Array,
  start: number,
  present: Uint32Array,
): number {
  const { u8 } = memory
  let held = 0
  for (let at = 0; at < count; at++) {
    const row = rows[at]!
    let level = 0
    let depth = 0
    for (; depth < steps.length; depth++) {
      const { validity, optional } = steps[depth]!
      if (validity !== 0 && ((u8[validity + (row >>> 3)]! >> (row & 7)) & 1) === 0) break
      if (optional) level++
    }
    levels[start + at] = level
    if (depth === steps.length) present[held++] = row
    else if (!steps[depth]!.optional) throw nullRefused(leaf)
  }
  return held
}

function nullRefused(leaf: Leaf): MillraceError {
  const column = leaf.path.join('.')
  return new MillraceError('NULL_REFUSED', {
    message: `a NULL came for column '${column}', which is NOT NULL`,
    hint: `filter such rows with WHERE, give them a value with COALESCE, or declare '${column}' without NOT NULL`,
    facts: { column },
  })
}
