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
  readonly guarantee: string
  readonly workers: number
  readonly startedMs: number
  readonly restarts: number
  readonly rowsRead: number
  readonly rowsWritten: number
  readonly rowsLate: number
  readonly rowsDead: number
  /** Of the last seconds; 0 while nothing comes. */
  readonly rowsPerSecond: number
  /** Rows known to wait; absent when a source can't say. */
  readonly lag?: number
  /** The combined watermark; absent while there is none. */
  readonly watermarkMs?: number
  readonly splits: readonly SplitStatus[]
  readonly windows: WindowsStatus
  readonly checkpoint?: CheckpointStatus
  readonly problem?: Problem
}

export interface SplitStatus {
  readonly table: string
  readonly split: string
  readonly rowsRead: number
  readonly lag?: number
  readonly watermarkMs?: number
  /** At its end for the idle timeout: it does not hold the watermark back. */
  readonly isIdle: boolean
}

export interface WindowsStatus {
  readonly open: number
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

/** The split that holds the watermark back: the lowest of those not idle, one without any first. Undefined when none can. */
export function holdingSplit(splits: readonly SplitStatus[]): SplitStatus | undefined {
  const active = splits.filter((split) => !split.isIdle)
  return active.reduce<SplitStatus | undefined>(
    (lowest, split) =>
      lowest === undefined || watermarkOrder(split) < watermarkOrder(lowest) ? split : lowest,
    undefined,
  )
}

function watermarkOrder(split: SplitStatus): number {
  return split.watermarkMs ?? Number.NEGATIVE_INFINITY
}

/** True when a pipeline will neither run nor be retried by itself. */
export function hasEnded(state: PipelineState): boolean {
  return state === 'finished' || state === 'stopped' || state === 'failed'
}
