/** Carries a commit attempt out: decide, put if absent, and on a lost race or a lost answer look again. */
import { MillraceError } from '../../errors.ts'
import type { ObjectStore } from '../../ports/objects.ts'
import type { Random } from '../../ports/random.ts'
import { type CommitInfo, commitText } from './actions.ts'
import { writeCheckpoint } from './checkpoint.ts'
import { type CommitAttempt, commitActions, decideCommit } from './decide.ts'
import { advance, findCommit } from './log.ts'
import { commitKey } from './log-files.ts'
import { Replay, type Snapshot } from './snapshot.ts'

export const ENGINE = 'Millrace/0.1.0'
/** Races that one call loses before it gives the engine back its turn. */
export const RACES_MAX = 50

export interface CommitPorts {
  readonly store: ObjectStore
  readonly random: Random
  readonly nowMs: () => number
  readonly faultPoint: (name: string) => void
}

export type CommitResult =
  | { readonly kind: 'committed'; readonly already: boolean; readonly snapshot: Snapshot }
  /** The files the attempt rewrites have changed: prepare again on `snapshot`. */
  | { readonly kind: 'stale'; readonly reason: string; readonly snapshot: Snapshot }
  | { readonly kind: 'conflicted'; readonly reason: string; readonly remedy: string }
  | { readonly kind: 'retry'; readonly reason: string }

/**
 * Commits `attempt` on top of `snapshot` or what has come since. Idempotent: the transaction in the log decides. The commit is
 * durable and visible when 'committed' returns.
 *
 * @throws DELTA_LOG_CORRUPT, and what the store throws
 */
export async function commit(
  ports: CommitPorts,
  snapshot: Snapshot,
  attempt: CommitAttempt,
): Promise<CommitResult> {
  const txnId = Buffer.from(ports.random.bytes(16)).toString('hex')
  let latest = snapshot
  let lastWinner: string | undefined
  for (let race = 0; race < RACES_MAX; race++) {
    const advanced = await advance(ports.store, latest)
    if (advanced === undefined) return dropped(ports.store)
    latest = advanced.snapshot
    lastWinner =
      winnerOf(advanced.commits.at(-1)?.actions.find((a) => a.commitInfo)?.commitInfo) ?? lastWinner
    const decision = decideCommit(attempt, latest)
    if (decision.kind === 'already') return { kind: 'committed', already: true, snapshot: latest }
    if (decision.kind === 'stale') return { ...decision, snapshot: latest }
    if (decision.kind === 'conflicted') {
      const by = lastWinner === undefined ? '' : ` (last commit: ${lastWinner})`
      return { ...decision, reason: `${ports.store.url}: ${decision.reason}${by}` }
    }
    const stamp = { nowMs: ports.nowMs(), txnId, engine: ENGINE }
    const actions = commitActions(attempt, latest, stamp)
    ports.faultPoint('delta-commit-before')
    if (await putCommit(ports.store, decision.version, commitText(actions), txnId)) {
      ports.faultPoint('delta-commit-after')
      const replay = Replay.from(latest)
      replay.commit(decision.version, actions)
      return { kind: 'committed', already: false, snapshot: replay.snapshot() }
    }
  }
  return {
    kind: 'retry',
    reason: `${RACES_MAX} commits of others came first in ${ports.store.url}`,
  }
}

/** For what is not a transaction (making a table, adding columns): after RACES_MAX tries without an answer. */
export function unanswered(store: ObjectStore, act: string): MillraceError {
  return new MillraceError('STORE_FAILED', {
    message: `${act} ${store.url} got no answer in ${RACES_MAX} tries`,
    hint: 'check the store, and whether many writers change the table; it is tried again under the restart policy',
    facts: { table: store.url },
  })
}

/** True if the version is ours. An ambiguous answer is resolved by reading back who wrote it. */
async function putCommit(
  store: ObjectStore,
  version: number,
  text: string,
  txnId: string,
): Promise<boolean> {
  const answer = await store.put(commitKey(version), new TextEncoder().encode(text), {
    ifAbsent: true,
  })
  if (answer === 'created') return true
  // Also for 'exists': a store's own client may have retried a put whose first answer was lost.
  const written = await findCommit(store, version)
  return written?.some(({ commitInfo }) => commitInfo?.txnId === txnId) === true
}

function dropped(store: ObjectStore): CommitResult {
  return {
    kind: 'conflicted',
    reason: `the Delta table ${store.url} is gone: it was dropped while the pipeline ran`,
    remedy:
      'restore the table and start the pipeline again (what is prepared is kept), or start it with --fresh to make a new table',
  }
}

function winnerOf(info: CommitInfo | undefined): string | undefined {
  if (info === undefined) return undefined
  const { operation, engineInfo } = info
  const engine = typeof engineInfo === 'string' ? engineInfo : 'an unknown engine'
  return `${typeof operation === 'string' ? operation : 'a write'} by ${engine}`
}

/** Writes a checkpoint if `snapshot` is at an interval (delta.checkpointInterval, 10 unless told). True if it did. */
export async function checkpointIfDue(
  ports: CommitPorts,
  snapshot: Snapshot,
  intervalDefault: number,
): Promise<boolean> {
  const told = Number(snapshot.metadata.configuration['delta.checkpointInterval'])
  const interval = Number.isInteger(told) && told > 0 ? told : intervalDefault
  if (snapshot.version === 0 || snapshot.version % interval !== 0) return false
  ports.faultPoint('delta-checkpoint-before')
  await writeCheckpoint(ports.store, snapshot, ports.nowMs(), ports.faultPoint)
  return true
}
