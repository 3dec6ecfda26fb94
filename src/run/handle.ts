/** What starting a pipeline takes and gives: the words of the library, the CLI and the service. */
import type { Connector } from '../connectors/contract/connector.ts'
import type { CheckpointId, CommitRequest } from '../connectors/contract/sink.ts'
import type { RowKindText, Value } from '../data/values.ts'
import type { MillraceError } from '../errors.ts'
import type { Pipeline } from '../plan/pipeline.ts'
import type { Ports } from '../ports/ports.ts'

export interface PipelineStart {
  readonly pipeline: Pipeline
  /** Looked up by the tables' 'connector' option. */
  readonly connectors: readonly Connector[]
  readonly ports: Ports
  /** The owner's data: checkpoints stand in `<dataDirectory>/pipelines/<name>`, the log beside them. */
  readonly dataDirectory: string
  /** Of the project: relative paths in options start here. */
  readonly baseDirectory: string
  /** 'now': read to the ends resolved at start, commit, leave windows open. 'end': sources end and all windows fire. Absent: until stopped. */
  readonly until?: 'now' | 'end'
  /** 1 to 64; 1 unless said. */
  readonly workers?: number
  /**
   * Several workers get a thread each: for connectors that come with Millrace, on this machine's own clock and files. Else they take
   * turns in this thread.
   */
  readonly threads?: boolean
  /** For simulations: how workers that take turns in one thread do so. */
  readonly interleaving?: Interleaving
  /** Forget every checkpoint of this pipeline and begin again. */
  readonly fresh?: boolean
  /** Continue from this savepoint's directory instead of the newest checkpoint. */
  readonly fromSavepoint?: string
  /** Continue even behind what a sink has committed: its rows may come twice. */
  readonly allowDuplicates?: boolean
  /** Values of `${env:NAME}` in options; `process.env` in the CLI, nothing unless given. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** Aborting is `stop()`. */
  readonly signal?: AbortSignal
  /** Told each event worth a log line: restarts, refused commits, restores. */
  readonly onEvent?: (event: RunEvent) => void
}

export interface Interleaving {
  /** Of the rings between two workers: a power of two. */
  readonly ringBytes?: number
  readonly rowsMax?: number
  /** Which worker comes next, of so many. */
  readonly turn?: (workers: number) => number
}

export type RunEvent =
  | { readonly kind: 'restored'; readonly checkpoint: CheckpointId }
  | { readonly kind: 'restarting'; readonly error: MillraceError; readonly waitMs: number }
  /** A sink had lost what the newest checkpoint had prepared: the run goes on from the one before. */
  | { readonly kind: 'rolled-back'; readonly error: MillraceError }
  | { readonly kind: 'checkpoint'; readonly checkpoint: CheckpointId; readonly bytes: number }
  | { readonly kind: 'commit-refused'; readonly sink: string; readonly reason: string }
  /** A table's watermark keeps less than it should, or does so again no longer: once each an episode. */
  | ({
      readonly kind: 'watermark-drifted' | 'watermark-recovered'
      readonly table: string
    } & MeasuredDelay)

/** Shares are in [0, 1]. */
export interface MeasuredDelay {
  /** What 'time.complete' asks for; without it, what the delay kept at first. */
  readonly promised: number
  /** What it has kept of the last events, with its interval of 95 %. */
  readonly kept: number
  readonly low: number
  readonly high: number
  readonly events: number
  readonly delayUs: number
  /** The delay that would have kept what was promised: µs, and as SQL writes it. */
  readonly keepingUs: number
  readonly keeping: string
}

/** How a run ended. `failed` and `commit-refused` are the named stopped states: nothing is lost, a person must act. */
export type Outcome =
  | { readonly kind: 'finished'; readonly because: 'end' | 'now' | 'stopped' }
  | { readonly kind: 'failed'; readonly error: MillraceError; readonly attempts: number }
  | {
      readonly kind: 'commit-refused'
      readonly sink: string
      readonly reason: string
      readonly remedy: string
      /** What was not committed; it stays in the checkpoint and is tried again at the next start. */
      readonly pending: CommitRequest
    }

