/**
 * Parquet files of any writer, decoded by hyparquet and laid out as batches. Annotations are kept from hyparquet, which would
 * make Dates and rounded decimals of them: it returns physical values, and the types asked for decide how they are read.
 */
import type { AsyncBuffer, DecodedArray, FileMetaData, SchemaElement } from 'hyparquet'
import { parquetMetadataAsync } from 'hyparquet'
import { parquetReadColumn } from 'hyparquet/src/read.js'
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { MillraceError } from '../../errors.ts'
import { decompressors } from './codecs.ts'
import { emptyVector, fillVector } from './fill.ts'

export interface ParquetFileReader {
  /** Rows of each row group, in order. */
  readonly groupRows: readonly number[]
  readonly rowCount: number
  /** Decodes one row group's columns of `schema`, by name; a column the file lacks is NULL throughout. */
  group(index: number, schema: Schema): Promise<DecodedGroup>
}

export interface DecodedGroup {
  readonly rowCount: number
  /** Rows [start, end) as a batch in the arena of `memory`. */
  batch(memory: LinearMemory, start: number, end: number): Batch
}

/** @throws PARQUET_INVALID, naming `name`, if the file is not Parquet or is cut off */
export async function openParquet(name: string, file: AsyncBuffer): Promise<ParquetFileReader> {
  const metadata = await orInvalid(name, () => parquetMetadataAsync(file))
  const physical = { ...metadata, schema: metadata.schema.map(withoutAnnotation) }
  const groupRows = metadata.row_groups.map((group) => Number(group.num_rows))
  return {
    groupRows,
    rowCount: Number(metadata.num_rows),
    async group(index, schema) {
      const rowStart = groupRows.slice(0, index).reduce((sum, rows) => sum + rows, 0)
      const rowCount = groupRows[index]!
      const columns: Column[] = []
      for (const { name: column } of schema) {
        const element = topElement(metadata, column)
        if (element === undefined) columns.push({ values: undefined, elements: [] })
        else {
          const options = { file, metadata: physical, columns: [column], rowStart, ...READ_OPTIONS }
          const values = await orInvalid(name, () =>
            parquetReadColumn({ ...options, rowEnd: rowStart + rowCount }),
          )
          columns.push({ values, elements: subtree(metadata, element) })
        }
      }
      return decodedGroup(name, schema, rowCount, columns)
    },
  }
}

interface Column {
  readonly values: DecodedArray | undefined
  /** The column's schema elements, the top one first. */
  readonly elements: readonly SchemaElement[]
}

const READ_OPTIONS = {
  utf8: false,
  geoparquet: false,
  compressors: decompressors,
  parsers: {
    // INT96, the only type hyparquet converts without an annotation; its parsers may return anything.
    timestampFromNanoseconds: floorToMicros as (nanos: bigint) => never,
  },
}

function floorToMicros(nanos: bigint): bigint {
  const micros = nanos / 1000n
  return nanos % 1000n < 0n ? micros - 1n : micros
}

function decodedGroup(
  name: string,
  schema: Schema,
  rowCount: number,
  columns: readonly Column[],
): DecodedGroup {
  return {
    rowCount,
    batch(memory, start, end) {
      const vectors = schema.map((field, index) => {
        const { values, elements } = columns[index]!
        if (values === undefined) return emptyVector(memory, field.type, end - start)
        const column = { file: name, path: field.name, elements }
        return fillVector(memory, field.type, values, start, end, column)
      })
      const count = end - start
      return { rowCount: count, columns: vectors, kinds: 0, selection: 0, count }
    },
  }
}

/** hyparquet makes no rich values of an element that has neither a converted nor a logical type. */
function withoutAnnotation(element: SchemaElement): SchemaElement {
  if (element.type === undefined) return element
  const { converted_type: _converted, logical_type: _logical, ...physical } = element
  return physical
}

function topElement(metadata: FileMetaData, name: string): number | undefined {
  let index = 1
  while (index < metadata.schema.length) {
    if (metadata.schema[index]!.name === name) return index
    index = subtreeEnd(metadata, index)
  }
  return undefined
}

function subtree(metadata: FileMetaData, index: number): readonly SchemaElement[] {
  return metadata.schema.slice(index, subtreeEnd(metadata, index))
}

function subtreeEnd(metadata: FileMetaData, index: number): number {
  let end = index + 1
  for (let child = 0; child < (metadata.schema[index]?.num_children ?? 0); child++) {
    end = subtreeEnd(metadata, end)
  }
  return end
}

async function orInvalid<Result>(name: string, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof MillraceError) throw error
    throw new MillraceError('PARQUET_INVALID', {
      message: `'${name}' can't be read as Parquet: ${error instanceof Error ? error.message : error}`,
      hint: 'the file is damaged or cut off: restore it, or remove it from the table with the tool that wrote it',
      facts: { file: name },
      cause: error,
    })
  }
}
