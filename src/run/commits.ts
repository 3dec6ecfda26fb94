/**
 * What sinks have prepared and not yet committed, per sink, and when it is committed: after a manifest that holds it is durable,
 * no more often than the sink's 'sink.commit-interval'. A refused commit is kept, with what a person can do about it.
 */
import type {
  CheckpointId,
  CommitOutcome,
  CommitRequest,
  SinkCommitter,
  SourcePositions,
} from '../connectors/contract/sink.ts'
import { MillraceError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { CommitProgress, PendingCommittable } from '../state/checkpoint.ts'

export interface CommittingSink {
  readonly name: string
  readonly committer: SinkCommitter
  /** Least ms between commits; 0: at every checkpoint. */
  readonly commitIntervalMs: number
}

export interface Refusal {
  readonly sink: string
  readonly reason: string
  readonly remedy: string
  readonly pending: CommitRequest
}

export interface Commits {
  /** One more sink to commit for: a side topic that has its first row. */
  include(sink: CommittingSink): void
  /** What a sink prepared for a checkpoint; in the order of checkpoints. */
  add(sink: string, pending: PendingCommittable): void
  /** What is not committed, and how far each sink has got. */
  progress(): CommitProgress
  /**
   * Commits what is due (all of it if `all`) and durable up to `checkpoint`. The first refusal ends it; what was not committed stays.
   * @throws COMMIT_LOST if it can't be committed any more
   */
  commit(
    checkpoint: CheckpointId,
    positions: SourcePositions,
    all: boolean,
  ): Promise<Refusal | undefined>
  lastCommitted(sink: string): CheckpointId | undefined
  /** Commits that made something visible, not counting those found done. */
  readonly made: number
}

/** Tries of a commit whose answer was 'retry', and the wait between them. */
const TRIES_MAX = 8
const TRY_AGAIN_MS = 100

export function createCommits(
  pipeline: string,
  sinks: readonly CommittingSink[],
  restored: Partial<CommitProgress>,
  clock: Clock,
): Commits {
  const included: CommittingSink[] = []
  const lastCommitted = new Map<string, CheckpointId>()
  const waiting = new Map<string, PendingCommittable[]>()
  const include = (sink: CommittingSink): void => {
    included.push(sink)
    waiting.set(sink.name, [...(restored.committables?.[sink.name] ?? [])])
    const before = restored.committed?.[sink.name]
    if (before !== undefined) lastCommitted.set(sink.name, before)
  }
  // What may be lost comes before what then must not be visible.
  for (const sink of sinks) if (sink.committer.first === true) include(sink)
  for (const sink of sinks) if (sink.committer.first !== true) include(sink)
  let made = 0
  const committedAtMs = new Map<string, number>()
  return {
    include,
    add(sink, pending) {
      waiting.get(sink)!.push(pending)
    },
    progress: () => ({
      committables: Object.fromEntries([...waiting].map(([name, pending]) => [name, [...pending]])),
      committed: Object.fromEntries(lastCommitted),
    }),
    async commit(checkpoint, positions, all) {
      for (const { name, committer, commitIntervalMs } of included) {
        const pending = waiting.get(name)!
        const sinceMs = clock.monotonicMs() - (committedAtMs.get(name) ?? Number.NEGATIVE_INFINITY)
        if (pending.length === 0 || (!all && sinceMs < commitIntervalMs)) continue
        const request: CommitRequest = {
          pipeline,
          checkpoint,
          committables: pending.map(({ committable }) => committable),
          positions,
        }
        const outcome = await tried(committer, request, clock)
        if (outcome.kind === 'lost') throw lost(name, outcome.reason, request)
        if (outcome.kind === 'retry') throw notTaken(name, outcome.reason, request)
        if (outcome.kind === 'refused') return refusal(name, outcome, request)
        waiting.set(name, [])
        if (!outcome.already) made++
        committedAtMs.set(name, clock.monotonicMs())
        lastCommitted.set(name, checkpoint)
      }
      return undefined
    },
    lastCommitted: (sink) => lastCommitted.get(sink),
    get made() {
      return made
    },
  }
}

async function tried(
  committer: SinkCommitter,
  request: CommitRequest,
  clock: Clock,
): Promise<CommitOutcome> {
  let outcome = await committer.commit(request)
  for (let tries = 1; outcome.kind === 'retry' && tries < TRIES_MAX; tries++) {
    await clock.sleep(TRY_AGAIN_MS * tries)
    outcome = await committer.commit(request)
  }
  return outcome
}

function refusal(
  sink: string,
  { reason, remedy }: Extract<CommitOutcome, { kind: 'refused' }>,
  pending: CommitRequest,
): Refusal {
  return { sink, reason, remedy, pending }
}

/** Nobody has refused it: the next attempt, after a while, commits it first. */
function notTaken(
  sink: string,
  reason: string,
  { checkpoint, pipeline }: CommitRequest,
): MillraceError {
  const id = `${checkpoint.incarnation}-${checkpoint.counter}`
  return new MillraceError('STORE_FAILED', {
    message: `${sink} has not taken what checkpoint ${id} of pipeline '${pipeline}' had prepared: ${reason}`,
    hint: 'it is kept in the checkpoint, and tried again under the restart policy',
    facts: { sink, pipeline, checkpoint: id },
  })
}

/** The attempt that follows finds it lost again, and goes back. */
function lost(
  sink: string,
  reason: string,
  { checkpoint, pipeline }: CommitRequest,
): MillraceError {
  const id = `${checkpoint.incarnation}-${checkpoint.counter}`
  return new MillraceError('COMMIT_LOST', {
    message: `${sink} has lost what checkpoint ${id} of pipeline '${pipeline}' had prepared: ${reason}`,
    hint: 'the pipeline goes back to the checkpoint before, and writes it again',
    facts: { sink, pipeline, checkpoint: id },
  })
}
