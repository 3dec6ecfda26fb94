/** A pipeline's workers in threads of their own, as the main thread sees them: what they told last, and what they can be asked. */
import { MessageChannel } from 'node:worker_threads'
import type { SinkWriter } from '../connectors/contract/sink.ts'
import { LinearMemory } from '../data/memory.ts'
import { bellOf, doorbells } from '../engine/doorbell.ts'
import { routesOf } from '../engine/exchange-routes.ts'
import type { Graph } from '../engine/graph.ts'
import { ringMemory } from '../engine/ring.ts'
import { UNREAD_US } from '../engine/source-stage.ts'
import { invariant, MillraceError } from '../errors.ts'
import type { WorkerSnapshot } from '../state/checkpoint.ts'
import { type AssembledSink, prepareSinks } from './assembly.ts'
import type { PipelineStart } from './handle.ts'
import type { RunStore } from './run-store.ts'
import { createSideRows, type SideRows } from './side-rows.ts'
import {
  ringKey,
  type WorkerAnswer,
  type WorkerBirth,
  type WorkerCut,
  type WorkerRequest,
  type WorkerSetup,
  type WorkerStatus,
} from './worker-messages.ts'
import { giveThreadBack, takeThread } from './worker-pool.ts'
import { type Crew, RING_BYTES, type WorkersRequest } from './workers.ts'
import {
  type DataflowView,
  leastUs,
  mergedProgress,
  mergedSpilled,
  mergedWaiting,
} from './workers-merged.ts'

export interface ThreadsRequest extends WorkersRequest {
  readonly start: PipelineStart
  readonly store: RunStore
}

/** One worker's thread. */
interface Remote {
  ask(request: WorkerRequest): Promise<unknown>
  /** Resolves when the worker stands ready. */
  readonly ready: Promise<unknown>
  status: WorkerStatus | undefined
  snapshot: WorkerSnapshot | undefined
  end(): Promise<void>
}

/** How often it is looked whether a checkpoint is due; that all is read, or that something has failed, is heard at once. */
const LOOK_MS = 10

/** @throws as `assemble`, from any thread */
export async function assembleThreads(request: ThreadsRequest): Promise<Crew> {
  const { graph, workers: count } = request
  const prepared = await prepareSinks(request)
  const rings = ringsOf(routesOf(graph).length, count, request.ringBytes ?? RING_BYTES)
  const bells = doorbells(count)
  const failure: { error: MillraceError | undefined } = { error: undefined }
  const ear: Ear = { heard() {} }
  const channels = Array.from({ length: count }, () =>
    prepared.map(({ sink }) => (sink.attach === undefined ? undefined : new MessageChannel())),
  )
  const remotes = channels.map((lines, worker) =>
    remoteOf(
      setupOf(request, worker, rings, bells),
      lines.map((line) => line?.port2),
      failure,
      ear,
    ),
  )
  const committing: AssembledSink[] = []
  try {
    await Promise.all(remotes.map(({ ready }) => ready))
    for (const [sink, each] of prepared.entries()) {
      const committer = await each.sink.openCommitter()
      committing.push({ ...each, committer, writer: remoteWriter(remotes[0]!, sink) })
      for (const lines of channels)
        if (lines[sink] !== undefined) each.sink.attach!(lines[sink].port1)
    }
  } catch (error) {
    for (const remote of remotes) await remote.end()
    for (const { committer } of committing) await committer.close().catch(() => {})
    throw error
  }
  return crewOf(request, remotes, committing, failure, ear)
}

/** Told when a worker is done or has failed. */
interface Ear {
  heard(): void
}