export interface RunHandle {
  readonly pipeline: Pipeline
  status(): RunStatus
  /** Resolves when the run is over, whatever the outcome; never rejects. */
  readonly finished: Promise<Outcome>
  /** Takes a checkpoint, commits and stops. Idempotent. */
  stop(): Promise<Outcome>
  /** Writes a self-contained copy of a new checkpoint below `path`; the run goes on. */
  savepoint(path: string): Promise<CheckpointId>
}

export interface RunStatus {
  readonly pipeline: string
  readonly state:
    | 'starting'
    | 'running'
    | 'restarting'
    | 'stopping'
    | 'finished'
    | 'failed'
    | 'commit-refused'
  readonly startedAtMs: number
  readonly workers: number
  readonly sources: readonly SourceStatus[]
  readonly windows: readonly WindowStatus[]
  /** Where there is state that may leave memory. */
  readonly spilled?: SpillStatus
  readonly sinks: readonly SinkStatus[]
  readonly conservation: Conservation
  readonly checkpoint: CheckpointStatus
  readonly restarts: number
  readonly error?: MillraceError
}

export interface SourceStatus {
  readonly source: string
  readonly table: string
  readonly rowsRead: number
  /** Over the last seconds. */
  readonly rowsPerSecond: number
  readonly watermarkUs?: bigint
  /** The split whose watermark is the lowest: the one that holds the windows. */
  readonly heldBy?: string
  readonly splits: readonly SplitStatus[]
  /** Where the watermark is the event time less an interval. */
  readonly lateness?: SourceLateness
}

export interface SourceLateness {
  readonly delayUs: number
  /** From one end of windows to the next; 0: events are held against the watermark itself. */
  readonly windowUs: number
  /** Since the pipeline's beginning, or since its delay or windows were changed. */
  readonly events: number
  /** Those whose window had fired when they came. */
  readonly lost: number
  readonly isDrifting: boolean
  /** Once there are enough events. */
  readonly recent?: Omit<MeasuredDelay, 'delayUs'>
}

export interface SplitLateness {
  readonly events: number
  readonly lost: number
  /** What keeps half, 90 %, 99 % and 99.9 % of the split's events. */
  readonly delays: readonly { readonly share: number; readonly delayUs: number }[]
}

export interface SplitStatus {
  readonly split: string
  readonly state: 'reading' | 'at-end' | 'waiting' | 'idle' | 'ended'
  readonly position?: string
  readonly watermarkUs?: bigint
  /** Rows known to wait; undefined when the source cannot say. */
  readonly lag?: number
  /** Why nothing comes, where something should: the source can't be reached. */
  readonly trouble?: string
  readonly lateness?: SplitLateness
}

export interface WindowStatus {
  readonly node: string
  readonly openWindows: number
  /** µs: what the watermark must reach (less 1 ms) for the next one to fire. */
  readonly nextEndUs?: bigint
  readonly counted: number
  readonly late: number
}

/** Of all operators and workers, since the attempt began. */
export interface SpillStatus {
  /** Of the state that is in memory, and of that which is in files. */
  readonly residentBytes: number
  readonly spilledBytes: number
  /** Rows that wait for state that is in files. */
  readonly waitingRows: number
  /** How often a part of the state came back into memory. */
  readonly swaps: number
  /** The longest that rows waited for one part to come or leave. */
  readonly pauseMsMax: number
}

export interface SinkStatus {
  readonly sink: string
  readonly table: string
  readonly guarantee: 'exactly-once' | 'at-least-once'
  readonly rowsWritten: number
  readonly lastCommitted?: CheckpointId
}

/** read = used + dead. For windows, see WindowStatus: row x window pairs = counted + late. */
export interface Conservation {
  readonly read: number
  readonly used: number
  readonly dead: number
  /** Rows that were made of others, by a join or an aggregation, and could not be computed. */
  readonly madeDead: number
  readonly late: number
}

export interface CheckpointStatus {
  readonly last?: CheckpointId
  readonly ageMs?: number
  readonly bytes?: number
  readonly durationMs?: number
  readonly pauseMs?: number
}

/** One change of a query's result. */
export interface Change {
  readonly kind: RowKindText
  readonly row: Readonly<Record<string, Value>>
  /** How far each source had been read when the change was told; of changes of one batch the same object. */
  readonly positions: ReadPositions
}

/** By table and split: the position up to which rows have been read, in the connector's own words; '' before any. */
export type ReadPositions = Readonly<Record<string, Readonly<Record<string, string>>>>
