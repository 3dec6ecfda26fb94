/**
 * The owner at work: the pipelines that run in this process, and what others ask of it over the control channel.
 *
 * It starts nothing by itself: how a file becomes a run, and how rows reach the log, is given to it.
 */
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { fencePorts } from '../ports/fenced-files.ts'
import { takeOwnership } from '../ports/node/ownership.ts'
import type { Ownership } from '../ports/ownership.ts'
import type { Ports } from '../ports/ports.ts'
import { localSchemas } from '../registry/local-source.ts'
import type { RunHandle } from '../run/handle.ts'
import { type Handler, serveConnection } from './control-server.ts'
import { type HostedRun, type HostedRuns, hostedRuns } from './hosted-runs.ts'
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

/** @throws OWNER_EXISTS */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { directory, ports } = options
  const runs = hostedRuns()
  const startedMs = ports.clock.nowMs()
  // The socket is bound before there is a service: who asks that early waits.
  const handler = Promise.withResolvers<Handler>()
  const ownership = await takeOwnership({
    directory,
    files: ports.files,
    random: ports.random,
    nowMs: startedMs,
    onConnection: (socket: Socket) =>
      void serveConnection(socket, async (asked) => (await handler.promise)(asked)),
  })
  const fenced = fencePorts(ports, ownership, directory)
  const statusOf = ({ run, outcome }: HostedRun): PipelineStatus =>
    pipelineStatus({
      status: run.status(),
      nowMs: ports.clock.nowMs(),
      ...(outcome === undefined ? {} : { outcome }),
    })
  const fenceCheck = watchFence(ownership, options.onFenced)
  const service: Service = {
    ownership,
    ports: fenced,
    status: () => ({
      version: options.version,
      processId: process.pid,
      epoch: ownership.epoch,
      startedMs,
      directory,
      pipelines: runs.list().map(statusOf),
    }),
    start: (launches) =>
      runs.start(launches.map(({ name, start }) => ({ name, start: () => start(fenced) }))),
    async stop(name) {
      const entry = runs.find(name)
      entry.outcome = await entry.run.stop()
      return statusOf(entry)
    },
    stopAll: runs.stopAll,
    allEnded: runs.allEnded,
    close() {
      clearInterval(fenceCheck)
      return ownership.release()
    },
  }
  handler.resolve(handlerOf(options, service, runs))
  return service
}

function handlerOf(options: ServiceOptions, service: Service, runs: HostedRuns): Handler {
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
        return savepoint(options, runs.find(operation.name).run)
      case 'produce':
        return options.produce(operation, service.ports)
      case 'register': {
        const { subject, schemaType: type, schema: text } = operation
        const schemas = localSchemas(service.ports, options.directory)
        return { id: await schemas.register(subject, { type, text, references: [] }) }
      }
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
