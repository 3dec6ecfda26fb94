/**
 * A bounded scan of a Delta table at one version: the newest when it was opened, or 'versionAsOf'. Files in order of path are dealt to a
 * fixed number of splits; a position names the version, so that going on reads the same files whatever was committed since.
 */
import { z } from 'zod'
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import { invariant } from '../../errors.ts'
import {
  type DecodedGroup,
  openParquet,
  type ParquetFileReader,
} from '../../formats/parquet/read.ts'
import { type AddFile, logCorrupt } from '../../lakehouse/delta/actions.ts'
import { loadSnapshot, objectBuffer } from '../../lakehouse/delta/log.ts'
import { keyOfPath, parsePartitionText } from '../../lakehouse/delta/partition-values.ts'
import { checkReadable } from '../../lakehouse/delta/protocol.ts'
import type { Snapshot } from '../../lakehouse/delta/snapshot.ts'
import { parseSchemaText } from '../../lakehouse/delta/table-schema.ts'
import type { ObjectStore } from '../../ports/objects.ts'
import type { Polled, PollLimit, Source, SourceReader, SourceRequest } from '../contract/source.ts'
import { constantVector } from './constant-vector.ts'
import { fitSchema, schemaMismatch } from './fit.ts'
import { readOptions } from './options.ts'
import { openStore, tableMissing } from './table.ts'

/** Never changes: a split's number means the same files of a version in every run. */
const SPLITS = 4

const position = z.object({ version: z.number(), file: z.number(), row: z.number() })
type Place = z.output<typeof position>

/**
 * @throws DELTA_TABLE_MISSING, DELTA_VERSION_MISSING, DELTA_FEATURE_UNSUPPORTED, DELTA_LOG_CORRUPT
 * @throws DELTA_SCHEMA_MISMATCH if the declared columns are not the table's
 */
export async function openDeltaSource(request: SourceRequest): Promise<Source> {
  const options = readOptions(request.options)
  const store = openStore(request.ports, options.tablePath, request.baseDirectory)
  const scan: Scan = { request, store }
  const snapshot = await snapshotAt(scan, options.versionAsOf)
  return {
    replay: 'exact',
    bounded: true,
    async splits() {
      return Array.from({ length: SPLITS }, (_, split) => String(split))
    },
    async endPosition(split) {
      const file = filesOf(snapshot, split).length
      return JSON.stringify({ version: snapshot.version, file, row: 0 })
    },
    async open(split, start, memory) {
      const place = start === undefined ? undefined : position.parse(JSON.parse(start))
      const from = place === undefined || place.version === snapshot.version
      const at = from ? snapshot : await snapshotAt(scan, place.version)
      return splitReader(scan, at, split, place ?? { version: at.version, file: 0, row: 0 }, memory)
    },
    async close() {},
  }
}

interface Scan {
  readonly request: SourceRequest
  readonly store: ObjectStore
}

async function snapshotAt(
  { request, store }: Scan,
  version: number | undefined,
): Promise<Snapshot> {
  const snapshot = await loadSnapshot(store, version)
  if (snapshot === undefined) throw tableMissing(request.table, store.url)
  checkReadable(store.url, snapshot.protocol, snapshot.metadata)
  const table = parseSchemaText(snapshot.metadata.schemaString)
  const fit = fitSchema(request.schema, table)
  const lacks = fit.missing.map(({ name }) => `column '${name}' is not in the table`)
  // A NOT NULL column that is not asked for is nothing to a reader.
  const names = new Set(request.schema.map(({ name }) => name.toLowerCase()))
  const problems = fit.problems.filter((problem) => {
    const column = /^column '(.+?)' is NOT NULL/.exec(problem)?.[1]
    return column === undefined || names.has(column.toLowerCase())
  })
  if (problems.length + lacks.length > 0) {
    throw schemaMismatch(request.table, store.url, [...problems, ...lacks].join('; '))
  }
  return snapshot
}

function filesOf(snapshot: Snapshot, split: string): readonly AddFile[] {
  const paths = [...snapshot.files.keys()].sort()
  const own = paths.filter((_, index) => index % SPLITS === Number(split))
  return own.map((path) => snapshot.files.get(path)!)
}

function splitReader(
  scan: Scan,
  snapshot: Snapshot,
  split: string,
  start: Place,
  memory: LinearMemory,
): SourceReader {
  const files = filesOf(snapshot, split)
  let { file, row } = start
  let open: OpenFile | undefined
  return {
    async poll(limit) {
      for (; file < files.length; file++, row = 0) {
        open = open?.index === file ? open : await openFile(scan, snapshot, files[file]!, file)
        const polled = await pollFile(open, row, limit, memory)
        if (polled === undefined) continue
        row += polled.batch.rowCount
        const next = JSON.stringify({ version: snapshot.version, file, row })
        return { ...polled, next }
      }
      return 'ended'
    },
    async committed() {},
    async close() {
      open = undefined
    },
  }
}

interface OpenFile {
  readonly index: number
  readonly reader: ParquetFileReader
  /** Columns that the file holds, and all columns asked for with the partition's values. */
  readonly held: Schema
  readonly complete: (batch: Batch, memory: LinearMemory) => Batch
  group?: { readonly index: number; readonly decoded: DecodedGroup }
}

async function openFile(
  { request, store }: Scan,
  snapshot: Snapshot,
  add: AddFile,
  index: number,
): Promise<OpenFile> {
  const key = keyOfPath(store.url, add.path)
  const buffer = await objectBuffer(store, key)
  if (buffer === undefined)
    throw logCorrupt(key, `version ${snapshot.version} names the file, but it is gone`)
  const partitions = new Set(snapshot.metadata.partitionColumns)
  const held = request.schema.filter(({ name }) => !partitions.has(name))
  const constants = request.schema.map(({ name, type }) =>
    partitions.has(name)
      ? parsePartitionText(name, type, add.partitionValues[name] ?? null)
      : undefined,
  )
  return {
    index,
    reader: await openParquet(key, buffer),
    held,
    complete(batch, memory) {
      let next = 0
      const columns = request.schema.map(({ type }, column) => {
        const constant = constants[column]
        if (constant === undefined) return batch.columns[next++]!
        return constantVector(memory, type, constant, batch.rowCount)
      })
      return { ...batch, columns }
    },
  }
}

async function pollFile(
  open: OpenFile,
  row: number,
  limit: PollLimit,
  memory: LinearMemory,
): Promise<Omit<Polled, 'next'> | undefined> {
  let groupStart = 0
  for (let index = 0; index < open.reader.groupRows.length; index++) {
    const rows = open.reader.groupRows[index]!
    if (row >= groupStart + rows) {
      groupStart += rows
      continue
    }
    if (open.group?.index !== index) {
      open.group = { index, decoded: await open.reader.group(index, open.held) }
    }
    const from = row - groupStart
    const to = Math.min(from + limit.rowsMax, rows)
    invariant(to > from, 'a poll asks for at least one row')
    const batch = open.complete(open.group.decoded.batch(memory, from, to), memory)
    const appendTimeUs = memory.arena.allocateCleared(8 * batch.rowCount)
    const lag = open.reader.rowCount - row - batch.rowCount
    return { batch, appendTimeUs, dead: [], lag }
  }
  return undefined
}
