/** One split of a source as the task sees it: where it stands, how far its time has come, and whether others must wait for it. */
import type { Position, SourceReader } from '../connectors/contract/source.ts'
import type { InputWatermark } from '../time/watermarks.ts'
import type { Lateness } from './lateness.ts'
import type { LatenessMeter } from './lateness-meter.ts'

export interface SourceSplit extends InputWatermark {
  readonly id: string
  readonly reader: SourceReader
  /** Where this run stops reading; undefined: it goes on. */
  readonly until: Position | undefined
  position: Position | undefined
  watermarkUs: bigint
  /** Does not hold the watermark. */
  idle: boolean
  /**
   * 'reading': more may be there at once. 'at-end': the last look found nothing. 'waiting': it found that more is there, not yet
   * here. 'done': all before `until` is read, and rows behind it are another run's. 'ended': there will never be more.
   */
  state: 'reading' | 'at-end' | 'waiting' | 'done' | 'ended'
  /** Monotonic ms at which the end was reached. */
  atEndSinceMs: number
  /** The first row that is in no result yet, '' for the split's beginning; absent: `position`. As of the last checkpoint. */
  reflectedTo?: Position | undefined
  /** The greatest event time of the rows from there on. */
  openUntilUs?: bigint | undefined
  rowsRead: number
  /** Of the rows' event times, where they are metered. */
  readonly meter?: LatenessMeter | undefined
  /** What the meter has counted by now; of a split that shares another's, nothing. */
  readonly lateness?: Lateness | undefined
  lag: number | undefined
  /** Why nothing comes, where something should. */
  trouble?: string | undefined
}

/** What can be told of a split to other threads. */
export type SplitFacts = Omit<SourceSplit, 'reader' | 'meter'>

/**
 * What the splits are read by: the one whose time is behind comes first, so that a replay needs no more state than the live run did;
 * of several the one that gave the fewest rows, so that none waits for ever where there is no time.
 */
export function nextToRead(splits: readonly SourceSplit[]): SourceSplit | undefined {
  let best: SourceSplit | undefined
  for (const split of splits) {
    if (split.state !== 'reading') continue
    const isBehind =
      best === undefined ||
      split.watermarkUs < best.watermarkUs ||
      (split.watermarkUs === best.watermarkUs && split.rowsRead < best.rowsRead)
    if (isBehind) best = split
  }
  return best
}
