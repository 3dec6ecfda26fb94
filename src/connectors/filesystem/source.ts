/**
 * JSON lines in files: a file, or all files of a directory by name, hidden ones left out. One split a file; positions are byte
 * offsets. Bounded, unless 'source.monitor-interval' is set: then files are followed as they grow, and new ones are found.
 * A last line without an end is read when the table is bounded, and waited for when it is followed.
 */
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import type { RecordDecoder } from '../../formats/format.ts'
import { createLineSplitter, type LineSplitter } from '../../formats/lines/split.ts'
import type { FileHandle, Files } from '../../ports/files.ts'
import type { Polled, Source, SourceReader, SourceRequest } from '../contract/source.ts'
import { deadRows, rowPositions, whenPrepared } from '../decoding.ts'
import { formatMetadataKey, openValueFormat } from '../formats.ts'

/** Bytes read at a time; a line may be longer, up to LINE_BYTES_MAX. */
const CHUNK_BYTES = 1 << 20
const LINE_BYTES_MAX = 64 << 20
const LINE_FEED = 10

export function openFilesystemSource(request: SourceRequest): Source {
  const { ports, options } = request
  const path = localPath(request.table, options.path!, request.baseDirectory)
  const bounded = options['source.monitor-interval'] === undefined
  const fileOf = (split: string): string => (split === '' ? path : join(path, split))
  return {
    replay: 'exact',
    bounded,
    splits: async () => splitsOf(request, path),
    endPosition: async (split) => `${endOf(ports.files, fileOf(split), bounded)}`,
    open: async (split, start, memory) =>
      openFile(request, fileOf(split), start === undefined ? 0 : Number(start), memory, bounded),
    close: async () => {},
  }
}

/** '' for the path itself, or names of files in it. */
function splitsOf({ ports, table }: SourceRequest, path: string): string[] {
  const stat = ports.files.stat(path)
  if (stat === undefined) {
    throw new MillraceError('FILE_MISSING', {
      message: `table ${table}: there is no file or directory ${path}`,
      hint: "set 'path' to what is there; relative paths start at the project's folder",
      facts: { table, path },
    })
  }
  if (!stat.isDirectory) return ['']
  return ports.files.list(path).filter((name) => !name.startsWith('.') && !name.startsWith('_'))
}

/** The file's size, or, while it is followed, where its last whole line ends. */
function endOf(files: Files, path: string, bounded: boolean): number {
  const size = files.stat(path)?.bytes ?? 0
  if (bounded || size === 0) return size
  const handle = files.open(path, 'read')
  const block = new Uint8Array(CHUNK_BYTES)
  try {
    for (let end = size; end > 0; end -= CHUNK_BYTES) {
      const start = Math.max(0, end - CHUNK_BYTES)
      const bytes = handle.read(block.subarray(0, end - start), start)
      const feed = block.subarray(0, bytes).lastIndexOf(LINE_FEED)
      if (feed >= 0) return start + feed + 1
    }
    return 0
  } finally {
    handle.close()
  }
}

/** Of 'file:///a/b', '/a/b', or 'b' below the project. @throws STORE_UNSUPPORTED for another scheme */
export function localPath(table: string, path: string, baseDirectory: string): string {
  if (path.startsWith('file:')) return fileURLToPath(path)
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(path)?.[1]
  if (scheme !== undefined)
    throw new MillraceError('STORE_UNSUPPORTED', {
      message: `table ${table}: 'filesystem' reads and writes local files, not '${scheme}'`,
      hint:
        scheme === 's3'
          ? "a Delta table can be in S3: 'connector' = 'delta', 'table-path' = 's3://bucket/path'"
          : "use a local path or 'file:///...'",
      facts: { table, path, scheme },
    })
  return isAbsolute(path) ? path : resolve(baseDirectory, path)
}

interface OpenFile {
  readonly path: string
  readonly handle: FileHandle
  readonly memory: LinearMemory
  readonly lines: LineSplitter
  readonly decoder: RecordDecoder
  readonly bounded: boolean
  position: number
}

async function openFile(
  request: SourceRequest,
  path: string,
  position: number,
  memory: LinearMemory,
  bounded: boolean,
): Promise<SourceReader> {
  const decoder = await openValueFormat(request, request.table, 'json').openDecoder(
    memory,
    request.schema,
    request.physical,
    request.metadataKeys.map(formatMetadataKey),
  )
  const handle = request.ports.files.open(path, 'read')
  const file: OpenFile = {
    path,
    handle,
    memory,
    lines: createLineSplitter(memory),
    decoder,
    bounded,
    position,
  }
  return {
    poll({ rowsMax, until }) {
      const size = handle.bytes()
      const end = until === undefined ? size : Math.min(size, Number(until))
      if (file.position >= end) return bounded && end === size ? 'ended' : undefined
      return readLines(file, rowsMax, end, size)
    },
    committed: async () => {},
    async close() {
      handle.close()
      decoder.dispose()
    },
  }
}

function readLines(
  file: OpenFile,
  rowsMax: number,
  end: number,
  size: number,
): Polled | undefined | Promise<Polled> {
  const { memory } = file
  const cells = memory.arena.allocate(8 * rowsMax)
  for (let chunk = CHUNK_BYTES; chunk <= LINE_BYTES_MAX; chunk *= 2) {
    const wanted = Math.min(chunk, end - file.position)
    // One byte more: the last line of a bounded file may need an end of its own.
    const address = memory.arena.allocate(wanted + 1)
    const bytes = file.handle.read(memory.u8.subarray(address, address + wanted), file.position)
    const isUnended =
      file.bounded && file.position + bytes >= size && memory.u8[address + bytes - 1] !== LINE_FEED
    if (isUnended) memory.u8[address + bytes] = LINE_FEED
    const length = isUnended ? bytes + 1 : bytes
    const { count, consumed } = file.lines.split(address, length, cells, rowsMax)
    if (count > 0) return decodeLines(file, cells, count, Math.min(consumed, bytes), size)
    if (file.position + bytes >= end) return undefined
  }
  throw lineTooLong(file)
}

function decodeLines(
  file: OpenFile,
  cells: Pointer,
  count: number,
  consumed: number,
  size: number,
): Polled | Promise<Polled> {
  const { memory, decoder } = file
  const from = file.position
  const start = memory.u32[cells >>> 2]!
  const positionOf = (row: number): string =>
    `${from + memory.u32[(cells >>> 2) + 2 * row]! - start}`
  return whenPrepared(decoder, cells, count, (decoded) => {
    const { columns, rowCount, selection, count: good, kinds } = decoded
    file.position += consumed
    return {
      batch: { rowCount, columns, kinds, selection, count: good },
      appendTimeUs: 0,
      next: `${file.position}`,
      positionOf: rowPositions(memory, decoded, positionOf),
      dead: deadRows(memory, cells, decoded, positionOf),
      // How many lines wait is not known, only whether any does.
      ...(size === file.position ? { lag: 0 } : {}),
    }
  })
}

function lineTooLong({ path, position }: OpenFile): MillraceError {
  return new MillraceError('LINE_TOO_LONG', {
    message: `${path}: the line at byte ${position} is longer than ${LINE_BYTES_MAX} bytes`,
    hint: 'the file is read as JSON lines: one object a line',
    facts: { path, position, bytesMax: LINE_BYTES_MAX },
  })
}
