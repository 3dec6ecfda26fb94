/** Entries that lie in pieces of memory, written to a sink as records. */
import type { LinearMemory, Pointer } from '../data/memory.ts'
import type { EntrySink } from './state-stream.ts'

const RECORDS_BYTES = 1 << 20

export interface Piece {
  readonly start: Pointer
  readonly end: Pointer
}

/** True if the changed entries in these lists are too few to be written now. */
export function mayWait({ changesMin = 0 }: EntrySink, changed: readonly Piece[]): boolean {
  return changed.reduce((bytes, { start, end }) => bytes + end - start, 0) / 4 < changesMin
}

export interface RecordPieces {
  readonly memory: LinearMemory
  /** Entries, or lists of them. */
  readonly pieces: readonly Piece[]
  /** Writes what it can of [at, end) to [out, outEnd); returns where it ends, and `kernel` says where it stopped and how many it wrote. */
  encode(at: Pointer, end: Pointer, out: Pointer, outEnd: Pointer): Pointer
  readonly kernel: {
    readonly listAt: { readonly value: Pointer }
    readonly recordCount: { readonly value: number }
  }
  /** Bytes that the record needs which did not fit. */
  needed(): number
}

export function writeRecords(sink: EntrySink, from: RecordPieces): void {
  const { memory, kernel, pieces } = from
  const mark = memory.arena.mark()
  let room = RECORDS_BYTES
  let out = memory.arena.allocate(room)
  for (const { start, end } of pieces) {
    for (let at = start; at < end; ) {
      const written = from.encode(at, end, out, out + room) >>> 0
      at = kernel.listAt.value >>> 0
      if (written > out) sink.records(memory.u8.subarray(out, written), kernel.recordCount.value)
      if (written > out || at >= end) continue
      room = from.needed()
      out = memory.arena.allocate(room)
    }
  }
  memory.arena.release(mark)
}
