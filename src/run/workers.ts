/**
 * A pipeline put together for several workers that take turns in one thread: each with its own memory, splits, keyed state and
 * writers; rows of one key meet by the exchanges between them.
 */
import { LinearMemory } from '../data/memory.ts'
import type { Rings } from '../engine/exchange.ts'
import { routesOf } from '../engine/exchange-routes.ts'
import { ringMemory, ringReader, ringWriter } from '../engine/ring.ts'
import type { StepResult } from '../engine/task.ts'
import {
  type AssembledSource,
  type Assembly,
  type AssemblyRequest,
  assemble,
  assembleWorker,
  type Driver,
  type WorkerAssembly,
} from './assembly.ts'
import { type DataflowView, mergedDataflow, mergedSide } from './workers-merged.ts'

/** The workers of a run, one or several, seen as one. */
export interface Crew extends Omit<Assembly, 'dataflow'> {
  readonly dataflow: DataflowView
  /** In the order of their key groups. */
  readonly workers: readonly Assembly[]
}

export interface WorkersRequest extends Omit<AssemblyRequest, 'share'> {
  readonly workers: number
  readonly ringBytes?: number
  /** Which worker comes next, of so many; in turn unless said. */
  readonly turn?: (workers: number) => number
}

const RING_BYTES = 1 << 20

/** One worker is the pipeline itself: no exchange, no copy. @throws as `assemble` */
export async function assembleWorkers(request: WorkersRequest): Promise<Crew> {
  if (request.workers > 1) return assembleSeveral(request)
  const assembly = await assemble(request)
  return { ...assembly, workers: [assembly] }
}

async function assembleSeveral(request: WorkersRequest): Promise<Crew> {
  const routes = routesOf(request.graph)
  const rings = ringsOf(request.workers, request.ringBytes ?? RING_BYTES)
  const workers: WorkerAssembly[] = []
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
  const side = mergedSide(workers.map((each) => each.side))
  return {
    memory: new LinearMemory(),
    task: takingTurns(workers, request.turn ?? inTurn()),
    workers,
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
