/**
 * Operators: small, synchronous, told everything. The engine alone owns watermarks, barriers, timers, retries and I/O.
 *
 * Within a worker a batch goes through a chain of operators as nested calls, in arena memory; an operator that keeps rows copies
 * them into keyed state. Where keys must meet, the graph has an exchange between two chains.
 */
import type { Batch } from '../data/batch.ts'

/** Passes a batch to what comes next. Synchronous: when it returns the batch has been dealt with. */
export type Emit = (batch: Batch) => void

export interface Operator {
  /** What it does and to what: 'window-aggregate(shop)'. */
  readonly name: string
  /** Every row of `batch` is later than the last watermark was told, and none of them moves it past a window's end but the last. */
  onBatch(batch: Batch, emit: Emit): void
  /** The combined watermark (µs) of the inputs has moved: fire what is complete. The engine passes it on afterwards. */
  onWatermark(watermarkUs: bigint, emit: Emit): void
  /** Inputs have ended; the watermark has been moved to the maximum before. */
  onEnd(emit: Emit): void
  /** Writes changed state since the last snapshot (or all of it, for a base) through the state codec. */
  snapshot(writer: StateWriter): void
  restore(reader: StateReader): void
  dispose(): void
}

/** One operator's part of a checkpoint: named tables of (key group, key, value | tombstone). */
export interface StateWriter {
  readonly base: boolean
  table(name: string, write: (sink: EntrySink) => void): void
}

export interface EntrySink {
  put(keyGroup: number, key: Uint8Array, value: Uint8Array): void
  remove(keyGroup: number, key: Uint8Array): void
}

export interface StateReader {
  /** Entries of the key groups that this worker owns, in any order. */
  table(name: string, read: (keyGroup: number, key: Uint8Array, value: Uint8Array) => void): void
}
