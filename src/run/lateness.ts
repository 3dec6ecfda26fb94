/** How late a run's events are: what its splits have counted, watched for drift, kept by checkpoints and told as status. */

import { addedUp, delayKeeping, type Lateness } from '../engine/lateness.ts'
import {
  type LatenessVerdict,
  type LatenessWatch,
  looked,
  newWatch,
  verdictOf,
} from '../engine/lateness-watch.ts'
import type { KeptLateness } from '../state/checkpoint.ts'
import type { RunEvent, SourceLateness, SplitLateness } from './handle.ts'
import type { Crew, CrewSource } from './workers.ts'

/** The counts of all splits are added up and looked at this often. */
const LOOK_MS = 1000
const SHARES: readonly number[] = [0.5, 0.9, 0.99, 0.999]

export interface LatenessObserver {
  /** Looks at what has been counted, if it is time: what begins or ends is told. */
  look(nowMs: number): void
  /** For a checkpoint. */
  kept(): { readonly lateness?: KeptLateness }
  status(source: CrewSource): SourceLateness | undefined
}

export function observeLateness(
  crew: Pick<Crew, 'sources'>,
  promised: number | undefined,
  kept: KeptLateness | undefined,
  onEvent: (event: RunEvent) => void,
): LatenessObserver {
  const watches = new Map<string, LatenessWatch>(Object.entries(kept?.watches ?? {}))
  let lookedMs = Number.NEGATIVE_INFINITY

  function lookAt({ name, node, splits }: CrewSource): void {
    const now = countedOf(splits)
    if (now === undefined) return
    const known = watches.get(name)
    const before = known === undefined || !isOf(known, now) ? newWatch(now) : known
    const after = looked(before, now, promised)
    watches.set(name, after)
    if (after.isDrifting === before.isDrifting) return
    const verdict = verdictOf(after, now, promised)!
    const table = tableOf(node)
    onEvent({
      kind: after.isDrifting ? 'watermark-drifted' : 'watermark-recovered',
      table,
      delayUs: now.delayUs,
      ...measuredOf(verdict),
    })
  }

  return {
    look(nowMs) {
      if (nowMs - lookedMs < LOOK_MS) return
      lookedMs = nowMs
      for (const source of crew.sources) lookAt(source)
    },
    kept() {
      const splits = crew.sources.flatMap(({ name, splits }) => {
        const counted = splits.flatMap(({ id, lateness }) =>
          lateness === undefined ? [] : [[id, lateness] as const],
        )
        return counted.length === 0 ? [] : [[name, Object.fromEntries(counted)] as const]
      })
      if (splits.length === 0) return {}
      const kept = { splits: Object.fromEntries(splits), watches: Object.fromEntries(watches) }
      return { lateness: kept }
    },
    status({ name, splits }) {
      const now = countedOf(splits)
      if (now === undefined) return undefined
      const { delayUs, windowUs, events, lost } = now
      const watch = watches.get(name)
      const verdict = watch === undefined ? undefined : verdictOf(watch, now, promised)
      const recent = verdict === undefined ? undefined : measuredOf(verdict)
      return {
        delayUs,
        windowUs,
        events,
        lost,
        isDrifting: watch?.isDrifting === true,
        ...(recent === undefined ? {} : { recent }),
      }
    },
  }
}

function measuredOf({ interval, ...verdict }: LatenessVerdict) {
  return { ...verdict, ...interval }
}

export function splitLateness(counted: Lateness): SplitLateness {
  const { events, lost } = counted
  const delays = SHARES.map((share) => ({ share, delayUs: delayKeeping(counted, share) }))
  return { events, lost, delays }
}

function countedOf(splits: CrewSource['splits']): Lateness | undefined {
  return addedUp(splits.flatMap(({ lateness }) => lateness ?? []))
}

/** Counts of another delay or other windows say nothing of these. */
function isOf({ start }: LatenessWatch, { delayUs, windowUs }: Lateness): boolean {
  return start.delayUs === delayUs && start.windowUs === windowUs
}

function tableOf(node: CrewSource['node']): string {
  return node.origin.kind === 'scan' ? node.origin.table.name : 'values'
}
