/**
 * Operators: small, synchronous, told everything. The engine alone owns watermarks, barriers, timers, retries and I/O.
 *
 * Within a worker a batch goes through a chain of operators as nested calls, in arena memory; an operator that keeps rows copies
 * them into keyed state. Where keys must meet, the graph has an exchange between two chains.
 */
import type { Batch } from '../data/batch.ts'
import type { StateReader, StateWriter } from '../state/state-stream.ts'

/** Passes a batch to what comes next. Synchronous: when it returns the batch has been dealt with. */
export type Emit = (batch: Batch) => void

export interface Operator {
  /** What it does and to what: 'window-aggregate(shop)'. */
  readonly name: string
  /**
   * No row of `batch` moves the watermark past a window's end but the last, and none that is late for what is below it, or at
   * the watermark, comes behind one that moves it. `input`: which of the node's inputs it is of, from 0.
   */
  onBatch(batch: Batch, emit: Emit, input: number): void
  /** The combined watermark (µs) of the inputs has moved: fire what is complete. The engine passes it on afterwards. */
  onWatermark(watermarkUs: bigint, emit: Emit): void
  /** Of operators in the processing domain: called now and again, a few milliseconds apart, with the clock's time. */
  onClock?(nowUs: bigint, emit: Emit): void
  /** Of operators that wait for one: this input has ended. */
  onInputEnd?(input: number, emit: Emit): void
  /** Nothing is there to be read: deals with what waits; true if there was any. */
  onIdle?(emit: Emit): boolean
  /** Inputs have ended; the watermark has been moved to the maximum before. */
  onEnd(emit: Emit): void
  /** Names every table of state it has, and writes what changed in them since the last snapshot. */
  snapshot(writer: StateWriter): void
  restore(reader: StateReader): void
  dispose(): void
  /** Of operators that ask what is outside. */
  readonly outside?: Outside
  /** Where rows may be added up by the worker that read them. */
  readonly partials?: Partials
  /** Of windowed operators: what is open, counted and late. */
  progress?(): WindowProgress
  /** Of operators whose state need not fit into memory. */
  spilled?(): SpillProgress
  /** Of sinks. */
  rowsWritten?(): number
}

/**
 * How an operator stands whose rows wait for what is outside. They are part of its state: after a restart it is asked again.
 */
export interface Outside {
  /** It should be given no more rows until it has let some go. */
  readonly isFull: boolean
  /** Rows wait. */
  readonly isWaiting: boolean
  /** What reads the operator may be told so much: no row waits that came before this watermark did. */
  readonly watermarkUs: bigint
  /** Between batches: asks what is to be asked, and lets go what has been answered. True if it let anything go. */
  wake(nowUs: bigint, emit: Emit): boolean
}

/**
 * Rows added up before they change workers: what comes of them goes to the workers that own the keys. What was handed over belongs to
 * no checkpoint of the one who hands it; a checkpoint asks for all of it first.
 */
export interface Partials {
  /** Whether it is worth while, for so many rows; if not, they travel as rows. */
  pays(rows: number): boolean
  /** Takes in rows of which none is late. */
  add(batch: Batch): void
  /**
   * Hands over, and forgets, what may be asked for once others know of `watermarkUs`: records of groups with the pane they are of.
   * `records` is a view that lives no longer than the call.
   */
  flush(watermarkUs: bigint, hand: (pane: number, records: Uint8Array) => void): void
  /** Takes in those of `records` that are of these key groups. */
  take(
    pane: number,
    records: Uint8Array,
    groups: { readonly groupStart: number; readonly groupEnd: number },
  ): void
}

export interface WindowProgress {
  readonly openWindows: number
  /** The next end that the watermark must reach, less 1 ms. */
  readonly nextEndUs?: bigint
  /** Row x window pairs. */
  readonly counted: number
  readonly late: number
}

export interface SpillProgress {
  /** Of the state that is in memory, and of that which is not. */
  readonly residentBytes: number
  readonly spilledBytes: number
  /** Rows that wait for their state. */
  readonly waitingRows: number
  /** How often state came back into memory. */
  readonly swaps: number
  /** The longest that one swap, or one part's rows, took. */
  readonly pauseMsMax: number
}
