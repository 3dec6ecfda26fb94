/**
 * JSON lines in files: a file, or all files of a directory by name, hidden ones left out. One split a file; positions are byte
 * offsets. Bounded, unless 'source.monitor-interval' is set: then files are followed as they grow, and new ones are found.
 * A last line without an end is read when the table is bounded, and waited for when it is followed.
 *
 * In an object store the same, of all objects below the path; none of them grows, and their last lines are whole.
 */
import { join } from 'node:path'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import { MillraceError } from '../../errors.ts'
import type { RecordDecoder } from '../../formats/format.ts'
import { createLineSplitter, type LineSplitter } from '../../formats/lines/split.ts'
import type { Files } from '../../ports/files.ts'
import type {
  Polled,
  PolledNow,
  Position,
  Source,
  SourceReader,
  SourceRequest,
} from '../contract/source.ts'
import { deadRows, rowPositions, whenPrepared } from '../decoding.ts'
import { formatMetadataKey, openValueFormat } from '../formats.ts'
import { type FileBytes, objectBytes } from './object-bytes.ts'
import { isHidden, objectAt, placeOf } from './place.ts'

/** Bytes read at a time; a line may be longer, up to LINE_BYTES_MAX. */
const CHUNK_BYTES = 1 << 20
const LINE_BYTES_MAX = 64 << 20
const LINE_FEED = 10

export function openFilesystemSource(request: SourceRequest): Source {
  const { table, options, baseDirectory } = request
  const bounded = options['source.monitor-interval'] === undefined
  const place = placeOf(table, options.path!, baseDirectory)
  return {
    replay: 'exact',
    bounded,
    close: async () => {},
    ...(place.kind === 'local'
      ? localFiles(request, place.path, bounded)
      : objects(request, place.url, bounded)),
  }
}

type Splits = Pick<Source, 'splits' | 'endPosition' | 'open'>

function localFiles(request: SourceRequest, path: string, bounded: boolean): Splits {
  const { files } = request.ports
  const fileOf = (split: string): string => (split === '' ? path : join(path, split))
  return {
    splits: async () => splitsOf(request, path),
    endPosition: async (split) => `${endOf(files, fileOf(split), bounded)}`,
    async open(split, start, memory) {
      const handle = files.open(fileOf(split), 'read')
      const bytes = {
        size: () => handle.bytes(),
        read: (into: Uint8Array, position: number) => handle.read(into, position),
        close: () => handle.close(),
      }
      const path = fileOf(split)
      return openLines(request, { path, bytes, bounded, isWhole: bounded }, start, memory)
    },
  }
}

function objects(request: SourceRequest, url: string, bounded: boolean): Splits {
  const { ports } = request
  const below = ports.objects(url)
  const at = (split: string) =>
    split === '' ? objectAt(ports, url)! : { store: below, key: split }
  const sizeOf = async (split: string): Promise<number> => {
    const { store, key } = at(split)
    return (await store.head(key))?.bytes ?? 0
  }
  return {
    async splits() {
      const alone = objectAt(ports, url)
      if (alone !== undefined && (await alone.store.head(alone.key)) !== undefined) return ['']
      const keys: string[] = []
      for await (const { key } of below.list('')) if (!isHidden(key)) keys.push(key)
      if (keys.length === 0 && bounded) throw missing(request.table, url)
      return keys
    },
    endPosition: async (split) => `${await sizeOf(split)}`,
    async open(split, start, memory) {
      const { store, key } = at(split)
      const bytes = objectBytes(store, key, await sizeOf(split))
      const path = `${store.url}/${key}`
      return openLines(request, { path, bytes, bounded, isWhole: true }, start, memory)
    },
  }
}

/** '' for the path itself, or names of files in it. */
function splitsOf({ ports, table }: SourceRequest, path: string): string[] {
  const stat = ports.files.stat(path)
  if (stat === undefined) throw missing(table, path)
  if (!stat.isDirectory) return ['']
  return ports.files.list(path).filter((name) => !isHidden(name))
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

function missing(table: string, path: string): MillraceError {
  return new MillraceError('FILE_MISSING', {
    message: `table ${table}: there is no file or directory ${path}`,
    hint: "set 'path' to what is there; relative paths start at the project's folder",
    facts: { table, path },
  })
}

interface Opened {
  /** For messages. */
  readonly path: string
  readonly bytes: FileBytes
  readonly bounded: boolean
  /** Nothing will follow its last byte. */
  readonly isWhole: boolean
}

interface OpenFile extends Opened {
  readonly memory: LinearMemory
  readonly lines: LineSplitter
  readonly decoder: RecordDecoder
  position: number
}

async function openLines(
  request: SourceRequest,
  opened: Opened,
  start: Position | undefined,
  memory: LinearMemory,
): Promise<SourceReader> {
  const decoder = await openValueFormat(request, request.table, 'json').openDecoder(
    memory,
    request.schema,
    request.physical,
    request.metadataKeys.map(formatMetadataKey),
  )
  const { bytes, bounded } = opened
  const position = start === undefined ? 0 : Number(start)
  const file: OpenFile = { ...opened, memory, lines: createLineSplitter(memory), decoder, position }
  return {
    poll({ rowsMax, until }) {
      const size = bytes.size()
      const end = until === undefined ? size : Math.min(size, Number(until))
      if (file.position >= end) return bounded && end === size ? 'ended' : undefined
      return readLines(file, rowsMax, end, size)
    },
    committed: async () => {},
    async close() {
      bytes.close()
      decoder.dispose()
    },
  }
}

function readLines(
  file: OpenFile,
  rowsMax: number,
  end: number,
  size: number,
): PolledNow | Promise<Polled> {
  const { memory } = file
  const cells = memory.arena.allocate(8 * rowsMax)
  for (let chunk = CHUNK_BYTES; chunk <= LINE_BYTES_MAX; chunk *= 2) {
    const wanted = Math.min(chunk, end - file.position)
    // One byte more: the last line of a bounded file may need an end of its own.
    const address = memory.arena.allocate(wanted + 1)
    const bytes = file.bytes.read(memory.u8.subarray(address, address + wanted), file.position)
    if (bytes === 'waiting') return 'waiting'
    const isUnended =
      file.isWhole && file.position + bytes >= size && memory.u8[address + bytes - 1] !== LINE_FEED
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
