/**
 * A worker in a thread of its own: opens its splits and writers itself, works, and does what the main thread asks between steps.
 * When it has closed, the thread waits to become another.
 */
import { parentPort } from 'node:worker_threads'
import type { CheckpointId } from '../connectors/contract/sink.ts'
import { bellOf, type DoorbellWaiter, doorbellWaiter } from '../engine/doorbell.ts'
import { groupsOf } from '../engine/exchange.ts'
import { routesOf } from '../engine/exchange-routes.ts'
import { graphOf } from '../engine/graph.ts'
import { ringReader, ringWriter } from '../engine/ring.ts'
import { invariant } from '../errors.ts'
import { nodePorts, remakePorts } from '../ports/node/ports.ts'
import { assembleWorker, type WorkerAssembly } from './assembly.ts'
import { CONNECTORS } from './connectors.ts'
import { asMillraceError } from './failure.ts'
import { restoreWorker, snapshotOf } from './run-store.ts'
import { settingsOf } from './settings.ts'
import {
  ringKey,
  type WorkerAnswer,
  type WorkerBirth,
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
/** How long a worker waits for a ring before it looks at its splits again; when all are read, for anything at all. */
const WAIT_MS = 1
const WAIT_DONE_MS = 10

const { clock } = nodePorts()

parentPort!.on('message', (birth: WorkerBirth) => {
  void live(birth)
})

async function live({ setup, port, lines }: WorkerBirth): Promise<void> {
  const asked: Asked[] = []
  port.on('message', (message: Asked) => {
    asked.push(message)
  })
  const tell = (answer: WorkerAnswer): void => port.postMessage(answer)
  try {
    const assembly = await opened(setup, lines)
    const waiter = doorbellWaiter(setup.bells, setup.worker)
    await serve(assembly, groupsOf(setup.worker, setup.workers), { asked, tell, waiter })
  } catch (error) {
    tell({ kind: 'failed', failure: failureOf(error) })
  }
}

interface Asked {
  readonly id: number
  readonly request: WorkerRequest
}

/** What a worker hears and says. */
interface Contact {
  readonly asked: Asked[]
  readonly waiter: DoorbellWaiter
  tell(answer: WorkerAnswer): void
}

async function opened(setup: WorkerSetup, lines: WorkerBirth['lines']): Promise<WorkerAssembly> {
  const { worker, workers, pipeline } = setup
  const ports = remakePorts(setup.outside)
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
    identities: setup.identities,
    lateness: setup.lateness,
    resumes: true,
    watermarks: setup.watermarks,
    share: {
      worker,
      workers,
      routes: routesOf(graph),
      rings: {
        out: (route, to) => ringWriter(ring(route, worker, to), bellOf(setup.bells, to)),
        in: (route, from) => ringReader(ring(route, from, worker), bellOf(setup.bells, from)),
      },
      commits: false,
      lines,
    },
  })
  const groups = groupsOf(worker, workers)
  restoreWorker(ports.files, setup.stateDirectory, setup.chains, assembly, groups)
  return assembly
}

async function serve(
  assembly: WorkerAssembly,
  groups: ReturnType<typeof groupsOf>,
  { asked, tell, waiter }: Contact,
): Promise<void> {
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
      if (request.kind === 'close') return
    }
    waiter.listen()
    // Before it starts, a worker only lets barriers through: a first checkpoint holds no rows.
    const isAligning = aligning !== undefined
    const result = isWorking || isAligning ? await assembly.task.step() : 'waiting'
    for (const { writer } of assembly.sinks) if (writer.full) await writer.drain()
    if (aligning !== undefined && assembly.task.aligned) {
      assembly.task.reflect()
      const cut: WorkerCut = {
        status: statusOf(assembly, false),
        snapshot: snapshotOf(assembly, groups),
      }
      tell({ kind: 'answer', id: aligning, value: cut })
      aligning = undefined
    }
    const nowMs = clock.monotonicMs()
    if (isWorking && ((result === 'done' && !toldDone) || nowMs - toldMs >= STATUS_MS)) {
      tell({ kind: 'status', status: statusOf(assembly, result === 'done') })
      toldMs = nowMs
      toldDone = result === 'done'
    }
    if (result === 'worked' && nowMs < yieldMs) continue
    // Messages come in only now.
    await clock.sleep(0)
    if (result !== 'worked' && asked.length === 0) {
      waiter.wait(result === 'done' ? WAIT_DONE_MS : WAIT_MS)
    }
    yieldMs = clock.monotonicMs() + YIELD_MS
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
    sources: sources.map(({ name, node, source, splits }) => ({
      name,
      identity: source.identity,
      splits: splits.map(({ reader: _reader, meter: _meter, ...facts }) => facts),
      watermarkUs: dataflow.watermarkUs(node.index),
    })),
    operators: dataflow.operators.map(({ operator }) => ({
      name: operator.name,
      progress: operator.progress?.(),
      spilled: operator.spilled?.(),
    })),
    rowsWritten: sinks.map(({ node }) => assembly.rowsWritten(node)),
    rowsUsed: counters.rowsUsed,
    late: side.lateCount,
    dead: side.deadCount,
    madeDead: side.madeDeadCount,
    side: side.take(),
    ended: dataflow.ended(),
    done,
  }
}

function failureOf(error: unknown): WorkerFailure {
  const { code, message, hint, facts, stack } = asMillraceError(error)
  // Where a mistake of ours was made is lost on the way otherwise.
  const told = code === 'INVARIANT_BROKEN' ? (stack ?? message) : message
  return { code, message: told, hint, facts }
}
