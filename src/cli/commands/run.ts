/** `millrace run [FILES]`: owns the data directory, runs pipelines in the foreground, shows how they do. */
import { join } from 'node:path'
import { startMaintenance } from '../../connectors/log/maintain.ts'
import { openLog } from '../../log/log.ts'
import { nodePorts } from '../../ports/node/ports.ts'
import type { Ports } from '../../ports/ports.ts'
import { CONNECTORS } from '../../run/connectors.ts'
import type { RunEvent } from '../../run/handle.ts'
import { LOG_LEVELS, type LogLevel } from '../../serve/log-levels.ts'
import type { Logger } from '../../serve/logs.ts'
import { type Launch, openService, type Service } from '../../serve/service.ts'
import { announcement } from '../announce.ts'
import {
  type Declare,
  examples,
  type ProjectOptions,
  projectOptions,
  usageError,
  wholeNumber,
} from '../command.ts'
import { FSYNC_HELP, fsyncPolicy } from '../fsync.ts'
import { EXIT, type Io } from '../io.ts'
import { type LaunchSettings, launchesOf } from '../launch.ts'
import { appendRecords } from '../produce-rows.ts'
import { loadProject, type Project, pipelineFiles } from '../project.ts'
import { balanceLine } from '../render/status.ts'
import { compilePipelines } from '../scripts.ts'
import { openHttp, serves } from '../serving.ts'
import { listenForStop, STOP_MS_MAX, type Stopping } from '../stopping.ts'
import { VERSION } from '../version.ts'
import { type Watch, watch } from '../watch.ts'
import { WORKERS_MAX } from '../workers.ts'

interface RunOptions extends ProjectOptions {
  readonly until?: 'now' | 'end'
  readonly workers?: number
  readonly stateMemory?: string
  readonly fresh?: boolean
  readonly fromSavepoint?: string
  readonly allowDuplicates?: boolean
  readonly stay?: boolean
  readonly http?: string
  readonly fsync: string
  readonly logLevel?: LogLevel
  readonly json?: boolean
}

export const declareRun: Declare = (command, io) => {
  projectOptions(command)
    .argument(
      '[files...]',
      "pipelines' files, or their names; all of the project if there are none",
    )
    .option('--until <point>', 'now: read what is there, then stop; end: also fire all windows')
    .option('--workers <count>', 'worker threads of each pipeline', wholeNumber(1, WORKERS_MAX))
    .option(
      '--state-memory <size>',
      "memory for the state of each worker, '64 MB'; what is more goes to files (as SET 'state.memory')",
    )
    .option('--fresh', 'forget the checkpoints and begin again')
    .option('--from-savepoint <path>', 'go on from this savepoint')
    .option('--allow-duplicates', 'go on even behind what a table holds already')
    .option('--stay', 'keep running when no pipeline does, for `millrace start`')
    .option(
      '--http <address>',
      '127.0.0.1:PORT serves /livez, /readyz, /metrics, /status, the registry, POST /topics/NAME, and the views and asks of millrace.config.ts',
    )
    .option('--fsync <when>', FSYNC_HELP, 'batch')
    .option('--log-level <level>', `one of ${LOG_LEVELS.join(', ')}`)
    .option('--json', 'one JSON object a line: what starts, status, how it ended')
    .action((files: string[], options: RunOptions) => run(io, files, checked(options)))
  examples(
    command,
    'millrace run',
    'millrace run pipelines/revenue.sql --until now --http 127.0.0.1:9464',
  )
  command.addHelpText(
    'after',
    `
Ctrl-C and SIGTERM take a checkpoint and stop within ${STOP_MS_MAX / 1000} s; a second Ctrl-C ends at once, and the
next run goes on from the last checkpoint. Exit code 1: a pipeline failed, or did not stop in time.`,
  )
}

function checked(options: RunOptions): RunOptions {
  const { until, logLevel } = options
  if (until !== undefined && until !== 'now' && until !== 'end')
    throw usageError(`--until can't be '${until}'`, 'it is now or end')
  if (logLevel !== undefined && !LOG_LEVELS.includes(logLevel))
    throw usageError(`--log-level can't be '${logLevel}'`, `it is one of ${LOG_LEVELS.join(', ')}`)
  return options
}

/** A project that answers goes on answering, until it is stopped. */
function servesOnly(project: Project, { until, http }: RunOptions): boolean {
  const address = http ?? project.config.http.address
  return serves(project) && address !== undefined && until === undefined
}

