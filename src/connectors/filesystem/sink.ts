/**
 * Writes a directory of JSON lines, exactly once: rows go to a hidden file, which is synced when a checkpoint prepares and gets its
 * name when the checkpoint commits. A name is part of the checkpoint's, so that committing again finds its work done.
 *
 *   .<pipeline>-<worker>-<incarnation>-<counter>.inprogress   before
 *   <pipeline>-<worker>-<incarnation>-<counter>.json          after, or as the format's files end
 */
import { dirname, join } from 'node:path'
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory } from '../../data/memory.ts'
import type { RecordEncoder } from '../../formats/format.ts'
import type { FileHandle } from '../../ports/files.ts'
import type { Ports } from '../../ports/ports.ts'
import {
  type CheckpointId,
  type CommitOutcome,
  type CommitRequest,
  isAfter,
  type Sink,
  type SinkCommitter,
  type SinkRequest,
  type SinkWriter,
} from '../contract/sink.ts'
import { openValueFormat } from '../formats.ts'
import { localPath } from './source.ts'

const BUFFER_BYTES = 1 << 20
const LINE_FEED = 10

export function openFilesystemSink(request: SinkRequest): Sink {
  const { ports } = request
  const directory = localPath(request.table, request.options.path!, request.baseDirectory)
  return {
    guarantee: 'exactly-once',
    async prepareTable() {
      await openValueFormat(request, request.table, 'json').prepareSink(request.schema)
      ports.files.makeDirectory(directory)
      await ports.files.syncDirectory(dirname(directory))
    },
    openWriter: (worker, memory) => fileWriter(request, directory, worker, memory),
    openCommitter: async () => fileCommitter(ports, directory, endingOf(request)),
  }
}

interface OpenPart {
  readonly path: string
  readonly handle: FileHandle
  bytes: number
}

async function fileWriter(
  request: SinkRequest,
  directory: string,
  worker: number,
  memory: LinearMemory,
): Promise<SinkWriter> {
  const { files } = request.ports
  const encoder = await openValueFormat(request, request.table, 'json').openEncoder(
    memory,
    request.schema,
  )
  const buffer = new Uint8Array(BUFFER_BYTES)
  // Until a checkpoint gives the part its name; left over by a crash, it is made anew.
  const path = join(directory, `.${prefixOf(request.pipeline)}-${worker}.inprogress`)
  let part: OpenPart | undefined
  const open = (): OpenPart => {
    if (files.exists(path)) files.remove(path)
    return { path, handle: files.open(path, 'create'), bytes: 0 }
  }
  return {
    write(batch) {
      if (batch.count === 0) return
      part ??= open()
      const mark = memory.arena.mark()
      writeLines(part, memory, encoder, batch, buffer)
      memory.arena.release(mark)
    },
    full: false,
    drain: async () => {},
    async prepare(checkpoint) {
      if (part === undefined) return undefined
      const { handle } = part
      part = undefined
      await handle.sync()
      handle.close()
      const name = `${prefixOf(request.pipeline)}-${worker}-${checkpoint.incarnation}-${checkpoint.counter}`
      request.ports.faultPoint('filesystem.part-synced')
      files.rename(path, join(directory, `.${name}.inprogress`))
      await files.syncDirectory(directory)
      request.ports.faultPoint('filesystem.part-prepared')
      return name
    },
    async close() {
      part?.handle.close()
      encoder.dispose()
    },
  }
}

function writeLines(
  part: OpenPart,
  memory: LinearMemory,
  encoder: RecordEncoder,
  batch: Batch,
  buffer: Uint8Array,
): void {
  const cells = encoder.encode(batch) >>> 2
  let used = 0
  const flush = (): void => {
    part.handle.write(buffer.subarray(0, used), part.bytes)
    part.bytes += used
    used = 0
  }
  for (let at = 0; at < batch.count; at++) {
    const address = memory.u32[cells + 2 * at]!
    const bytes = memory.u32[cells + 2 * at + 1]!
    if (used + bytes + 1 > buffer.length) flush()
    const line = memory.u8.subarray(address, address + bytes)
    if (bytes + 1 > buffer.length) {
      part.handle.write(line, part.bytes)
      part.bytes += bytes
    } else {
      buffer.set(line, used)
      used += bytes
    }
    buffer[used++] = LINE_FEED
  }
  flush()
}

function endingOf(request: SinkRequest): string {
  return openValueFormat(request, request.table, 'json').format.fileEnding ?? 'json'
}

function fileCommitter(ports: Ports, directory: string, ending: string): SinkCommitter {
  return {
    commit: (request) => commitParts(ports, directory, ending, request),
    lastCommitted: async (pipeline) => lastCommitted(ports, directory, ending, pipeline),
    close: async () => {},
  }
}

async function commitParts(
  ports: Ports,
  directory: string,
  ending: string,
  { committables }: CommitRequest,
): Promise<CommitOutcome> {
  const { files } = ports
  let renamed = 0
  for (const name of committables) {
    const from = join(directory, `.${name}.inprogress`)
    const to = join(directory, `${name}.${ending}`)
    if (files.exists(from)) {
      files.rename(from, to)
      renamed++
      ports.faultPoint('filesystem.part-committed')
    } else if (!files.exists(to)) return partMissing(to)
  }
  if (renamed > 0) await files.syncDirectory(directory)
  return { kind: 'committed', already: renamed === 0 && committables.length > 0 }
}

function partMissing(path: string): CommitOutcome {
  return {
    kind: 'refused',
    reason: `${path} is missing: it was prepared, and is neither there nor waiting`,
    remedy: 'someone removed files below the path: put the directory back, or start with --fresh',
  }
}

/** By the names of parts: whoever moves them away makes it forget, which only matters to a restore from an old savepoint. */
function lastCommitted(
  { files }: Ports,
  directory: string,
  ending: string,
  pipeline: string,
): CheckpointId | undefined {
  const prefix = `${prefixOf(pipeline)}-`
  let last: CheckpointId | undefined
  for (const name of files.exists(directory) ? files.list(directory) : []) {
    const match = /^\d+-(\d+)-(\d+)\.(\w+)$/.exec(name.slice(prefix.length))
    if (match === null || match[3] !== ending || !name.startsWith(prefix)) continue
    const found = { incarnation: Number(match[1]), counter: Number(match[2]) }
    if (last === undefined || isAfter(found, last)) last = found
  }
  return last
}

/** Several pipelines may write one directory: a part bears its pipeline's name, as far as names of files can. */
function prefixOf(pipeline: string): string {
  return encodeURIComponent(pipeline)
}
