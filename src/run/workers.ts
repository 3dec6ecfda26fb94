/**
 * A pipeline put together for several workers that take turns in one thread: each with its own memory, splits, keyed state and
 * writers; rows of one key meet by the exchanges between them.
 */
import type { SourcePositions } from '../connectors/contract/sink.ts'
import { LinearMemory } from '../data/memory.ts'
import type { Rings } from '../engine/exchange.ts'
import { routesOf } from '../engine/exchange-routes.ts'
import { ringMemory, ringReader, ringWriter } from '../engine/ring.ts'
import type { SplitFacts } from '../engine/source-split.ts'
import type { StepResult } from '../engine/task.ts'
import type { WorkerSnapshot } from '../state/checkpoint.ts'
import {
  type AssembledSink,
  type Assembly,
  type AssemblyRequest,
  assemble,
  assembleWorker,
  type Driver,
  type WorkerAssembly,
} from './assembly.ts'
import type { AssembledSource } from './open-sources.ts'
import { type DataflowView, mergedDataflow, mergedSide } from './workers-merged.ts'

/** The workers of a run, one or several, seen as one. */
export interface Crew extends Omit<Assembly, 'dataflow' | 'sources' | 'stateWriter'> {
  readonly dataflow: DataflowView
  readonly sources: readonly CrewSource[]
  /** Every sink once, with the committer that is everybody's. */
  readonly committing: readonly AssembledSink[]
  /** In the order of their key groups; none where each has a thread of its own. */
  readonly workers: readonly Assembly[]
  /** Of workers in threads, as they were when they were last aligned. */
  snapshots?(): WorkerSnapshot[]
  /** Tells the sources that rows before these positions will not be asked for again. */
  acknowledge(positions: SourcePositions): Promise<void>
}

export interface CrewSource extends Pick<AssembledSource, 'name' | 'node'> {
  readonly source: Pick<AssembledSource['source'], 'identity'>
  readonly splits: readonly SplitFacts[]
}

export interface WorkersRequest extends Omit<AssemblyRequest, 'share'> {
  readonly workers: number
  readonly ringBytes?: number
  /** Which worker comes next, of so many; in turn unless said. */
  readonly turn?: (workers: number) => number
}

export const RING_BYTES = 1 << 20

/** One worker is the pipeline itself: no exchange, no copy. @throws as `assemble` */
export async function assembleWorkers(request: WorkersRequest): Promise<Crew> {
  if (request.workers > 1) return assembleSeveral(request)
  const assembly = await assemble(request)
  return {
    ...assembly,
    workers: [assembly],
    committing: assembly.sinks,
    acknowledge: (positions) => acknowledge(assembly, positions),
  }
}

async function assembleSeveral(request: WorkersRequest): Promise<Crew> {
  const routes = routesOf(request.graph)
  const rings = ringsOf(request.workers, request.ringBytes ?? RING_BYTES)
  const workers: WorkerAssembly[] = []
  try {
    for (let worker = 0; worker < request.workers; worker++) {
      const sinks = workers[0]?.sinks
      const share = {
        worker,
        workers: request.workers,
        routes,
        rings: rings(worker),
        ...(sinks === undefined ? {} : { sinks }),
      }
      workers.push(await assembleWorker({ ...request, share }))
    }
  } catch (cause) {
    for (const worker of workers.toReversed()) await worker.dispose().catch(() => {})
    throw cause
  }
  const side = mergedSide(workers.map((each) => each.side))
  return {
    memory: new LinearMemory(),
    task: takingTurns(workers, request.turn ?? inTurn()),
    workers,
    committing: workers[0]!.sinks,
    dataflow: mergedDataflow(workers),
    sources: mergedSources(workers),
    sinks: workers.flatMap(({ sinks }) => sinks),
    side,
    counters: {
      get rowsUsed() {
        return workers.reduce((sum, { counters }) => sum + counters.rowsUsed, 0)
      },
      events: new Map(),
    },
    async acknowledge(positions) {
      for (const worker of workers) await acknowledge(worker, positions)
    },
    rowsWritten: (node) => workers.reduce((sum, worker) => sum + worker.rowsWritten(node), 0),
    async dispose() {
      // The first worker's committers are everybody's.
      for (const worker of workers.toReversed()) await worker.dispose()
    },
  }
}

/** Rings between every two workers for every route, made when first asked for. */
function ringsOf(workers: number, bytes: number): (worker: number) => Rings {
  const made = new Map<number, SharedArrayBuffer>()
  const ring = (route: number, from: number, to: number): SharedArrayBuffer => {
    const key = (route * workers + from) * workers + to
    const known = made.get(key) ?? ringMemory(bytes)
    made.set(key, known)
    return known
  }
  return (worker) => ({
    out: (route, to) => ringWriter(ring(route, worker, to)),
    in: (route, from) => ringReader(ring(route, from, worker)),
  })
}

function inTurn(): (workers: number) => number {
  let last = 0
  return (workers) => (last = (last + 1) % workers)
}

function takingTurns(
  workers: readonly WorkerAssembly[],
  turn: (workers: number) => number,
): Driver {
  /** One worker's step: the first, from whose turn it is on, that has something to do. */
  async function step(): Promise<StepResult> {
    const first = turn(workers.length)
    let done = 0
    for (let at = 0; at < workers.length; at++) {
      const result = await workers[(first + at) % workers.length]!.task.step()
      if (result === 'worked') return 'worked'
      if (result === 'done') done++
    }
    return done === workers.length ? 'done' : 'waiting'
  }
  return {
    start() {
      for (const { task } of workers) task.start()
    },
    reflect() {
      for (const { task } of workers) task.reflect()
    },
    step,
    async align() {
      for (const { task } of workers) task.barrier()
      while (!workers.every(({ task }) => task.aligned)) {
        await step()
        for (const { writer } of workers.flatMap(({ sinks }) => sinks)) {
          if (writer.full) await writer.drain()
        }
      }
    },
    resume() {
      for (const { task } of workers) task.resume()
    },
  }
}

function mergedSources(workers: readonly WorkerAssembly[]): readonly AssembledSource[] {
  return workers[0]!.sources.map((source, index) => ({
    ...source,
    splits: workers.flatMap(({ sources }) => sources[index]!.splits),
  }))
}

export async function acknowledge(
  { sources }: Pick<Assembly, 'sources'>,
  positions: SourcePositions,
): Promise<void> {
  for (const { name, splits } of sources) {
    for (const { id, reader } of splits) {
      const position = positions[name]?.[id]
      if (position !== undefined) await reader.committed(position.readTo)
    }
  }
}
