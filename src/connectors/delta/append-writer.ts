/** The writer of an append: rows go to the data file of their partition; files close when large, and at each checkpoint. */
import type { Vector } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import type { AddFile } from '../../lakehouse/delta/actions.ts'
import { partitionFolder, pathOfKey } from '../../lakehouse/delta/partition-values.ts'
import { statisticsText } from '../../lakehouse/delta/statistics.ts'
import type { SinkWriter } from '../contract/sink.ts'
import { appendCommittable } from './committable.ts'
import { type DataFile, dataFile } from './data-file.ts'
import { partitionRows } from './partitions.ts'
import type { OpenTable, SinkTable } from './table.ts'

/** Files open at once: one a partition; the one that is longest unused closes for another. */
const FILES_MAX = 64
/** Bytes held over all files of this writer before `write` should wait. */
const HELD_BYTES_MAX = 32 << 20
/** Bytes of unfinished row groups over all files before the largest is cut short. */
const FILLING_BYTES_MAX = 96 << 20

interface OpenFile {
  readonly file: DataFile
  readonly values: Readonly<Record<string, string | null>>
}

export function appendWriter(
  table: SinkTable,
  open: OpenTable,
  worker: number,
  memory: LinearMemory,
): SinkWriter {
  const { options, ports } = table
  const { partitionColumns } = open.snapshot.metadata
  const partitions = partitionColumns.map((name) => open.schema.findIndex((f) => f.name === name))
  const held = open.schema.map((_, index) => index).filter((index) => !partitions.includes(index))
  const schema: Schema = held.map((index) => open.schema[index]!)
  const files = new Map<string, OpenFile>()
  const full: OpenFile[] = []
  let adds: AddFile[] = []

  const fileOf = (id: string, values: OpenFile['values']): OpenFile => {
    const found = files.get(id)
    if (found !== undefined) {
      // Last used comes last, so that the first is the longest unused.
      files.delete(id)
      files.set(id, found)
      return found
    }
    if (files.size >= FILES_MAX) {
      const [oldest, file] = files.entries().next().value!
      files.delete(oldest)
      full.push(file)
    }
    const name = `part-${String(worker).padStart(5, '0')}-${table.newFileId()}.c000.${options.codec}.parquet`
    const key = partitionFolder(values, partitionColumns) + name
    const made = {
      file: dataFile({ store: ports.store, key, schema, codec: options.codec }),
      values,
    }
    files.set(id, made)
    return made
  }
  const put = (
    id: string,
    values: OpenFile['values'],
    rows: { readonly selection: number; readonly count: number },
    columns: readonly Vector[],
  ) => {
    const open = fileOf(id, values)
    open.file.write(memory, rows, columns)
    if (open.file.bytes < options.fileBytes) return
    files.delete(id)
    full.push(open)
  }
  const everyFile = () => [...files.values(), ...full]
  const finishFull = async () => {
    for (const { file, values } of full.splice(0))
      adds.push(await finished(table, open, file, values))
  }

  return {
    write(batch) {
      if (batch.count === 0) return
      const columns = held.map((index) => batch.columns[index]!)
      if (partitions.length === 0) put('', {}, batch, columns)
      else {
        for (const { id, values, rows } of partitionRows(memory, batch, open.schema, partitions)) {
          const mark = memory.arena.mark()
          put(id, values, selectionOf(memory, rows), columns)
          memory.arena.release(mark)
        }
      }
      limitFilling(files)
    },
    get full() {
      return everyFile().reduce((sum, { file }) => sum + file.waitingBytes, 0) > HELD_BYTES_MAX
    },
    async drain() {
      await finishFull()
      for (const { file } of files.values()) await file.drain()
    },
    async prepare(checkpoint) {
      ports.faultPoint('delta-prepare-before')
      full.push(...files.values())
      files.clear()
      await finishFull()
      ports.faultPoint('delta-prepare-after')
      const prepared = adds
      adds = []
      if (prepared.length === 0) return undefined
      return appendCommittable(open.snapshot.metadata.id, checkpoint, prepared)
    },
    async close() {
      for (const { file } of everyFile()) await file.abort()
      files.clear()
      full.length = 0
    },
  }
}

/** A partition for each of many rows would hold a page a column each: the largest row groups end early. */
function limitFilling(files: ReadonlyMap<string, OpenFile>): void {
  let total = 0
  let largest: DataFile | undefined
  for (const { file } of files.values()) {
    total += file.fillingBytes
    if (largest === undefined || file.fillingBytes > largest.fillingBytes) largest = file
  }
  if (total > FILLING_BYTES_MAX) largest?.flush()
}

function selectionOf(
  memory: LinearMemory,
  rows: readonly number[],
): { readonly selection: number; readonly count: number } {
  const selection = memory.arena.allocate(4 * rows.length)
  for (let at = 0; at < rows.length; at++) memory.u32[(selection >>> 2) + at] = rows[at]!
  return { selection, count: rows.length }
}

/** Ends a data file and tells it as an action. */
export async function finished(
  table: SinkTable,
  open: OpenTable,
  file: DataFile,
  values: Readonly<Record<string, string | null>>,
  tags?: Readonly<Record<string, string>>,
): Promise<AddFile> {
  table.ports.faultPoint('delta-file-close-before')
  const written = await file.finish()
  table.ports.faultPoint('delta-file-close-after')
  const indexed = open.snapshot.metadata.configuration['delta.dataSkippingNumIndexedCols']
  return {
    path: pathOfKey(file.key),
    partitionValues: values,
    size: written.bytes,
    modificationTime: table.ports.nowMs(),
    dataChange: true,
    stats: statisticsText(written, indexed === undefined ? undefined : Number(indexed)),
    ...(tags === undefined ? {} : { tags }),
  }
}
