/**
 * Writes objects of lines into a store, exactly once. Stores know no renaming: rows go to hidden objects, which are there when a
 * checkpoint prepares, and are copied to their names when it commits. A name is part of the checkpoint's, so that committing again
 * finds its work done, or does it again with the same bytes.
 *
 *   .<pipeline>-<worker>-<random>.inprogress            before
 *   <pipeline>-<worker>-<incarnation>-<counter>.json    after, or as the format's files end; -1, -2 ... behind the counter if there
 *                                                       was more than one
 */
import type { LinearMemory } from '../../data/memory.ts'
import type { ObjectStore } from '../../ports/objects.ts'
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
import { BUFFER_BYTES, endingOf, lastOf, partName, prefixOf, writeLines } from './parts.ts'

/** Rows are kept until there are so many bytes of them, or a checkpoint asks for them. */
const OBJECT_BYTES = 64 << 20

/** A committable: hidden objects, in the order of their rows. */
interface Prepared {
  readonly name: string
  readonly hidden: readonly string[]
}

export function objectSink(request: SinkRequest, url: string): Sink {
  const { ports } = request
  const store = ports.objects(url)
  return {
    guarantee: 'exactly-once',
    async prepareTable() {
      await openValueFormat(request, request.table, 'json').prepareSink(request.schema)
      // A store that can't be reached, or refuses, says so before a row is read.
      await store.head('.millrace')
    },
    openWriter: (worker, memory) => objectWriter(request, store, worker, memory),
    openCommitter: async () => objectCommitter(ports, store, endingOf(request)),
  }
}

async function objectWriter(
  request: SinkRequest,
  store: ObjectStore,
  worker: number,
  memory: LinearMemory,
): Promise<SinkWriter> {
  const { ports, pipeline } = request
  const format = openValueFormat(request, request.table, 'json')
  const encoder = await format.openEncoder(memory, request.schema)
  const buffer = new Uint8Array(BUFFER_BYTES)
  let chunks: Uint8Array[] = []
  let bytes = 0
  let hidden: string[] = []

  async function put(): Promise<void> {
    if (bytes === 0) return
    const random = Buffer.from(ports.random.bytes(16)).toString('hex')
    const key = `.${prefixOf(pipeline)}-${worker}-${random}.inprogress`
    const writer = await store.writer(key)
    for (const chunk of chunks) writer.write(chunk)
    chunks = []
    bytes = 0
    await writer.finish()
    hidden.push(key)
  }

  return {
    write(batch) {
      if (batch.count === 0) return
      const mark = memory.arena.mark()
      writeLines(memory, encoder, batch, buffer, (lines) => {
        chunks.push(Uint8Array.from(lines))
        bytes += lines.length
      })
      memory.arena.release(mark)
    },
    get full() {
      return bytes >= OBJECT_BYTES
    },
    drain: put,
    async prepare(checkpoint) {
      await put()
      if (hidden.length === 0) return undefined
      const prepared: Prepared = { name: partName(pipeline, worker, checkpoint), hidden }
      hidden = []
      ports.faultPoint('filesystem.object-prepared')
      return JSON.stringify(prepared)
    },
    async close() {
      encoder.dispose()
    },
  }
}

function objectCommitter(ports: Ports, store: ObjectStore, ending: string): SinkCommitter {
  return {
    commit: (request) => commitObjects(ports, store, ending, request),
    async lastCommitted(pipeline) {
      const names: string[] = []
      for await (const { key } of store.list(`${prefixOf(pipeline)}-`)) names.push(key)
      return lastOf(names, pipeline, ending)
    },
    close: async () => {},
  }
}

async function commitObjects(
  ports: Ports,
  store: ObjectStore,
  ending: string,
  { committables }: CommitRequest,
): Promise<CommitOutcome> {
  let copied = 0
  for (const committable of committables) {
    const { name, hidden } = JSON.parse(committable) as Prepared
    for (const [at, from] of hidden.entries()) {
      const to = `${name}${at === 0 ? '' : `-${at}`}.${ending}`
      const rows = await store.get(from)
      if (rows === undefined) {
        if ((await store.head(to)) === undefined) return objectMissing(`${store.url}/${to}`)
        continue
      }
      const writer = await store.writer(to)
      writer.write(rows)
      await writer.finish()
      copied++
      ports.faultPoint('filesystem.object-copied')
      await store.remove(from)
    }
  }
  return { kind: 'committed', already: copied === 0 && committables.length > 0 }
}

function objectMissing(url: string): CommitOutcome {
  return {
    kind: 'refused',
    reason: `${url} is missing: it was prepared, and is neither there nor waiting`,
    remedy: 'someone removed objects below the path: put them back, or start with --fresh',
  }
}
