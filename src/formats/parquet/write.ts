/**
 * A Parquet file, written a batch at a time: only the pages of the row group that fills are held, compressed.
 *
 *   'PAR1', row groups (column chunks one after the other), footer (thrift compact), u32 its length, 'PAR1'
 */
import type { FileMetaData, RowGroup } from 'hyparquet'
import { ByteWriter } from 'hyparquet-writer'
import { writeMetadata } from 'hyparquet-writer/src/metadata.js'
import type { Batch, Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { type ColumnStatistics, mergeStatistics, NO_VALUES } from './bounds.ts'
import type { Codec } from './codecs.ts'
import { type ColumnChunkWriter, columnChunkWriter } from './column-chunk.ts'
import { type Leaf, parquetLayout } from './layout.ts'

const MAGIC = new TextEncoder().encode('PAR1')
/** Rows handed to a column at a time: what a page may run past its size. */
const SLICE_ROWS = 4096

export interface ParquetWriteOptions {
  /** Columns of the file. */
  readonly schema: Schema
  readonly codec: Codec
  /** Compressed bytes of a row group before the next begins. */
  readonly rowGroupBytes?: number
  /** Takes each piece of the file, in order; must copy what it keeps. */
  readonly out: (bytes: Uint8Array) => void
}

export interface ParquetFileWriter {
  /** The batch's selected rows; `columns` in the order of the file's schema. @throws NULL_REFUSED */
  write(
    memory: LinearMemory,
    batch: Pick<Batch, 'selection' | 'count'>,
    columns: readonly Vector[],
  ): void
  readonly rowCount: number
  /** Bytes written and waiting: what the file will have, about. */
  readonly bytes: number
  /** Ends the row group that fills. */
  flush(): void
  finish(): WrittenFile
}

export interface WrittenFile {
  readonly rowCount: number
  readonly bytes: number
  readonly leaves: readonly { readonly leaf: Leaf; readonly statistics: ColumnStatistics }[]
}

/** @throws PARQUET_TYPE_UNSUPPORTED for a column that has no Parquet type */
export function parquetFileWriter(options: ParquetWriteOptions): ParquetFileWriter {
  const { elements, leaves } = parquetLayout(options.schema)
  const chunks = leaves.map((leaf) => columnChunkWriter(leaf, options.codec))
  const rowGroupBytes = options.rowGroupBytes ?? 64 << 20
  const groups: RowGroup[] = []
  let statistics: readonly ColumnStatistics[] = leaves.map(() => NO_VALUES)
  let offset = 0
  let rowCount = 0
  let groupRows = 0
  const rows = new Uint32Array(SLICE_ROWS)
  const emit = (bytes: Uint8Array) => {
    options.out(bytes)
    offset += bytes.length
  }
  const endGroup = () => {
    if (groupRows === 0) return
    const group = finishGroup(chunks, groupRows, offset, emit)
    groups.push(group.rowGroup)
    statistics = statistics.map((known, index) => mergeStatistics(known, group.statistics[index]!))
    groupRows = 0
  }
  emit(MAGIC)
  return {
    write(memory, batch, columns) {
      for (let start = 0; start < batch.count; start += SLICE_ROWS) {
        const count = Math.min(SLICE_ROWS, batch.count - start)
        sliceRows(memory, batch.selection, start, count, rows)
        for (const chunk of chunks) chunk.append(memory, columns, rows, count)
        groupRows += count
        rowCount += count
        if (pendingBytes(chunks) >= rowGroupBytes) endGroup()
      }
    },
    get rowCount() {
      return rowCount
    },
    get bytes() {
      return offset + pendingBytes(chunks)
    },
    flush: endGroup,
    finish() {
      endGroup()
      emit(footer({ elements, groups, rowCount }))
      return {
        rowCount,
        bytes: offset,
        leaves: leaves.map((leaf, index) => ({ leaf, statistics: statistics[index]! })),
      }
    },
  }
}

function sliceRows(
  memory: LinearMemory,
  selection: number,
  start: number,
  count: number,
  rows: Uint32Array,
): void {
  if (selection !== 0) {
    const from = (selection >>> 2) + start
    rows.set(memory.u32.subarray(from, from + count))
    return
  }
  for (let at = 0; at < count; at++) rows[at] = start + at
}

function pendingBytes(chunks: readonly ColumnChunkWriter[]): number {
  let bytes = 0
  for (const chunk of chunks) bytes += chunk.bytes
  return bytes
}

function finishGroup(
  chunks: readonly ColumnChunkWriter[],
  rowCount: number,
  fileOffset: number,
  emit: (bytes: Uint8Array) => void,
): { readonly rowGroup: RowGroup; readonly statistics: readonly ColumnStatistics[] } {
  let offset = fileOffset
  let uncompressed = 0
  const statistics: ColumnStatistics[] = []
  const columns: RowGroup['columns'] = []
  for (const chunk of chunks) {
    const finished = chunk.finish(offset)
    for (const page of finished.pages) emit(page)
    columns.push({ file_offset: 0n, meta_data: finished.metadata })
    statistics.push(finished.statistics)
    uncompressed += finished.uncompressedBytes
    offset += finished.bytes
  }
  const rowGroup: RowGroup = {
    columns,
    num_rows: BigInt(rowCount),
    total_byte_size: BigInt(uncompressed),
    file_offset: BigInt(fileOffset),
    total_compressed_size: BigInt(offset - fileOffset),
  }
  return { rowGroup, statistics }
}

function footer(file: {
  readonly elements: FileMetaData['schema']
  readonly groups: RowGroup[]
  readonly rowCount: number
}): Uint8Array {
  const writer = new ByteWriter()
  writeMetadata(writer, {
    version: 1,
    schema: file.elements,
    num_rows: BigInt(file.rowCount),
    row_groups: file.groups,
    created_by: 'millrace version 0.1.0',
    metadata_length: 0,
  })
  writer.appendBytes(MAGIC)
  return writer.getBytes()
}
