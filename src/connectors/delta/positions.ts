/** The domain in which a pipeline keeps what its commits reflect, and the transaction that numbers them. */
import { z } from 'zod'
import type { Snapshot } from '../../lakehouse/delta/snapshot.ts'
import { POSITIONS } from '../../lakehouse/delta/vacuum.ts'
import type { ChangelogMode, CheckpointId, CommitRequest } from '../contract/sink.ts'

/** Counters within an incarnation stay below it: the version fits a double's 53 bits for two million incarnations. */
const COUNTERS = 2 ** 32

export function applicationId(pipeline: string, table: string): string {
  return `millrace.${pipeline}.${table}`
}

export function domainName(pipeline: string): string {
  return `millrace.${pipeline}`
}

/**
 * Where the positions of a transaction stand in a table whose protocol has no domains (made by older writers): beside the table, named by
 * the transaction, written before it.
 */
export function positionsKey(appId: string, version: number): string {
  return `${POSITIONS}${encodeURIComponent(appId)}-${version}.json`
}

/** Grows with every checkpoint, over incarnations too. */
export function transactionVersion({ incarnation, counter }: CheckpointId): number {
  return incarnation * COUNTERS + counter
}

export function checkpointOf(transactionVersion: number): CheckpointId {
  return {
    incarnation: Math.floor(transactionVersion / COUNTERS),
    counter: transactionVersion % COUNTERS,
  }
}

export function positionsText(request: CommitRequest, mode: ChangelogMode): string {
  return JSON.stringify({ mode, checkpoint: request.checkpoint, positions: request.positions })
}

const configuration = z.object({
  mode: z.string(),
  checkpoint: z.object({ incarnation: z.number(), counter: z.number() }),
  positions: z.record(z.string(), z.record(z.string(), z.unknown())),
})

export type CommittedPositions = z.output<typeof configuration>

/** What the table says that `pipeline` has committed; undefined if it says nothing. */
export function committedPositions(
  snapshot: Snapshot,
  pipeline: string,
): CommittedPositions | undefined {
  const domain = snapshot.domains.get(domainName(pipeline))
  if (domain === undefined) return undefined
  return configuration.parse(JSON.parse(domain.configuration))
}
