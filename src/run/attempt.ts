/** One life of a running pipeline: from a checkpoint to its end, its stop, or the failure that ends it. */
import { type CheckpointId, isAfter } from '../connectors/contract/sink.ts'
import { forgetPins } from '../connectors/log/moving-pin.ts'
import { type Graph, graphOf } from '../engine/graph.ts'
import { MillraceError } from '../errors.ts'
import type { Manifest } from '../state/checkpoint.ts'
import { rollBack } from '../state/roll-back.ts'
import { type Checkpointing, createCheckpointing, flushSideRows } from './checkpointing.ts'
import { type Commits, createCommits, type Refusal } from './commits.ts'
import type { PipelineStart, RunStatus } from './handle.ts'
import { type LatenessObserver, observeLateness } from './lateness.ts'
import { checkpointDirectory, openStore, type RunStore } from './run-store.ts'
import type { Settings } from './settings.ts'
import { createSideSinks, type SideSinks, sideKindOf } from './side-sinks.ts'
import { conservationOf, rateMeter, sourceStatuses, spillStatus, windowStatuses } from './status.ts'
import { assembleThreads } from './worker-threads.ts'
import { assembleWorkers, type Crew } from './workers.ts'

export type AttemptEnd =
  | { readonly kind: 'finished'; readonly because: 'end' | 'now' | 'stopped' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

export interface Attempt {
  /** Works until everything is read, `signal` aborts, or a commit is refused. @throws what fails */
  run(signal: AbortSignal): Promise<AttemptEnd>
  status(): Pick<
    RunStatus,
    'sources' | 'windows' | 'spilled' | 'sinks' | 'conservation' | 'checkpoint'
  >
  /** A self-contained copy of the next checkpoint, below `path`. */
  savepoint(path: string): Promise<CheckpointId>
  close(): Promise<void>
}

/** The event loop is let in this often; a batch is never interrupted. */
const YIELD_MS = 4
/** How long an idle task waits before it looks again. */
const WAIT_MS = 1

/** Opens everything and restores the newest checkpoint; only the first attempt of a run forgets them or takes up a savepoint. @throws RESTORE_BEHIND, CHECKPOINT_CORRUPT, and what tables throw */
export async function openAttempt(
  start: PipelineStart,
  settings: Settings,
  isFirst: boolean,
): Promise<Attempt> {
  try {
    return await openNewest(start, settings, isFirst)
  } catch (error) {
    if (!(error instanceof MillraceError && error.code === 'COMMIT_LOST')) throw error
    if (!(await rollBack(start.ports, checkpointDirectory(start)))) throw error
    start.onEvent?.({ kind: 'rolled-back', error })
    return openNewest(start, settings, false)
  }
}

async function openNewest(
  start: PipelineStart,
  settings: Settings,
  isFirst: boolean,
): Promise<Attempt> {
  const store = await openStore(start, isFirst)
  const graph = graphOf(start.pipeline)
  const manifest = store.restored
  const opening = {
    connectors: start.connectors,
    ports: start.ports,
    dataDirectory: start.dataDirectory,
    baseDirectory: start.baseDirectory,
    environment: start.environment ?? {},
  }
  const request = {
    workers: start.workers ?? 1,
    pipeline: start.pipeline.name,
    graph,
    opening,
    settings,
    clock: start.ports.clock,
    until: start.until,
    positions: manifest?.positions ?? {},
    identities: manifest?.identities ?? {},
    lateness: manifest?.lateness?.splits ?? {},
    written: writtenSinks(manifest),
    resumes: true,
    watermarks: store.watermarks(),
    ...start.interleaving,
  }
  const mayHaveThreads = start.threads === true && start.ports.recipe !== undefined
  const hasThreads = mayHaveThreads && request.workers > 1
  const assembly = hasThreads
    ? await assembleThreads({ ...request, start, store })
    : await assembleWorkers(request)
  const { clock } = start.ports
  const commits = createCommits(start.pipeline.name, assembly.committing, manifest ?? {}, clock)
  const sideSinks = createSideSinks(start.pipeline.name, assembly.memory, opening, (sink) =>
    commits.include(sink),
  )
  const lateness = observeLateness(assembly, settings.complete, manifest?.lateness, (event) =>
    start.onEvent?.(event),
  )
  const parts: Parts = { start, settings, graph, store, assembly, commits, sideSinks, lateness }
  try {
    return await restoredAttempt(parts, manifest)
  } catch (cause) {
    // What has been opened is closed; what keeps it from closing is no news beside the cause.
    await sideSinks.close().catch(() => {})
    await assembly.dispose().catch(() => {})
    throw cause
  }
}

/** The sinks that hold rows of the pipeline, or of which rows wait for their commit. */
function writtenSinks(manifest: Manifest | undefined): ReadonlySet<string> {
  const { committables = {}, committed = {} } = manifest ?? {}
  const waiting = Object.keys(committables).filter((name) => committables[name]!.length > 0)
  return new Set([...waiting, ...Object.keys(committed)])
}

async function restoredAttempt(parts: Parts, manifest: Manifest | undefined): Promise<Attempt> {
  const { start, store, assembly, sideSinks } = parts
  for (const [name, pending] of Object.entries(manifest?.committables ?? {})) {
    const kind = sideKindOf(name)
    if (kind !== undefined) await sideSinks.open(name, kind)
    else if (pending.length > 0 && !assembly.committing.some((sink) => sink.name === name)) {
      throw sinkGone(start.pipeline.name, name)
    }
  }
  await recommit(parts, manifest)
  if (manifest?.ended === true) return endedAttempt(parts)
  await refuseBehind(parts, manifest)
  store.restore(assembly)
  if (manifest !== undefined) {
    start.onEvent?.({ kind: 'restored', checkpoint: manifest.checkpoint })
  }
  return runningAttempt(parts)
}

interface Parts {
  readonly start: PipelineStart
  readonly settings: Settings
  readonly graph: Graph
  readonly store: RunStore
  readonly assembly: Crew
  readonly commits: Commits
  readonly sideSinks: SideSinks
  readonly lateness: LatenessObserver
}

/** Commits what the restored manifest holds: whatever of it was committed before is recognised by the sinks. */
async function recommit({ commits, start }: Parts, manifest: Manifest | undefined): Promise<void> {
  if (manifest === undefined) return
  start.ports.faultPoint('restore-commit')
  const refusal = await commits.commit(manifest.checkpoint, manifest.positions, true)
  if (refusal === undefined) return
  throw new MillraceError('COMMIT_REFUSED', {
    message: `${refusal.sink} refused what checkpoint ${idText(manifest.checkpoint)} had prepared: ${refusal.reason}`,
    hint: `${refusal.remedy}; it stays in the checkpoint`,
    facts: { sink: refusal.sink, checkpoint: idText(manifest.checkpoint) },
  })
}

/** What was prepared for a table must not be forgotten because the query no longer writes it. */
function sinkGone(pipeline: string, sink: string): MillraceError {
  return new MillraceError('CHECKPOINT_MISMATCH', {
    message: `the checkpoint of pipeline '${pipeline}' holds rows for ${sink} that may not be committed yet, and the pipeline no longer writes it`,
    hint: `run the pipeline once with ${sink} in it, or start anew with --fresh`,
    facts: { pipeline, sink },
  })
}

/** A sink that has more than the checkpoint would get rows twice. */
async function refuseBehind(
  { start, assembly }: Parts,
  manifest: Manifest | undefined,
): Promise<void> {
  if (start.allowDuplicates) return
  for (const { name, committer } of assembly.committing) {
    const committed = await committer.lastCommitted(start.pipeline.name)
    if (committed === undefined) continue
    if (manifest !== undefined && !isAfter(committed, manifest.checkpoint)) continue
    const from =
      manifest === undefined ? 'the beginning' : `checkpoint ${idText(manifest.checkpoint)}`
    throw new MillraceError('RESTORE_BEHIND', {
      message: `pipeline '${start.pipeline.name}' would go on from ${from}, but ${name} holds its rows up to checkpoint ${idText(committed)}`,
      hint: 'roll the table back, give the pipeline another name, or allow duplicates with --allow-duplicates',
      facts: { pipeline: start.pipeline.name, sink: name, committed: idText(committed) },
    })
  }
}

/** All had been read; a crash came before all was committed: that is done now, and nothing else is left. */
function endedAttempt(parts: Parts): Attempt {
  const { start, commits } = parts
  if (commits.made > 0) {
    return { ...runningAttempt(parts), run: async () => ({ kind: 'finished', because: 'end' }) }
  }
  throw new MillraceError('PIPELINE_ENDED', {
    message: `pipeline '${start.pipeline.name}' has ended: all its sources were read to their ends and all windows fired`,
    hint: 'start it with --fresh to run it from the beginning',
    facts: { pipeline: start.pipeline.name },
  })
}

function runningAttempt(parts: Parts): Attempt {
  const { start, assembly, commits, sideSinks, store, lateness } = parts
  const meter = rateMeter(start.ports.clock)
  const savepoints: SavepointRequest[] = []
  let hasEnded = false
  const releasePins = releaseOnce(parts)
  const checkpointing = createCheckpointing({
    assembly,
    commits,
    sideSinks,
    target: store,
    ports: start.ports,
    incarnation: store.incarnation,
    planFingerprint: store.planFingerprint,
    lateness,
    onConfirmed({ checkpoint, ended }, bytes) {
      releasePins()
      hasEnded = ended
      start.onEvent?.({ kind: 'checkpoint', checkpoint, bytes })
    },
  })
  return {
    run: (signal) => work(parts, checkpointing, savepoints, signal),
    status: () => ({
      ...spillStatus(assembly),
      sources: sourceStatuses(assembly, meter, lateness),
      windows: windowStatuses(assembly),
      sinks: assembly.committing.map(({ name, node, sink }) => {
        const last = commits.lastCommitted(name)
        return {
          sink: name,
          table: name,
          guarantee: sink.guarantee,
          rowsWritten: assembly.rowsWritten(node),
          ...(last === undefined ? {} : { lastCommitted: last }),
        }
      }),
      conservation: conservationOf(assembly),
      checkpoint: checkpointing.status,
    }),
    savepoint(path) {
      const { promise, resolve, reject } = Promise.withResolvers<CheckpointId>()
      savepoints.push({ path, resolve, reject })
      return promise
    },
    async close() {
      await checkpointing.settled().catch(() => undefined)
      await sideSinks.close()
      await assembly.dispose()
      // Nobody comes back to the positions of a pipeline that has ended.
      if (hasEnded) forgetPins(start.ports, start.dataDirectory, start.pipeline.name)
    },
  }
}

/** Once there is a checkpoint of this life, the sources that the pipeline had before need nothing any more. */
function releaseOnce({ start, assembly }: Parts): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    const kept = assembly.sources.map(({ name }) => name)
    forgetPins(start.ports, start.dataDirectory, start.pipeline.name, kept)
  }
}

