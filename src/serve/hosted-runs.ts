/** The runs of one process, by name: one of each at a time, and the last outcome of those that ended. */
import { MillraceError } from '../errors.ts'
import type { Outcome, RunHandle } from '../run/handle.ts'

export interface HostedRun {
  readonly run: RunHandle
  /** Set when it is over. */
  outcome?: Outcome
}

export interface NamedStart {
  readonly name: string
  start(): Promise<RunHandle>
}

export interface HostedRuns {
  list(): readonly HostedRun[]
  /** @throws PIPELINE_UNKNOWN */
  find(name: string): HostedRun
  /** Starts them one after another. @throws PIPELINE_EXISTS, before any is started, while one of that name runs */
  start(starts: readonly NamedStart[]): Promise<void>
  stopAll(): Promise<void>
  /** Resolves when none runs and none is being started. */
  allEnded(): Promise<void>
}

export function hostedRuns(): HostedRuns {
  const hosted = new Map<string, HostedRun>()
  const starting = new Set<string>()
  const pending = new Set<Promise<unknown>>()
  const track = (promise: Promise<unknown>) => {
    const settled: Promise<unknown> = promise.finally(() => pending.delete(settled)).catch(() => {})
    pending.add(settled)
  }
  const reserve = (names: readonly string[]) => {
    for (const name of names) {
      const isRunning = hosted.get(name)?.outcome === undefined && hosted.has(name)
      if (isRunning || starting.has(name) || names.indexOf(name) !== names.lastIndexOf(name))
        throw pipelineExists(name)
    }
    for (const name of names) starting.add(name)
  }
  const startOne = async ({ name, start }: NamedStart) => {
    const entry: HostedRun = { run: await start() }
    hosted.set(name, entry)
    track(
      entry.run.finished.then((outcome) => {
        entry.outcome = outcome
      }),
    )
  }
  const startEach = async (starts: readonly NamedStart[]) => {
    try {
      for (const each of starts) await startOne(each)
    } finally {
      for (const { name } of starts) starting.delete(name)
    }
  }
  return {
    list: () => [...hosted.values()],
    find(name) {
      const entry = hosted.get(name)
      if (entry === undefined) throw pipelineUnknown(name, [...hosted.keys()])
      return entry
    },
    async start(starts) {
      reserve(starts.map(({ name }) => name))
      const started = startEach(starts)
      track(started)
      await started
    },
    async stopAll() {
      await Promise.all([...hosted.values()].map(({ run }) => run.stop()))
    },
    async allEnded() {
      while (pending.size > 0) await Promise.race(pending)
    },
  }
}

function pipelineUnknown(name: string, names: readonly string[]): MillraceError {
  return new MillraceError('PIPELINE_UNKNOWN', {
    message: `no pipeline '${name}' runs here`,
    hint:
      names.length === 0
        ? 'none does: `millrace start FILE`'
        : `those that do: ${names.join(', ')}`,
    facts: { name },
  })
}

function pipelineExists(name: string): MillraceError {
  return new MillraceError('PIPELINE_EXISTS', {
    message: `a pipeline named '${name}' is running already`,
    hint: `stop it first (millrace stop ${name}), or give this one its own name: SET 'pipeline.name' = '...'`,
    facts: { name },
  })
}