function crewOf(
  { graph, clock }: ThreadsRequest,
  remotes: readonly Remote[],
  committing: readonly AssembledSink[],
  failure: { readonly error: MillraceError | undefined },
  ear: Ear,
): Crew {
  const told = (): WorkerStatus[] => remotes.flatMap(({ status }) => status ?? [])
  const sum = (of: (status: WorkerStatus) => number): number =>
    told().reduce((total, status) => total + of(status), 0)
  const sourceNodes = graph.nodes.filter((node) => node.kind === 'source')
  const askAll = (request: WorkerRequest) =>
    Promise.all(remotes.map((remote) => remote.ask(request)))
  const sinkNumber = new Map(committing.map(({ node }, number) => [node, number]))
  return {
    memory: new LinearMemory(),
    workers: [],
    committing,
    sinks: remotes.flatMap((remote) =>
      committing.map((each, sink) => ({ ...each, writer: remoteWriter(remote, sink) })),
    ),
    task: {
      start() {
        for (const remote of remotes) void remote.ask({ kind: 'start' }).catch(() => {})
      },
      // Each does when it is aligned, in its own thread.
      reflect() {},
      async step() {
        if (failure.error !== undefined) throw failure.error
        const listening = new AbortController()
        ear.heard = () => listening.abort()
        await clock.sleep(LOOK_MS, listening.signal)
        return told().length === remotes.length && told().every(({ done }) => done)
          ? 'done'
          : 'waiting'
      },
      async align() {
        await Promise.all(
          remotes.map(async (remote) => {
            const cut = (await remote.ask({ kind: 'align' })) as WorkerCut
            remote.status = withWaiting(cut.status, remote.status)
            remote.snapshot = cut.snapshot
          }),
        )
      },
      resume() {
        for (const remote of remotes) void remote.ask({ kind: 'resume' }).catch(() => {})
      },
    },
    snapshots: () => remotes.map(({ snapshot }) => snapshot!),
    async acknowledge(positions) {
      await askAll({ kind: 'acknowledge', positions })
    },
    get sources() {
      return sourceNodes.map((node, index) => ({
        node,
        name: told()[0]?.sources[index]?.name ?? node.id,
        source: identityOf(told()[0]?.sources[index]?.identity),
        splits: told().flatMap(({ sources }) => sources[index]!.splits),
      }))
    },
    dataflow: dataflowOf(graph, told),
    side: sideOf(remotes),
    counters: {
      get rowsUsed() {
        return sum(({ rowsUsed }) => rowsUsed)
      },
      events: new Map(),
    },
    rowsWritten: (node) => sum(({ rowsWritten }) => rowsWritten[sinkNumber.get(node)!] ?? 0),
    async dispose() {
      for (const remote of remotes) await remote.end()
      for (const { committer } of committing) await committer.close()
    },
  }
}

function identityOf(identity: string | undefined): Crew['sources'][number]['source'] {
  return identity === undefined ? {} : { identity }
}

function dataflowOf(graph: Graph, told: () => WorkerStatus[]): DataflowView {
  const sourceNodes = graph.nodes.filter(({ kind }) => kind === 'source')
  const operators = graph.nodes.filter((node) => node.kind === 'operator')
  return {
    ended: () => told().every(({ ended }) => ended),
    watermarkUs(node) {
      const index = sourceNodes.findIndex((each) => each.index === node)
      const reading = told().flatMap(({ sources }) => sources[index] ?? [])
      const withSplits = reading.filter(({ splits }) => splits.length > 0)
      return leastUs(withSplits.map(({ watermarkUs }) => watermarkUs)) ?? UNREAD_US
    },
    operators: operators.map((node, index) => {
      const spilled = () =>
        mergedSpilled(told().flatMap((status) => status.operators[index]?.spilled ?? []))
      const named = {
        get name() {
          return told()[0]?.operators[index]?.name ?? node.id
        },
        spilled,
      }
      if (node.plan.kind !== 'window-aggregate') return { node, operator: named }
      const parts = () => told().flatMap((status) => status.operators[index]?.progress ?? [])
      const progress = () => mergedProgress(parts())
      return { node, operator: { name: node.id, progress, spilled } }
    }),
  }
}

/** What the workers' late and dead rows come to: told with their status, written by the main thread. */
function sideOf(remotes: readonly Remote[]): SideRows {
  const told = (): WorkerStatus[] => remotes.flatMap(({ status }) => status ?? [])
  return {
    output: createSideRows().output,
    get full() {
      return told().some(({ side }) => side.size > 0)
    },
    take() {
      const taken = mergedWaiting(told().map(({ side }) => side))
      for (const remote of remotes) {
        if (remote.status !== undefined) remote.status = { ...remote.status, side: new Map() }
      }
      return taken
    },
    get lateCount() {
      return told().reduce((sum, { late }) => sum + late, 0)
    },
    get deadCount() {
      return told().reduce((sum, { dead }) => sum + dead, 0)
    },
    get madeDeadCount() {
      return told().reduce((sum, { madeDead }) => sum + madeDead, 0)
    },
  }
}

/** Side rows that were told before and not yet taken stay. */
function withWaiting(status: WorkerStatus, before: WorkerStatus | undefined): WorkerStatus {
  if (before === undefined) return status
  return {
    ...status,
    done: status.done || before.done,
    side: mergedWaiting([before.side, status.side]),
  }
}

