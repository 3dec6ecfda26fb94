/** Rows as plain objects, for small files with nested columns (table checkpoints): by the libraries, as they read and write. */

import { zstdCompressSync } from 'node:zlib'
import type { AsyncBuffer, SchemaElement } from 'hyparquet'
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { decompressors } from './codecs.ts'

/** Yields the rows of a file, a row group at a time; absent members are null or undefined, INT64 is bigint. */
export async function* readParquetObjects(
  file: AsyncBuffer,
  columns?: readonly string[],
): AsyncGenerator<Record<string, unknown>> {
  const metadata = await parquetMetadataAsync(file)
  const held = new Set(metadata.schema.slice(1).map((element) => element.name))
  const wanted = columns?.filter((column) => held.has(column))
  let rowStart = 0
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows)
    const range = { file, metadata, rowStart, rowEnd, compressors: decompressors }
    yield* await parquetReadObjects(wanted === undefined ? range : { ...range, columns: wanted })
    rowStart = rowEnd
  }
}

/** One file of `rows` under the schema's elements (the root first); row groups of at most `groupRows`. */
export function writeParquetObjects(
  schema: SchemaElement[],
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
  groupRows: number,
): Uint8Array {
  const writer = new ByteWriter()
  const file = new ParquetWriter({
    writer,
    schema,
    codec: 'ZSTD',
    compressors: { ZSTD: (bytes) => zstdCompressSync(bytes) },
    statistics: false,
    createdBy: 'millrace version 0.1.0',
  })
  for (let start = 0; start < rows.length; start += groupRows) {
    const slice = rows.slice(start, start + groupRows)
    const columnData = columns.map((name) => ({
      name,
      data: slice.map((row) => row[name] ?? null),
    }))
    file.write({ columnData, rowGroupSize: groupRows })
  }
  file.finish()
  return writer.getBytes()
}
