/** What an owner tells of itself and its pipelines: one shape for the terminal, the control channel, `/status` and the metrics. */

/** JSON all the way down. Times are ms since the Unix epoch, of the event or of the clock as the name says. */
export interface OwnerStatus {
  readonly version: string
  readonly processId: number
  readonly epoch: number
  readonly startedMs: number
  readonly directory: string
  readonly pipelines: readonly PipelineStatus[]
}

export type PipelineState =
  | 'starting'
  | 'running'
  | 'restarting'
  | 'stopping'
  /** Its inputs have ended, or it reached what `--until` named. */
  | 'finished'
  /** Someone asked for it; a checkpoint was taken. */
  | 'stopped'
  /** It won't go on by itself; `problem` says why. */
  | 'failed'

export interface PipelineStatus {
  readonly name: string
  readonly state: PipelineState
  readonly guarantee: 'exactly-once' | 'at-least-once'
  readonly workers: number
  readonly startedMs: number
  readonly restarts: number
  /** rowsRead = rowsUsed + rowsDead */
  readonly rowsRead: number
  readonly rowsUsed: number
  readonly rowsWritten: number
  readonly rowsLate: number
  readonly rowsDead: number
  /** Rows that were made of others and could not be computed: not among those that were read. */
  readonly rowsMadeDead: number
  /** Of the last seconds; 0 while nothing comes. */
  readonly rowsPerSecond: number
  /** Rows known to wait; absent when a source can't say. */
  readonly lag?: number
  /** The combined watermark; absent while there is none. */
  readonly watermarkMs?: number
  readonly splits: readonly SplitStatus[]
  /** Of each table whose watermark is its event time less an interval. */
  readonly lateness: readonly TableLateness[]
  readonly windows: WindowsStatus
  /** Where there is state that may leave memory. */
  readonly spilled?: SpilledStatus
  readonly checkpoint?: CheckpointStatus
  readonly problem?: Problem
}

export interface SplitStatus {
  readonly table: string
  readonly split: string
  readonly lag?: number
  readonly watermarkMs?: number
  /** Its watermark is the lowest: windows wait for it. */
  readonly isHolding: boolean
  /** At its end for the idle timeout: it does not hold the watermark back. */
  readonly isIdle: boolean
  /** Why nothing comes, where something should. */
  readonly trouble?: string
  readonly lateness?: SplitLateness
}

/** How late events are, each held against the watermark that it met. Shares are in [0, 1]. */
export interface TableLateness {
  readonly table: string
  /** Of the watermark. */
  readonly delayMs: number
  readonly events: number
  /** Those whose window had fired when they came. */
  readonly eventsLost: number
  /** The delay keeps less than it should. */
  readonly isDrifting: boolean
  /** Once there are enough events. */
  readonly recent?: RecentLateness
}

export interface RecentLateness {
  readonly events: number
  readonly kept: number
  /** Of 95 %. */
  readonly low: number
  readonly high: number
  /** What 'time.complete' asks for; without it, what the delay kept at first. */
  readonly promised: number
  /** The delay that would have kept what was promised, and as SQL writes it. */
  readonly keepingMs: number
  readonly keeping: string
}

export interface SplitLateness {
  readonly events: number
  readonly eventsLost: number
  /** What keeps half, 90 %, 99 % and 99.9 % of the split's events. */
  readonly delays: readonly { readonly share: number; readonly delayMs: number }[]
}

/** Of all operators and workers, since the last restart. */
export interface SpilledStatus {
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

export interface WindowsStatus {
  /** The pipeline has windows at all. */
  readonly any: boolean
  readonly open: number
  /** Pairs of row and window that were counted; with `rowsLate`, all there were. */
  readonly counted: number
  /** The end of the open window that fires first. */
  readonly nextEndMs?: number
}

export interface CheckpointStatus {
  readonly id: string
  readonly completedMs: number
  readonly durationMs: number
  readonly bytes: number
}

export interface Problem {
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** True when a pipeline will neither run nor be retried by itself. */
export function hasEnded(state: PipelineState): boolean {
  return state === 'finished' || state === 'stopped' || state === 'failed'
}
