/**
 * Rows that wait for the state of their keys: a part's log, in the order in which they came, first in a buffer, then in the spill file.
 *
 *   entry    i64 watermark when they came, u32 input, u32 bytes of the message, then the message (exchange-rows.ts)
 *
 * A *chunk* is entries that stand together in a piece of the file, or of a checkpoint. Checkpoints take chunks as they are, by number.
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import type { SpillFile, SpillPiece } from '../../state/spill-file.ts'
import { decodeTogether, encodeRows } from '../exchange-rows.ts'

const HEAD_BYTES = 16
/** Rows are dealt with so many at a time, unless one message has more. */
const ROWS_MAX = 16_384

export interface DeferredRows {
  readonly rows: number
  readonly bytes: number
  /** When the oldest of them came; undefined if there are none. */
  readonly sinceMs: number | undefined
  add(batch: Batch, input: number, watermarkUs: bigint, nowMs: number): void
  /** All rows, as few batches as their inputs and watermarks allow; afterwards there are none. */
  replay(deal: (batch: Batch, input: number, watermarkUs: bigint) => void): void
  /** Chunks that no checkpoint has yet, of all rows; numbers of those that one has and that are gone. */
  changes(): DeferredChanges
  /** As `changes`, without the rows that are in the buffer: nothing is written. */
  changesAhead(): DeferredChanges
}

export interface DeferredChanges {
  readonly added: readonly { readonly number: number; readonly bytes: Uint8Array }[]
  readonly removed: readonly number[]
}

export interface DeferredRowsOptions {
  readonly memory: LinearMemory
  readonly file: SpillFile
  /** By input. */
  readonly schemas: readonly Schema[]
  readonly bufferBytes: number
  /** Rows are told the watermark at which they came. */
  readonly minds: boolean
  /** Of a batch, unless one message has more. */
  readonly rowsMax?: number
}

interface Chunk {
  readonly number: number
  readonly place: SpillPiece
  isKnown: boolean
}

export function deferredRows(options: DeferredRowsOptions): DeferredRows {
  const { memory, file, schemas, bufferBytes, minds, rowsMax } = options
  let buffer = new Uint8Array(0)
  let used = 0
  let chunks: Chunk[] = []
  let numbers = 0
  let gone: number[] = []
  let rows = 0
  let bytes = 0
  let sinceMs: number | undefined

  function seal(): void {
    if (used === 0) return
    chunks.push({ number: numbers++, place: file.write(buffer.subarray(0, used)), isKnown: false })
    used = 0
  }

  function room(wanted: number): void {
    if (used + wanted <= buffer.length) return
    if (used + wanted > bufferBytes) seal()
    if (used + wanted <= buffer.length) return
    const larger = new Uint8Array(Math.max(wanted, Math.min(bufferBytes, 2 * (used + wanted))))
    larger.set(buffer.subarray(0, used))
    buffer = larger
  }

  function ahead(): DeferredChanges {
    const removed = gone
    gone = []
    return { added: madeKnown(file, chunks), removed }
  }

  return {
    get rows() {
      return rows
    },
    get bytes() {
      return bytes
    },
    get sinceMs() {
      return sinceMs
    },
    add(batch, input, watermarkUs, nowMs) {
      const mark = memory.arena.mark()
      const message = encodeRows(memory, batch)
      const whole = HEAD_BYTES + message.bytes
      room(whole)
      const view = new DataView(buffer.buffer, used)
      view.setBigInt64(0, watermarkUs, true)
      view.setUint32(8, input, true)
      view.setUint32(12, message.bytes, true)
      buffer.set(memory.u8.subarray(message.at, message.at + message.bytes), used + HEAD_BYTES)
      used += whole
      memory.arena.release(mark)
      rows += batch.count
      bytes += whole
      sinceMs ??= nowMs
    },
    replay(deal) {
      const taken = chunks
      const tail = buffer.slice(0, used)
      chunks = []
      used = 0
      rows = 0
      bytes = 0
      sinceMs = undefined
      const run = together(memory, schemas, minds, deal, rowsMax)
      for (const { number, place, isKnown } of taken) {
        run.take(file.read(place))
        file.free(place)
        if (isKnown) gone.push(number)
      }
      run.take(tail)
      run.end()
    },
    changes() {
      const { added, removed } = ahead()
      if (used === 0) return { added, removed }
      const bytes = buffer.slice(0, used)
      seal()
      const last = chunks.at(-1)!
      last.isKnown = true
      return { added: [...added, { number: last.number, bytes }], removed }
    },
    changesAhead: ahead,
  }
}

/** Those that no checkpoint has had. */
function madeKnown(file: SpillFile, chunks: readonly Chunk[]): DeferredChanges['added'] {
  const fresh = chunks.filter(({ isKnown }) => !isKnown)
  const added = fresh.map(({ number, place }) => ({ number, bytes: file.read(place) }))
  for (const chunk of fresh) chunk.isKnown = true
  return added
}

interface Entry {
  readonly watermarkUs: bigint
  readonly input: number
  /** Of the message in the chunk. */
  readonly at: number
  readonly bytes: number
}

function* entriesOf(chunk: Uint8Array): Generator<Entry> {
  const view = new DataView(chunk.buffer, chunk.byteOffset)
  for (let at = 0; at < chunk.length; ) {
    const bytes = view.getUint32(at + 12, true)
    yield {
      watermarkUs: view.getBigInt64(at, true),
      input: view.getUint32(at + 8, true),
      at: at + HEAD_BYTES,
      bytes,
    }
    at += HEAD_BYTES + bytes
  }
}

/** As `replay`, of a chunk from a checkpoint. */
export function replayChunk(
  { memory, schemas }: Pick<DeferredRowsOptions, 'memory' | 'schemas'>,
  chunk: Uint8Array,
  deal: (batch: Batch, input: number, watermarkUs: bigint) => void,
): void {
  const run = together(memory, schemas, true, deal)
  run.take(chunk)
  run.end()
}

/** Gathers messages of one input, and where it matters of one watermark, to batches. */
function together(
  memory: LinearMemory,
  schemas: readonly Schema[],
  minds: boolean,
  deal: (batch: Batch, input: number, watermarkUs: bigint) => void,
  rowsMax = ROWS_MAX,
) {
  const mark = memory.arena.mark()
  let messages: Pointer[] = []
  let rows = 0
  let of: { readonly input: number; readonly watermarkUs: bigint } | undefined

  function end(): void {
    if (of !== undefined) {
      const batch = decodeTogether(memory, schemas[of.input]!, messages)
      deal(batch, of.input, of.watermarkUs)
    }
    messages = []
    rows = 0
    of = undefined
    memory.arena.release(mark)
  }

  return {
    end,
    take(chunk: Uint8Array) {
      for (const { watermarkUs, input, at, bytes } of entriesOf(chunk)) {
        const isOther = of?.input !== input || (minds && of.watermarkUs !== watermarkUs)
        const more = new DataView(chunk.buffer, chunk.byteOffset + at).getUint32(8, true)
        if (of !== undefined && (isOther || rows + more > rowsMax)) end()
        const message = memory.arena.allocate(bytes)
        memory.u8.set(chunk.subarray(at, at + bytes), message)
        messages.push(message)
        rows += more
        of ??= { input, watermarkUs }
      }
    },
  }
}
