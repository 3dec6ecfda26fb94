/**
 * Changed rows and the table's rows become new files: copy-on-write, of the files of touched buckets only. Among those, a large file
 * without any changed key stays as it is; small ones are merged on the way.
 *
 * The commit's changes are held in memory at once; the table's rows pass through a batch at a time.
 */
import { type Batch, DELETE } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { invariant } from '../../errors.ts'
import { openParquet } from '../../formats/parquet/read.ts'
import type { AddFile, RemoveFile } from '../../lakehouse/delta/actions.ts'
import type { CommitAttempt } from '../../lakehouse/delta/decide.ts'
import { objectBuffer } from '../../lakehouse/delta/log.ts'
import { keyOfPath } from '../../lakehouse/delta/partition-values.ts'
import { parseSchemaText } from '../../lakehouse/delta/table-schema.ts'
import { finished } from './append-writer.ts'
import type { Prepared, StagedChanges } from './committable.ts'
import { type DataFile, dataFile } from './data-file.ts'
import { bucketOf, keyReader } from './keys.ts'
import { bucketCount, type OpenTable, type SinkTable } from './table.ts'
import { stagedSchema } from './upsert-writer.ts'

const BUCKET_TAG = 'millrace.bucket'
const READ_ROWS = 8192

export interface Merged {
  readonly adds: readonly AddFile[]
  readonly removes: readonly RemoveFile[]
  readonly rewrites?: NonNullable<CommitAttempt['rewrites']>
  readonly notes: readonly string[]
}

/** Where a changed row is, in one number: an object a row would cost more than the rest of a large commit. */
type Change = number

function changeAt(batchIndex: number, row: number, isDelete: boolean): Change {
  return (batchIndex * READ_ROWS + row) * 2 + (isDelete ? 1 : 0)
}

interface Changes {
  readonly batches: readonly Batch[]
  /** Last change of each key, by bucket. */
  readonly byBucket: ReadonlyMap<number, ReadonlyMap<string, Change>>
}

/** Nothing for an append, and for an upsert without changes. */
export async function mergeChanges(
  table: SinkTable,
  open: OpenTable,
  prepared: readonly Prepared[],
): Promise<Merged> {
  const staged = prepared.flatMap(({ changes }) => changes)
  if (staged.length === 0) return { adds: [], removes: [], notes: [] }
  const memory = table.rewriteMemory()
  const mark = memory.arena.mark()
  try {
    return await mergeStaged(table, open, staged, memory)
  } finally {
    memory.arena.release(mark)
  }
}

async function mergeStaged(
  table: SinkTable,
  open: OpenTable,
  staged: readonly StagedChanges[],
  memory: LinearMemory,
): Promise<Merged> {
  const merge = merging(table, open, memory)
  const changes = await readChanges(
    merge,
    staged.map(({ key }) => key),
  )
  const files = [...open.snapshot.files.values()]
  const untagged = files.filter((file) => tagOf(file) === undefined)
  // Rows of a file without a tag (rewritten by another tool) may be of any bucket.
  const all = Array.from({ length: merge.buckets }, (_, bucket) => bucket)
  const touched = new Set(untagged.length > 0 ? all : changes.byBucket.keys())
  const isTouched = (file: AddFile) => {
    const bucket = tagOf(file)
    return bucket === undefined || touched.has(bucket)
  }
  const candidates = files.filter(isTouched)
  const adds: AddFile[] = []
  const removed = new Set<AddFile>(untagged)
  for (const bucket of touched) {
    const own = candidates.filter((file) => tagOf(file) === bucket)
    const result = await mergeBucket(
      merge,
      bucket,
      [...own, ...untagged],
      changes.byBucket.get(bucket) ?? new Map(),
      changes.batches,
    )
    adds.push(...result.adds)
    for (const file of result.rewritten) removed.add(file)
  }
  const removes = [...removed].map((file) => removeOf(file, table.ports.nowMs()))
  const changeCount = staged.reduce((sum, { rowCount }) => sum + rowCount, 0)
  return {
    adds,
    removes,
    rewrites: { isTouched, paths: new Set(candidates.map(({ path }) => path)) },
    notes: [amplification(merge.rowsWritten(), changeCount, removes.length, files.length)],
  }
}

