/**
 * The owner at work: the pipelines that run in this process, and what others ask of it over the control channel.
 *
 * It starts nothing by itself: how a file becomes a run, and how rows reach the log, is given to it.
 */
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { MillraceError } from '../errors.ts'
import { fenceFiles } from '../ports/fenced-files.ts'
import { takeOwnership } from '../ports/node/ownership.ts'
import type { Ownership } from '../ports/ownership.ts'
import type { Ports } from '../ports/ports.ts'
import type { Outcome, RunHandle } from '../run/handle.ts'
import { serveConnection } from './control-server.ts'
import type { Operation } from './protocol.ts'
import { pipelineStatus } from './run-status.ts'
import type { OwnerStatus, PipelineStatus } from './status.ts'

/** How often an owner looks whether it still is one, besides at each checkpoint. */
const FENCE_CHECK_MS = 1000

export interface ServiceOptions {
  readonly directory: string
  readonly version: string
  readonly ports: Ports
  /** The pipelines of a file, ready to be started, for `start FILE` from another process. */
  launch(request: Extract<Operation, { op: 'start' }>): Promise<readonly Launch[]>
  /** Appends to a topic and answers once it is as durable as asked. */
  produce(request: Extract<Operation, { op: 'produce' }>, ports: Ports): Promise<unknown>
  /** Another process has become the owner: nothing may be written any more. */
  onFenced(error: unknown): void
}

export interface Launch {
  readonly name: string
  /** `ports` are fenced: a later owner stops what this one starts. */
  start(ports: Ports): Promise<RunHandle>
}

export interface Service {
  readonly ownership: Ownership
  /** The outside, fenced by the ownership. */
  readonly ports: Ports
  status(): OwnerStatus
  /** Starts them all. @throws PIPELINE_EXISTS, before any is started, while one of that name runs */
  start(launches: readonly Launch[]): Promise<void>
  /** Stops one, with a checkpoint. @throws PIPELINE_UNKNOWN */
  stop(name: string): Promise<PipelineStatus>
  /** Stops all, side by side, each with a checkpoint. */
  stopAll(): Promise<void>
  /** Resolves when none runs. */
  allEnded(): Promise<void>
  /** Gives up the ownership. Stop the runs before. */
  close(): Promise<void>
}

interface Hosted {
  readonly run: RunHandle
  outcome?: Outcome
}

/** @throws OWNER_EXISTS */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { directory, ports } = options
  const hosted = new Map<string, Hosted>()
  const starting = new Set<string>()
  const startedMs = ports.clock.nowMs()
  const ownership = await takeOwnership({
    directory,
    files: ports.files,
    random: ports.random,
    nowMs: startedMs,
    onConnection: (socket: Socket) => void serveConnection(socket, (asked) => handle(asked)),
  })
  const fenced: Ports = { ...ports, files: fenceFiles(ports.files, ownership) }
  const statusOf = ({ run, outcome }: Hosted): PipelineStatus =>
    pipelineStatus({
      status: run.status(),
      nowMs: ports.clock.nowMs(),
      ...(outcome === undefined ? {} : { outcome }),
    })
  const service: Service = {
    ownership,
    ports: fenced,
    status: () => ({
      version: options.version,
      processId: process.pid,
      epoch: ownership.epoch,
      startedMs,
      directory,
      pipelines: [...hosted.values()].map(statusOf),
    }),
    async start(launches) {
      for (const { name } of launches) refuseSecond(hosted, starting, name)
      for (const { name } of launches) starting.add(name)
      try {
        for (const { name, start } of launches) {
          const entry: Hosted = { run: await start(fenced) }
          hosted.set(name, entry)
          void entry.run.finished.then((outcome) => {
            entry.outcome = outcome
          })
        }
      } finally {
        for (const { name } of launches) starting.delete(name)
      }
    },
    async stop(name) {
      const entry = find(hosted, name)
      entry.outcome = await entry.run.stop()
      return statusOf(entry)
    },
    async stopAll() {
      await Promise.all([...hosted.values()].map(({ run }) => run.stop()))
    },
    async allEnded() {
      // Others may be started while the first ones run: look again until none is left.
      for (let known = -1; known !== hosted.size; ) {
        known = hosted.size
        await Promise.all([...hosted.values()].map(({ run }) => run.finished))
      }
    },
    close() {
      clearInterval(fenceCheck)
      return ownership.release()
    },
  }
  const fenceCheck = watchFence(ownership, options.onFenced)
  const handle = handlerOf(options, service, hosted)
  return service
}

function handlerOf(
  options: ServiceOptions,
  service: Service,
  hosted: ReadonlyMap<string, Hosted>,
): (operation: Operation) => Promise<unknown> {
  return async (operation) => {
    switch (operation.op) {
      case 'status':
        return service.status()
      case 'start': {
        const launches = await options.launch(operation)
        await service.start(launches)
        return { started: launches.map(({ name }) => name) }
      }
      case 'stop':
        return service.stop(operation.name)
      case 'savepoint':
        return savepoint(options, find(hosted, operation.name).run)
      case 'produce':
        return options.produce(operation, service.ports)
    }
  }
}

async function savepoint({ directory, ports }: ServiceOptions, run: RunHandle): Promise<unknown> {
  const stamp = new Date(ports.clock.nowMs()).toISOString().replace(/[:.]/g, '-')
  const path = join(directory, 'savepoints', `${run.pipeline.name}-${stamp}`)
  const checkpoint = await run.savepoint(path)
  return { path, checkpoint: `${checkpoint.incarnation}-${checkpoint.counter}` }
}

function watchFence(ownership: Ownership, onFenced: (error: unknown) => void): NodeJS.Timeout {
  const timer = setInterval(() => {
    try {
      ownership.assertCurrent()
    } catch (error) {
      clearInterval(timer)
      onFenced(error)
    }
  }, FENCE_CHECK_MS)
  return timer.unref()
}

function find(hosted: ReadonlyMap<string, Hosted>, name: string): Hosted {
  const entry = hosted.get(name)
  if (entry !== undefined) return entry
  const names = [...hosted.keys()]
  throw new MillraceError('PIPELINE_UNKNOWN', {
    message: `no pipeline '${name}' runs here`,
    hint:
      names.length === 0
        ? 'none does: `millrace start FILE`'
        : `those that do: ${names.join(', ')}`,
    facts: { name },
  })
}

/** @throws PIPELINE_EXISTS if one of that name is still running */
function refuseSecond(
  hosted: ReadonlyMap<string, Hosted>,
  starting: ReadonlySet<string>,
  name: string,
): void {
  const entry = hosted.get(name)
  const runs = entry !== undefined && entry.outcome === undefined
  if (!runs && !starting.has(name)) return
  throw new MillraceError('PIPELINE_EXISTS', {
    message: `a pipeline named '${name}' is running already`,
    hint: `stop it first (millrace stop ${name}), or give this one its own name: SET 'pipeline.name' = '...'`,
    facts: { name },
  })
}
