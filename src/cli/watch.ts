/** Shows a service while it runs: redrawn on a terminal, a line now and then elsewhere, JSON lines for programs. */
import type { Clock } from '../ports/clock.ts'
import type { Service } from '../serve/service.ts'
import type { PipelineStatus } from '../serve/status.ts'
import type { Io } from './io.ts'
import { createScreen } from './render/screen.ts'
import { statusLine, statusLines } from './render/status.ts'

const REDRAW_MS = 250
const LINE_MS = 10_000

export interface Watch {
  /** A line that stays: what happened. */
  tell(line: string): void
  /** Shows the last status and ends. */
  end(): Promise<void>
}

export interface WatchOptions {
  readonly service: Service
  readonly clock: Clock
  readonly json: boolean
}

export function watch(io: Io, options: WatchOptions): Watch {
  if (options.json) return watchLines(io, options, jsonStatus)
  if (!io.isTerminal) return watchLines(io, options, statusLine)
  return watchScreen(io, options)
}

function watchScreen(io: Io, { service, clock }: WatchOptions): Watch {
  const screen = createScreen(io.write, io.rows)
  const draw = () => {
    const view = { nowMs: clock.nowMs(), columns: io.columns(), style: io.style }
    const { pipelines } = service.status()
    screen.draw(pipelines.flatMap((pipeline) => ['', ...statusLines(pipeline, view)]))
  }
  const loop = repeat(clock, REDRAW_MS, draw)
  return {
    tell: (line) => screen.print([line]),
    async end() {
      await loop.stop()
      draw()
    },
  }
}

function watchLines(
  io: Io,
  { service, clock }: WatchOptions,
  lineOf: (pipeline: PipelineStatus, nowMs: number) => string,
): Watch {
  const told = new Map<string, string>()
  let toldMs = clock.monotonicMs()
  const tellAll = () => {
    for (const pipeline of service.status().pipelines) io.out(lineOf(pipeline, clock.nowMs()))
    toldMs = clock.monotonicMs()
  }
  const loop = repeat(clock, REDRAW_MS, () => {
    if (clock.monotonicMs() - toldMs >= LINE_MS) return tellAll()
    // A change of state is told at once; what only counts is told now and then.
    for (const pipeline of service.status().pipelines) {
      if (told.get(pipeline.name) === pipeline.state) continue
      told.set(pipeline.name, pipeline.state)
      io.out(lineOf(pipeline, clock.nowMs()))
    }
  })
  return {
    tell: (line) => io.err(line),
    async end() {
      await loop.stop()
      tellAll()
    },
  }
}

function jsonStatus(pipeline: PipelineStatus): string {
  return JSON.stringify({ event: 'status', ...pipeline })
}

function repeat(clock: Clock, everyMs: number, act: () => void): { stop(): Promise<void> } {
  const ending = new AbortController()
  const loop = (async () => {
    while (!ending.signal.aborted) {
      act()
      await clock.sleep(everyMs, ending.signal)
    }
  })()
  return {
    stop() {
      ending.abort()
      return loop
    },
  }
}