function remoteWriter(remote: Remote, sink: number): SinkWriter {
  return {
    write: () => invariant(false, 'rows are written where they are worked out'),
    full: false,
    drain: async () => {},
    prepare: async (checkpoint) =>
      (await remote.ask({ kind: 'prepare', sink, checkpoint })) as string | undefined,
    close: async () => {},
  }
}

function remoteOf(
  setup: WorkerSetup,
  lines: WorkerBirth['lines'],
  failure: { error: MillraceError | undefined },
  ear: Ear,
): Remote {
  const thread = takeThread()
  const { port1: port, port2 } = new MessageChannel()
  const ring = bellOf(setup.bells, setup.worker)
  const waiting = new Map<number, ReturnType<typeof Promise.withResolvers<unknown>>>()
  const answerTo = (id: number): Promise<unknown> => {
    const answer = Promise.withResolvers<unknown>()
    answer.promise.catch(() => {})
    if (failure.error !== undefined) answer.reject(failure.error)
    else waiting.set(id, answer)
    return answer.promise
  }
  let asked = 0
  let isOver = false
  const fail = (error: MillraceError): void => {
    failure.error ??= error
    for (const { reject } of waiting.values()) reject(failure.error)
    waiting.clear()
    ear.heard()
  }
  const remote: Remote = {
    ready: answerTo(0),
    status: undefined,
    snapshot: undefined,
    ask(request) {
      const answer = answerTo(++asked)
      port.postMessage({ id: asked, request })
      ring()
      return answer
    },
    async end() {
      isOver = true
      const isClosed =
        failure.error === undefined &&
        (await remote.ask({ kind: 'close' }).then(
          () => true,
          () => false,
        ))
      port.close()
      thread.off('error', onError)
      thread.off('exit', onExit)
      if (isClosed) await giveThreadBack(thread)
      else await thread.terminate()
    },
  }
  const onError = (cause: unknown): void => fail(threadEnded(setup.worker, cause))
  const onExit = (): void => {
    if (!isOver) fail(threadEnded(setup.worker, undefined))
  }
  port.on('message', (message: WorkerAnswer) => {
    if (message.kind === 'status') {
      remote.status = withWaiting(message.status, remote.status)
      if (message.status.done) ear.heard()
    } else if (message.kind === 'failed') {
      const { code, ...told } = message.failure
      fail(new MillraceError(code, told))
    } else {
      waiting.get(message.id)?.resolve(message.value)
      waiting.delete(message.id)
    }
  })
  thread.on('error', onError)
  thread.on('exit', onExit)
  const birth: WorkerBirth = { setup, port: port2, lines }
  thread.postMessage(birth, [port2, ...lines.filter((line) => line !== undefined)])
  return remote
}

function threadEnded(worker: number, cause: unknown): MillraceError {
  return new MillraceError('INVARIANT_BROKEN', {
    message: `the thread of worker ${worker} has ended: ${cause instanceof Error ? cause.message : 'nobody asked it to'}`,
    hint: 'this is a bug in Millrace: please report it with the steps that led here',
    cause,
  })
}

function setupOf(
  { start, store, workers, until, positions, identities, lateness, watermarks }: ThreadsRequest,
  worker: number,
  rings: ReadonlyMap<number, SharedArrayBuffer>,
  bells: SharedArrayBuffer,
): WorkerSetup {
  return {
    worker,
    workers,
    pipeline: start.pipeline,
    dataDirectory: start.dataDirectory,
    baseDirectory: start.baseDirectory,
    environment: { ...start.environment },
    outside: start.ports.recipe ?? {},
    until,
    positions,
    identities: identities ?? {},
    lateness: lateness ?? {},
    watermarks,
    chains: store.restored?.chains ?? [],
    stateDirectory: store.stateDirectory,
    rings,
    bells,
  }
}

function ringsOf(
  routes: number,
  workers: number,
  bytes: number,
): ReadonlyMap<number, SharedArrayBuffer> {
  const rings = new Map<number, SharedArrayBuffer>()
  for (let route = 0; route < routes; route++) {
    for (let from = 0; from < workers; from++) {
      for (let to = 0; to < workers; to++) {
        if (from !== to) rings.set(ringKey(workers, route, from, to), ringMemory(bytes))
      }
    }
  }
  return rings
}
