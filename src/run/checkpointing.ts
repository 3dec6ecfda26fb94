/**
 * The checkpoint protocol of one run, step by step:
 *
 *   1. between two batches: positions and changed state are taken, side rows are handed to their writers
 *   2. every sink prepares: its rows are durable, not visible
 *   3. the manifest is durable: from here on a restart goes on from this checkpoint
 *   4. sinks commit what is due; a crash before this is made up for at the next start
 *   5. sources learn that their positions will not be asked for again
 *
 * Steps 3 to 5 go on while the task works; a next checkpoint waits for them.
 */

import type { CheckpointId, Committable, SourcePositions } from '../connectors/contract/sink.ts'
import type { SourceSplit } from '../engine/source-split.ts'
import { ENDED_US, UNREAD_US } from '../engine/source-stage.ts'
import { batchOfRows } from '../engine/value-rows.ts'
import { keptColumns } from '../plan/kept-columns.ts'
import { SIDE_SCHEMAS } from '../plan/side-tables.ts'
import type { Ports } from '../ports/ports.ts'
import type {
  CheckpointContents,
  CommitProgress,
  OperatorIdentity,
  SourceIdentities,
  WorkerSnapshot,
} from '../state/checkpoint.ts'
import type { Commits, Refusal } from './commits.ts'
import type { CheckpointStatus } from './handle.ts'
import type { LatenessObserver } from './lateness.ts'
import type { SideSinks } from './side-sinks.ts'
import type { Crew } from './workers.ts'

/** What a checkpoint is written to. */
export interface CheckpointTarget {
  /** Durable when it resolves; the bytes that were written. */
  write(contents: CheckpointContents, progress: CommitProgress): Promise<number>
  /** Notes how far sinks have got since the newest checkpoint was written. */
  settle(progress: CommitProgress): Promise<void>
  /** Nothing older than this checkpoint is needed any more. */
  confirm(checkpoint: CheckpointId): Promise<void>
  /** One a worker. */
  snapshots(crew: Crew): WorkerSnapshot[]
}

export interface CheckpointingOptions {
  readonly assembly: Crew
  readonly commits: Commits
  readonly sideSinks: SideSinks
  readonly target: CheckpointTarget
  readonly ports: Ports
  readonly incarnation: number
  readonly planFingerprint: string
  /** What has been measured of lateness, at the place where the workers stand. */
  readonly lateness: Pick<LatenessObserver, 'kept'>
  /** Told of each checkpoint that is durable, committed and acknowledged. */
  readonly onConfirmed?: (contents: CheckpointContents, bytes: number) => void
}

export interface Checkpointing {
  /**
   * Takes a checkpoint: resolves when its rows are prepared and the task may go on. `all`: commits whatever the sinks' intervals say.
   */
  take(all: boolean): Promise<void>
  /** Resolves when no checkpoint is under way; the refusal that ended it, if any. @throws what failed */
  settled(): Promise<Refusal | undefined>
  /** True while steps 3 to 5 of the last are under way. */
  readonly busy: boolean
  readonly status: CheckpointStatus
}

export function createCheckpointing(options: CheckpointingOptions): Checkpointing {
  const { assembly, commits, sideSinks, target, ports, incarnation } = options
  let counter = 0
  let finishing: Promise<Refusal | undefined> = Promise.resolve(undefined)
  let busy = false
  let lastPositions = ''
  let last: Taken | undefined

  async function take(all: boolean): Promise<void> {
    const startedMs = ports.clock.monotonicMs()
    await assembly.task.align?.()
    try {
      await cut(all, startedMs)
    } finally {
      assembly.task.resume?.()
    }
  }

  /** All workers stand at one place of their streams. */
  async function cut(all: boolean, startedMs: number): Promise<void> {
    const positions = positionsNow(assembly)
    const positionsText = JSON.stringify([positions, timesOf(assembly)])
    // Nothing was read and no window fired since the last one: it stands, unless something is left to commit.
    if (positionsText === lastPositions && !all) return
    lastPositions = positionsText
    const checkpoint: CheckpointId = { incarnation, counter: ++counter }
    await flushSideRows(assembly, sideSinks)
    const snapshots = target.snapshots(assembly)
    const prepared = await preparedBySinks(options, checkpoint)
    ports.faultPoint('checkpoint-prepared')
    const pauseMs = ports.clock.monotonicMs() - startedMs
    const contents: CheckpointContents = {
      checkpoint,
      planFingerprint: options.planFingerprint,
      positions,
      ...factsOf(assembly),
      ...options.lateness.kept(),
      prepared,
      snapshots,
    }
    busy = true
    finishing = finish(contents, all, startedMs, pauseMs).finally(() => {
      busy = false
    })
    // Whoever asks `settled` hears of a failure; until then it must not be an unhandled one.
    finishing.catch(() => {})
  }

  async function finish(
    contents: CheckpointContents,
    all: boolean,
    startedMs: number,
    pauseMs: number,
  ): Promise<Refusal | undefined> {
    const { checkpoint, positions } = contents
    const bytes = await target.write(contents, commits.progress())
    ports.faultPoint('checkpoint-durable')
    const refusal = await commits.commit(checkpoint, positions, all)
    ports.faultPoint('checkpoint-committed')
    if (refusal !== undefined) return refusal
    // Nothing may follow: what is committed is not kept as if it might not be.
    if (all) await target.settle(commits.progress())
    await target.confirm(checkpoint)
    ports.faultPoint('checkpoint-confirmed')
    await assembly.acknowledge(positions)
    ports.faultPoint('checkpoint-acknowledged')
    options.onConfirmed?.(contents, bytes)
    const nowMs = ports.clock.monotonicMs()
    last = { id: checkpoint, atMs: nowMs, bytes, tookMs: nowMs - startedMs, pauseMs }
    return undefined
  }

  return {
    take,
    settled: () => finishing,
    get busy() {
      return busy
    },
    get status() {
      return statusOf(last, ports)
    },
  }
}

