/**
 * A Delta table read by a program that shares no code with Millrace: the log by JSON.parse, data and checkpoints by hyparquet. The demo
 * counts with it what the engine has written. It knows local tables without deletion vectors and column mapping, and says so of others.
 */
import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'

const KNOWN_FEATURES = new Set(['timestampNtz'])
const compressors = {
  ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes),
  GZIP: (bytes: Uint8Array) => gunzipSync(bytes),
}

interface TableFile {
  readonly path: string
  readonly partitionValues: Readonly<Record<string, string | null>>
}

interface Log {
  readonly files: Map<string, TableFile>
  columns: readonly { readonly name: string; readonly type: unknown }[]
}

/**
 * The rows of the newest version, in no order. Values are hyparquet's (bigint, string, Date, ...), partition values by their type in
 * the schema where it is a number or a boolean, else text; columns that a file lacks are null.
 */
export async function* readDeltaIndependently(
  path: string,
): AsyncGenerator<Record<string, unknown>> {
  const root = path.startsWith('file:') ? fileURLToPath(path) : path
  const log = await readLog(join(root, '_delta_log'))
  for (const file of log.files.values()) yield* fileRows(root, file, log.columns)
}

async function* fileRows(
  root: string,
  file: TableFile,
  columns: Log['columns'],
): AsyncGenerator<Record<string, unknown>> {
  const handle = await open(join(root, decodeURIComponent(file.path)), 'r')
  try {
    const buffer = await asyncBuffer(handle)
    const metadata = await parquetMetadataAsync(buffer)
    let rowStart = 0
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows)
      const rows = await parquetReadObjects({
        file: buffer,
        metadata,
        compressors,
        rowStart,
        rowEnd,
      })
      for (const row of rows) {
        yield Object.fromEntries(
          columns.map(({ name, type }) => {
            const text = file.partitionValues[name]
            return [name, text === undefined ? (row[name] ?? null) : partitionValue(text, type)]
          }),
        )
      }
      rowStart = rowEnd
    }
  } finally {
    await handle.close()
  }
}

async function readLog(directory: string): Promise<Log> {
  const names = (await readdir(directory)).sort()
  const checkpoints = names.filter((name) => /^\d{20}\.checkpoint\.parquet$/.test(name))
  const commits = names.filter((name) => /^\d{20}\.json$/.test(name))
  const checkpoint = checkpoints.at(-1)
  const log: Log = { files: new Map(), columns: [] }
  let version = -1
  if (checkpoint !== undefined) {
    version = Number(checkpoint.slice(0, 20))
    const handle = await open(join(directory, checkpoint), 'r')
    try {
      const file = await asyncBuffer(handle)
      for (const row of await parquetReadObjects({ file, compressors })) {
        const { add, remove, metaData, protocol } = row
        apply(log, { add, remove, metaData, protocol })
      }
    } finally {
      await handle.close()
    }
  }
  for (const name of commits) {
    if (Number(name.slice(0, 20)) <= version) continue
    version++
    if (Number(name.slice(0, 20)) !== version) throw new Error(`commit ${version} is missing`)
    const lines = (await readFile(join(directory, name), 'utf8')).split('\n').filter(Boolean)
    const actions = lines.map((line) => JSON.parse(line))
    for (const action of actions) if (action.remove) apply(log, action)
    for (const action of actions) if (!action.remove) apply(log, action)
  }
  return log
}

interface RawAction {
  readonly add?: TableFile | null
  readonly remove?: { readonly path: string } | null
  readonly metaData?: { readonly schemaString: string } | null
  readonly protocol?: {
    readonly minReaderVersion: number
    readonly readerFeatures?: readonly string[] | null
  } | null
}

function apply(log: Log, { add, remove, metaData, protocol }: RawAction): void {
  if (remove) log.files.delete(remove.path)
  if (add) log.files.set(add.path, add)
  if (metaData) log.columns = JSON.parse(metaData.schemaString).fields
  if (protocol && protocol.minReaderVersion !== 1) {
    const unknown = (protocol.readerFeatures ?? ['column mapping']).filter(
      (feature) => !KNOWN_FEATURES.has(feature),
    )
    if (unknown.length > 0) throw new Error(`this reader does not know ${unknown.join(', ')}`)
  }
}

async function asyncBuffer(handle: Awaited<ReturnType<typeof open>>): Promise<AsyncBuffer> {
  const { size } = await handle.stat()
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(end - start)
      await handle.read(bytes, 0, bytes.length, start)
      return bytes.buffer
    },
  }
}

function partitionValue(text: string | null, type: unknown): unknown {
  if (text === null || text === '') return null
  if (type === 'long') return BigInt(text)
  if (type === 'integer' || type === 'short' || type === 'byte') return Number(text)
  return type === 'boolean' ? text === 'true' : text
}