/** Staged files have done their duty once their rows are in the table; a crash before leaves them to vacuum. */
export async function removeStaged(table: SinkTable, prepared: readonly Prepared[]): Promise<void> {
  for (const { changes } of prepared) {
    for (const { key } of changes) {
      table.ports.faultPoint('delta-unstage')
      await table.ports.store.remove(key)
    }
  }
}

interface Merging {
  readonly table: SinkTable
  readonly open: OpenTable
  readonly memory: LinearMemory
  readonly buckets: number
  /** The table's columns, those that this pipeline does not write too: their values in rewritten files must stay. */
  readonly schema: Schema
  /** Places of the key's columns in the schema. */
  readonly key: readonly number[]
  readonly countRows: (rows: number) => void
  readonly rowsWritten: () => number
}

function merging(table: SinkTable, open: OpenTable, memory: LinearMemory): Merging {
  let rows = 0
  const schema = parseSchemaText(open.snapshot.metadata.schemaString)
  return {
    table,
    open,
    memory,
    buckets: bucketCount(open.snapshot),
    schema,
    key: table.request.primaryKey.map((name) => schema.findIndex((field) => field.name === name)),
    countRows(count) {
      rows += count
    },
    rowsWritten: () => rows,
  }
}

async function readChanges(merge: Merging, keys: readonly string[]): Promise<Changes> {
  const { memory, buckets } = merge
  const batches: Batch[] = []
  const byBucket = new Map<number, Map<string, Change>>()
  const schema = stagedSchema(merge.schema)
  for (const key of keys) {
    for await (const batch of readBatches(merge, key, schema)) {
      const keyColumns = merge.key.map((index) => batch.columns[index]!)
      const keyAt = keyReader(memory, keyColumns)
      const kinds = batch.columns.at(-1)!.cells >>> 2
      for (let row = 0; row < batch.rowCount; row++) {
        const text = keyAt(row)
        const bucket = bucketOf(text, buckets)
        let inBucket = byBucket.get(bucket)
        if (inBucket === undefined) {
          inBucket = new Map()
          byBucket.set(bucket, inBucket)
        }
        const isDelete = memory.u32[kinds + 2 * row] === DELETE
        inBucket.set(text, changeAt(batches.length, row, isDelete))
      }
      batches.push(batch)
    }
  }
  return { batches, byBucket }
}

/** The rows of a Parquet file, in the arena; who wants less than all of them there marks and releases. */
async function* readBatches(merge: Merging, key: string, schema: Schema): AsyncGenerator<Batch> {
  const { store } = merge.table.ports
  const file = await objectBuffer(store, key)
  invariant(file !== undefined, `'${key}' is there: it was looked for, or the log names it`)
  const parquet = await openParquet(key, file)
  for (let index = 0; index < parquet.groupRows.length; index++) {
    const group = await parquet.group(index, schema)
    for (let start = 0; start < group.rowCount; start += READ_ROWS) {
      yield group.batch(merge.memory, start, Math.min(start + READ_ROWS, group.rowCount))
    }
  }
}

interface MergedBucket {
  readonly adds: readonly AddFile[]
  readonly rewritten: readonly AddFile[]
}

async function mergeBucket(
  merge: Merging,
  bucket: number,
  files: readonly AddFile[],
  changes: ReadonlyMap<string, Change>,
  batches: readonly Batch[],
): Promise<MergedBucket> {
  const out = bucketOutput(merge, bucket)
  const rewritten: AddFile[] = []
  for (const file of files) {
    if (!(await mustRewrite(merge, file, changes))) continue
    rewritten.push(file)
    await copyUnchanged(merge, bucket, file, changes, out)
  }
  const byBatch = new Map<number, number[]>()
  for (const change of changes.values()) {
    if (change % 2 === 1) continue
    const place = change / 2
    const batchIndex = Math.floor(place / READ_ROWS)
    const rows = byBatch.get(batchIndex)
    if (rows === undefined) byBatch.set(batchIndex, [place % READ_ROWS])
    else rows.push(place % READ_ROWS)
  }
  for (const [batchIndex, rows] of byBatch) await out.write(batches[batchIndex]!, rows)
  return { adds: await out.finish(), rewritten }
}

