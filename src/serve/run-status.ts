/** A run's own status as the owner tells it: microseconds to ms, sources flattened to splits, the stopped states named. */
import { MillraceError } from '../errors.ts'
import type { Outcome, RunStatus, SourceStatus } from '../run/handle.ts'
import type {
  PipelineStatus,
  Problem,
  SplitLateness,
  SplitStatus,
  TableLateness,
} from './status.ts'

export interface RunFacts {
  readonly status: RunStatus
  readonly nowMs: number
  /** Absent while it runs. */
  readonly outcome?: Outcome
}

export function pipelineStatus({ status, nowMs, outcome }: RunFacts): PipelineStatus {
  const splits = status.sources.flatMap(splitsOf)
  const lags = splits.map(({ lag }) => lag).filter((lag) => lag !== undefined)
  const watermarkMs = lowestWatermark(status.sources)
  const problem = problemOf(status, outcome)
  const checkpoint = checkpointOf(status, nowMs)
  return {
    name: status.pipeline,
    state: stateOf(status, outcome),
    guarantee: guaranteeOf(status),
    workers: status.workers,
    startedMs: status.startedAtMs,
    restarts: status.restarts,
    rowsRead: status.conservation.read,
    rowsUsed: status.conservation.used,
    rowsWritten: status.sinks.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0),
    rowsLate: status.conservation.late,
    rowsDead: status.conservation.dead,
    rowsMadeDead: status.conservation.madeDead,
    rowsPerSecond: status.sources.reduce((sum, { rowsPerSecond }) => sum + rowsPerSecond, 0),
    ...(lags.length === 0 ? {} : { lag: lags.reduce((sum, lag) => sum + lag, 0) }),
    ...(watermarkMs === undefined ? {} : { watermarkMs }),
    splits,
    lateness: status.sources.flatMap(latenessOf),
    windows: windowsOf(status),
    ...(status.spilled === undefined ? {} : { spilled: status.spilled }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(problem === undefined ? {} : { problem }),
  }
}

/** The weakest of the sinks': no more than that can be promised of the whole. */
function guaranteeOf({ sinks }: RunStatus): PipelineStatus['guarantee'] {
  return sinks.every(({ guarantee }) => guarantee === 'exactly-once')
    ? 'exactly-once'
    : 'at-least-once'
}

function stateOf({ state }: RunStatus, outcome: Outcome | undefined): PipelineStatus['state'] {
  if (outcome === undefined) return state === 'commit-refused' ? 'failed' : state
  if (outcome.kind !== 'finished') return 'failed'
  return outcome.because === 'stopped' ? 'stopped' : 'finished'
}

function problemOf(status: RunStatus, outcome: Outcome | undefined): Problem | undefined {
  if (outcome?.kind === 'commit-refused')
    return {
      code: 'COMMIT_REFUSED',
      message: `${outcome.sink} refused a commit: ${outcome.reason}`,
      hint: `${outcome.remedy}; what was to be committed is kept and tried again at the next start`,
    }
  const error = outcome?.kind === 'failed' ? outcome.error : status.error
  return error instanceof MillraceError
    ? { code: error.code, message: error.message, hint: error.hint }
    : undefined
}

function splitsOf(source: SourceStatus): SplitStatus[] {
  return source.splits.map(({ split, state, watermarkUs, lag, trouble, lateness }) => ({
    table: source.table,
    split,
    isIdle: state === 'idle' || state === 'ended',
    isHolding: source.heldBy === split,
    ...(lag === undefined ? {} : { lag }),
    ...(trouble === undefined ? {} : { trouble }),
    ...(lateness === undefined ? {} : { lateness: splitLateness(lateness) }),
    ...(watermarkUs === undefined ? {} : { watermarkMs: milliseconds(watermarkUs) }),
  }))
}

function latenessOf({ table, lateness }: SourceStatus): TableLateness[] {
  if (lateness === undefined) return []
  const { delayUs, events, lost, isDrifting, recent } = lateness
  const told = { table, delayMs: delayUs / 1000, events, eventsLost: lost, isDrifting }
  if (recent === undefined) return [told]
  const { keepingUs, ...shares } = recent
  return [{ ...told, recent: { ...shares, keepingMs: keepingUs / 1000 } }]
}

function splitLateness({
  events,
  lost,
  delays,
}: NonNullable<SourceStatus['splits'][number]['lateness']>): SplitLateness {
  return {
    events,
    eventsLost: lost,
    delays: delays.map(({ share, delayUs }) => ({ share, delayMs: delayUs / 1000 })),
  }
}

function lowestWatermark(sources: readonly SourceStatus[]): number | undefined {
  const told = sources.map(({ watermarkUs }) => watermarkUs)
  const known = told.filter((watermark) => watermark !== undefined)
  // A source without event time has no say; one that has some but tells none yet shows in its splits.
  if (known.length === 0) return undefined
  return milliseconds(known.reduce((lowest, next) => (next < lowest ? next : lowest)))
}

function windowsOf({ windows }: RunStatus): PipelineStatus['windows'] {
  const ends = windows.map(({ nextEndUs }) => nextEndUs).filter((end) => end !== undefined)
  const open = windows.reduce((sum, { openWindows }) => sum + openWindows, 0)
  const counted = windows.reduce((sum, each) => sum + each.counted, 0)
  if (ends.length === 0) return { open, any: windows.length > 0, counted }
  const next = ends.reduce((lowest, end) => (end < lowest ? end : lowest))
  return { open, any: true, counted, nextEndMs: milliseconds(next) }
}

function checkpointOf(
  { checkpoint }: RunStatus,
  nowMs: number,
): PipelineStatus['checkpoint'] | undefined {
  const { last, ageMs, durationMs, bytes } = checkpoint
  if (last === undefined) return undefined
  return {
    id: `${last.incarnation}-${last.counter}`,
    completedMs: nowMs - (ageMs ?? 0),
    durationMs: durationMs ?? 0,
    bytes: bytes ?? 0,
  }
}

/** Towards the past, as a watermark must not be told higher than it is. */
function milliseconds(us: bigint): number {
  return Number(us >= 0n || us % 1000n === 0n ? us / 1000n : us / 1000n - 1n)
}
