/** A worker in a thread of its own: opens its splits and writers itself, works, and does what the main thread asks between steps. */
import { parentPort, workerData } from 'node:worker_threads'
import type { CheckpointId } from '../connectors/contract/sink.ts'
import { groupsOf } from '../engine/exchange.ts'
import { routesOf } from '../engine/exchange-routes.ts'
import { graphOf } from '../engine/graph.ts'
import { ringReader, ringWriter } from '../engine/ring.ts'
import { invariant, MillraceError } from '../errors.ts'
import { nodePorts } from '../ports/node/ports.ts'
import { assembleWorker, type WorkerAssembly } from './assembly.ts'
import { CONNECTORS } from './connectors.ts'
import { restoreWorker, snapshotOf } from './run-store.ts'
import { settingsOf } from './settings.ts'
import {
  ringKey,
  type WorkerAnswer,
  type WorkerCut,
  type WorkerFailure,
  type WorkerRequest,
  type WorkerSetup,
  type WorkerStatus,
} from './worker-messages.ts'
import { acknowledge } from './workers.ts'

/** The event loop is let in, and status told, this often. */
const YIELD_MS = 4
const STATUS_MS = 100
const WAIT_MS = 1

const setup: WorkerSetup = workerData
const ports = nodePorts()
const { worker, workers, pipeline } = setup
const groups = groupsOf(worker, workers)
const tell = (answer: WorkerAnswer): void => parentPort!.postMessage(answer)

try {
  const assembly = await opened()
  await serve(assembly)
} catch (error) {
  tell({ kind: 'failed', failure: failureOf(error) })
}

async function opened(): Promise<WorkerAssembly> {
  const graph = graphOf(pipeline)
  const ring = (route: number, from: number, to: number): SharedArrayBuffer =>
    setup.rings.get(ringKey(workers, route, from, to))!
  const assembly = await assembleWorker({
    pipeline: pipeline.name,
    graph,
    opening: {
      connectors: CONNECTORS,
      ports,
      dataDirectory: setup.dataDirectory,
      baseDirectory: setup.baseDirectory,
      environment: setup.environment,
    },
    settings: settingsOf(pipeline.settings),
    clock: ports.clock,
    until: setup.until,
    positions: setup.positions,
    watermarks: setup.watermarks,
    share: {
      worker,
      workers,
      routes: routesOf(graph),
      rings: {
        out: (route, to) => ringWriter(ring(route, worker, to)),
        in: (route, from) => ringReader(ring(route, from, worker)),
      },
      commits: false,
    },
  })
  restoreWorker(ports.files, setup.stateDirectory, setup.chains, assembly, groups)
  return assembly
}

async function serve(assembly: WorkerAssembly): Promise<void> {
  const asked: { readonly id: number; readonly request: WorkerRequest }[] = []
  parentPort!.on('message', (message: { id: number; request: WorkerRequest }) => {
    asked.push(message)
  })
  tell({ kind: 'answer', id: 0, value: assembly.dataflow.operators.length })
  let isWorking = false
  let aligning: number | undefined
  let toldMs = 0
  let toldDone = false
  let yieldMs = 0
  for (;;) {
    for (const { id, request } of asked.splice(0)) {
      if (request.kind === 'start') isWorking = true
      if (request.kind === 'align') {
        assembly.task.barrier()
        aligning = id
        continue
      }
      const value = await answerTo(assembly, request)
      tell({ kind: 'answer', id, value })
      if (request.kind !== 'close') continue
      parentPort!.close()
      return
    }
    const result = isWorking ? await assembly.task.step() : 'waiting'
    for (const { writer } of assembly.sinks) if (writer.full) await writer.drain()
    if (aligning !== undefined && assembly.task.aligned) {
      const cut: WorkerCut = {
        status: statusOf(assembly, false),
        snapshot: snapshotOf(assembly, groups),
      }
      tell({ kind: 'answer', id: aligning, value: cut })
      aligning = undefined
    }
    const nowMs = ports.clock.monotonicMs()
    if (isWorking && ((result === 'done' && !toldDone) || nowMs - toldMs >= STATUS_MS)) {
      tell({ kind: 'status', status: statusOf(assembly, result === 'done') })
      toldMs = nowMs
      toldDone = result === 'done'
    }
    if (result !== 'worked') await ports.clock.sleep(WAIT_MS)
    else if (nowMs >= yieldMs) await ports.clock.sleep(0)
    if (nowMs >= yieldMs) yieldMs = ports.clock.monotonicMs() + YIELD_MS
  }
}

async function answerTo(assembly: WorkerAssembly, request: WorkerRequest): Promise<unknown> {
  switch (request.kind) {
    case 'start':
      return assembly.task.start()
    case 'resume':
      return assembly.task.resume()
    case 'prepare':
      return prepared(assembly, request.sink, request.checkpoint)
    case 'acknowledge':
      return acknowledge(assembly, request.positions)
    case 'close':
      return assembly.dispose()
    default:
      invariant(false, `a worker is not asked for ${request.kind}`)
  }
}

function prepared(
  { sinks }: WorkerAssembly,
  sink: number,
  checkpoint: CheckpointId,
): Promise<string | undefined> {
  return sinks[sink]!.writer.prepare(checkpoint)
}

function statusOf(assembly: WorkerAssembly, done: boolean): WorkerStatus {
  const { sources, dataflow, sinks, counters, side } = assembly
  return {
    sources: sources.map(({ name, node, splits }) => ({
      name,
      splits: splits.map(({ reader: _, ...facts }) => facts),
      watermarkUs: dataflow.watermarkUs(node.index),
    })),
    operators: dataflow.operators.map(({ operator }) => ({
      name: operator.name,
      progress: operator.progress?.(),
    })),
    rowsWritten: sinks.map(({ node }) => assembly.rowsWritten(node)),
    rowsUsed: counters.rowsUsed,
    late: side.lateCount,
    dead: side.deadCount,
    side: side.take(),
    ended: dataflow.ended(),
    done,
  }
}

function failureOf(error: unknown): WorkerFailure {
  if (error instanceof MillraceError) {
    const { code, message, hint, facts } = error
    return { code, message, hint, facts: JSON.parse(JSON.stringify(facts)) }
  }
  return {
    code: 'INVARIANT_BROKEN',
    message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    hint: 'this is a bug in Millrace: please report it with the steps that led here',
    facts: {},
  }
}