/** A large file is read for its keys first: without a changed one it stays. */
async function mustRewrite(
  merge: Merging,
  file: AddFile,
  changes: ReadonlyMap<string, Change>,
): Promise<boolean> {
  const { options, ports } = merge.table
  if (tagOf(file) === undefined || file.size < options.fileBytes / 4) return true
  const { memory } = merge
  const schema = merge.key.map((index) => merge.schema[index]!)
  const mark = memory.arena.mark()
  try {
    for await (const batch of readBatches(merge, keyOfPath(ports.store.url, file.path), schema)) {
      const keyAt = keyReader(memory, batch.columns)
      for (let row = 0; row < batch.rowCount; row++) if (changes.has(keyAt(row))) return true
      memory.arena.release(mark)
    }
    return false
  } finally {
    memory.arena.release(mark)
  }
}

async function copyUnchanged(
  merge: Merging,
  bucket: number,
  file: AddFile,
  changes: ReadonlyMap<string, Change>,
  out: BucketOutput,
): Promise<void> {
  const { memory } = merge
  const isOwn = tagOf(file) !== undefined
  const mark = memory.arena.mark()
  const key = keyOfPath(merge.table.ports.store.url, file.path)
  for await (const batch of readBatches(merge, key, merge.schema)) {
    const keyAt = keyReader(
      memory,
      merge.key.map((index) => batch.columns[index]!),
    )
    const kept: number[] = []
    for (let row = 0; row < batch.rowCount; row++) {
      const text = keyAt(row)
      if (!changes.has(text) && (isOwn || bucketOf(text, merge.buckets) === bucket)) kept.push(row)
    }
    await out.write(batch, kept)
    memory.arena.release(mark)
  }
}

interface BucketOutput {
  write(batch: Batch, rows: readonly number[]): Promise<void>
  finish(): Promise<readonly AddFile[]>
}

function bucketOutput(merge: Merging, bucket: number): BucketOutput {
  const { table, open, memory } = merge
  const { options, ports } = table
  const adds: AddFile[] = []
  const tags = { [BUCKET_TAG]: String(bucket) }
  let file: DataFile | undefined
  const end = async () => {
    if (file !== undefined) adds.push(await finished(table, open, file, {}, tags))
    file = undefined
  }
  return {
    async write(batch, rows) {
      if (rows.length === 0) return
      const name = `bucket-${String(bucket).padStart(5, '0')}-${table.newFileId()}.${options.codec}.parquet`
      file ??= dataFile({
        store: ports.store,
        key: name,
        schema: merge.schema,
        codec: options.codec,
      })
      const mark = memory.arena.mark()
      const selection = memory.arena.allocate(4 * rows.length)
      for (let at = 0; at < rows.length; at++) memory.u32[(selection >>> 2) + at] = rows[at]!
      file.write(memory, { selection, count: rows.length }, batch.columns)
      memory.arena.release(mark)
      merge.countRows(rows.length)
      await file.drain()
      if (file.bytes >= options.fileBytes) await end()
    },
    async finish() {
      await end()
      return adds
    },
  }
}

function tagOf(file: AddFile): number | undefined {
  const tag = file.tags?.[BUCKET_TAG]
  return tag === undefined || tag === null ? undefined : Number(tag)
}

export function removeOf(file: AddFile, nowMs: number): RemoveFile {
  return {
    path: file.path,
    deletionTimestamp: nowMs,
    dataChange: true,
    extendedFileMetadata: true,
    partitionValues: file.partitionValues,
    size: file.size,
    ...(file.tags === undefined ? {} : { tags: file.tags }),
  }
}

function amplification(rows: number, changes: number, removed: number, files: number): string {
  const factor = (rows / Math.max(changes, 1)).toFixed(1)
  return `rewrote ${removed} of ${files} files: ${rows} rows written for ${changes} changes (write amplification ${factor})`
}
