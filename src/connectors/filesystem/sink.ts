/**
 * Writes a directory of JSON lines, exactly once: rows go to a hidden file, which is synced when a checkpoint prepares and gets its
 * name when the checkpoint commits. A name is part of the checkpoint's, so that committing again finds its work done.
 *
 *   .<pipeline>-<worker>-<incarnation>-<counter>.inprogress   before
 *   <pipeline>-<worker>-<incarnation>-<counter>.json          after, or as the format's files end
 */
import { dirname, join } from 'node:path'
import type { LinearMemory } from '../../data/memory.ts'
import type { FileHandle } from '../../ports/files.ts'
import type { Ports } from '../../ports/ports.ts'
import type {
  CommitOutcome,
  CommitRequest,
  Sink,
  SinkCommitter,
  SinkRequest,
  SinkWriter,
} from '../contract/sink.ts'
import { openValueFormat } from '../formats.ts'
import { objectSink } from './object-sink.ts'
import { BUFFER_BYTES, endingOf, lastOf, partName, prefixOf, writeLines } from './parts.ts'
import { placeOf } from './place.ts'

export function openFilesystemSink(request: SinkRequest): Sink {
  const place = placeOf(request.table, request.options.path!, request.baseDirectory)
  if (place.kind === 'objects') return objectSink(request, place.url)
  const { ports } = request
  const directory = place.path
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
      const to = part
      const mark = memory.arena.mark()
      writeLines(memory, encoder, batch, buffer, (lines) => {
        to.handle.write(lines, to.bytes)
        to.bytes += lines.length
      })
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
      const name = partName(request.pipeline, worker, checkpoint)
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

function fileCommitter(ports: Ports, directory: string, ending: string): SinkCommitter {
  return {
    commit: (request) => commitParts(ports, directory, ending, request),
    async lastCommitted(pipeline) {
      const { files } = ports
      const names = files.exists(directory) ? files.list(directory) : []
      return lastOf(names, pipeline, ending)
    },
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
