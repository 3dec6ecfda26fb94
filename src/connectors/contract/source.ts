/**
 * How events come in. A source is opened once per pipeline, its splits are read side by side, and what it says
 * about reading again is true: each sentence here is a conformance test.
 */
import type { Batch } from '../../data/batch.ts'
import type { LinearMemory, Pointer } from '../../data/memory.ts'
import type { Schema } from '../../data/types.ts'
import type { Ports } from '../../ports/ports.ts'

/** A place in a split: JSON, opaque to the engine, ordered by the source. It says what to read next. */
export type Position = string

export interface Source {
  /** What reading again from a saved position gives. Shown to users, so it must be true. */
  readonly replay: 'exact' | 'may-repeat' | 'impossible'
  /** True when every split ends by itself. */
  readonly bounded: boolean
  /** Which thing of its name it reads, where a name can come again (a topic's id): positions saved for another one are refused. */
  readonly identity?: string
  /** What can be read side by side: partitions, shards, files. Asked again to find new ones; ids never change meaning. */
  splits(): Promise<readonly string[]>
  /** The position of a split's end at this moment: where `--until now` stops. */
  endPosition(split: string): Promise<Position>
  /** Where a split begins that was not there when the positions of the others were saved: absent, where the table's options say. */
  startOfNew?(split: string): Promise<Position>
  /** Opens one split at `start`, or where the table's options say when there is no saved position. */
  open(split: string, start: Position | undefined, memory: LinearMemory): Promise<SourceReader>
  close(): Promise<void>
}

/** The engine pulls. A reader never pushes, retries on its own, or reads ahead of what is asked. */
export interface SourceReader {
  /** Where it begins, when it was opened without a position and found one outside ("latest"): saved from the first checkpoint on. */
  readonly start?: Position
  /** Why nothing comes, while the system can't be reached; it is told with the status. */
  readonly trouble?: string | undefined
  /**
   * No more than `rowsMax` rows, decoded into `memory`'s arena, in order. Undefined: nothing now. 'ended': never again.
   * 'waiting': more is known to be there, or it can't be told, and it has not come yet: the split is not at its end, and not idle.
   * Synchronous when the source can answer at once (files, the log), a promise when it must wait; it never waits longer than `waitMs`.
   */
  poll(limit: PollLimit): PolledNow | Promise<PolledNow>
  /** The checkpoint holding `position` is durable and its sinks have committed. Losing this call must lose no data. */
  committed(position: Position): Promise<void>
  close(): Promise<void>
}

export type PolledNow = Polled | undefined | 'ended' | 'waiting'

export interface PollLimit {
  readonly rowsMax: number
  readonly waitMs: number
  /** Read no row at or beyond it; then undefined (or 'ended') means that all before it have been read. */
  readonly until?: Position
}

export interface Polled {
  /** Good rows only, with the columns of the scan's schema. */
  readonly batch: Batch
  /** i64 a row: µs, when the platform took the row in; 0 = it does not say. */
  readonly appendTimeUs: Pointer
  /** Where to go on after these rows. */
  readonly next: Position
  /** Where one of the batch's rows stands; absent: the source can't say. */
  positionOf?(row: number): Position
  /** Rows that could not be decoded. `beforeRow` places them among the batch's rows. */
  readonly dead: readonly DeadRow[]
  /** Rows behind `next` that are known to wait; undefined when the source cannot say. */
  readonly lag?: number
  /** µs: the source knows that no earlier event of the split comes behind these rows; the table's own watermark stands if it is greater. */
  readonly watermarkUs?: bigint
}

export interface DeadRow {
  readonly bytes: Uint8Array
  readonly reason: string
  readonly position: Position
  readonly beforeRow: number
}

/** Who comes back to saved positions. */
export interface Consumer {
  readonly pipeline: string
  /** The source's name within the pipeline: what its positions are saved under. */
  readonly source: string
}

/** What a connector is given to open a table's source. */
export interface SourceRequest {
  readonly table: string
  /**
   * Absent for queries, which never come back. A source that may lose rows to retention keeps what follows the start that it is
   * opened at, and then the last position that it was told is committed, until the pipeline forgets them.
   */
  readonly consumer?: Consumer
  /** Secrets resolved, values checked against the connector's declared options. */
  readonly options: Readonly<Record<string, string>>
  /** The columns to deliver: physical ones, and metadata by `metadataKeys[i]`. */
  readonly schema: Schema
  readonly metadataKeys: readonly (string | undefined)[]
  /** PRIMARY KEY of the table, if it has one. */
  readonly primaryKey?: readonly string[]
  /** All physical columns as declared: strict decoding checks values of columns that are not delivered only as JSON syntax. */
  readonly physical: Schema
  readonly ports: Ports
  /** Directory of the project, for relative paths. */
  readonly baseDirectory: string
  /** Directory of the owner's data: the embedded log lives in it. */
  readonly dataDirectory: string
}