async function run(io: Io, files: readonly string[], options: RunOptions): Promise<void> {
  const project = await loadProject(io, options)
  const stays = options.stay === true || servesOnly(project, options)
  const isIdle = stays && files.length === 0 && project.pipelines.length === 0
  const found = isIdle ? [] : pipelineFiles(project, io, files)
  const pipelines = found.length === 0 ? [] : await compilePipelines(project, found)
  const logger = await loggerOf(io, project, options)
  // For crash tests and the demo: a named point at which this process kills itself.
  const killAt = io.environment.MILLRACE_KILL_AT
  const ports = nodePorts(killAt === undefined ? {} : { killAt })
  const settings: LaunchSettings = {
    project,
    workers: options.workers ?? project.config.workers,
    onEvent: (name, event) => logEvent(logger, name, event),
    ...(options.until === undefined ? {} : { until: options.until }),
    ...(options.stateMemory === undefined ? {} : { stateMemory: options.stateMemory }),
    ...(options.fresh === undefined ? {} : { fresh: options.fresh }),
    ...(options.fromSavepoint === undefined ? {} : { fromSavepoint: options.fromSavepoint }),
    ...(options.allowDuplicates === undefined ? {} : { allowDuplicates: options.allowDuplicates }),
  }
  const fsync = fsyncPolicy(options.fsync)
  const fenced = Promise.withResolvers<never>()
  fenced.promise.catch(() => {})
  const service = await openService({
    directory: project.dataDirectory,
    version: VERSION,
    ports,
    launch: async ({ file, fresh, workers }) => {
      const asked = await compilePipelines(project, pipelineFiles(project, io, [file]))
      return launchesOf(asked, { ...settings, fresh, workers: workers ?? settings.workers })
    },
    produce: (request, fencedPorts) => appendRecords(fencedPorts, project.dataDirectory, request),
    onFenced: fenced.reject,
  })
  // Who opens the log first decides how it syncs: all that this owner writes goes through this one.
  const log = openLog({ ports: service.ports, dataDirectory: project.dataDirectory, fsync })
  const maintenance = startMaintenance({
    ports: service.ports,
    dataDirectory: project.dataDirectory,
    onPass: (done) => logger.info({ ...done }, 'log maintained'),
    onError: (error) => logger.warn({ error }, 'log not maintained'),
  })
  try {
    for (const { pipeline } of pipelines) {
      if (options.json) io.out(JSON.stringify({ event: 'starting', pipeline: pipeline.name }))
      else for (const line of announcement(pipeline, CONNECTORS, io.style)) io.out(line)
    }
    const launches = launchesOf(pipelines, settings)
    await Promise.race([
      fenced.promise,
      runService(io, { options, stays, project, service, ports, logger, launches }),
    ])
  } finally {
    await maintenance.close()
    await log.close()
    await service.close()
  }
}

interface Running {
  readonly options: RunOptions
  /** Also when no pipeline runs. */
  readonly stays: boolean
  readonly project: Project
  readonly service: Service
  readonly ports: Ports
  readonly logger: Logger
  readonly launches: readonly Launch[]
}

async function runService(io: Io, running: Running): Promise<void> {
  const { options, service, ports, launches, logger } = running
  const stopping = listenForStop()
  const http = await openHttp({ ...running, address: options.http })
  try {
    if (http !== undefined) io.err(io.errorStyle.faint(`serving ${http.url}`))
    await service.start(launches)
    const shown = watch(io, { service, clock: ports.clock, json: options.json ?? false })
    const isForced = await waitForEnd(io, running, stopping, shown)
    await shown.end()
    conclude(io, service, options, isForced)
    logger.info({ forced: isForced }, 'ended')
  } finally {
    stopping.dispose()
    await http?.close()
  }
}

/** True if the end was forced: what ran did not reach its last checkpoint. */
async function waitForEnd(
  io: Io,
  { stays, service, ports }: Running,
  stopping: Stopping,
  shown: Watch,
): Promise<boolean> {
  const ended = stays ? new Promise<never>(() => {}) : service.allEnded()
  const first = await Promise.race([ended, stopping.asked])
  if (first === undefined) return false
  shown.tell(
    io.errorStyle.warning(
      `${first}: taking a checkpoint, then stopping, within ${STOP_MS_MAX / 1000} s; once more ends at once`,
    ),
  )
  const cut = Promise.race([stopping.forced, ports.clock.sleep(STOP_MS_MAX)]).then(() => true)
  return Promise.race([service.stopAll().then(() => false), cut])
}

function conclude(io: Io, service: Service, options: RunOptions, isForced: boolean): void {
  const { pipelines } = service.status()
  if (isForced || pipelines.some(({ state }) => state === 'failed')) io.exitCode = EXIT.no
  if (isForced)
    io.err(
      io.errorStyle.bad(
        'ended before the last checkpoint: the next run goes on from the one before',
      ),
    )
  for (const pipeline of pipelines) {
    if (options.json) io.out(JSON.stringify({ event: 'ended', ...pipeline }))
    else io.out(`${io.style.strong(pipeline.name)}  ${balanceLine(pipeline, io.style)}`)
  }
}

/** To a file if the project names one; else to stderr, but never across a screen that is redrawn. */
async function loggerOf(
  io: Io,
  { config, directory }: Project,
  options: RunOptions,
): Promise<Logger> {
  const { createLogger } = await import('../../serve/logs.ts')
  const file = config.log.file === undefined ? undefined : join(directory, config.log.file)
  const isQuiet = file === undefined && options.logLevel === undefined && io.isTerminal
  const level = isQuiet ? 'silent' : (options.logLevel ?? config.log.level)
  return createLogger(level, file)
}

function logEvent(logger: Logger, pipeline: string, event: RunEvent): void {
  const { kind, ...fields } = event
  if (kind === 'checkpoint') logger.debug({ pipeline, ...fields }, kind)
  else if (kind === 'restored' || kind === 'watermark-recovered')
    logger.info({ pipeline, ...fields }, kind)
  else logger.warn({ pipeline, ...fields }, kind)
}
