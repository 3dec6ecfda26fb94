/** Small files of an append table rewritten into larger ones: the same rows, so `dataChange` is false. */
import { openParquet } from '../../formats/parquet/read.ts'
import { type AddFile, logCorrupt } from '../../lakehouse/delta/actions.ts'
import { commit } from '../../lakehouse/delta/commit.ts'
import { compactionGroups } from '../../lakehouse/delta/compaction.ts'
import { objectBuffer } from '../../lakehouse/delta/log.ts'
import { keyOfPath, partitionFolder } from '../../lakehouse/delta/partition-values.ts'
import type { Snapshot } from '../../lakehouse/delta/snapshot.ts'
import { parseSchemaText } from '../../lakehouse/delta/table-schema.ts'
import { finished } from './append-writer.ts'
import { dataFile } from './data-file.ts'
import type { OpenTable, SinkTable } from './table.ts'
import { removeOf } from './upsert-merge.ts'

const READ_ROWS = 8192

/** Undefined if nothing was worth it, or another writer was faster. */
export async function compact(
  table: SinkTable,
  open: OpenTable,
): Promise<{ readonly snapshot: Snapshot; readonly files: number } | undefined> {
  const { ports, options } = table
  const groups = compactionGroups(open.snapshot.files.values(), options.fileBytes)
  if (groups.length === 0) return undefined
  const adds: AddFile[] = []
  for (const group of groups) adds.push(await rewrite(table, open, group))
  const files = groups.flat()
  const removes = files.map((file) => ({ ...removeOf(file, ports.nowMs()), dataChange: false }))
  ports.faultPoint('delta-compact-before')
  const result = await commit(ports, open.snapshot, {
    operation: 'OPTIMIZE',
    parameters: { predicate: '[]' },
    adds,
    removes,
    rearranges: true,
    base: {
      version: open.snapshot.version,
      protocol: open.snapshot.protocol,
      metadata: open.snapshot.metadata,
      schemaProblem: () => 'its columns changed during a compaction',
    },
  })
  if (result.kind === 'committed') return { snapshot: result.snapshot, files: files.length }
  for (const { path } of adds) await ports.store.remove(keyOfPath(ports.store.url, path))
  return undefined
}

/** All columns of the table, those that this pipeline does not write too. */
async function rewrite(
  table: SinkTable,
  open: OpenTable,
  group: readonly AddFile[],
): Promise<AddFile> {
  const { ports, options } = table
  const { partitionColumns, schemaString } = open.snapshot.metadata
  const schema = parseSchemaText(schemaString).filter(
    ({ name }) => !partitionColumns.includes(name),
  )
  const values = group[0]!.partitionValues
  const key = `${partitionFolder(values, partitionColumns)}part-compact-${table.newFileId()}.c000.${options.codec}.parquet`
  const out = dataFile({ store: ports.store, key, schema, codec: options.codec })
  const memory = table.rewriteMemory()
  for (const { path } of group) {
    const source = keyOfPath(ports.store.url, path)
    const buffer = await objectBuffer(ports.store, source)
    if (buffer === undefined) throw logCorrupt(source, 'the log names the file, but it is gone')
    const parquet = await openParquet(source, buffer)
    for (let index = 0; index < parquet.groupRows.length; index++) {
      const rows = await parquet.group(index, schema)
      for (let start = 0; start < rows.rowCount; start += READ_ROWS) {
        const mark = memory.arena.mark()
        const batch = rows.batch(memory, start, Math.min(start + READ_ROWS, rows.rowCount))
        out.write(memory, batch, batch.columns)
        memory.arena.release(mark)
      }
      await out.drain()
    }
  }
  return { ...(await finished(table, open, out, values)), dataChange: false }
}
