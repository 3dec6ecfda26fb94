/** Starts a pipeline and keeps it running: restores, reads, checkpoints, restarts after what may pass, stops in a named state after what may not. */
import type { CheckpointId } from '../connectors/contract/sink.ts'
import { recoverLog } from '../connectors/log/recover.ts'
import { MillraceError } from '../errors.ts'
import { type Attempt, type AttemptEnd, openAttempt } from './attempt.ts'
import { asMillraceError } from './failure.ts'
import type { Outcome, PipelineStart, RunHandle, RunStatus } from './handle.ts'
import { type Settings, settingsOf } from './settings.ts'
import { startThreads } from './worker-pool.ts'
import { zonedWindows } from './zoned-windows.ts'

const RESTART_DELAY_MS_MAX = 60_000
/** A run that held for so long has left its trouble behind. */
const HEALTHY_MS = 60_000

/** Resolves once the pipeline runs, its checkpoint restored. @throws what keeps it from starting at all */
export async function startPipeline(start: PipelineStart): Promise<RunHandle> {
  const settings = settingsOf(start.pipeline.settings)
  const sinks = start.pipeline.sinks.map((sink) => ({
    ...sink,
    input: zonedWindows(sink.input, settings.timeZone),
  }))
  const run = new PipelineRun({ ...start, pipeline: { ...start.pipeline, sinks } }, settings)
  try {
    await run.begin()
  } catch (cause) {
    throw asMillraceError(cause)
  }
  return run
}

class PipelineRun implements RunHandle {
  readonly finished: Promise<Outcome>
  readonly #start: PipelineStart
  readonly #settings: Settings
  readonly #startedAtMs: number
  readonly #finish: (outcome: Outcome) => void
  readonly #stopping = new AbortController()
  #attempt: Attempt | undefined
  #state: RunStatus['state'] = 'starting'
  #restarts = 0
  #error: MillraceError | undefined
  #last: RunStatus | undefined

  constructor(start: PipelineStart, settings: Settings) {
    this.#start = start
    this.#settings = settings
    this.#startedAtMs = start.ports.clock.nowMs()
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.finished = promise
    this.#finish = resolve
    start.signal?.addEventListener('abort', () => this.#stopping.abort(), { once: true })
    if (start.signal?.aborted) this.#stopping.abort()
  }

  get pipeline(): PipelineStart['pipeline'] {
    return this.#start.pipeline
  }

  async begin(): Promise<void> {
    const { threads, workers = 1 } = this.#start
    if (threads === true && workers > 1) startThreads(workers)
    await recoverLog(this.#start.ports, this.#start.dataDirectory)
    this.#attempt = await openAttempt(this.#start, this.#settings, true)
    this.#state = 'running'
    void this.#keepRunning()
  }

  status(): RunStatus {
    const base = {
      pipeline: this.pipeline.name,
      state: this.#state,
      startedAtMs: this.#startedAtMs,
      workers: this.#start.workers ?? 1,
      restarts: this.#restarts,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    }
    const parts = this.#attempt?.status() ?? this.#last
    if (parts === undefined) return { ...EMPTY, ...base }
    return { ...parts, ...base }
  }

  stop(): Promise<Outcome> {
    if (this.#state === 'running' || this.#state === 'restarting') this.#state = 'stopping'
    this.#stopping.abort()
    return this.finished
  }

  async savepoint(path: string): Promise<CheckpointId> {
    if (this.#attempt !== undefined) return this.#attempt.savepoint(path)
    throw new MillraceError('PIPELINE_NOT_RUNNING', {
      message: `pipeline '${this.pipeline.name}' is ${this.#state}: it has no state to save`,
      hint: 'take the savepoint while it runs',
      facts: { pipeline: this.pipeline.name, state: this.#state },
    })
  }

  async #keepRunning(): Promise<void> {
    const { clock } = this.#start.ports
    let failures = 0
    for (;;) {
      const beganMs = clock.monotonicMs()
      try {
        this.#attempt ??= await openAttempt(this.#start, this.#settings, false)
        if (this.#state === 'restarting') this.#state = 'running'
        const end = await this.#attempt.run(this.#stopping.signal)
        await this.#release()
        this.#end(end)
        return
      } catch (cause) {
        await this.#release().catch(() => {})
        const error = asMillraceError(cause)
        if (clock.monotonicMs() - beganMs > HEALTHY_MS) failures = 0
        failures++
        if (!this.#mayRestart(error, failures)) return
        await this.#waitToRestart(error, failures)
      }
    }
  }

  #end(end: AttemptEnd): void {
    if (end.kind === 'refused') {
      this.#state = 'commit-refused'
      const { sink, reason, remedy, pending } = end.refusal
      this.#start.onEvent?.({ kind: 'commit-refused', sink, reason })
      this.#finish({ kind: 'commit-refused', sink, reason, remedy, pending })
      return
    }
    this.#state = 'finished'
    this.#finish({ kind: 'finished', because: end.because })
  }

  #mayRestart(error: MillraceError, failures: number): boolean {
    this.#error = error
    const isStopping = this.#stopping.signal.aborted
    if (error.retryable && failures < this.#settings.restartAttemptsMax && !isStopping) return true
    this.#state = 'failed'
    this.#finish({ kind: 'failed', error, attempts: failures })
    return false
  }

  async #waitToRestart(error: MillraceError, failures: number): Promise<void> {
    this.#state = 'restarting'
    this.#restarts++
    const waitMs = Math.min(
      this.#settings.restartDelayMs * 2 ** (failures - 1),
      RESTART_DELAY_MS_MAX,
    )
    this.#start.onEvent?.({ kind: 'restarting', error, waitMs })
    await this.#start.ports.clock.sleep(waitMs, this.#stopping.signal)
  }

  async #release(): Promise<void> {
    const attempt = this.#attempt
    if (attempt === undefined) return
    this.#last = { ...EMPTY, ...attempt.status() }
    this.#attempt = undefined
    await attempt.close()
  }
}

const EMPTY: RunStatus = {
  pipeline: '',
  state: 'starting',
  startedAtMs: 0,
  workers: 1,
  sources: [],
  windows: [],
  sinks: [],
  conservation: { read: 0, used: 0, dead: 0, madeDead: 0, late: 0 },
  checkpoint: {},
  restarts: 0,
}
