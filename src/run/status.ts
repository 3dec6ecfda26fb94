/** A run's status, read off its assembly. */

import type { SplitFacts } from '../engine/source-split.ts'
import { ENDED_US, UNREAD_US } from '../engine/source-stage.ts'
import type { Clock } from '../ports/clock.ts'
import type { Conservation, RunStatus, SourceStatus, SplitStatus, WindowStatus } from './handle.ts'
import { type LatenessObserver, splitLateness } from './lateness.ts'
import type { Crew, CrewSource } from './workers.ts'
import { mergedSpilled } from './workers-merged.ts'

/** Rates are over about this long. */
const RATE_WINDOW_MS = 3000

/** Rows per second by source, from what was read between looks. */
export interface RateMeter {
  rate(source: string, rowsRead: number): number
}

export function rateMeter(clock: Clock): RateMeter {
  const looks = new Map<string, { atMs: number; rows: number }[]>()
  return {
    rate(source, rowsRead) {
      const nowMs = clock.monotonicMs()
      const known = looks.get(source) ?? []
      known.push({ atMs: nowMs, rows: rowsRead })
      // One look older than the window is kept: the rate reaches back to it.
      while (known.length > 2 && known[1]!.atMs < nowMs - RATE_WINDOW_MS) known.shift()
      looks.set(source, known)
      const [first] = known
      const seconds = (nowMs - first!.atMs) / 1000
      return seconds <= 0 ? 0 : (rowsRead - first!.rows) / seconds
    },
  }
}

export function sourceStatuses(
  assembly: Crew,
  meter: RateMeter,
  observer: LatenessObserver,
): SourceStatus[] {
  return assembly.sources.map((source) => {
    const lateness = observer.status(source)
    const status = sourceStatus(source, assembly, meter)
    return lateness === undefined ? status : { ...status, lateness }
  })
}

function sourceStatus(
  { name, node, splits }: CrewSource,
  { dataflow }: Crew,
  meter: RateMeter,
): SourceStatus {
  const rowsRead = splits.reduce((sum, split) => sum + split.rowsRead, 0)
  const watermarkUs = dataflow.watermarkUs(node.index)
  const holder = holderOf(splits)
  return {
    source: name,
    table: node.origin.kind === 'scan' ? node.origin.table.name : 'values',
    rowsRead,
    rowsPerSecond: meter.rate(name, rowsRead),
    ...(isTold(watermarkUs) ? { watermarkUs } : {}),
    ...(holder === undefined ? {} : { heldBy: holder.id }),
    splits: splits.map(splitStatus),
  }
}

/** The split that the windows wait for. */
function holderOf(splits: readonly SplitFacts[]): SplitFacts | undefined {
  const holding = splits.filter(({ idle, state }) => !idle && state !== 'ended')
  return holding.reduce<SplitFacts | undefined>(
    (least, split) =>
      least === undefined || split.watermarkUs < least.watermarkUs ? split : least,
    undefined,
  )
}

function splitStatus(split: SplitFacts): SplitStatus {
  const { id, position, watermarkUs, lag, trouble, lateness } = split
  return {
    split: id,
    state: stateOf(split),
    ...(position === undefined ? {} : { position }),
    ...(isTold(watermarkUs) ? { watermarkUs } : {}),
    ...(lag === undefined ? {} : { lag }),
    ...(trouble === undefined ? {} : { trouble }),
    ...(lateness === undefined ? {} : { lateness: splitLateness(lateness) }),
  }
}

/** Neither before the first row nor behind the last, which are no times. */
function isTold(watermarkUs: bigint): boolean {
  return watermarkUs !== UNREAD_US && watermarkUs !== ENDED_US
}

function stateOf({ state, idle }: SplitFacts): SplitStatus['state'] {
  if (state === 'ended') return 'ended'
  if (idle) return 'idle'
  return state === 'reading' || state === 'waiting' ? state : 'at-end'
}

export function windowStatuses({ dataflow }: Crew): WindowStatus[] {
  return dataflow.operators.flatMap(({ node, operator }) => {
    const progress = operator.progress?.()
    return progress === undefined ? [] : [{ node: node.id, ...progress }]
  })
}

/** Nothing if no operator's state may leave memory. */
export function spillStatus({ dataflow }: Crew): Pick<RunStatus, 'spilled'> {
  const all = dataflow.operators.flatMap(({ operator }) => operator.spilled?.() ?? [])
  const spilled = mergedSpilled(all)
  return spilled === undefined ? {} : { spilled }
}

export function conservationOf({ sources, counters, side }: Crew): Conservation {
  const splits = sources.flatMap((source) => source.splits)
  return {
    read: splits.reduce((sum, { rowsRead }) => sum + rowsRead, 0),
    used: counters.rowsUsed,
    dead: side.deadCount,
    madeDead: side.madeDeadCount,
    late: side.lateCount,
  }
}