interface SavepointRequest {
  readonly path: string
  resolve(checkpoint: CheckpointId): void
  reject(error: unknown): void
}

/** Copies a checkpoint that is taken now, for each that was asked for. */
async function savepoint(
  { store, commits }: Parts,
  checkpointing: Checkpointing,
  requests: SavepointRequest[],
): Promise<Refusal | undefined> {
  await checkpointing.take(false)
  const refusal = await checkpointing.settled()
  await store.settle(commits.progress())
  for (const { path, resolve, reject } of requests.splice(0)) {
    await store.copyTo(path).then(resolve, reject)
  }
  return refusal
}

async function work(
  parts: Parts,
  checkpointing: Checkpointing,
  savepoints: SavepointRequest[],
  signal: AbortSignal,
): Promise<AttemptEnd> {
  const { start, settings, assembly, sideSinks, lateness } = parts
  const { clock } = start.ports
  const { task, sinks } = assembly
  let dueMs = clock.monotonicMs() + settings.checkpointIntervalMs
  let yieldMs = clock.monotonicMs() + YIELD_MS
  const mayLose = assembly.committing.some(({ committer }) => committer.first === true)
  if (mayLose && parts.store.restored === undefined) {
    // Where it all begins, so that there is something to go back to.
    await checkpointing.take(false)
    await checkpointing.settled()
  }
  task.start()
  for (;;) {
    const result = signal.aborted ? 'stopped' : await task.step()
    for (const { writer } of sinks) if (writer.full) await writer.drain()
    if (assembly.side.full) await flushSideRows(assembly, sideSinks)
    if (result === 'done' || result === 'stopped') {
      return finish(checkpointing, assembly, result === 'stopped' ? 'stopped' : start.until)
    }
    const nowMs = clock.monotonicMs()
    lateness.look(nowMs)
    if (savepoints.length > 0 && !checkpointing.busy) {
      const refusal =
        (await checkpointing.settled()) ?? (await savepoint(parts, checkpointing, savepoints))
      if (refusal !== undefined) return { kind: 'refused', refusal }
    } else if (nowMs >= dueMs && !checkpointing.busy) {
      const refusal = await checkpointing.settled()
      if (refusal !== undefined) return { kind: 'refused', refusal }
      await checkpointing.take(false)
      dueMs = clock.monotonicMs() + settings.checkpointIntervalMs
    }
    if (result === 'waiting') await clock.sleep(WAIT_MS, signal)
    else if (nowMs >= yieldMs) {
      await clock.sleep(0)
      yieldMs = clock.monotonicMs() + YIELD_MS
    }
  }
}

/** The last checkpoint: all that was prepared is committed. */
async function finish(
  checkpointing: Checkpointing,
  assembly: Crew,
  because: 'stopped' | 'now' | 'end' | undefined,
): Promise<AttemptEnd> {
  const before = await checkpointing.settled()
  if (before !== undefined) return { kind: 'refused', refusal: before }
  await checkpointing.take(true)
  const refusal = await checkpointing.settled()
  if (refusal !== undefined) return { kind: 'refused', refusal }
  const ended = because !== 'stopped' && assembly.dataflow.ended()
  return { kind: 'finished', because: ended ? 'end' : (because ?? 'end') }
}

function idText({ incarnation, counter }: CheckpointId): string {
  return `${incarnation}-${counter}`
}