/** What each sink needs for its commit; it is kept in `commits` too. */
async function preparedBySinks(
  { assembly, commits, sideSinks, ports }: CheckpointingOptions,
  checkpoint: CheckpointId,
): Promise<Record<string, Committable[]>> {
  const prepared: Record<string, Committable[]> = {}
  const keep = (name: string, committable: Committable | undefined): void => {
    if (committable === undefined) return
    prepared[name] = [...(prepared[name] ?? []), committable]
    commits.add(name, { checkpoint, committable })
  }
  for (const { name, writer } of [...assembly.sinks, ...sideSinks.opened()]) {
    ports.faultPoint('checkpoint-prepare')
    keep(name, await writer.prepare(checkpoint))
  }
  for (const { name, committer } of assembly.committing)
    keep(name, await committer.prepare?.(checkpoint))
  return prepared
}

interface Taken {
  readonly id: CheckpointId
  readonly atMs: number
  readonly bytes: number
  readonly tookMs: number
  readonly pauseMs: number
}

function statusOf(last: Taken | undefined, { clock }: Ports): CheckpointStatus {
  if (last === undefined) return {}
  const { id, atMs, bytes, tookMs, pauseMs } = last
  return { last: id, ageMs: clock.monotonicMs() - atMs, bytes, durationMs: tookMs, pauseMs }
}

/** Late and dead rows to the writers of their topics; topics are opened when they first have one. */
export async function flushSideRows(assembly: Crew, sideSinks: SideSinks): Promise<void> {
  const { memory } = assembly
  for (const [topic, { kind, rows }] of assembly.side.take()) {
    const { writer } = await sideSinks.open(topic, kind)
    const mark = memory.arena.mark()
    writer.write(batchOfRows(memory, SIDE_SCHEMAS[kind], rows))
    memory.arena.release(mark)
  }
}

function positionsNow(assembly: Crew): SourcePositions {
  assembly.task.reflect()
  return positionsOf(assembly)
}

export function positionsOf({ sources }: Pick<Crew, 'sources'>): SourcePositions {
  return Object.fromEntries(
    sources.map(({ name, splits }) => [
      name,
      Object.fromEntries(
        splits
          .filter(({ position }) => position !== undefined)
          .map((split) => [
            split.id,
            { readTo: split.position!, ...reflectedOf(split), ...watermarkOf(split) },
          ]),
      ),
    ]),
  )
}

function reflectedOf({ reflectedTo, openUntilUs }: Omit<SourceSplit, 'reader'>): {
  reflectedTo?: string
  openUntilUs?: string
} {
  if (reflectedTo === undefined || openUntilUs === undefined) return {}
  return { reflectedTo, openUntilUs: `${openUntilUs}` }
}

function factsOf(assembly: Crew): Pick<CheckpointContents, 'operators' | 'identities' | 'ended'> {
  return {
    operators: identitiesOf(assembly),
    identities: sourceIdentities(assembly),
    ended: assembly.dataflow.ended(),
  }
}

function sourceIdentities({ sources }: Crew): SourceIdentities {
  return Object.fromEntries(
    sources.flatMap(({ name, source: { identity } }) =>
      identity === undefined ? [] : [[name, identity]],
    ),
  )
}

/** A split that ends by itself holds no watermark when the run goes on either. */
function watermarkOf({ state, until, watermarkUs }: Omit<SourceSplit, 'reader'>): {
  watermarkUs?: string
} {
  if (state === 'ended' && until === undefined) return { watermarkUs: `${ENDED_US}` }
  return watermarkUs === UNREAD_US ? {} : { watermarkUs: `${watermarkUs}` }
}

/** Where time stands at each source and operator: idle splits move it, and fire windows, though nothing was read. */
function timesOf({ dataflow, sources }: Crew): string[] {
  const nodes = [...sources, ...dataflow.operators].map(({ node }) => node.index)
  return nodes.map((node) => `${dataflow.watermarkUs(node)}`)
}

function identitiesOf({ dataflow }: Crew): OperatorIdentity[] {
  return dataflow.operators.map(({ node, operator }) => {
    const columns = node.kind === 'operator' ? keptColumns(node.plan) : undefined
    return { id: node.id, name: operator.name, ...(columns && { columns }) }
  })
}
